//! Limits of an account: the operator's, the plan's, the owner's.

use reqwest::Method;
use serde_json::{Value, json};

use super::question;
use crate::app::{Answer, Person, TestApp, read};

const OWN: &str = "/v1/client/limits";

async fn patch(app: &TestApp, path: &str, who: &Person, body: Value) -> Answer {
    app.send(Method::PATCH, path, Some(&who.token), Some(&body)).await
}

async fn put(app: &TestApp, path: &str, who: &Person, body: Value) -> Answer {
    app.send(Method::PUT, path, Some(&who.token), Some(&body)).await
}

fn limits_of(person: &Person) -> String {
    format!("/v1/admin/clients/{}/limits", person.account)
}

fn plan_of(person: &Person) -> String {
    format!("/v1/admin/clients/{}/plan", person.account)
}

#[tokio::test]
async fn an_account_spends_no_more_than_the_lower_of_the_operator_s_and_its_owner_s_limit() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (ada, key) = app.paying_customer("ada").await;
    patch(&app, &limits_of(&ada), &admin, json!({ "daily_limit_usd": "5" })).await.expect(200);
    app.chat(&key, "hello").await.expect(200);
    app.settled().await;

    let above = patch(&app, OWN, &ada, json!({ "daily_limit_usd": "5.01" })).await;
    above.expect_problem(409, "own_limit_too_high");
    let small = json!({ "daily_limit_usd": "0.0000001", "monthly_limit_usd": "20" });
    patch(&app, OWN, &ada, small).await.expect(200);
    let refused = read(question(&app, &key, false)).await;
    refused.expect_model_error(403, "spend_limit_exceeded");
    let message = refused.body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with("Account limit exceeded (daily limit)."), "{message}");

    let shown = app.get(OWN, &ada.token).await.expect(200);
    assert_eq!(shown["allowed"]["daily_limit_usd"], "5");
    let own = json!({ "daily_limit_usd": "0.0000001", "monthly_limit_usd": "20" });
    assert_eq!(shown["own"], own);
    assert_eq!(shown["today"]["limit_usd"], "0.0000001");
    assert_eq!(shown["today"]["spent_usd"], shown["this_month"]["spent_usd"]);
    let left = shown["today"]["left_usd"].as_str().unwrap();
    assert!(left.starts_with('-'), "more is spent than the new limit: {left}");
    assert_eq!(app.get(&limits_of(&ada), &admin.token).await.expect(200), shown);

    patch(&app, OWN, &ada, json!({ "daily_limit_usd": null })).await.expect(200);
    app.chat(&key, "hello").await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn only_the_operator_sets_an_account_s_limits() {
    let app = TestApp::start().await;
    let (admin, auditor) = (app.admin().await, app.auditor().await);
    let (ada, eve) = (app.customer("ada").await, app.customer("eve").await);
    let body = json!({ "monthly_limit_usd": "1" });
    for who in [&ada, &eve, &auditor] {
        patch(&app, &limits_of(&ada), who, body.clone()).await.expect_problem(403, "forbidden");
        let plan = json!({ "plan": null });
        put(&app, &plan_of(&ada), who, plan).await.expect_problem(403, "forbidden");
        let plan = json!({ "sale_ratio": "0.1" });
        put(&app, "/v1/admin/plans/mine", who, plan).await.expect_problem(403, "forbidden");
    }
    app.get(&limits_of(&ada), &eve.token).await.expect_problem(403, "forbidden");
    app.get(&limits_of(&ada), &auditor.token).await.expect(200);
    app.get("/v1/admin/plans", &auditor.token).await.expect(200);
    // Rates are the operator's: an owner limits keys.
    let rates = json!({ "requests_per_minute": 1 });
    patch(&app, OWN, &ada, rates).await.expect_problem(400, "invalid_request");
    let nobody = "/v1/admin/clients/acct_01k2h3j4k5m6n7p8q9r0s1t2v3";
    patch(&app, &format!("{nobody}/limits"), &admin, body).await.expect_problem(404, "not_found");
    app.get(&format!("{nobody}/limits"), &admin.token).await.expect_problem(404, "not_found");
    let plan = json!({ "plan": null });
    put(&app, &format!("{nobody}/plan"), &admin, plan).await.expect_problem(404, "not_found");
    app.audit().await;
}

