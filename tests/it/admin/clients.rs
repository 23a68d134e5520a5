//! Refunds, corrections, suspension.

use reqwest::Method;
use serde_json::json;

use super::{balance, client, keyed, nowhere_in_the_log, spend};
use crate::app::TestApp;

#[tokio::test]
async fn a_refund_pays_back_what_is_left_of_a_top_up_and_nothing_twice() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let admin = app.admin().await.token;
    let detail = app.get(&client(&ada, ""), &admin).await.expect(200);
    let top_up = detail["top_ups"][0]["id"].as_str().unwrap().to_owned();
    let path = client(&ada, "/refunds");
    let refund = |amount: &str| json!({ "top_up_id": top_up, "amount_usd": amount, "reason": "Ada Lovelace asked for it" });
    let first = keyed(&app, Method::POST, &path, &admin, "r1", &refund("4")).await.expect(201);
    let again = keyed(&app, Method::POST, &path, &admin, "r1", &refund("4")).await.expect(201);
    assert_eq!((&first["replayed"], &again["replayed"]), (&false.into(), &true.into()));
    assert_eq!((&first["id"], &first["reason"]), (&again["id"], &again["reason"]));
    let other = keyed(&app, Method::POST, &path, &admin, "r1", &refund("5")).await;
    other.expect_problem(409, "idempotency_key_mismatch");
    app.post(&path, &admin, &refund("6.01")).await.expect_problem(400, "invalid_request");

    spend(&app, &key, 50).await.expect(200);
    let shown = balance(&app, &ada).await;
    assert_eq!(
        (&shown["balance_usd"], &shown["lifetime_refunded_usd"]),
        (&"5.6".into(), &"4".into())
    );
    // Six dollars are left of the top-up, but 0.40 of them are spent.
    app.post(&path, &admin, &refund("5.7")).await.expect_problem(409, "not_refundable");
    let detail = app.get(&client(&ada, ""), &admin).await.expect(200);
    assert_eq!(detail["top_ups"][0]["refundable_usd"], "5.6");
    app.post(&path, &admin, &refund("5.6")).await.expect(201);
    assert_eq!(balance(&app, &ada).await["balance_usd"], "0");
    nowhere_in_the_log(&app, "Lovelace").await;
    app.audit().await;
}

#[tokio::test]
async fn a_refund_of_nothing_known_is_refused() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (bob, _) = app.paying_customer("bob").await;
    let admin = app.admin().await.token;
    let detail = app.get(&client(&bob, ""), &admin).await.expect(200);
    let foreign = detail["top_ups"][0]["id"].as_str().unwrap();
    let refund = |id: &str| json!({ "top_up_id": id, "amount_usd": "1", "reason": "x" });
    let path = client(&ada, "/refunds");
    app.post(&path, &admin, &refund(foreign)).await.expect_problem(404, "not_found");
    app.post(&path, &admin, &refund("topup")).await.expect_problem(400, "invalid_request");
    let silent = json!({ "top_up_id": foreign, "amount_usd": "1", "reason": "" });
    app.post(&path, &admin, &silent).await.expect_problem(400, "invalid_request");
    let nobody = "/v1/admin/clients/acct_01k2h3j4k5m6n7p8q9r0s1t2v3/refunds";
    app.post(nobody, &admin, &refund(foreign)).await.expect_problem(404, "not_found");
    assert_eq!(balance(&app, &ada).await["balance_usd"], "10");
    app.audit().await;
}

