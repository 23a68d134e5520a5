//! What waits for the reservation's commit: the first byte, and as a setting the upstream too.
//!
//! The commit is held up by a lock on the head of the log, which every append needs.

use std::time::{Duration, Instant};

use reqwest::Method;
use serde_json::Value;
use tollgate::config::ReserveMode;

use crate::app::TestApp;
use crate::wire;

/// Many times longer than the sandbox takes without a delay of its own.
const LONG_ENOUGH: Duration = Duration::from_millis(800);

/// What the sandbox has charged so far: above nothing once it was called.
async fn upstream_usage(app: &TestApp) -> f64 {
    let upstream = app.state().gateway.masters().pick().expect("the sandbox");
    let request = reqwest::Client::new().get(format!("{}/credits", upstream.base_url));
    let answer = request.bearer_auth("sk-sandbox").send().await.expect("an answer");
    let credits: Value = answer.json().await.expect("JSON");
    credits["data"]["total_usage"].as_f64().expect("a number")
}

/// Whether the upstream was called while the commit was held up; the client has no byte then.
async fn called_before_the_commit(reserve: ReserveMode) -> bool {
    let app = TestApp::start_with(|config| config.reserve = reserve).await;
    let (_, key) = app.paying_customer("ada").await;
    app.caught_up().await;
    let mut lock = app.state().database.pool().begin().await.expect("a transaction");
    sqlx::query("SELECT position FROM ledger_head FOR UPDATE")
        .execute(&mut *lock)
        .await
        .expect("the lock");
    let request = app
        .request(Method::POST, "/v1/chat/completions")
        .bearer_auth(&key)
        .header("X-Sandbox-Delay", "0")
        .json(&wire::body("Describe double-entry bookkeeping", false));
    let mut answer = Box::pin(request.send());
    let early = tokio::time::timeout(LONG_ENOUGH, &mut answer).await;
    assert!(early.is_err(), "an answer before the reservation was durable: {early:?}");
    let called = upstream_usage(&app).await > 0.0;
    let unlocked = Instant::now();
    lock.rollback().await.expect("the end of the lock");
    let answer = answer.await.expect("an answer");
    assert_eq!(answer.status(), 200, "after {:?}", unlocked.elapsed());
    assert!(upstream_usage(&app).await > 0.0);
    app.audit().await;
    called
}

#[tokio::test]
async fn the_upstream_works_during_the_commit_and_the_first_byte_waits_for_it() {
    assert!(called_before_the_commit(ReserveMode::Overlapped).await);
}

#[tokio::test]
async fn durable_first_calls_the_upstream_after_the_commit() {
    assert!(!called_before_the_commit(ReserveMode::DurableFirst).await);
}