#[tokio::test]
async fn a_plan_s_ratio_and_limits_count_from_the_next_request_on() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (ada, key) = app.paying_customer("ada").await;
    let gold = "/v1/admin/plans/gold";
    app.get(gold, &admin.token).await.expect_problem(404, "not_found");
    let unknown = put(&app, &plan_of(&ada), &admin, json!({ "plan": "gold" })).await;
    unknown.expect_problem(400, "invalid_request");

    let definition = json!({ "sale_ratio": "0.5", "requests_per_minute": 3 });
    let first = put(&app, gold, &admin, definition.clone()).await.expect(200);
    let again = put(&app, gold, &admin, definition).await.expect(200);
    assert!(again["position"].as_i64() >= first["position"].as_i64());
    let plan = json!({ "plan": "gold" });
    let assigned = put(&app, &plan_of(&ada), &admin, plan.clone()).await.expect(200);
    let head = app.caught_up().await;
    assert_eq!(assigned["position"], head);
    put(&app, &plan_of(&ada), &admin, plan).await.expect(200);
    assert_eq!(app.caught_up().await, head, "the same plan again is no event");

    app.chat(&key, "hello").await.expect(200);
    app.settled().await;
    let ratio = async || {
        let requests = app.get("/v1/client/recent-requests", &ada.token).await.expect(200);
        requests["data"][0]["sale_ratio"].clone()
    };
    assert_eq!(ratio().await, "0.5");
    // The catalogue says so, with a key and without one.
    let own = app.get("/v1/client/models", &ada.token).await.expect(200);
    assert_eq!(own, app.get("/v1/models", &key).await.expect(200));
    let public = app.send(Method::GET, "/v1/models", None, None).await.expect(200);
    assert_ne!(own, public);
    let shown = app.get(OWN, &ada.token).await.expect(200);
    assert_eq!(
        (&shown["plan"], &shown["allowed"]["requests_per_minute"]),
        (&json!("gold"), &json!(3))
    );

    // Defined anew: the next request is under it.
    let tight = json!({ "sale_ratio": "0.7", "daily_limit_usd": "0.0000001" });
    put(&app, gold, &admin, tight).await.expect(200);
    let refused = read(question(&app, &key, false)).await;
    refused.expect_model_error(403, "spend_limit_exceeded");
    // What is set for the account alone goes before its plan's.
    patch(&app, &limits_of(&ada), &admin, json!({ "daily_limit_usd": "9" })).await.expect(200);
    app.chat(&key, "hello").await.expect(200);
    app.settled().await;
    assert_eq!(ratio().await, "0.7");

    put(&app, &plan_of(&ada), &admin, json!({ "plan": null })).await.expect(200);
    app.chat(&key, "hello").await.expect(200);
    app.settled().await;
    assert_eq!(ratio().await, "0.8");
    let clients = app.get("/v1/admin/clients", &admin.token).await.expect(200);
    let client = clients["data"].as_array().unwrap();
    let client = client.iter().find(|client| client["account_id"] == ada.account.as_str());
    assert_eq!(client.unwrap()["plan"], Value::Null);
    app.audit().await;
}

#[tokio::test]
async fn plans_that_make_no_sense_are_refused() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    for body in [
        json!({}),
        json!({ "sale_ratio": "0" }),
        json!({ "sale_ratio": "101" }),
        json!({ "sale_ratio": "cheap" }),
        json!({ "sale_ratio": "0.8", "daily_limit_usd": "-1" }),
        json!({ "sale_ratio": "0.8", "requests_per_minute": 0 }),
        json!({ "sale_ratio": "0.8", "margin": "1" }),
    ] {
        let refused = put(&app, "/v1/admin/plans/gold", &admin, body).await;
        refused.expect_problem(400, "invalid_request");
    }
    let body = json!({ "sale_ratio": "0.8" });
    for name in ["a%20b", "a%2Fb", &"x".repeat(65), "%D0%B7"] {
        let refused = put(&app, &format!("/v1/admin/plans/{name}"), &admin, body.clone()).await;
        refused.expect_problem(400, "invalid_request");
    }
    let plans = app.get("/v1/admin/plans", &admin.token).await.expect(200);
    assert_eq!(plans["data"], json!([]));
    app.audit().await;
}