#[tokio::test]
async fn a_correction_goes_up_or_down_and_is_told_with_its_reason() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (admin, auditor) = (app.admin().await.token, app.auditor().await.token);
    let path = client(&ada, "/adjustments");
    let adjust = |amount: &str, reason: &str| json!({ "amount_usd": amount, "reason": reason, "reference": "ticket 4711" });
    for (key, amount) in [("a1", "-0.50"), ("a2", "0.25"), ("a1", "-0.50")] {
        let body = adjust(amount, "Mrs Byron was charged twice");
        keyed(&app, Method::POST, &path, &admin, key, &body).await.expect(201);
    }
    app.post(&path, &admin, &adjust("0", "x")).await.expect_problem(400, "invalid_request");
    let shown = balance(&app, &ada).await;
    assert_eq!(shown["balance_usd"], "9.75");
    assert_eq!(shown["lifetime_adjusted_usd"], "-0.25");

    let moves = app.get(&client(&ada, "/movements"), &admin).await.expect(200);
    let newest = &moves["data"][0];
    assert_eq!((&newest["kind"], &newest["amount_usd"]), (&"adjustment".into(), &"0.25".into()));
    assert_eq!(newest["reason"], "Mrs Byron was charged twice");
    assert_eq!(newest["reference"], "ticket 4711");
    assert!(newest["actor"].as_str().unwrap().starts_with("usr_"));
    // Free text may name people, so an auditor sees that there was a decision and not its text.
    let moves = app.get(&client(&ada, "/movements"), &auditor).await.expect(200);
    assert_eq!(moves["data"][0]["reason"], json!(null));
    assert_eq!(moves["data"][0]["reference"], "ticket 4711");
    nowhere_in_the_log(&app, "Byron").await;
    app.audit().await;
}

#[tokio::test]
async fn a_suspended_account_spends_nothing_until_it_is_reinstated() {
    let app = TestApp::start().await;
    let (ada, key) = app.paying_customer("ada").await;
    let admin = app.admin().await.token;
    let (suspend, reinstate) = (client(&ada, "/suspend"), client(&ada, "/reinstate"));
    let why = json!({ "reason": "chargeback by Ada's bank" });
    let first = keyed(&app, Method::POST, &suspend, &admin, "s1", &why).await.expect(200);
    assert_eq!(first["status"], "suspended");
    let again = keyed(&app, Method::POST, &suspend, &admin, "s1", &why).await.expect(200);
    assert_eq!(again["replayed"], true);
    app.post(&suspend, &admin, &why).await.expect_problem(409, "already_suspended");
    spend(&app, &key, 1).await.expect_model_error(403, "account_suspended");
    app.top_up(&ada, "1").await;

    app.caught_up().await;
    let detail = app.get(&client(&ada, ""), &admin).await.expect(200);
    assert_eq!(detail["status"], "suspended");
    assert_eq!(detail["suspension"]["reason"], "chargeback by Ada's bank");
    let why = json!({ "reason": "settled with the bank" });
    app.post(&reinstate, &admin, &why).await.expect(200);
    app.post(&reinstate, &admin, &why).await.expect_problem(409, "not_suspended");
    spend(&app, &key, 1).await.expect(200);

    app.settled().await;
    let detail = app.get(&client(&ada, ""), &admin).await.expect(200);
    assert_eq!((&detail["status"], &detail["suspension"]), (&"active".into(), &json!(null)));
    let path = format!("/v1/admin/actions?subject={}", ada.account);
    let actions = app.get(&path, &admin).await.expect(200);
    let told: Vec<_> = actions["data"]
        .as_array()
        .unwrap()
        .iter()
        .map(|action| (action["action"].as_str().unwrap(), action["reason"].as_str()))
        .collect();
    assert_eq!(told[0], ("AccountReinstated", Some("settled with the bank")));
    assert_eq!(told[2], ("AccountSuspended", Some("chargeback by Ada's bank")));
    nowhere_in_the_log(&app, "chargeback").await;
    app.audit().await;
}

#[tokio::test]
async fn what_a_top_up_was_for_can_be_erased() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let admin = app.admin().await.token;
    let body = json!({ "amount_usd": "1", "note": "paid by Mr Babbage" });
    let path = client(&ada, "/top-ups");
    for _ in 0..2 {
        let booked = keyed(&app, Method::POST, &path, &admin, "t1", &body).await.expect(201);
        assert_eq!(booked["note"], "paid by Mr Babbage");
    }
    app.caught_up().await;
    let detail = app.get(&client(&ada, ""), &admin).await.expect(200);
    assert_eq!(detail["top_ups"][0]["note"], "paid by Mr Babbage");
    nowhere_in_the_log(&app, "Babbage").await;
    app.audit().await;
}
