//! Money in, credits bought, prices.

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, Person, TestApp, read};

async fn keyed(app: &TestApp, path: &str, admin: &Person, key: &str, body: &Value) -> Answer {
    let request = app.request(Method::POST, path).bearer_auth(&admin.token);
    read(request.header("Idempotency-Key", key).json(body)).await
}

#[tokio::test]
async fn a_top_up_under_one_key_is_booked_once_and_answered_the_same() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.customer("ada").await, app.admin().await);
    let path = format!("/v1/admin/clients/{}/top-ups", ada.account);
    let body = json!({ "amount_usd": "10.00", "reference": "invoice 1", "note": "by transfer" });
    let first = keyed(&app, &path, &admin, "k1", &body).await.expect(201);
    let again = keyed(&app, &path, &admin, "k1", &body).await.expect(201);
    assert_eq!((&first["replayed"], &again["replayed"]), (&false.into(), &true.into()));
    for member in ["id", "account_id", "amount_usd", "reference", "note"] {
        assert_eq!(first[member], again[member], "{member}");
    }
    let other = json!({ "amount_usd": "11.00", "reference": "invoice 1" });
    let refused = keyed(&app, &path, &admin, "k1", &other).await;
    refused.expect_problem(409, "idempotency_key_mismatch");
    assert_eq!(refused.headers["x-should-retry"], "false");
    app.caught_up().await;
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(balance["balance_usd"], "10");
    assert_eq!(balance["lifetime_topped_up_usd"], "10");
    app.audit().await;
}

#[tokio::test]
async fn the_same_top_up_sent_sixteen_times_at_once_is_booked_once() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.customer("ada").await, app.admin().await);
    let path = format!("/v1/admin/clients/{}/top-ups", ada.account);
    let body = json!({ "amount_usd": "1.00" });
    let send = || keyed(&app, &path, &admin, "race", &body);
    let answers = futures_util::future::join_all((0..16).map(|_| send())).await;
    let ids: std::collections::BTreeSet<String> =
        answers.into_iter().map(|answer| answer.expect(201)["id"].to_string()).collect();
    assert_eq!(ids.len(), 1);
    app.caught_up().await;
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(balance["balance_usd"], "1");
    app.audit().await;
}

#[tokio::test]
async fn a_top_up_without_sense_is_refused() {
    let app = TestApp::start().await;
    let (ada, admin) = (app.customer("ada").await, app.admin().await);
    let path = format!("/v1/admin/clients/{}/top-ups", ada.account);
    for amount in [json!("0"), json!("-1"), json!("0.0000000000001"), json!("ten"), json!(10)] {
        let body = json!({ "amount_usd": amount });
        let refused = app.post(&path, &admin.token, &body).await;
        refused.expect_problem(400, "invalid_request");
    }
    let misspelt = json!({ "amount_usd": "1", "refrence": "x" });
    app.post(&path, &admin.token, &misspelt).await.expect_problem(400, "invalid_request");
    let nobody = "/v1/admin/clients/acct_01k2h3j4k5m6n7p8q9r0s1t2v3/top-ups";
    let body = json!({ "amount_usd": "1" });
    app.post(nobody, &admin.token, &body).await.expect_problem(404, "not_found");
    let no_id = "/v1/admin/clients/ada/top-ups";
    app.post(no_id, &admin.token, &body).await.expect_problem(404, "not_found");
    app.audit().await;
}

#[tokio::test]
async fn a_master_account_is_registered_once_per_key_and_never_shows_it() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let body = json!({
        "label": "second", "base_url": "https://upstream.example/api/v1/",
        "api_key": "sk-or-v1-0123456789abcdef0123",
    });
    let path = "/v1/admin/master-accounts";
    let made = app.post(path, &admin.token, &body).await;
    assert!(!made.text.contains("0123456789"), "{}", made.text);
    let made = made.expect(201);
    assert_eq!(made["masked_key"], "sk-or-…0123");
    assert_eq!(made["base_url"], "https://upstream.example/api/v1");
    app.post(path, &admin.token, &body).await.expect_problem(409, "master_account_exists");

    let path = format!("/v1/admin/master-accounts/{}/purchases", made["id"].as_str().unwrap());
    let body = json!({ "credits_usd": "100", "paid_usd": "28", "fee_usd": "2" });
    keyed(&app, &path, &admin, "p1", &body).await.expect(201);
    let again = keyed(&app, &path, &admin, "p1", &body).await.expect(201);
    assert_eq!(again["replayed"], true);
    let other = json!({ "credits_usd": "100", "paid_usd": "30" });
    keyed(&app, &path, &admin, "p1", &other).await.expect_problem(409, "idempotency_key_mismatch");

    app.caught_up().await;
    let list = app.get("/v1/admin/master-accounts", &admin.token).await.expect(200);
    let masters = list["data"].as_array().unwrap();
    let second = masters.iter().find(|master| master["label"] == "second").unwrap();
    assert_eq!((&second["bought_usd"], &second["purchases"]), (&"100".into(), &1.into()));
    assert_eq!(second["cost_rate"], "0.3");
    assert!(masters.iter().any(|master| master["label"] == "sandbox"));
    app.audit().await;
}

#[tokio::test]
async fn the_default_sale_ratio_is_changed_and_counts_for_the_next_charge() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (ada, key) = app.paying_customer("ada").await;
    let prices = app.get("/v1/admin/prices", &admin.token).await.expect(200);
    assert_eq!(prices["default_sale_ratio"], "0.8");
    assert!(prices["models"].as_u64().unwrap() > 300);
    let put = async |ratio: &str| {
        let body = json!({ "default_sale_ratio": ratio });
        app.send(Method::PUT, "/v1/admin/prices", Some(&admin.token), Some(&body)).await
    };
    let position = put("0.5").await.expect(200)["position"].as_i64().unwrap();
    for wrong in ["0", "-1", "101", "much"] {
        put(wrong).await.expect_problem(400, "invalid_request");
    }
    let path = format!("/v1/admin/prices?at_least={position}");
    let prices = app.get(&path, &admin.token).await.expect(200);
    assert_eq!(prices["default_sale_ratio"], "0.5");
    // The request path takes it over a moment later.
    tokio::time::sleep(std::time::Duration::from_millis(500)).await;
    app.chat(&key, "hello").await.expect(200);
    app.settled().await;
    let requests = app.get("/v1/client/recent-requests", &ada.token).await.expect(200);
    assert_eq!(requests["data"][0]["sale_ratio"], "0.5");
    app.audit().await;
}
