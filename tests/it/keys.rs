//! API keys.

use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn a_key_is_shown_once_and_masked_later() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let (id, key) = app.issue_key(&ada).await;
    let list = app.get("/v1/auth/api-keys", &ada.token).await;
    assert!(!list.text.contains(&key[6..]), "{}", list.text);
    let item = &list.body["data"][0];
    assert_eq!(item["id"], id);
    let masked = item["masked"].as_str().unwrap();
    assert_eq!(masked, format!("sk-tg-…{}", &key[key.len() - 4..]));
    app.audit().await;
}

#[tokio::test]
async fn a_revoked_key_is_refused_at_once() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    app.chat(&key, "hello").await.expect(200);
    let keys = app.get("/v1/auth/api-keys", &ada.token).await.expect(200);
    let path = format!("/v1/auth/api-keys/{}", keys["data"][0]["id"].as_str().unwrap());
    for _ in 0..2 {
        app.send(Method::DELETE, &path, Some(&ada.token), None).await.expect(200);
        app.chat(&key, "hello").await.expect_model_error(401, "api_key_revoked");
    }
    app.audit().await;
}

#[tokio::test]
async fn a_key_that_another_node_has_revoked_is_refused_by_the_account() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    app.chat(&key, "hello").await.expect(200);
    let keys = app.get("/v1/auth/api-keys", &ada.token).await.expect(200);
    let id = keys["data"][0]["id"].as_str().unwrap().parse().unwrap();
    // The event alone, without the row and the memory that this node would have changed.
    let revoke = tollgate_domain::AccountCommand::RevokeKey { key: id };
    let context = tollgate::ledger::CommandContext::by(tollgate::ledger::Actor::System("test"));
    let accounts = &app.state().ledger.accounts;
    accounts.execute(&ada.account, revoke, &context, None).await.unwrap();
    app.chat(&key, "hello").await.expect_model_error(401, "api_key_revoked");
    app.audit().await;
}

#[tokio::test]
async fn a_key_that_was_never_issued_is_refused() {
    let app = TestApp::start().await;
    let never = format!("sk-tg-{}", "A".repeat(43));
    app.chat(&never, "hello").await.expect_model_error(401, "invalid_api_key");
    app.chat("sk-other", "hello").await.expect_model_error(401, "invalid_api_key");
    let body = json!({ "model": "openai/gpt-4o-mini", "messages": [] });
    let none = app.send(Method::POST, "/v1/chat/completions", None, Some(&body)).await;
    none.expect_model_error(401, "missing_api_key");
    app.audit().await;
}

#[tokio::test]
async fn a_key_spends_no_more_than_its_limit_and_not_after_its_time() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let issue = async |body: serde_json::Value| {
        let issued = app.post("/v1/auth/api-keys", &ada.token, &body).await.expect(201);
        issued["key"].as_str().unwrap().to_owned()
    };
    let poor = issue(json!({ "name": "poor", "limit_usd": "0.0000001", "period": "day" })).await;
    app.chat(&poor, "hello").await.expect_model_error(403, "key_limit_exceeded");
    let old = issue(json!({ "name": "old", "expires_at": "2020-01-01T00:00:00Z" })).await;
    app.chat(&old, "hello").await.expect_model_error(401, "api_key_expired");
    let negative = json!({ "name": "x", "limit_usd": "-1" });
    let refused = app.post("/v1/auth/api-keys", &ada.token, &negative).await;
    refused.expect_problem(400, "invalid_request");
    // What was refused leaves no row behind.
    let keys = app.get("/v1/auth/api-keys", &ada.token).await.expect(200);
    assert_eq!(keys["data"].as_array().unwrap().len(), 3);
    app.audit().await;
}
