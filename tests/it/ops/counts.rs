//! After known requests the figures have exactly the values that these requests make.

use std::collections::BTreeMap;
use std::time::Duration;

use reqwest::{Method, RequestBuilder};
use serde_json::json;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate::config::Config;
use tollgate::ledger::{Actor, CommandContext, Ledger, LedgerOptions, now};
use tollgate_domain::account::{AccountCommand, ReserveFunds, SpendLimits};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::ids::ReservationId;
use tollgate_domain::{Money, Timestamp};
use uuid::Uuid;

use super::Scraped;
use crate::app::{Person, TestApp};
use crate::wire;

fn told(config: &mut Config) {
    config.metrics = Some(([127, 0, 0, 1], 0).into());
    config.recovery.look = Duration::from_secs(1);
}

async fn scrape(app: &TestApp) -> Scraped {
    Scraped::read(&app.figures().await)
}

/// A request whose answer takes 800 + 800 tokens: $0.010 at list price.
fn ask(app: &TestApp, key: &str, stream: bool) -> RequestBuilder {
    let body = json!({
        "model": "openai/gpt-4o", "stream": stream, "max_tokens": 1000,
        "messages": [{ "role": "user", "content": "Explain a ledger." }],
    });
    let request = app.request(Method::POST, "/v1/chat/completions").bearer_auth(key);
    request.header("X-Sandbox-Tokens", "800,800").json(&body)
}

async fn status(request: RequestBuilder) -> u16 {
    wire::send(request).await.expect("a status").status
}

async fn limited_key(app: &TestApp, person: &Person) -> String {
    let body = json!({ "name": "limited", "requests_per_minute": 1 });
    let issued = app.post("/v1/auth/api-keys", &person.token, &body).await.expect(201);
    issued["key"].as_str().expect("a key").to_owned()
}

