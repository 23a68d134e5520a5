//! What a key sees of itself, its account and its requests, in OpenRouter's shapes.

use reqwest::Method;
use serde_json::{Value, json};
use tollgate_domain::Money;

use crate::app::TestApp;
use crate::wire;

/// A JSON number's digits, which a float would change.
fn digits(text: &str, member: &str) -> String {
    let mark = format!("\"{member}\":");
    let start = text.find(&mark).unwrap_or_else(|| panic!("{member} in {text}")) + mark.len();
    text[start..].chars().take_while(|c| c.is_ascii_digit() || *c == '.').collect()
}

#[tokio::test]
async fn a_key_sees_its_limit_its_account_s_credits_and_its_charges() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let answer = app.chat(&key, "What is a ledger?").await;
    let amount = |name: &str| Money::parse(answer.headers[name].to_str().unwrap()).unwrap();
    let charge = amount("x-tollgate-charge");
    assert_eq!(Money::dollars(10).checked_sub(charge), Some(amount("x-tollgate-balance")));
    app.settled().await;
    let shown = app.get("/v1/key", &key).await;
    for member in ["usage", "usage_daily", "usage_weekly", "usage_monthly"] {
        assert_eq!(Money::parse(&digits(&shown.text, member)), Ok(charge), "{member}");
    }
    let data = &shown.expect(200)["data"];
    assert!(data["label"].as_str().unwrap().starts_with("sk-tg-"), "{data}");
    assert!(!data.to_string().contains(&key), "never the key itself");
    assert_eq!((&data["limit"], &data["limit_remaining"]), (&Value::Null, &Value::Null));
    assert_eq!(
        (&data["is_free_tier"], &data["rate_limit"]["requests"]),
        (&json!(false), &json!(-1))
    );
    let credits = app.get("/api/v1/credits", &key).await;
    assert_eq!(credits.status, 200, "{}", credits.text);
    assert_eq!(credits.body["data"]["total_credits"], json!(10));
    assert_eq!(Money::parse(&digits(&credits.text, "total_usage")), Ok(charge));
    app.get("/v1/key", "sk-tg-wrong").await.expect_model_error(401, "invalid_api_key");
    app.audit().await;
}

#[tokio::test]
async fn a_stream_tells_its_charge_and_the_balance_after_it_with_its_bill() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let mut left = Money::dollars(10);
    for _ in 0..2 {
        let request = app.request(Method::POST, "/v1/chat/completions").bearer_auth(&key);
        let got = wire::send(request.json(&wire::body("Hello", true))).await.expect("an answer");
        let charge = got.cost().expect("a cost");
        left = left.checked_sub(charge).expect("small amounts");
        let told =
            format!(r#""tollgate":{{"charge_usd":"{charge}","balance_after_usd":"{left}"}}"#);
        assert!(got.text.contains(&told), "{told} in {}", got.text);
        app.settled().await;
    }
    app.audit().await;
}

#[tokio::test]
async fn a_generation_is_shown_at_its_sale_price_and_to_its_account_only() {
    let app = TestApp::start().await;
    let (_, ada) = app.paying_customer("ada").await;
    let (_, bob) = app.paying_customer("bob").await;
    let answer = app.chat(&ada, "What is a ledger?").await;
    let charge = Money::parse(answer.headers["x-tollgate-charge"].to_str().unwrap()).unwrap();
    let id = answer.headers["x-generation-id"].to_str().unwrap().to_owned();
    let request = answer.headers["x-tollgate-request-id"].to_str().unwrap().to_owned();
    assert_eq!(answer.headers["x-request-id"], request.as_str());
    let usage = answer.body["usage"].clone();
    app.settled().await;
    let shown = app.get(&format!("/v1/generation?id={id}"), &ada).await;
    assert_eq!(Money::parse(&digits(&shown.text, "total_cost")), Ok(charge));
    let data = shown.expect(200)["data"].clone();
    assert_eq!((&data["id"], &data["request_id"]), (&json!(id), &json!(request)));
    assert_eq!((&data["model"], &data["cancelled"]), (&json!("openai/gpt-4o-mini"), &json!(false)));
    assert_eq!(data["native_tokens_prompt"], usage["prompt_tokens"]);
    assert_eq!(data["native_tokens_completion"], usage["completion_tokens"]);
    assert!(data["upstream_inference_cost"].is_null() && data["upstream_id"].is_null());
    for (path, key) in [
        (format!("/v1/generation?id={id}"), &bob),
        ("/v1/generation?id=gen-unknown".to_owned(), &ada),
    ] {
        app.get(&path, key).await.expect_model_error(404, "not_found");
    }
    app.get("/v1/generation", &ada).await.expect_model_error(400, "invalid_request");
    app.audit().await;
}
