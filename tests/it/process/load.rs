//! Clients that go on whatever happens to the gateway, and remember what they were told.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use reqwest::{Client, StatusCode};
use serde_json::json;
use tokio::task::JoinSet;
use tollgate_domain::Money;

use super::Gateway;
use super::keyed::{self, Outcome};
use crate::wire::{self, MODEL};

const CLIENTS: u64 = 16;

/// An answer of which a client has seen the price.
#[derive(Debug, Clone)]
pub struct Told {
    /// `x-request-id`
    pub request: String,
    /// `usage.cost`
    pub cost: Money,
}

/// What the clients remember.
pub struct Memories {
    /// Answers with their price.
    pub told: Vec<Told>,
    /// What became of requests with an idempotency key, by key.
    pub outcomes: BTreeMap<String, Vec<Outcome>>,
    /// Dollars that the operator was told of.
    pub dollars: u64,
}

/// What the clients share.
struct Shared {
    bases: Mutex<Vec<String>>,
    stop: AtomicBool,
    told: Mutex<Vec<Told>>,
    outcomes: Mutex<BTreeMap<String, Vec<Outcome>>>,
    count: AtomicU64,
}

/// Clients at work.
pub struct Load {
    shared: Arc<Shared>,
    tasks: JoinSet<()>,
    top_ups: tokio::task::JoinHandle<u64>,
}

impl Load {
    /// Sets clients to work with these keys, and an operator who tops `account` up, dollar by
    /// dollar.
    pub fn start(gateways: &[&Gateway], keys: &[String], admin: String, account: &str) -> Self {
        let bases = gateways.iter().map(|gateway| gateway.base.clone()).collect();
        let shared = Arc::new(Shared {
            bases: Mutex::new(bases),
            stop: AtomicBool::new(false),
            told: Mutex::default(),
            outcomes: Mutex::default(),
            count: AtomicU64::new(0),
        });
        let mut tasks = JoinSet::new();
        for (client, key) in (0..CLIENTS).zip(keys.iter().cycle()) {
            tasks.spawn(ask_on(shared.clone(), key.clone(), client));
        }
        let path = format!("/v1/admin/clients/{account}/top-ups");
        let top_ups = tokio::spawn(top_up_on(shared.clone(), path, admin));
        Self { shared, tasks, top_ups }
    }

    /// The n-th gateway listens elsewhere now.
    pub fn follow(&self, number: usize, gateway: &Gateway) {
        self.shared.bases.lock().expect("no panic")[number].clone_from(&gateway.base);
    }

    /// Answers with a price so far.
    pub fn count(&self) -> u64 {
        self.shared.count.load(Ordering::Relaxed)
    }

    /// Lets the clients end what they do.
    pub async fn stop(self) -> Memories {
        self.shared.stop.store(true, Ordering::Relaxed);
        self.tasks.join_all().await;
        let dollars = self.top_ups.await.expect("no panic");
        let told = std::mem::take(&mut *self.shared.told.lock().expect("no panic"));
        let outcomes = std::mem::take(&mut *self.shared.outcomes.lock().expect("no panic"));
        Memories { told, outcomes, dollars }
    }
}

impl Shared {
    fn was_told(&self, told: Told) {
        self.told.lock().expect("no panic").push(told);
        self.count.fetch_add(1, Ordering::Relaxed);
    }

    fn stopped(&self) -> bool {
        self.stop.load(Ordering::Relaxed)
    }

    /// At one gateway after the other.
    fn url(&self, turn: u64, path: &str) -> String {
        let bases = self.bases.lock().expect("no panic");
        format!("{}{path}", bases[turn as usize % bases.len()])
    }
}

fn client() -> Client {
    Client::builder().no_proxy().timeout(Duration::from_secs(60)).build().expect("a client")
}

/// One client: whole answers and streams, quick and slow, one after the other.
async fn ask_on(shared: Arc<Shared>, key: String, number: u64) {
    let client = client();
    for turn in 0.. {
        if shared.stopped() {
            return;
        }
        let stream = (number + turn).is_multiple_of(2);
        // Slow ones are noted for recovery, quick ones end before anybody could.
        let delay = [0, 20, 160, 400][(turn % 4) as usize];
        let body = json!({
            "model": MODEL, "stream": stream, "max_tokens": 60,
            "messages": [{ "role": "user", "content": format!("{number}/{turn}") }],
            "sandbox": match stream {
                true => json!({ "fault": format!("slow-chunks={}", delay / 20) }),
                false => json!({ "delay_ms": delay }),
            },
        });
        if turn % 3 == 2 {
            ask_twice(&shared, &client, &key, &format!("{number}/{turn}"), &body).await;
            continue;
        }
        let url = shared.url(number + turn / 2, "/v1/chat/completions");
        let request = client.post(url).bearer_auth(&key).json(&body);
        let got = match wire::send(request).await {
            Ok(got) if got.status == 200 => got,
            Ok(_) | Err(_) => {
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        if let Some(cost) = got.cost() {
            shared.was_told(Told { request: got.request().to_owned(), cost });
        }
    }
}

/// Under an idempotency key, until the outcome is known, and then again.
async fn ask_twice(
    shared: &Shared,
    client: &Client,
    api_key: &str,
    key: &str,
    body: &serde_json::Value,
) {
    for again in 0..2 {
        let urls = |turn| shared.url(turn + again, "/v1/chat/completions");
        let asked = keyed::ask(client, urls, (api_key, key), body, || shared.stopped());
        let Some((outcome, told)) = asked.await else { return };
        if let Some(told) = told {
            shared.was_told(told);
        }
        let mut outcomes = shared.outcomes.lock().expect("no panic");
        outcomes.entry(key.to_owned()).or_default().push(outcome);
    }
}

/// The operator: one dollar after the other, each under a key of its own and sent again until it is
/// answered.
async fn top_up_on(shared: Arc<Shared>, path: String, admin: String) -> u64 {
    let client = client();
    let mut booked = 0;
    for turn in 0.. {
        if shared.stopped() {
            break;
        }
        let request = client
            .post(shared.url(turn, &path))
            .bearer_auth(&admin)
            .header("Idempotency-Key", format!("dollar {booked}"))
            .json(&json!({ "amount_usd": "1" }));
        let answer = request.send().await;
        match answer.map(|answer| answer.status()) {
            Ok(StatusCode::CREATED) => booked += 1,
            Ok(status) if status.is_client_error() => panic!("a top-up was refused: {status}"),
            Ok(_) | Err(_) => {}
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    booked
}
