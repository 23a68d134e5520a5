//! Money given, for ever or until a moment.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use reqwest::Method;
use serde_json::{Value, json};
use tollgate::ledger::now;
use tollgate::workers::expire_grants_once;

use super::{balance, client, keyed, spend};
use crate::app::{Person, TestApp};

async fn grant(app: &TestApp, person: &Person, amount: &str, seconds: Option<i64>) -> Value {
    let admin = app.admin().await.token;
    let end = seconds.map(|seconds| Utc::now() + TimeDelta::seconds(seconds));
    let mut body = json!({ "amount_usd": amount, "reason": "welcome" });
    if let Some(end) = end {
        body["expires_at"] = json!(end);
    }
    app.post(&client(person, "/grants"), &admin, &body).await.expect(201)
}

/// Lets the worker pass as if it were two hours later.
async fn expire(app: &TestApp) -> usize {
    app.settled().await;
    let (ledger, pool) = (&app.state().ledger, app.state().database.pool());
    expire_grants_once(ledger, pool, now().plus_seconds(7_200)).await.expect("a pass")
}

/// Waits until the grant's time is over.
async fn pass(grant: &Value) {
    let end: DateTime<Utc> = grant["expires_at"].as_str().unwrap().parse().unwrap();
    let left = (end - Utc::now()).to_std().unwrap_or_default();
    tokio::time::sleep(left + Duration::from_millis(1)).await;
}

#[tokio::test]
async fn an_expired_grant_takes_back_what_is_unspent_and_the_books_show_it() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let given = grant(&app, &ada, "5", Some(3_600)).await;
    assert!(given["expires_at"].is_string());
    spend(&app, &key, 100).await.expect(200);
    assert_eq!((expire(&app).await, expire(&app).await), (1, 0));
    let shown = balance(&app, &ada).await;
    // 10 paid + 5 given − 0.80 charged − the 4.20 that are unspent of the gift
    assert_eq!(shown["balance_usd"], "10");
    assert_eq!(shown["lifetime_expired_usd"], "4.2");
    let admin = app.admin().await.token;
    let detail = app.get(&client(&ada, ""), &admin).await.expect(200);
    assert_eq!(detail["open_grants"], json!([]));
    assert_eq!(detail["top_ups"][0]["refundable_usd"], "10");
    let moves = app.get("/v1/client/top-ups", &ada.token).await.expect(200);
    let kinds: Vec<_> = moves["data"].as_array().unwrap().iter().map(|m| &m["kind"]).collect();
    assert_eq!(kinds, ["grant_expired", "grant", "top_up"]);
    app.audit().await;
}

#[tokio::test]
async fn granted_money_is_spent_first_and_never_paid_out() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    grant(&app, &ada, "1", None).await;
    grant(&app, &ada, "1", Some(3_600)).await;
    spend(&app, &key, 75).await.expect(200);
    assert_eq!(balance(&app, &ada).await["balance_usd"], "11.4");
    let admin = app.admin().await.token;
    let detail = app.get(&client(&ada, ""), &admin).await.expect(200);
    let grants = detail["open_grants"].as_array().unwrap();
    // What expires is spent before what does not.
    assert_eq!((&grants[0]["left_usd"], &grants[1]["left_usd"]), (&"0.4".into(), &"1".into()));
    assert_eq!(detail["top_ups"][0]["refundable_usd"], "10");
    let top_up = detail["top_ups"][0]["id"].as_str().unwrap();
    let refund = json!({ "top_up_id": top_up, "amount_usd": "10", "reason": "good-bye" });
    app.post(&client(&ada, "/refunds"), &admin, &refund).await.expect(201);
    assert_eq!(balance(&app, &ada).await["balance_usd"], "1.4");
    app.audit().await;
}

#[tokio::test]
async fn a_grant_is_given_once_per_key_and_needs_a_future() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.customer("ada").await, app.admin().await.token);
    let path = client(&ada, "/grants");
    let end = Utc::now() + TimeDelta::seconds(1);
    let body = json!({ "amount_usd": "2", "reason": "welcome", "expires_at": end });
    let first = keyed(&app, Method::POST, &path, &admin, "g1", &body).await.expect(201);
    pass(&first).await;
    // Its time is over, and the answer to the same request is still the same.
    let again = keyed(&app, Method::POST, &path, &admin, "g1", &body).await.expect(201);
    assert_eq!((&first["id"], &again["replayed"]), (&again["id"], &true.into()));
    let late = keyed(&app, Method::POST, &path, &admin, "g2", &body).await;
    late.expect_problem(400, "invalid_request");
    assert_eq!(first["expires_at"], again["expires_at"]);
    app.audit().await;
}

#[tokio::test]
async fn a_request_after_the_end_of_a_grant_cannot_spend_it() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let (_, key) = app.issue_key(&ada).await;
    let given = grant(&app, &ada, "1", Some(1)).await;
    pass(&given).await;
    // Whether or not the worker was there first.
    spend(&app, &key, 1).await.expect_model_error(402, "insufficient_quota");
    app.top_up(&ada, "0.5").await;
    spend(&app, &key, 1).await.expect(200);
    let shown = balance(&app, &ada).await;
    assert_eq!(
        (&shown["balance_usd"], &shown["lifetime_expired_usd"]),
        (&"0.492".into(), &"1".into())
    );
    app.audit().await;
}
