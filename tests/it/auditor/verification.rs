//! The result of the last verification is kept, whoever began it.

use std::time::Duration;

use reqwest::Method;
use serde_json::Value;
use tollgate::operations::verification;
use tollgate_projections::audit::{self, Options};

use crate::app::{Person, TestApp};

const PATH: &str = "/v1/ledger/verification";

async fn start(app: &TestApp, who: &Person) -> crate::app::Answer {
    app.send(Method::POST, PATH, Some(&who.token), None).await
}

/// Waits until none runs.
async fn ended(app: &TestApp, who: &Person) -> Value {
    for _ in 0..600 {
        let shown = app.get(PATH, &who.token).await.expect(200);
        if shown["running"].is_null() {
            return shown["last"].clone();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("it does not end")
}

#[tokio::test]
async fn an_auditor_has_the_books_verified_and_reads_what_was_found() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    app.chat(&key, "hello").await.expect(200);
    let head = app.settled().await;
    let auditor = app.auditor().await;
    let before = app.get(PATH, &auditor.token).await.expect(200);
    assert!(before["last"].is_null() && before["running"].is_null());
    let begun = start(&app, &auditor).await.expect(202);
    assert_eq!(begun["state"], "running");
    let last = ended(&app, &auditor).await;
    assert_eq!((&last["id"], &last["state"]), (&begun["id"], &"right".into()), "{last}");
    assert!(last["head"].as_i64().unwrap() >= head && last["position"] == last["head"]);
    assert_eq!(last["report"]["problem_count"], 0);
    assert_eq!(last["report"]["events"], last["head"]);
    let total = last["report"]["trial_balance"].as_array().unwrap().last().unwrap().clone();
    assert_eq!(total["debit"], total["credit"]);
    start(&app, &ada).await.expect_problem(403, "forbidden");
    app.audit().await;
}

#[tokio::test]
async fn one_runs_at_a_time_and_one_whose_process_stopped_is_over() {
    let app = TestApp::start().await;
    let auditor = app.auditor().await;
    let pool = app.state().database.pool().clone();
    // Of another process, which says that it is alive.
    verification::begin(&pool, "system:test").await.unwrap().expect("none runs");
    start(&app, &auditor).await.expect_problem(409, "verification_running");
    let shown = app.get(PATH, &auditor.token).await.expect(200);
    assert_eq!(shown["running"]["started_by"], "system:test");
    let silent = "UPDATE verifications SET seen_at = now() - interval '1 minute'";
    sqlx::query(silent).execute(&pool).await.unwrap();
    let begun = start(&app, &auditor).await.expect(202);
    let last = ended(&app, &auditor).await;
    assert_eq!((&last["id"], &last["state"]), (&begun["id"], &"right".into()));
    let states: Vec<String> =
        sqlx::query_scalar("SELECT state FROM verifications ORDER BY verification")
            .fetch_all(&pool)
            .await
            .unwrap();
    assert_eq!(states, ["failed", "right"]);
    app.audit().await;
}

#[tokio::test]
async fn a_verification_from_the_command_line_is_kept_with_what_is_wrong() {
    let app = TestApp::start().await;
    app.paying_customer("ada").await;
    app.settled().await;
    let pool = app.state().database.pool().clone();
    let options = Options::default();
    let mut report = audit::verify(&pool, &options, |_| {}).await.expect("it is carried out");
    verification::keep(&pool, None, "system:cli", &report).await.expect("it is kept");
    let auditor = app.auditor().await;
    let last = app.get(PATH, &auditor.token).await.expect(200)["last"].clone();
    assert_eq!((&last["state"], &last["started_by"]), (&"right".into(), &"system:cli".into()));
    // As if somebody had rewritten history.
    let place = audit::Place { position: Some(3), ..audit::Place::default() };
    report.problems.push(audit::Problem { place, what: "its bytes were changed".to_owned() });
    report.problem_count = 1;
    verification::keep(&pool, None, "system:cli", &report).await.expect("it is kept");
    let last = app.get(PATH, &auditor.token).await.expect(200)["last"].clone();
    assert_eq!(last["state"], "wrong");
    assert_eq!(last["report"]["problems"][0]["place"]["position"], 3);
    app.audit().await;
}
