//! `Idempotency-Key` on model endpoints: one key, one charge, one answer.

use std::time::Duration;

use futures_util::future::join_all;
use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};
use tollgate::ledger::{Actor, CommandContext};
use tollgate::serve::{self, Running};
use tollgate_domain::Money;
use tollgate_domain::account::ReleaseReason;

use crate::app::TestApp;
use crate::fate::{End, Fate, fates};
use crate::wire::{self, Got};

const CHAT: &str = "/v1/chat/completions";

fn keyed(app: &TestApp, api_key: &str, key: &str, body: &Value) -> RequestBuilder {
    app.request(Method::POST, CHAT).bearer_auth(api_key).header("Idempotency-Key", key).json(body)
}

async fn send(request: RequestBuilder) -> Got {
    wire::send(request).await.expect("an answer")
}

async fn ended(app: &TestApp) -> Vec<Fate> {
    app.settled().await;
    fates(app.state().database.pool()).await
}

fn replayed(got: &Got) -> bool {
    got.headers.get("idempotent-replayed").is_some_and(|value| value == "true")
}

fn code(got: &Got) -> Value {
    got.error().unwrap_or_else(|| panic!("an error: {}", got.text))["code"].clone()
}

async fn count(app: &TestApp, table: &str) -> i64 {
    let sql = format!("SELECT count(*) FROM {table}");
    sqlx::query_scalar(&sql).fetch_one(app.state().database.pool()).await.expect("a count")
}

