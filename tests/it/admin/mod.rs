//! What operators do.

mod clients;
mod grants;
mod masters;
mod ratios;
mod reading;
mod reasons;
mod rotation;
mod search;
mod tables;

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, Person, TestApp, read};

/// Sends a request of somebody under an `Idempotency-Key`.
pub async fn keyed(
    app: &TestApp,
    method: Method,
    path: &str,
    token: &str,
    key: &str,
    body: &Value,
) -> Answer {
    let request = app.request(method, path).bearer_auth(token);
    read(request.header("Idempotency-Key", key).json(body)).await
}

/// The path of a customer's account.
pub fn client(person: &Person, rest: &str) -> String {
    format!("/v1/admin/clients/{}{rest}", person.account)
}

/// The balance, once the read models have everything.
pub async fn balance(app: &TestApp, person: &Person) -> Value {
    app.settled().await;
    app.get("/v1/client/balance", &person.token).await.expect(200)
}

/// Requests whose list cost is this many times $0.01; the last answer.
pub async fn spend(app: &TestApp, key: &str, hundredths: u32) -> Answer {
    // The model writes no more than 16,384 tokens at a time.
    for _ in 0..(hundredths - 1) / 20 {
        spend_once(app, key, 20).await.expect(200);
    }
    spend_once(app, key, (hundredths - 1) % 20 + 1).await
}

async fn spend_once(app: &TestApp, key: &str, hundredths: u32) -> Answer {
    let tokens = 800 * hundredths;
    let body = json!({
        "model": "openai/gpt-4o",
        "messages": [{ "role": "user", "content": "Explain a ledger." }],
        "max_tokens": tokens + 200,
    });
    let request = app.request(Method::POST, "/v1/chat/completions").bearer_auth(key);
    read(request.header("X-Sandbox-Tokens", format!("{tokens},{tokens}")).json(&body)).await
}

/// That no event has this text in it.
pub async fn nowhere_in_the_log(app: &TestApp, text: &str) {
    let found: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM events
         WHERE strpos(payload::text, $1) > 0 OR strpos(metadata::text, $1) > 0",
    )
    .bind(text)
    .fetch_one(app.state().database.pool())
    .await
    .expect("the log");
    let kept: i64 = sqlx::query_scalar(
        "SELECT count(*) FROM idempotency_keys WHERE strpos(result::text, $1) > 0",
    )
    .bind(text)
    .fetch_one(app.state().database.pool())
    .await
    .expect("the keys");
    assert_eq!((found, kept), (0, 0), "`{text}` can never be erased");
}
