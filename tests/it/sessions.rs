//! Registration and sessions.

use reqwest::Method;
use serde_json::json;

use crate::app::TestApp;

async fn refresh(app: &TestApp, token: &str) -> crate::app::Answer {
    let body = json!({ "refresh_token": token });
    app.send(Method::POST, "/v1/auth/refresh", None, Some(&body)).await
}

#[tokio::test]
async fn a_customer_registers_signs_in_and_has_an_empty_account() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let me = app.get("/v1/auth/me", &ada.token).await.expect(200);
    assert_eq!((&me["email"], &me["role"]), (&"ada@example.com".into(), &"client".into()));
    app.caught_up().await;
    let balance = app.get("/v1/client/balance", &ada.token).await.expect(200);
    assert_eq!(balance["balance_usd"], "0");
    assert_eq!(balance["account_id"], ada.account);
    app.audit().await;
}

#[tokio::test]
async fn an_address_is_registered_once_in_whatever_case_it_is_written() {
    let app = TestApp::start().await;
    app.customer("ada").await;
    let again = json!({ "email": "ADA@example.com", "password": "another password", "name": "" });
    let answer = app.send(Method::POST, "/v1/auth/register", None, Some(&again)).await;
    answer.expect_problem(409, "email_taken");
    app.audit().await;
}

#[tokio::test]
async fn a_weak_password_and_a_wrong_address_are_refused_by_name() {
    let app = TestApp::start().await;
    for (email, password, param) in [
        ("ada@example.com", "short", "password"),
        ("ada@example.com", "ada@example.com", "password"),
        ("ada", "correct horse battery", "email"),
    ] {
        let body = json!({ "email": email, "password": password });
        let answer = app.send(Method::POST, "/v1/auth/register", None, Some(&body)).await;
        answer.expect_problem(400, "invalid_request");
        assert_eq!(answer.body["param"], param);
    }
    app.audit().await;
}

#[tokio::test]
async fn a_wrong_password_and_an_unknown_address_are_told_the_same() {
    let app = TestApp::start().await;
    app.customer("ada").await;
    let mut told = vec![];
    for email in ["ada@example.com", "nobody@example.com"] {
        let body = json!({ "email": email, "password": "not her password" });
        let answer = app.send(Method::POST, "/v1/auth/login", None, Some(&body)).await;
        answer.expect_problem(401, "wrong_password");
        told.push(answer.text);
    }
    assert_eq!(told[0], told[1]);
    app.audit().await;
}

#[tokio::test]
async fn a_refresh_token_is_exchanged_once() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let first = refresh(&app, &ada.refresh).await.expect(200);
    refresh(&app, &ada.refresh).await.expect_problem(401, "invalid_refresh_token");
    // At once it may be a lost answer, so the session lives on.
    let second = refresh(&app, first["refresh_token"].as_str().unwrap()).await.expect(200);
    app.get("/v1/auth/me", second["access_token"].as_str().unwrap()).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn an_old_refresh_token_that_comes_back_later_ends_the_session() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let next = refresh(&app, &ada.refresh).await.expect(200);
    sqlx::query("UPDATE sessions SET replaced_at = replaced_at - interval '1 minute'")
        .execute(app.state().database.pool())
        .await
        .unwrap();
    refresh(&app, &ada.refresh).await.expect_problem(401, "invalid_refresh_token");
    let newest = next["refresh_token"].as_str().unwrap();
    refresh(&app, newest).await.expect_problem(401, "invalid_refresh_token");
    let access = next["access_token"].as_str().unwrap();
    app.get("/v1/auth/me", access).await.expect_problem(401, "session_ended");
    app.audit().await;
}

#[tokio::test]
async fn signing_out_ends_access_and_refresh_at_once() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let out = app.send(Method::POST, "/v1/auth/logout", Some(&ada.token), None).await;
    assert_eq!(out.status, 204);
    app.get("/v1/auth/me", &ada.token).await.expect_problem(401, "session_ended");
    refresh(&app, &ada.refresh).await.expect_problem(401, "invalid_refresh_token");
    app.audit().await;
}

#[tokio::test]
async fn a_restart_keeps_the_admin_and_does_not_make_another() {
    let app = TestApp::start().await;
    let admin = app.state().config.admin.clone().expect("an admin is configured");
    assert!(!app.state().people.ensure_admin(&admin).await.unwrap());
    let clients = app.admin().await;
    app.caught_up().await;
    let clients = app.get("/v1/admin/clients", &clients.token).await.expect(200);
    assert_eq!(clients["data"].as_array().unwrap().len(), 1);
    app.audit().await;
}
