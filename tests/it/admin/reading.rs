//! What operators and customers read about money.

use chrono::Utc;
use serde_json::json;

use super::{client, spend};
use crate::app::TestApp;

#[tokio::test]
async fn a_statement_adds_up_and_the_next_month_opens_with_its_end() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let admin = app.admin().await.token;
    let grant = json!({ "amount_usd": "1", "reason": "welcome" });
    app.post(&client(&ada, "/grants"), &admin, &grant).await.expect(201);
    let adjust = json!({ "amount_usd": "-0.25", "reason": "x", "reference": "t" });
    app.post(&client(&ada, "/adjustments"), &admin, &adjust).await.expect(201);
    spend(&app, &key, 1).await.expect(200);
    app.settled().await;

    let month = Utc::now().format("%Y-%m").to_string();
    let path = format!("/v1/client/statements/{month}");
    let shown = app.get(&path, &ada.token).await.expect(200);
    assert_eq!((&shown["opening_usd"], &shown["closing_usd"]), (&"0".into(), &"10.742".into()));
    assert_eq!((&shown["topped_up_usd"], &shown["granted_usd"]), (&"10".into(), &"1".into()));
    assert_eq!((&shown["adjusted_usd"], &shown["charged_usd"]), (&"-0.25".into(), &"0.008".into()));
    assert_eq!(shown["movements"].as_array().unwrap().len(), 3);
    assert_eq!(shown["models"][0]["model"], "openai/gpt-4o");
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(balance["balance_usd"], shown["closing_usd"]);
    let later = app.get("/v1/client/statements/2199-01", &ada.token).await.expect(200);
    assert_eq!(later["opening_usd"], shown["closing_usd"]);
    for wrong in ["2026-13", "now", "2026-1"] {
        let path = format!("/v1/client/statements/{wrong}");
        app.get(&path, &ada.token).await.expect_problem(400, "invalid_request");
    }
    app.audit().await;
}

#[tokio::test]
async fn a_customer_s_detail_hides_people_from_auditors() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (admin, auditor) = (app.admin().await.token, app.auditor().await.token);
    app.caught_up().await;
    let full = app.get(&client(&ada, ""), &admin).await.expect(200);
    assert_eq!((&full["email"], &full["balance_usd"]), (&"ada@example.com".into(), &"10".into()));
    let blind = app.get(&client(&ada, ""), &auditor).await.expect(200);
    assert_eq!((&blind["email"], &blind["name"]), (&json!(null), &json!(null)));
    assert_eq!(blind["balance_usd"], "10");
    let nobody = "/v1/admin/clients/acct_01k2h3j4k5m6n7p8q9r0s1t2v3";
    app.get(nobody, &admin).await.expect_problem(404, "not_found");
    app.audit().await;
}
