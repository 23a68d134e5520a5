//! Recorded production demand, replayed through the gateway: its books must balance to the last
//! digit. `TRACE_SPEED` says how many times faster than it was recorded, `TRACE_ROWS` how much of
//! it.

mod faults;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::NaiveDateTime;
use reqwest::Method;
use serde_json::json;
use tokio::task::JoinSet;
use tollgate_domain::Money;
use tollgate_domain::account::{CostSource, Outcome};
use tollgate_domain::pricing::list_cost;

use crate::app::{Person, TestApp};
use crate::fate::{self, Fate};
use crate::wire::{self, Got};

const TRACE: &str = include_str!("../data/azure-llm-2023-conversation.csv");
const MODELS: [&str; 5] = [
    "openai/gpt-4o-mini",
    "anthropic/claude-haiku-4.5",
    "google/gemini-2.5-flash",
    "deepseek/deepseek-chat-v3.1",
    "openai/gpt-5-mini",
];
const CUSTOMERS: usize = 6;
const KEYS_EACH: usize = 2;
const BUDGET: u32 = 50;

#[derive(Clone, Copy)]
struct Row {
    after: Duration,
    prompt: u64,
    output: u64,
}

fn setting(name: &str, default: u32) -> u32 {
    let given = std::env::var(name).ok();
    given.map_or(default, |text| text.parse().expect("a number")).max(1)
}

/// The rows, at the times at which they are due.
fn rows(speed: u32) -> Vec<Row> {
    let mut first = None;
    let read = |line: &str| {
        let mut fields = line.split(',');
        let mut next = || fields.next().expect("three fields");
        let at = NaiveDateTime::parse_from_str(next(), "%Y-%m-%d %H:%M:%S%.f").expect("a time");
        let since = at - *first.get_or_insert(at);
        let after = since.to_std().expect("rows are in order") / speed;
        let mut count = || next().parse().expect("a count");
        Row { after, prompt: count(), output: count() }
    };
    TRACE.lines().skip(1).map(read).take(setting("TRACE_ROWS", 2_000) as usize).collect()
}

/// The customers, and their keys in turn.
async fn customers(app: &TestApp) -> (Vec<Person>, Vec<String>) {
    let (mut people, mut keys) = (Vec::new(), Vec::new());
    for number in 0..CUSTOMERS {
        let person = app.customer(&format!("customer{number}")).await;
        app.top_up(&person, &BUDGET.to_string()).await;
        for _ in 0..KEYS_EACH {
            keys.push(app.issue_key(&person).await.1);
        }
        people.push(person);
    }
    (people, keys)
}

/// One row as a request: a prompt of about its size, and the recorded counts as the answer's.
fn request(app: &TestApp, keys: &[String], at: usize, row: Row) -> reqwest::RequestBuilder {
    // Neighbours in the trace meet different customers and models.
    let key = &keys[at * 7 % keys.len()];
    let body = json!({
        "model": MODELS[at % MODELS.len()],
        "stream": !at.is_multiple_of(3),
        "max_tokens": row.output.max(1),
        "messages": [{ "role": "user", "content": "word ".repeat(row.prompt as usize) }],
    });
    app.request(Method::POST, "/v1/chat/completions")
        .bearer_auth(key)
        .header("X-Sandbox-Tokens", format!("{},{}", row.prompt, row.output))
        .header("X-Sandbox-Delay", "0")
        .json(&body)
}

/// Sends every row when it is due, as `send` has it done.
async fn replay<F, S>(rows: &[Row], send: S) -> Vec<F::Output>
where
    F: Future<Output: Send> + Send + 'static,
    S: Fn(usize, Row) -> F,
{
    let mut open = JoinSet::new();
    let begun = Instant::now();
    for (at, row) in rows.iter().copied().enumerate() {
        tokio::time::sleep_until((begun + row.after).into()).await;
        let sent = send(at, row);
        open.spawn(async move { (at, sent.await) });
    }
    let mut answers = open.join_all().await;
    answers.sort_by_key(|(at, _)| *at);
    answers.into_iter().map(|(_, answer)| answer).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_recorded_trace_is_charged_to_the_last_digit() {
    let rows = rows(setting("TRACE_SPEED", 20));
    let app = Arc::new(TestApp::start().await);
    let (people, keys) = customers(&app).await;
    let answers: Vec<Got> = replay(&rows, |at, row| {
        let sent = wire::send(request(&app, &keys, at, row));
        async { sent.await.expect("an answer") }
    })
    .await;
    let pool = app.state().database.pool().clone();
    let fates = fate::all_ended(&pool, Duration::from_secs(30)).await;
    drop(pool);
    assert_eq!(fates.len(), rows.len());
    let by_request: BTreeMap<&str, &Fate> =
        fates.iter().map(|fate| (fate.request.as_str(), fate)).collect();
    for (row, got) in rows.iter().zip(&answers) {
        assert!(got.is_whole(), "{}: {}", got.status, got.text);
        assert_charged_as_told(&app, *row, got, by_request[got.request()]);
    }
    let told = fate::sum(answers.iter().map(|got| got.cost().expect("a cost")));
    assert!(told.is_positive());
    assert_eq!(told, fate::sum(fates.iter().map(Fate::charge)));
    assert_eq!(told, spent(&app, &people).await);
    Arc::into_inner(app).expect("the replay has ended").audit().await;
}

/// The charge is what the client was told, and follows from the recorded counts and the prices.
#[track_caller]
fn assert_charged_as_told(app: &TestApp, row: Row, got: &Got, fate: &Fate) {
    let settled = fate.settled();
    assert_eq!(Some(settled.charge), got.cost(), "{settled:?}");
    let ended = (settled.source, settled.outcome);
    assert_eq!(ended, (CostSource::Upstream, Outcome::Completed), "{settled:?}");
    let tokens = (settled.usage.prompt_tokens(), settled.usage.output);
    assert_eq!(tokens, (row.prompt, row.output.max(1)), "{settled:?}");
    let prices = app.state().gateway.prices().current();
    let card = prices.book.find_card(&settled.model).expect("it was sold");
    let computed = list_cost(card, &settled.usage, settled.at).expect("small counts");
    assert_eq!((settled.list_cost, settled.computed_list_cost), (computed, None), "{settled:?}");
    assert!(settled.charge <= fate.reserved.amount, "more than was set aside: {settled:?}");
}

/// What all balances together went down by.
async fn spent(app: &TestApp, people: &[Person]) -> Money {
    app.caught_up().await;
    let mut spent = Vec::new();
    for person in people {
        let balance = app.get("/v1/client/balance", &person.token).await.expect(200);
        assert_eq!(balance["reserved_usd"], "0");
        let left = Money::parse(balance["balance_usd"].as_str().expect("text")).expect("money");
        spent.push(Money::dollars(BUDGET).checked_sub(left).expect("small amounts"));
    }
    fate::sum(spent)
}
