//! People: how they come, sign in, are written to, and go.

mod admin;
mod browser;
mod erasure;
mod letters;
mod passwords;
mod relays;
mod sign_up;
mod sink;
mod throttle;

use reqwest::Method;
use serde_json::{Value, json};

use crate::app::{Answer, TestApp};

const PASSWORD: &str = "correct horse battery";

/// Sends what needs no session.
async fn post(app: &TestApp, path: &str, body: &Value) -> Answer {
    app.send(Method::POST, path, None, Some(body)).await
}

async fn register(app: &TestApp, email: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD, "name": "Ada" });
    post(app, "/v1/auth/register", &body).await
}

async fn login(app: &TestApp, email: &str, password: &str) -> Answer {
    post(app, "/v1/auth/login", &json!({ "email": email, "password": password })).await
}

async fn ask_reset(app: &TestApp, email: &str) -> Answer {
    post(app, "/v1/auth/password-reset", &json!({ "email": email })).await
}

async fn reset(app: &TestApp, token: &str, password: &str) -> Answer {
    let body = json!({ "token": token, "password": password });
    post(app, "/v1/auth/password-reset/confirm", &body).await
}

/// The mails of one kind, the newest first, as the operator sees them.
async fn mails(app: &TestApp, kind: &str) -> Vec<Value> {
    let admin = app.admin().await;
    let list = app.get("/v1/admin/mails?limit=200", &admin.token).await.expect(200);
    let list = list["data"].as_array().expect("mails").clone();
    list.into_iter().filter(|mail| mail["kind"] == kind).collect()
}

/// Waits until there are so many mails of one kind: some are written after their answer.
async fn wait_for_mails(app: &TestApp, kind: &str, count: usize) -> Vec<Value> {
    for _ in 0..200 {
        let found = mails(app, kind).await;
        if found.len() >= count {
            return found;
        }
        tokio::time::sleep(std::time::Duration::from_millis(25)).await;
    }
    panic!("there are no {count} mails of the kind {kind}")
}

/// The token in a mail's link.
fn token_in(text: &str) -> String {
    let (_, rest) = text.split_once("#token=").expect("a link with a token");
    rest.split_whitespace().next().expect("a token").to_owned()
}

/// What the operator reads in the newest mail of one kind: the whole text.
async fn newest_mail(app: &TestApp, kind: &str) -> Value {
    let mail = wait_for_mails(app, kind, 1).await.remove(0);
    let admin = app.admin().await;
    let path = format!("/v1/admin/mails/{}/open", mail["id"].as_str().expect("an id"));
    app.send(Method::POST, &path, Some(&admin.token), None).await.expect(200)
}

async fn newest_token(app: &TestApp, kind: &str) -> String {
    token_in(newest_mail(app, kind).await["text"].as_str().expect("a text"))
}

async fn me(app: &TestApp, token: &str) -> Value {
    app.get("/v1/auth/me", token).await.expect(200)
}

/// The actions of the audit trail about a subject, the newest first.
async fn trail(app: &TestApp, subject: &str) -> Vec<String> {
    let admin = app.admin().await;
    let path = format!("/v1/admin/audit-trail?subject={subject}");
    let list = app.get(&path, &admin.token).await.expect(200);
    let entries = list["data"].as_array().expect("entries").iter();
    entries.map(|entry| entry["action"].as_str().expect("an action").to_owned()).collect()
}

/// What a test changes behind the application's back.
async fn sql(app: &TestApp, statement: &str) -> u64 {
    let pool = app.state().database.pool();
    sqlx::query(statement).execute(pool).await.expect("a statement").rows_affected()
}
