//! Registration: what it tells, who may, and whose address it is.

use reqwest::Method;
use serde_json::json;
use tollgate::config::{EmailVerification, Registration};

use super::*;

#[tokio::test]
async fn nobody_learns_from_an_answer_or_its_work_whether_an_address_is_registered() {
    let app = TestApp::start().await;
    app.customer("ada").await;
    let runs = || app.state().people.passwords.runs();
    let mut told = vec![];
    for email in ["ADA@example.com", "bob@example.com"] {
        let before = runs();
        let registered = register(&app, email).await;
        let (status, registered) = (registered.status, registered.text);
        let for_register = runs() - before;
        let wrong = login(&app, email, "not the password").await;
        wrong.expect_problem(401, "wrong_password");
        let for_login = runs() - before - for_register;
        let reset = ask_reset(&app, email).await;
        assert_eq!(reset.status, 202);
        let for_reset = runs() - before - for_register - for_login;
        assert_eq!((for_register, for_login, for_reset), (1, 1, 0), "{email}");
        told.push((status, registered, wrong.text, reset.text));
    }
    assert_eq!(told[0], told[1]);
    let unknown = login(&app, "nobody@example.com", "not the password").await;
    assert_eq!(unknown.text, told[0].2);
    assert_eq!(ask_reset(&app, "nobody@example.com").await.text, told[0].3);
    app.audit().await;
}

#[tokio::test]
async fn registering_a_taken_address_changes_nothing() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let body = json!({ "email": "Ada@Example.com", "password": "another password", "name": "Eve" });
    post(&app, "/v1/auth/register", &body).await.expect(201);
    let refused = login(&app, "ada@example.com", "another password").await;
    refused.expect_problem(401, "wrong_password");
    assert_eq!(me(&app, &ada.token).await["name"], "ada");
    let admin = app.admin().await;
    app.caught_up().await;
    let accounts = app.get("/v1/admin/clients", &admin.token).await.expect(200);
    assert_eq!(accounts["data"].as_array().unwrap().len(), 2, "the admin's and Ada's");
    app.audit().await;
}

#[tokio::test]
async fn passwords_that_are_tried_first_are_refused() {
    let app = TestApp::start().await;
    for (password, param) in [("Password123", "password"), ("qwertyuiop", "password")] {
        let body = json!({ "email": "ada@example.com", "password": password });
        let refused = post(&app, "/v1/auth/register", &body).await;
        refused.expect_problem(400, "invalid_request");
        assert_eq!(refused.body["param"], param);
    }
    login(&app, "ada@example.com", "Password123").await.expect_problem(401, "wrong_password");
    app.audit().await;
}

#[tokio::test]
async fn text_that_the_database_cannot_hold_is_a_bad_request() {
    let app = TestApp::start().await;
    let body = json!({ "email": "ada@example.com", "password": PASSWORD, "name": "A\u{0}da" });
    let refused = post(&app, "/v1/auth/register", &body).await;
    refused.expect_problem(400, "invalid_request");
    login(&app, "a\u{0}da", PASSWORD).await.expect_problem(400, "invalid_request");
    app.audit().await;
}

#[tokio::test]
async fn registration_can_be_closed() {
    let app = TestApp::start_with(|config| config.people.registration = Registration::Closed).await;
    register(&app, "ada@example.com").await.expect_problem(403, "registration_closed");
    app.admin().await;
    app.audit().await;
}

/// An invitation's id and token.
async fn invite(app: &TestApp, email: Option<&str>) -> (String, String) {
    let admin = app.admin().await;
    let body = json!({ "email": email });
    let made = app.post("/v1/admin/invitations", &admin.token, &body).await.expect(201);
    let id = made["invitation"]["id"].as_str().unwrap().to_owned();
    assert!(made["url"].as_str().unwrap().contains("/register#token=tgi_"));
    (id, made["token"].as_str().unwrap().to_owned())
}

async fn register_invited(app: &TestApp, email: &str, token: &str) -> Answer {
    let body = json!({ "email": email, "password": PASSWORD, "invitation": token });
    post(app, "/v1/auth/register", &body).await
}

#[tokio::test]
async fn by_invitation_one_token_registers_one_person() {
    let app = TestApp::start_with(|config| config.people.registration = Registration::Invite).await;
    let refused = |answer: Answer| {
        answer.expect_problem(400, "invalid_request");
        assert_eq!(answer.body["param"], "invitation");
    };
    refused(register(&app, "ada@example.com").await);
    refused(register_invited(&app, "ada@example.com", "tgi_made-up").await);
    let (id, token) = invite(&app, None).await;
    let mut forged = token.clone();
    forged.replace_range(6..7, if &token[6..7] == "A" { "B" } else { "A" });
    refused(register_invited(&app, "ada@example.com", &forged).await);
    // Of many at once exactly one is let in.
    let people: Vec<String> = (0..8).map(|n| format!("{n}@example.com")).collect();
    let tries = people.iter().map(|email| register_invited(&app, email, &token));
    let answers = futures_util::future::join_all(tries).await;
    assert_eq!(answers.iter().filter(|answer| answer.status == 201).count(), 1);
    let mut signed_in = 0;
    for email in &people {
        signed_in += usize::from(login(&app, email, PASSWORD).await.status == 200);
    }
    assert_eq!(signed_in, 1);
    assert_eq!(trail(&app, &id).await, ["invitation_used", "invitation_made"]);
    app.audit().await;
}

