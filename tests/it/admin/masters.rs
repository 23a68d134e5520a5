//! Master accounts after their registration.

use std::time::Duration;

use reqwest::Method;
use serde_json::{Value, json};

use super::{keyed, nowhere_in_the_log, spend};
use crate::app::{Answer, TestApp, read};

async fn master(app: &TestApp, admin: &str) -> Value {
    app.caught_up().await;
    app.get("/v1/admin/master-accounts", admin).await.expect(200)["data"][0].clone()
}

/// Other parts of the process learn of a change a moment later.
async fn until(mut attempt: impl AsyncFnMut() -> Answer, wanted: u16) -> Answer {
    let deadline = tokio::time::Instant::now() + Duration::from_secs(20);
    loop {
        let answer = attempt().await;
        if answer.status == wanted {
            return answer;
        }
        assert!(tokio::time::Instant::now() < deadline, "{}", answer.text);
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
}

#[tokio::test]
async fn a_disabled_master_account_serves_nothing_until_it_is_enabled() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let admin = app.admin().await.token;
    let id = master(&app, &admin).await["id"].as_str().unwrap().to_owned();
    let path = |what: &str| format!("/v1/admin/master-accounts/{id}/{what}");
    let why = json!({ "reason": "Mr Babbage's card expired" });
    let first = keyed(&app, Method::POST, &path("disable"), &admin, "d1", &why).await.expect(200);
    assert_eq!((&first["status"], &first["replayed"]), (&"disabled".into(), &false.into()));
    let again = keyed(&app, Method::POST, &path("disable"), &admin, "d1", &why).await.expect(200);
    assert_eq!(again["replayed"], true);
    let refused = until(async || spend(&app, &key, 1).await, 503).await;
    refused.expect_model_error(503, "no_upstream");
    assert_eq!(master(&app, &admin).await["status"], "disabled");
    app.post(&path("enable"), &admin, &json!({ "reason": "paid" })).await.expect(200);
    until(async || spend(&app, &key, 1).await, 200).await;
    let nobody = "/v1/admin/master-accounts/mast_01k2h3j4k5m6n7p8q9r0s1t2v3/disable";
    app.post(nobody, &admin, &why).await.expect_problem(404, "not_found");
    nowhere_in_the_log(&app, "Babbage").await;
    app.audit().await;
}

#[tokio::test]
async fn a_replaced_key_is_used_and_neither_shown_nor_taken_twice() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let admin = app.admin().await.token;
    let id = master(&app, &admin).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/admin/master-accounts/{id}/key");
    let new = json!({ "api_key": "sk-or-v1-0123456789abcdef", "reason": "yearly rotation" });
    let first = keyed(&app, Method::PUT, &path, &admin, "k1", &new).await.expect(200);
    assert_eq!((&first["key_version"], &first["masked_key"]), (&2.into(), &"sk-or-…cdef".into()));
    let again = keyed(&app, Method::PUT, &path, &admin, "k1", &new).await.expect(200);
    assert_eq!((&again["key_version"], &again["replayed"]), (&2.into(), &true.into()));
    let same = app.send(Method::PUT, &path, Some(&admin), Some(&new)).await;
    same.expect_problem(409, "key_used_before");
    let broken = json!({ "api_key": "two words", "reason": "x" });
    let refused = app.send(Method::PUT, &path, Some(&admin), Some(&broken)).await;
    refused.expect_problem(400, "invalid_request");
    assert_eq!(master(&app, &admin).await["masked_key"], "sk-or-…cdef");
    // The sandbox takes any key; what counts is that the new one opens.
    until(async || spend(&app, &key, 1).await, 200).await;
    let upstream = app.state().gateway.masters().pick().expect("one is enabled");
    assert_eq!(upstream.id.to_string(), id);
    nowhere_in_the_log(&app, "0123456789abcdef").await;
    app.audit().await;
}

#[tokio::test]
async fn credits_are_reconciled_with_the_upstream_s_own_statement() {
    let app = TestApp::start().await;
    let admin = app.admin().await.token;
    let id = master(&app, &admin).await["id"].as_str().unwrap().to_owned();
    let path = format!("/v1/admin/master-accounts/{id}");
    // Somebody uses the upstream's account past our books.
    let upstream = app.state().gateway.masters().pick().expect("the sandbox");
    let request = reqwest::Client::builder().no_proxy().build().expect("a client");
    let request = request.post(format!("{}/chat/completions", upstream.base_url));
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let body = json!({ "model": "openai/gpt-4o", "messages": messages, "max_tokens": 1000 });
    let request = request.header("X-Sandbox-Tokens", "800,800").bearer_auth("sk-sandbox");
    read(request.json(&body)).await.expect(200);
    let statement = app.get(&format!("{path}/statement"), &admin).await.expect(200);
    let difference = statement["difference_usd"].as_str().unwrap().to_owned();
    assert_eq!(difference, "-0.01");
    let body = json!({
        "credits_usd": difference,
        "stated_remaining_usd": statement["stated_remaining_usd"],
        "reason": "statement of today",
    });
    let adjustments = format!("{path}/adjustments");
    for _ in 0..2 {
        keyed(&app, Method::POST, &adjustments, &admin, "c1", &body).await.expect(201);
    }
    app.caught_up().await;
    let statement = app.get(&format!("{path}/statement"), &admin).await.expect(200);
    assert_eq!(statement["difference_usd"], "0");
    let shown = master(&app, &admin).await;
    assert_eq!(shown["adjusted_usd"], difference);
    assert_eq!(shown["cost_rate"], "0.3", "a reconciliation corrects credits, not the rate");
    let empty = json!({ "credits_usd": "0", "reason": "nothing" });
    app.post(&adjustments, &admin, &empty).await.expect_problem(400, "invalid_request");
    app.audit().await;
}
