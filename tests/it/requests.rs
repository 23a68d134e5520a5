//! Charged requests as customers see them.

use serde_json::json;

use crate::app::TestApp;

#[tokio::test]
async fn a_request_is_charged_and_explained() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let answer = app.chat(&key, "What is double-entry bookkeeping?").await;
    let request_id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
    answer.expect(200);
    app.settled().await;
    let page = app.get("/v1/client/recent-requests", &ada.token).await;
    for hidden in ["cost_rate", "cost_usd\":\"", "master_account", "generation"] {
        let shown = page.text.replace("list_cost_usd", "");
        assert!(!shown.contains(hidden), "{hidden} in {}", page.text);
    }
    let request = &page.body["data"][0];
    assert_eq!(request["request_id"], request_id);
    assert_eq!((&request["state"], &request["outcome"]), (&"settled".into(), &"completed".into()));
    assert_eq!(request["sale_ratio"], "0.8");
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(balance["lifetime_spent_usd"], request["charge_usd"]);
    assert_eq!(balance["reserved_usd"], "0");
    app.audit().await;
}

#[tokio::test]
async fn an_empty_balance_is_402_before_anything_is_forwarded() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let (_, key) = app.issue_key(&ada).await;
    let refused = app.chat(&key, "hello").await;
    refused.expect_model_error(402, "insufficient_quota");
    assert_eq!(refused.headers["x-should-retry"], "false");
    app.audit().await;
}

#[tokio::test]
async fn a_model_that_nobody_sells_is_404() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let body = json!({ "model": "nobody/nothing", "messages": messages });
    let answer = app.post("/v1/chat/completions", &key, &body).await;
    answer.expect_model_error(404, "model_not_found");
    assert_eq!(answer.body["error"]["param"], "model");
    app.audit().await;
}