#[tokio::test]
async fn an_invitation_for_an_address_is_mailed_and_admits_no_other() {
    let app = TestApp::start_with(|config| config.people.registration = Registration::Invite).await;
    let (_, token) = invite(&app, Some("ada@example.com")).await;
    let mail = newest_mail(&app, "invitation").await;
    assert_eq!(mail["to"], "ada@example.com");
    assert_eq!(token_in(mail["text"].as_str().unwrap()), token);
    let eve = register_invited(&app, "eve@example.com", &token).await;
    eve.expect_problem(400, "invalid_request");
    register_invited(&app, "Ada@example.com", &token).await.expect(201);
    // Somebody who is registered uses it up too: otherwise it would tell.
    let (_, token) = invite(&app, None).await;
    register_invited(&app, "ada@example.com", &token).await.expect(201);
    let again = register_invited(&app, "bob@example.com", &token).await;
    again.expect_problem(400, "invalid_request");
    app.audit().await;
}

#[tokio::test]
async fn a_revoked_or_old_invitation_admits_nobody() {
    let app = TestApp::start_with(|config| config.people.registration = Registration::Invite).await;
    let admin = app.admin().await;
    let (id, token) = invite(&app, Some("ada@example.com")).await;
    let path = format!("/v1/admin/invitations/{id}");
    let revoke = async || app.send(Method::DELETE, &path, Some(&admin.token), None).await;
    assert_eq!(revoke().await.status, 204);
    revoke().await.expect_problem(404, "not_found");
    let refused = register_invited(&app, "ada@example.com", &token).await;
    refused.expect_problem(400, "invalid_request");
    let (_, old) = invite(&app, None).await;
    sql(&app, "UPDATE invitations SET expires_at = now() WHERE used_at IS NULL").await;
    let refused = register_invited(&app, "ada@example.com", &old).await;
    refused.expect_problem(400, "invalid_request");
    let list = app.get("/v1/admin/invitations", &admin.token).await.expect(200);
    let states: Vec<_> = list["data"].as_array().unwrap().iter().map(|i| &i["state"]).collect();
    assert_eq!(states, ["expired", "revoked"]);
    assert!(!list.to_string().contains("ada@example.com"), "an address that is not needed");
    app.audit().await;
}

#[tokio::test]
async fn where_verification_is_required_only_the_mailbox_s_owner_gets_in() {
    let required = EmailVerification::Required;
    let app = TestApp::start_with(|config| config.people.email_verification = required).await;
    register(&app, "ada@example.com").await.expect(201);
    // Who does not know the password learns nothing.
    login(&app, "ada@example.com", "not her password").await.expect_problem(401, "wrong_password");
    login(&app, "ada@example.com", PASSWORD).await.expect_problem(403, "email_not_verified");
    let first = newest_token(&app, "email_verification").await;
    let ask = json!({ "email": "ada@example.com" });
    post(&app, "/v1/auth/email-verification", &ask).await.expect(202);
    wait_for_mails(&app, "email_verification", 2).await;
    let second = newest_token(&app, "email_verification").await;
    assert_ne!(first, second);
    let confirm = async |token: &str| {
        post(&app, "/v1/auth/email-verification/confirm", &json!({ "token": token })).await
    };
    confirm("tgv_made-up").await.expect_problem(400, "invalid_request");
    assert_eq!(confirm(&first).await.status, 204);
    // One of them is enough, and each works once.
    confirm(&first).await.expect_problem(400, "invalid_request");
    confirm(&second).await.expect_problem(400, "invalid_request");
    let ada = app.sign_in("ada@example.com", PASSWORD).await;
    let ada = me(&app, &ada.token).await;
    assert_eq!(ada["email_verified"], true);
    assert_eq!(trail(&app, ada["user_id"].as_str().unwrap()).await, ["email_verified"]);
    // The same answer to whoever has nothing to verify, and no mail.
    for email in ["ada@example.com", "nobody@example.com"] {
        let answer = post(&app, "/v1/auth/email-verification", &json!({ "email": email })).await;
        assert_eq!(answer.text, r#"{"status":"accepted"}"#);
    }
    app.admin().await;
    assert_eq!(mails(&app, "email_verification").await.len(), 2);
    app.audit().await;
}
