//! What a key and an account may do, and how much of it at once.

mod accounts;
mod edges;
mod keys;
mod rates;
mod warnings;

use reqwest::{Method, RequestBuilder};
use serde_json::{Value, json};

use crate::app::{Answer, Person, TestApp, read};

/// A key with limits: its id and the key itself.
async fn issue(app: &TestApp, person: &Person, limits: Value) -> (String, String) {
    let mut body = json!({ "name": "limited" });
    for (name, value) in limits.as_object().expect("an object") {
        body[name] = value.clone();
    }
    let issued = app.post("/v1/auth/api-keys", &person.token, &body).await.expect(201);
    let text = |member: &str| issued[member].as_str().expect("text").to_owned();
    (text("id"), text("key"))
}

/// The key as the list shows it.
async fn shown(app: &TestApp, person: &Person, id: &str) -> Value {
    let list = app.get("/v1/auth/api-keys", &person.token).await.expect(200);
    let keys = list["data"].as_array().expect("a list");
    keys.iter().find(|key| key["id"] == id).expect("the key").clone()
}

/// Changes a key.
async fn change(app: &TestApp, person: &Person, id: &str, body: Value) -> Answer {
    let path = format!("/v1/auth/api-keys/{id}");
    app.send(Method::PATCH, &path, Some(&person.token), Some(&body)).await
}

/// A question that is not sent yet.
fn question(app: &TestApp, key: &str, stream: bool) -> RequestBuilder {
    app.request(Method::POST, "/v1/chat/completions")
        .bearer_auth(key)
        .json(&crate::wire::body("How much may I ask?", stream))
}

/// Asks a model other than the usual one.
async fn ask_model(app: &TestApp, key: &str, more: Value) -> Answer {
    let mut body = crate::wire::body("hello", false);
    for (name, value) in more.as_object().expect("an object") {
        body[name] = value.clone();
    }
    read(app.request(Method::POST, "/v1/chat/completions").bearer_auth(key).json(&body)).await
}

/// The figures of the account's requests that were reserved: how many.
async fn reservations(app: &TestApp) -> i64 {
    sqlx::query_scalar("SELECT count(*) FROM events WHERE event_type = 'FundsReserved'")
        .fetch_one(app.state().database.pool())
        .await
        .expect("a count")
}