/// Waits until so many answers are written down.
async fn kept(app: &TestApp, answers: i64) {
    for _ in 0..100 {
        if count(app, "kept_answers").await == answers {
            return;
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    panic!("{answers} answers were not kept");
}

/// Another node on the same database.
async fn second_node(app: &TestApp) -> Running {
    serve::start(app.state().config.clone()).await.expect("a second node")
}

fn at(node: &Running, api_key: &str, key: &str, body: &Value) -> RequestBuilder {
    let client = reqwest::Client::builder().no_proxy().build().expect("a client");
    let url = format!("http://{}{CHAT}", node.address());
    client.post(url).bearer_auth(api_key).header("Idempotency-Key", key).json(body)
}

#[tokio::test]
async fn the_same_request_again_gets_the_same_answer_and_costs_nothing() {
    let app = TestApp::start().await;
    let (_, api_key) = app.paying_customer("ada").await;
    for (key, stream) in [("whole", false), ("streamed", true)] {
        let body = wire::body("What is a ledger?", stream);
        let first = send(keyed(&app, &api_key, key, &body)).await;
        assert!(first.is_whole() && !replayed(&first), "{}", first.text);
        let again = send(keyed(&app, &api_key, key, &body)).await;
        assert!(replayed(&again), "{:?}", again.headers);
        assert_eq!((again.status, &again.text), (200, &first.text));
        assert_eq!(again.headers["content-type"], first.headers["content-type"]);
        assert_eq!(again.headers["x-generation-id"], first.headers["x-generation-id"]);
        assert_ne!(again.request(), first.request());
    }
    let all = ended(&app).await;
    assert_eq!(all.len(), 2, "one reservation for each key");
    assert!(all.iter().all(|fate| fate.settled().charge > Money::ZERO));
    app.audit().await;
}

#[tokio::test]
async fn who_asks_at_once_joins_the_one_that_runs() {
    let app = TestApp::start().await;
    let (_, api_key) = app.paying_customer("ada").await;
    for (key, stream) in [("whole", false), ("streamed", true)] {
        let body = wire::body("Who is first?", stream);
        let request = || keyed(&app, &api_key, key, &body).header("X-Sandbox-Delay", "400");
        let all = join_all((0..8).map(|_| send(request()))).await;
        assert!(all.iter().all(|got| got.is_whole() && got.text == all[0].text));
        assert_eq!(all.iter().filter(|got| !replayed(got)).count(), 1, "one of them asked");
    }
    assert_eq!(ended(&app).await.len(), 2);
    app.audit().await;
}

#[tokio::test]
async fn a_key_belongs_to_one_request_of_one_account() {
    let app = TestApp::start().await;
    let (_, ada) = app.paying_customer("ada").await;
    let (_, bob) = app.paying_customer("bob").await;
    let body = wire::body("What is a ledger?", false);
    assert!(send(keyed(&app, &ada, "mine", &body)).await.is_whole());
    let other = send(keyed(&app, &ada, "mine", &wire::body("And a journal?", false))).await;
    assert_eq!((other.status, code(&other)), (409, json!("idempotency_key_mismatch")));
    assert_eq!(other.headers["x-should-retry"], "false");
    let completion = json!({ "model": wire::MODEL, "prompt": "Two", "max_tokens": 20 });
    let elsewhere = app.request(Method::POST, "/v1/completions").bearer_auth(&ada);
    let elsewhere = elsewhere.header("Idempotency-Key", "mine").json(&completion);
    assert_eq!(send(elsewhere).await.status, 409);
    let theirs = send(keyed(&app, &bob, "mine", &body)).await;
    assert!(theirs.is_whole() && !replayed(&theirs), "keys of accounts do not meet");
    let long = "x".repeat(300);
    assert_eq!(send(keyed(&app, &ada, &long, &body)).await.status, 400);
    assert_eq!(ended(&app).await.len(), 2);
    app.audit().await;
}

#[tokio::test]
async fn who_lost_the_connection_gets_the_whole_answer_for_the_one_charge() {
    let app = TestApp::start().await;
    let (_, api_key) = app.paying_customer("ada").await;
    let body = wire::body("Tell me all about double-entry bookkeeping.", true);
    let request =
        || keyed(&app, &api_key, "lost", &body).header("X-Sandbox-Fault", "slow-chunks=20");
    let seen = wire::leave_after_a_word(request()).await;
    let again = send(request()).await;
    assert!(again.is_whole() && replayed(&again), "{}", again.text);
    assert!(again.content().starts_with(&seen), "{seen}");
    let all = ended(&app).await;
    assert_eq!(all.len(), 1);
    assert_eq!(again.cost(), Some(all[0].settled().charge));
    app.audit().await;
}

#[tokio::test]
async fn what_came_to_nothing_may_be_tried_again_under_its_key() {
    let app = TestApp::start().await;
    let (_, api_key) = app.paying_customer("ada").await;
    let body = wire::body("What is a ledger?", false);
    let request = || keyed(&app, &api_key, "stainless-node-retry-1", &body);
    let failed = send(request().header("X-Sandbox-Fault", "status=503")).await;
    assert_eq!((failed.status, code(&failed)), (503, json!("no_upstream")));
    app.settled().await;
    let second = send(request()).await;
    assert!(second.is_whole() && !replayed(&second), "{}", second.text);
    let third = send(request()).await;
    assert!(replayed(&third) && third.text == second.text);
    let all = ended(&app).await;
    let charged = all.iter().filter(|fate| matches!(fate.end, Some(End::Settled(_)))).count();
    assert_eq!((all.len(), charged), (2, 1));
    app.audit().await;
}

#[tokio::test]
async fn another_node_waits_for_the_answer_and_has_it_afterwards() {
    let app = TestApp::start().await;
    let (_, api_key) = app.paying_customer("ada").await;
    let other = second_node(&app).await;
    for (key, stream) in [("whole", false), ("streamed", true)] {
        let body = wire::body("What is a ledger?", stream);
        let here = keyed(&app, &api_key, key, &body).header("X-Sandbox-Delay", "600");
        let there = at(&other, &api_key, key, &body).header("X-Sandbox-Delay", "600");
        let (here, there) = tokio::join!(send(here), send(there));
        assert!(here.is_whole() && there.is_whole(), "{} {}", here.text, there.text);
        assert_eq!(here.text, there.text);
        assert_eq!([&here, &there].iter().filter(|got| replayed(got)).count(), 1);
        let later = send(at(&other, &api_key, key, &body)).await;
        assert_eq!((replayed(&later), &later.text), (true, &here.text));
    }
    assert_eq!(ended(&app).await.len(), 2);
    other.stop().await;
    app.audit().await;
}

#[tokio::test]
async fn where_no_answer_was_kept_the_client_is_told_what_was_charged() {
    let app = TestApp::start_with(|config| config.idempotency.answer_bytes = 100).await;
    let (_, api_key) = app.paying_customer("ada").await;
    let body = wire::body("What is a ledger?", true);
    let first = send(keyed(&app, &api_key, "long", &body)).await;
    assert!(first.is_whole(), "who asked first reads all of it: {}", first.text);
    app.settled().await;
    let again = send(keyed(&app, &api_key, "long", &body)).await;
    assert_eq!((again.status, code(&again)), (409, json!("answer_not_kept")));
    assert_eq!(again.headers["x-should-retry"], "false");
    let metadata = again.error().expect("an error")["metadata"].clone();
    assert_eq!(metadata["charge_usd"], json!(first.cost().expect("a cost")));
    assert_eq!(metadata["request_id"], first.request());
    assert_eq!(count(&app, "kept_answers").await, 0);
    assert_eq!(ended(&app).await.len(), 1);
    app.audit().await;
}

#[tokio::test]
async fn after_a_crash_the_key_spends_nothing_more() {
    let app = TestApp::start().await;
    let (ada, api_key) = app.paying_customer("ada").await;
    let body = wire::body("What is a ledger?", false);
    // A node that reserved under the key and stopped: its reservation is open, its key written.
    let held = keyed(&app, &api_key, "crash", &body).header("X-Sandbox-Delay", "45000");
    let held = tokio::spawn(send(held));
    let open = loop {
        let open = fates(app.state().database.pool()).await;
        match open.into_iter().find(|fate| fate.account == ada.account && fate.end.is_none()) {
            Some(fate) => break fate,
            None => tokio::time::sleep(Duration::from_millis(20)).await,
        }
    };
    let other = second_node(&app).await;
    let running = send(at(&other, &api_key, "crash", &body)).await;
    assert_eq!((running.status, code(&running)), (409, json!("request_in_progress")));
    assert_eq!(running.headers["x-should-retry"], "true");
    assert!(running.headers.contains_key("retry-after"));
    // What recovery does where the upstream knows of no generation.
    let (reservation, reason) = (open.reserved.reservation, ReleaseReason::Recovered);
    let release = tollgate_domain::AccountCommand::ReleaseReservation { reservation, reason };
    let by = CommandContext {
        request: open.request.parse().ok(),
        ..CommandContext::by(Actor::System("recovery"))
    };
    let accounts = &other.state().ledger.accounts;
    accounts.execute(&ada.account, release, &by, None).await.expect("it is released");
    let again = loop {
        let again = send(at(&other, &api_key, "crash", &body)).await;
        if code(&again) != "request_in_progress" {
            break again;
        }
    };
    assert_eq!((again.status, code(&again)), (409, json!("answer_not_kept")));
    let metadata = again.error().expect("an error")["metadata"].clone();
    assert_eq!(
        (&metadata["charge_usd"], &metadata["request_id"]),
        (&json!("0"), &json!(open.request))
    );
    held.abort();
    let all = fates(app.state().database.pool()).await;
    assert_eq!(all.len(), 1, "nobody reserved under that key again");
    other.stop().await;
    app.audit().await;
}

#[tokio::test]
async fn answers_are_sealed_and_go_when_their_time_is_over() {
    let app = TestApp::start().await;
    let (_, api_key) = app.paying_customer("ada").await;
    let body = wire::body("Say exactly: a very telling sentence", false);
    let first = send(keyed(&app, &api_key, "sealed", &body)).await;
    assert!(first.content().contains("telling"), "{}", first.text);
    kept(&app, 1).await;
    let pool = app.owner_pool().await;
    let row: (Vec<u8>, bool) = sqlx::query_as(
        "SELECT sealed, expires_at >= recorded_at + interval '24 hours' FROM kept_answers",
    )
    .fetch_one(&pool)
    .await
    .expect("a row");
    assert!(!String::from_utf8_lossy(&row.0).contains("telling") && row.1);
    sqlx::query("UPDATE kept_answers SET expires_at = now() - interval '1 second'")
        .execute(&pool)
        .await
        .expect("its time is over");
    // A node tidies up when it starts.
    let other = second_node(&app).await;
    kept(&app, 0).await;
    assert_eq!(count(&app, "idempotency_keys WHERE scope LIKE 'requests:%'").await, 1);
    other.stop().await;
    pool.close().await;
    app.audit().await;
}

#[tokio::test]
async fn without_a_key_nothing_is_written_for_it() {
    let app = TestApp::start().await;
    let (_, api_key) = app.paying_customer("ada").await;
    let before = count(&app, "idempotency_keys").await;
    app.chat(&api_key, "hello").await.expect(200);
    app.settled().await;
    assert_eq!(count(&app, "idempotency_keys").await, before);
    assert_eq!(count(&app, "kept_answers").await, 0);
    app.audit().await;
}
