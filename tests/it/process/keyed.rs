//! Clients that send an `Idempotency-Key` and ask until they know what became of their request,
//! and then once more, at another gateway: a key has one outcome.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::Client;
use serde_json::Value;
use sqlx::PgPool;
use tollgate_domain::Money;

use super::load::Told;
use crate::fate::Fate;
use crate::wire::{self, Got};

/// What a client was told under a key.
#[derive(Debug, Clone)]
pub enum Outcome {
    /// The whole answer.
    Answer(String),
    /// It was carried out, its answer is gone, and this is what it was charged.
    NotKept {
        /// The request that was.
        request: String,
        /// Its charge.
        charge: Money,
    },
}

/// Asks at the addresses of `urls`, in turn, until there is an outcome; none where `stopped`.
pub async fn ask(
    client: &Client,
    urls: impl Fn(u64) -> String,
    (api_key, key): (&str, &str),
    body: &Value,
    stopped: impl Fn() -> bool,
) -> Option<(Outcome, Option<Told>)> {
    for turn in 0.. {
        let request = client.post(urls(turn)).bearer_auth(api_key).header("Idempotency-Key", key);
        match wire::send(request.json(body)).await {
            Ok(got) if got.is_whole() => {
                let replayed = got.headers.contains_key("idempotent-replayed");
                let told = got.cost().filter(|_| !replayed);
                let told = told.map(|cost| Told { request: got.request().to_owned(), cost });
                return Some((Outcome::Answer(got.text), told));
            }
            Ok(got) if got.status == 409 => {
                if let Some(outcome) = not_kept(&got) {
                    return Some((outcome, None));
                }
            }
            Ok(got) => assert!(got.status != 400 && got.status != 422, "{}", got.text),
            Err(_) => {}
        }
        if stopped() {
            return None;
        }
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    None
}

fn not_kept(got: &Got) -> Option<Outcome> {
    let error = got.error()?;
    if error["code"] != "answer_not_kept" {
        assert_eq!(error["code"], "request_in_progress", "{error}");
        return None;
    }
    let text = |name: &str| error["metadata"][name].as_str().expect("text").to_owned();
    let charge = Money::parse(&text("charge_usd")).expect("an amount");
    Some(Outcome::NotKept { request: text("request_id"), charge })
}

/// No key has two outcomes, and none was charged twice.
pub async fn assert_one_outcome_each(
    pool: &PgPool,
    outcomes: &BTreeMap<String, Vec<Outcome>>,
    fates: &[Fate],
) {
    let by_request: BTreeMap<&str, &Fate> =
        fates.iter().map(|fate| (fate.request.as_str(), fate)).collect();
    let charges = charges(pool, fates).await;
    let (mut asked_twice, mut lost) = (0, 0);
    for (key, outcomes) in outcomes {
        let charges = charges.get(key).unwrap_or_else(|| panic!("{key} is not in the books"));
        assert!(charges.len() <= 1, "{key} was charged twice: {charges:?}");
        asked_twice += usize::from(outcomes.len() > 1);
        let mut text = None;
        for outcome in outcomes {
            match outcome {
                Outcome::Answer(told) => {
                    let first = text.get_or_insert(told);
                    assert_eq!(*first, told, "{key} has two answers");
                }
                Outcome::NotKept { request, charge } => {
                    lost += 1;
                    let fate = by_request[request.as_str()];
                    assert_eq!(*charge, fate.charge(), "{key}: {fate:?}");
                }
            }
        }
    }
    println!("{} keys, {asked_twice} asked twice, {lost} told without answer", outcomes.len());
    assert!(asked_twice > 0, "no key was used twice, and nothing is shown");
}

/// What was charged under each key, attempt by attempt.
async fn charges(pool: &PgPool, fates: &[Fate]) -> BTreeMap<String, Vec<Money>> {
    let by_reservation: BTreeMap<String, &Fate> =
        fates.iter().map(|fate| (fate.reserved.reservation.to_string(), fate)).collect();
    let rows: Vec<(String, String)> = sqlx::query_as(
        "SELECT key, result::text FROM idempotency_keys WHERE scope LIKE 'requests:%'",
    )
    .fetch_all(pool)
    .await
    .expect("the keys can be read");
    let mut charges: BTreeMap<String, Vec<Money>> = BTreeMap::new();
    for (key, begun) in rows {
        let begun: Value = serde_json::from_str(&begun).expect("JSON");
        let fate = by_reservation[begun["reservation"].as_str().expect("an id")];
        let of_key = charges.entry(key.split('\n').next().unwrap_or(&key).to_owned()).or_default();
        of_key.extend(Some(fate.charge()).filter(|charge| charge.is_positive()));
    }
    charges
}
