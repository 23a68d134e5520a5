//! Many requests at once on an account that can pay for few.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;
use tollgate_domain::Money;

use crate::app::{Person, TestApp};
use crate::fate::{self, Fate};
use crate::wire::{self, Got};

const CLIENTS: usize = 64;
const AFFORDABLE: usize = 10;
/// Longer than it takes to decide about every client, so that all reservations overlap.
const OVERLAP: Duration = Duration::from_secs(4);

/// The same request for everybody: so each reserves the same amount.
async fn ask(app: &TestApp, key: &str, stream: bool, delay: Duration) -> Got {
    let request = app
        .request(Method::POST, "/v1/chat/completions")
        .bearer_auth(key)
        .header("X-Sandbox-Delay", delay.as_millis().to_string())
        .json(&wire::body("Who is first?", stream));
    wire::send(request).await.expect("an answer")
}

/// A customer with exactly this much money.
async fn customer(app: &TestApp, name: &str, money: Money) -> (Person, String) {
    let person = app.customer(name).await;
    app.top_up(&person, &money.to_string()).await;
    let (_, key) = app.issue_key(&person).await;
    (person, key)
}

/// What one of the requests reserves: learnt from another customer's.
async fn price_of_a_reservation(app: &TestApp) -> Money {
    let (_, key) = customer(app, "scout", Money::dollars(1)).await;
    // `true` and `false` differ by one byte, which is less than a token, but only by luck.
    for stream in [true, false] {
        assert!(ask(app, &key, stream, Duration::ZERO).await.is_whole());
    }
    let fates = fate::all_ended(app.state().database.pool(), OVERLAP).await;
    let amounts: Vec<Money> = fates.iter().map(|fate| fate.reserved.amount).collect();
    assert_eq!(amounts[0], amounts[1]);
    amounts[0]
}

fn times(amount: Money, count: usize) -> Money {
    fate::sum(std::iter::repeat_n(amount, count))
}

#[tokio::test(flavor = "multi_thread")]
async fn of_64_clients_with_money_for_10_exactly_10_are_served() {
    let app = TestApp::start().await;
    let one = price_of_a_reservation(&app).await;
    // One pico-dollar less than an eleventh would need.
    let short = Money::parse("0.000000000001").expect("money");
    let money = times(one, AFFORDABLE + 1).checked_sub(short).expect("more than that");
    let (person, key) = customer(&app, "racer", money).await;

    let asked = (0..CLIENTS).map(|number| ask(&app, &key, number % 2 == 0, OVERLAP));
    let answers = join_all(asked).await;

    let served: Vec<&Got> = answers.iter().filter(|got| got.status == 200).collect();
    let refused: Vec<&Got> = answers.iter().filter(|got| got.status == 402).collect();
    assert_eq!((served.len(), refused.len()), (AFFORDABLE, CLIENTS - AFFORDABLE));
    for got in &served {
        assert!(got.is_whole(), "{got:?}");
    }
    for got in &refused {
        let error = got.error().expect("an error");
        assert_eq!(error["code"], "insufficient_quota");
        let message = error["message"].as_str().expect("text");
        // OpenRouter's words, which tools look for.
        assert!(
            message.starts_with(
                "This request requires more credits, or fewer max_tokens. You requested up to 400 \
                 tokens, but can only afford "
            ),
            "{message}"
        );
        assert_eq!(got.headers["x-should-retry"], "false");
    }
    let told = fate::sum(served.iter().map(|got| got.cost().expect("a cost")));
    assert_books(&app, &person, money, told).await;
    app.audit().await;
}

/// Refused requests leave nothing in the log, the charges are what the clients were told, and what
/// was available never fell below zero.
async fn assert_books(app: &TestApp, person: &Person, money: Money, told: Money) {
    let pool = app.state().database.pool();
    let fates = fate::all_ended(pool, OVERLAP * 5).await;
    let ours: Vec<&Fate> = fates.iter().filter(|fate| fate.account == person.account).collect();
    assert_eq!(ours.len(), AFFORDABLE);
    assert_eq!(fate::sum(ours.iter().map(|fate| fate.charge())), told);
    assert_eq!(fate::lowest_available(pool, &person.account).await, Money::ZERO);
    app.caught_up().await;
    let balance = app.get("/v1/client/balance", &person.token).await.expect(200);
    let left = money.checked_sub(told).expect("more than that");
    assert_eq!(balance["balance_usd"], json!(left));
    assert_eq!((&balance["available_usd"], &balance["reserved_usd"]), (&json!(left), &json!("0")));
}

#[tokio::test(flavor = "multi_thread")]
async fn what_a_charge_leaves_of_its_reservation_pays_for_the_next_request() {
    let app = TestApp::start().await;
    let one = price_of_a_reservation(&app).await;
    // Money for one reservation at a time, and for many charges.
    let (person, key) = customer(&app, "patient", times(one, 2)).await;
    let mut told = Vec::new();
    for number in 0..4 {
        let got = ask(&app, &key, number % 2 == 0, Duration::ZERO).await;
        assert_eq!(got.status, 200, "{number}: {}", got.text);
        told.push(got.cost().expect("a cost"));
        fate::all_ended(app.state().database.pool(), OVERLAP).await;
    }
    app.caught_up().await;
    let balance = app.get("/v1/client/balance", &person.token).await.expect(200);
    let left = times(one, 2).checked_sub(fate::sum(told)).expect("more than that");
    assert_eq!(balance["balance_usd"], json!(left));
    app.audit().await;
}
