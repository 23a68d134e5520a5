//! Who may do what.

use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;

const ADMIN_READS: [&str; 6] = [
    "/v1/admin/stats",
    "/v1/admin/clients",
    "/v1/admin/master-accounts",
    "/v1/admin/logs",
    "/v1/admin/profit",
    "/v1/admin/prices",
];
const CLIENT_READS: [&str; 6] = [
    "/v1/auth/api-keys",
    "/v1/client/balance",
    "/v1/client/usage",
    "/v1/client/usage/daily",
    "/v1/client/models/usage",
    "/v1/client/recent-requests",
];

#[tokio::test]
async fn an_api_key_is_not_a_session_and_a_session_is_not_an_api_key() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    app.get("/v1/client/balance", &key).await.expect_problem(401, "not_signed_in");
    app.chat(&ada.token, "hello").await.expect_model_error(401, "invalid_api_key");
    app.audit().await;
}

#[tokio::test]
async fn an_auditor_reads_everything_without_names_and_changes_nothing() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let auditor = app.auditor().await;
    app.caught_up().await;
    for path in ADMIN_READS {
        app.get(path, &auditor.token).await.expect(200);
    }
    let clients = app.get("/v1/admin/clients", &auditor.token).await;
    assert!(!clients.text.contains("example.com"), "{}", clients.text);
    let admin = app.admin().await;
    let clients = app.get("/v1/admin/clients", &admin.token).await;
    assert!(clients.text.contains("ada@example.com"), "{}", clients.text);
    for path in CLIENT_READS {
        app.get(path, &auditor.token).await.expect_problem(403, "forbidden");
    }
    let path = format!("/v1/admin/clients/{}/top-ups", ada.account);
    let body = json!({ "amount_usd": "1" });
    app.post(&path, &auditor.token, &body).await.expect_problem(403, "forbidden");
    let body = json!({ "default_sale_ratio": "0.5" });
    let put = app.send(Method::PUT, "/v1/admin/prices", Some(&auditor.token), Some(&body)).await;
    put.expect_problem(403, "forbidden");
    app.audit().await;
}

#[tokio::test]
async fn tenants_see_only_their_own() {
    let app = TestApp::start().await;
    let (ada, ada_key) = app.paying_customer("ada").await;
    let (bob, _) = app.paying_customer("bob").await;
    app.chat(&ada_key, "hello").await.expect(200);
    let at = app.settled().await;
    let path = format!("/v1/client/recent-requests?at_least={at}");
    let count = async |token: &str| {
        let page = app.get(&path, token).await.expect(200);
        page["data"].as_array().unwrap().len()
    };
    assert_eq!((count(&ada.token).await, count(&bob.token).await), (1, 0));
    let usage = app.get("/v1/client/usage", &bob.token).await.expect(200);
    assert_eq!(usage["requests"], 0);
    let keys = app.get("/v1/auth/api-keys", &ada.token).await.expect(200);
    let id = keys["data"][0]["id"].as_str().unwrap();
    let path = format!("/v1/auth/api-keys/{id}");
    let other = app.send(Method::DELETE, &path, Some(&bob.token), None).await;
    other.expect_problem(404, "not_found");
    app.chat(&ada_key, "still works").await.expect(200);
    app.audit().await;
}