/// What has changed, once as many requests have come to their last byte, which is a moment after
/// their clients have it.
async fn changed(app: &TestApp, before: &Scraped, ended: f64) -> BTreeMap<String, f64> {
    let name = "tollgate_http_request_duration_seconds_count{endpoint=\"chat_completions\"}";
    for _ in 0..200 {
        let after = scrape(app).await;
        if after.value(name) - before.value(name) >= ended {
            return after.counted_since(before);
        }
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    panic!("not all requests came to their end");
}

#[tokio::test]
async fn after_known_requests_the_figures_are_exactly_theirs() {
    let app = TestApp::start_with(told).await;
    let (ada, key) = app.paying_customer("ada").await;
    let limited = limited_key(&app, &ada).await;
    let poor = app.customer("poor").await;
    let (_, poor_key) = app.issue_key(&poor).await;
    app.settled().await;
    let (before, live) = (scrape(&app).await, app.state().metrics.snapshot());

    assert_eq!(status(ask(&app, &limited, false)).await, 200);
    assert_eq!(status(ask(&app, &limited, false)).await, 429);
    assert_eq!(status(ask(&app, &key, true)).await, 200);
    assert_eq!(status(ask(&app, &poor_key, false)).await, 402);
    assert_eq!(status(ask(&app, "sk-tg-unknown", false)).await, 401);
    let refused = ask(&app, &key, false).header("X-Sandbox-Fault", "status=502");
    assert_eq!(status(refused).await, 502);
    let unbilled = ask(&app, &key, false).header("X-Sandbox-Fault", "missing-usage");
    assert_eq!(status(unbilled).await, 200);
    app.settled().await;

    let mut changed = changed(&app, &before, 7.0).await;
    // How the writer cuts its batches is its own affair.
    changed.remove("tollgate_ledger_batch_events_count");
    changed.remove("tollgate_ledger_commit_duration_seconds_count");
    let dollars = ["charges", "costs"]
        .map(|name| changed.remove(&format!("tollgate_{name}_dollars_total")).expect("an amount"));
    assert!((dollars[0] - 0.024).abs() < 1e-9, "three times 0.010 × 0.80: {dollars:?}");
    assert!((dollars[1] - 0.009).abs() < 1e-9, "three times 0.010 × 0.30: {dollars:?}");
    let expected = [
        ("http_requests_total{endpoint=\"chat_completions\",outcome=\"2xx\"}", 3),
        ("http_requests_total{endpoint=\"chat_completions\",outcome=\"4xx\"}", 3),
        ("http_requests_total{endpoint=\"chat_completions\",outcome=\"5xx\"}", 1),
        ("http_errors_total{code=\"insufficient_quota\"}", 1),
        ("http_errors_total{code=\"not_authenticated\"}", 1),
        ("http_errors_total{code=\"rate_limit_exceeded\"}", 1),
        ("http_errors_total{code=\"upstream_unavailable\"}", 1),
        ("limit_refusals_total{limit=\"key_requests_per_minute\"}", 1),
        ("http_request_duration_seconds_count{endpoint=\"chat_completions\"}", 7),
        ("time_to_first_byte_seconds_count{endpoint=\"chat_completions\"}", 3),
        ("gateway_overhead_seconds_count", 3),
        ("upstream_response_seconds_count", 4),
        ("upstream_errors_total{kind=\"failed\"}", 1),
        ("upstream_errors_total{kind=\"usage_missing\"}", 1),
        ("reservations_total", 4),
        ("reservations_ended_total{end=\"settled\"}", 3),
        ("reservations_ended_total{end=\"released\"}", 1),
        ("settlements_total{source=\"upstream\"}", 2),
        ("settlements_total{source=\"generation_record\"}", 1),
        ("fairness_rulings_total{mishap=\"usage_missing\",treatment=\"charge_billed\"}", 1),
        ("tokens_total{class=\"input\"}", 2_400),
        ("tokens_total{class=\"output\"}", 2_400),
        ("ledger_events_total", 8),
    ];
    let expected = expected.map(|(name, value)| (format!("tollgate_{name}"), f64::from(value)));
    assert_eq!(changed, BTreeMap::from(expected));

    let live = app.state().metrics.snapshot().since(&live);
    assert_eq!((live.requests, live.refused, live.failed), (7, 3, 1));
    assert_eq!((live.model_duration.count, live.first_byte.count), (7, 3));
    assert!(live.overhead.quantile(0.99).is_some());
    app.audit().await;
}

#[tokio::test]
async fn the_figures_tell_where_reservations_and_read_models_stand() {
    let app = TestApp::start_with(told).await;
    let (ada, key) = app.paying_customer("ada").await;
    let slow = app.request(Method::POST, "/v1/chat/completions").bearer_auth(&key);
    let slow = slow.header("X-Sandbox-Fault", "slow-chunks=100").json(&wire::body("Slowly", true));
    let streaming = slow.send().await.expect("an answer");
    app.caught_up().await;
    let figures = scrape(&app).await;
    assert_eq!(figures.value("tollgate_reservations_open"), 1.0);
    assert_eq!(figures.value("tollgate_streams_open"), 1.0);
    assert_eq!(figures.value("tollgate_http_requests_in_flight"), 1.0);
    assert_eq!(figures.value("tollgate_trial_balance_difference_dollars"), 0.0);
    assert_eq!(figures.value("tollgate_history_protected"), 1.0);
    assert_eq!(figures.value("tollgate_database_up"), 1.0);
    streaming.bytes().await.expect("the rest");
    let position = app.settled().await;
    let figures = scrape(&app).await;
    assert_eq!(figures.value("tollgate_reservations_open"), 0.0);
    assert_eq!(figures.value("tollgate_reservations_oldest_age_seconds"), 0.0);
    assert_eq!(figures.value("tollgate_ledger_head_position"), position as f64);
    let positions = &figures.families["tollgate_projection_position"].samples;
    assert!(positions.values().all(|value| *value >= position as f64), "{positions:?}");
    assert_eq!(positions.len(), tollgate_projections::PROJECTIONS.len());

    let main = app.send(Method::GET, "/metrics", None, None).await;
    assert_eq!(main.status, 404, "not where customers are");
    let text = app.figures().await;
    for secret in [ada.account.as_str(), key.as_str(), "gpt-4o", "acct_0", "key_0", "req_0"] {
        assert!(!text.contains(secret), "{secret} is in the figures");
    }
    app.audit().await;
}

/// Reserves as a process that nobody has seen, until `expires_at`.
async fn reserve(ledger: &Ledger, person: &Person, key: &str, expires_at: Timestamp) {
    let command = AccountCommand::ReserveFunds(ReserveFunds {
        reservation: ReservationId::from_uuid(Uuid::now_v7()),
        key: key.parse().expect("an id"),
        model: "openai/gpt-4o".to_owned(),
        amount: Money::dollars(1),
        sale_ratio: Ratio::parse("0.8").expect("a ratio"),
        price_version: 1,
        fallbacks: vec![],
        expires_at,
        plan: SpendLimits::default(),
        at: now(),
    });
    let by = CommandContext::by(Actor::System("test"));
    ledger.accounts.execute(&person.account, command, &by, None).await.expect("a reservation");
}

#[tokio::test]
async fn what_recovery_decides_is_counted_by_kind() {
    let app = TestApp::start_with(told).await;
    let ada = app.customer("ada").await;
    app.top_up(&ada, "10.00").await;
    let (key, _) = app.issue_key(&ada).await;
    app.settled().await;
    let before = scrape(&app).await;
    let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
    let server = app.database().server.clone();
    let (pool, options) = (app.owner_pool().await, LedgerOptions::new("node_that_stopped"));
    let gone =
        Ledger::start(server, pool, options, &tracker, stop.clone()).await.expect("a ledger");
    reserve(&gone, &ada, &key, now().plus_seconds(900)).await;
    reserve(&gone, &ada, &key, now()).await;
    stop.cancel();
    drop(gone);
    app.settled().await;

    let changed = scrape(&app).await.counted_since(&before);
    let of = |name: &str| changed.get(&format!("tollgate_{name}")).copied();
    assert_eq!(of("recovery_decisions_total{decision=\"released\"}"), Some(1.0));
    assert_eq!(of("recovery_decisions_total{decision=\"expired\"}"), Some(1.0));
    assert_eq!(of("recovery_decisions_total{decision=\"settled\"}"), None);
    assert_eq!(of("reservations_ended_total{end=\"released\"}"), Some(1.0));
    assert_eq!(of("reservations_ended_total{end=\"expired\"}"), Some(1.0));
    assert_eq!(of("reservations_total"), None, "another process has made them");
    app.audit().await;
}
