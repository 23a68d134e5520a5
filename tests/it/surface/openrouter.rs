//! The same paths under `/api/v1`, for clients of OpenRouter.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::TestApp;

#[tokio::test]
async fn every_path_stands_under_api_too_and_errors_there_have_the_status_as_code() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let body = json!({ "model": "openai/gpt-4o-mini", "max_tokens": 20,
        "messages": [{ "role": "user", "content": "hello" }] });
    let answer = app.post("/api/v1/chat/completions", &key, &body).await.expect(200);
    assert!(answer["usage"]["cost"].is_number(), "{answer}");
    app.get("/api/v1/models", &key).await.expect(200);
    app.get("/api/v1/client/balance", &ada.token).await.expect(200);

    let poor = app.customer("poor").await;
    let (_, poor_key) = app.issue_key(&poor).await;
    let refused = app.post("/api/v1/chat/completions", &poor_key, &body).await;
    assert_eq!(refused.status, 402, "{}", refused.text);
    let error = &refused.body["error"];
    assert_eq!((&error["code"], &error["type"]), (&json!(402), &Value::Null));
    assert_eq!(error["metadata"]["error_type"], "payment_required");
    assert_eq!(error["metadata"]["code"], "insufficient_quota");
    assert_eq!(error["metadata"]["available_usd"], "0");
    assert!(error["metadata"]["required_usd"].is_string(), "{error}");

    let same = app.post("/v1/chat/completions", &poor_key, &body).await;
    same.expect_model_error(402, "insufficient_quota");
    assert_eq!(same.body["error"]["metadata"]["error_type"], "payment_required");

    let get = async |path: &str| app.send(Method::GET, path, None, None).await;
    assert_eq!(get("/api/v1/nothing").await.body["error"]["code"], 404);
    assert_eq!(get("/api/v1/chat/completions").await.body["error"]["code"], 405);
    get("/api/v1/admin/nothing").await.expect_problem(404, "not_found");
    get("/api/v1/auth/me").await.expect_problem(401, "not_signed_in");
    app.audit().await;
}
