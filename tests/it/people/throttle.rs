//! How often passwords may be tried.

use reqwest::Method;
use serde_json::json;

use super::*;
use crate::app::read;

/// An application behind a proxy that it trusts, so that a test comes from wherever it wants.
async fn behind_a_proxy() -> TestApp {
    TestApp::start_with(|config| {
        config.edge.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a range")];
    })
    .await
}

async fn login_from(app: &TestApp, address: &str, email: &str, password: &str) -> Answer {
    let body = json!({ "email": email, "password": password });
    let request = app.request(Method::POST, "/v1/auth/login");
    read(request.header("X-Forwarded-For", address).json(&body)).await
}

#[track_caller]
fn told_to_wait(answer: &Answer, most: u64) {
    answer.expect_problem(429, "rate_limit_exceeded");
    let wait: u64 = answer.headers["retry-after"].to_str().unwrap().parse().unwrap();
    assert!((1..=most).contains(&wait), "{wait} seconds");
}

#[tokio::test]
async fn who_guesses_is_told_to_wait_and_others_are_not() {
    let app = behind_a_proxy().await;
    app.customer("ada").await;
    let (eve, ada) = ("203.0.113.9", "198.51.100.7");
    // Whether somebody has the address makes no difference.
    for email in ["ada@example.com", "nobody@example.com"] {
        for _ in 0..10 {
            let wrong = login_from(&app, eve, email, "not her password").await;
            wrong.expect_problem(401, "wrong_password");
        }
        told_to_wait(&login_from(&app, eve, email, "not her password").await, 60);
        let right = login_from(&app, eve, email, PASSWORD).await;
        told_to_wait(&right, 60);
    }
    let runs = app.state().people.passwords.runs();
    login_from(&app, eve, "ada@example.com", PASSWORD)
        .await
        .expect_problem(429, "rate_limit_exceeded");
    assert_eq!(app.state().people.passwords.runs(), runs, "a refused guess costs no work");
    login_from(&app, ada, "ada@example.com", PASSWORD).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn strangers_cannot_lock_an_owner_out() {
    let app = behind_a_proxy().await;
    register(&app, "ada@example.com").await.expect(201);
    let home = "198.51.100.7";
    login_from(&app, home, "ada@example.com", PASSWORD).await.expect(200);
    // Many places, each with few guesses: the account's own quota is used up.
    let mut refused = false;
    for host in 1..=40 {
        let stranger = format!("203.0.113.{host}");
        let answer = login_from(&app, &stranger, "ada@example.com", "a guess of many").await;
        refused = answer.status == 429;
        if refused {
            told_to_wait(&answer, 30);
            break;
        }
        answer.expect_problem(401, "wrong_password");
    }
    assert!(refused, "one account was tried from everywhere without an end");
    // Where she has signed in before she is known, and a mistake does not change that.
    login_from(&app, home, "ada@example.com", "mistyped password")
        .await
        .expect_problem(401, "wrong_password");
    login_from(&app, home, "ada@example.com", PASSWORD).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn an_owner_who_is_elsewhere_gets_in_by_mail_however_much_strangers_guess() {
    let app = behind_a_proxy().await;
    register(&app, "ada@example.com").await.expect(201);
    let elsewhere = "198.51.100.8";
    for host in 1..=30 {
        let stranger = format!("203.0.113.{host}");
        login_from(&app, &stranger, "ada@example.com", "a guess of many").await;
    }
    told_to_wait(&login_from(&app, elsewhere, "ada@example.com", PASSWORD).await, 30);
    ask_reset(&app, "ada@example.com").await.expect(202);
    let body = json!({ "token": newest_token(&app, "password_reset").await, "password": "battery staple" });
    let confirm = app.request(Method::POST, "/v1/auth/password-reset/confirm");
    read(confirm.header("X-Forwarded-For", elsewhere).json(&body)).await.expect(200);
    // From here she is known now.
    for host in 31..=60 {
        let stranger = format!("203.0.113.{host}");
        login_from(&app, &stranger, "ada@example.com", "a guess of many").await;
    }
    login_from(&app, elsewhere, "ada@example.com", "battery staple").await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn a_found_session_does_not_guess_passwords_faster() {
    let app = behind_a_proxy().await;
    let ada = app.customer("ada").await;
    let body = json!({ "old_password": "not her password", "password": "battery staple" });
    let mut last = None;
    for _ in 0..11 {
        last = Some(app.post("/v1/auth/password", &ada.token, &body).await);
    }
    told_to_wait(&last.unwrap(), 60);
    app.audit().await;
}

#[tokio::test]
async fn one_place_registers_and_asks_for_mail_only_so_often() {
    let app = behind_a_proxy().await;
    for _ in 0..20 {
        assert_eq!(ask_reset(&app, "nobody@example.com").await.status, 202);
    }
    told_to_wait(&ask_reset(&app, "nobody@example.com").await, 180);
    told_to_wait(&register(&app, "ada@example.com").await, 180);
    app.audit().await;
}
