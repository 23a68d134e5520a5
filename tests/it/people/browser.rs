//! Browsers keep their refresh token in a cookie that no script and no other site can use.

use reqwest::{Method, header};
use serde_json::json;

use crate::app::{Answer, TestApp, read};

const HEADER: &str = "X-Tollgate-Session";

/// A browser's request: with the header, and with the cookie that it keeps.
async fn send(app: &TestApp, path: &str, cookie: Option<&str>, body: serde_json::Value) -> Answer {
    let mut request = app.request(Method::POST, path).header(HEADER, "cookie");
    if let Some(cookie) = cookie {
        request = request.header(header::COOKIE, format!("theme=dark; {cookie}; lang=en"));
    }
    if !body.is_null() {
        request = request.json(&body);
    }
    read(request).await
}

async fn sign_in(app: &TestApp) -> Answer {
    let body = json!({ "email": "ada@example.com", "password": "correct horse battery" });
    send(app, "/v1/auth/login", None, body).await
}

async fn refresh(app: &TestApp, cookie: &str) -> Answer {
    send(app, "/v1/auth/refresh", Some(cookie), json!(null)).await
}

fn set_cookie(answer: &Answer) -> &str {
    answer.headers[header::SET_COOKIE].to_str().expect("text")
}

/// What a browser sends back: name and value.
fn cookie(answer: &Answer) -> String {
    set_cookie(answer).split(';').next().expect("a cookie").to_owned()
}

fn access(answer: &Answer) -> String {
    answer.body["access_token"].as_str().expect("an access token").to_owned()
}

async fn let_a_minute_pass(app: &TestApp) {
    sqlx::query("UPDATE sessions SET replaced_at = replaced_at - interval '1 minute'")
        .execute(app.state().database.pool())
        .await
        .unwrap();
}

#[tokio::test]
async fn a_browser_s_refresh_token_is_in_a_cookie_and_never_in_a_body() {
    let app = TestApp::start().await;
    app.customer("ada").await;
    let signed_in = sign_in(&app).await;
    assert_eq!(signed_in.status, 200, "{}", signed_in.text);
    assert!(!signed_in.text.contains("tgr_"), "{}", signed_in.text);
    let line = set_cookie(&signed_in);
    assert!(line.starts_with("tollgate_refresh=tgr_"), "{line}");
    for attribute in ["HttpOnly", "SameSite=Strict", "Path=/v1/auth", "Max-Age=604800"] {
        assert!(line.split("; ").any(|part| part == attribute), "{line}");
    }
    assert!(!line.contains("Secure"), "this server speaks http: {line}");

    let next = refresh(&app, &cookie(&signed_in)).await;
    assert_eq!(next.status, 200, "{}", next.text);
    assert!(!next.text.contains("tgr_"), "{}", next.text);
    assert_ne!(cookie(&next), cookie(&signed_in));
    app.get("/v1/auth/me", &access(&next)).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn without_the_header_no_cookie_is_read_or_set() {
    let app = TestApp::start().await;
    let ada = app.customer("ada").await;
    let signed_in = sign_in(&app).await;
    // What another site could make the browser send: the cookie, and a body of its choice.
    let forged =
        app.request(Method::POST, "/v1/auth/refresh").header(header::COOKIE, cookie(&signed_in));
    read(forged.try_clone().unwrap()).await.expect_problem(415, "unsupported_media_type");
    read(forged.json(&json!({}))).await.expect_problem(400, "invalid_request");
    let stock = json!({ "refresh_token": ada.refresh });
    let stock = app.send(Method::POST, "/v1/auth/refresh", None, Some(&stock)).await;
    assert!(!stock.headers.contains_key(header::SET_COOKIE));
    assert!(stock.expect(200)["refresh_token"].is_string());
    let out = app.send(Method::POST, "/v1/auth/logout", Some(&ada.token), None).await;
    assert!(out.status == 204 && !out.headers.contains_key(header::SET_COOKIE));
    // Nobody has used up the browser's token meanwhile.
    let_a_minute_pass(&app).await;
    refresh(&app, &cookie(&signed_in)).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn two_tabs_that_refresh_at_once_stay_signed_in_and_a_thief_later_does_not() {
    let app = TestApp::start().await;
    app.customer("ada").await;
    let first = cookie(&sign_in(&app).await);
    let (one, other) = tokio::join!(refresh(&app, &first), refresh(&app, &first));
    assert_eq!(cookie(&one), cookie(&other), "whichever answer comes last, the cookie is right");
    for tab in [&one, &other] {
        app.get("/v1/auth/me", &access(tab)).await.expect(200);
    }
    let newest = refresh(&app, &cookie(&one)).await;
    assert_eq!(newest.status, 200);
    // The tab that slept through one refresh has the cookie of the others; a thief has not.
    refresh(&app, &first).await.expect_problem(401, "invalid_refresh_token");
    refresh(&app, &cookie(&newest)).await.expect_problem(401, "invalid_refresh_token");
    app.get("/v1/auth/me", &access(&newest)).await.expect_problem(401, "session_ended");

    let again = cookie(&sign_in(&app).await);
    let next = cookie(&refresh(&app, &again).await);
    let_a_minute_pass(&app).await;
    refresh(&app, &again).await.expect_problem(401, "invalid_refresh_token");
    refresh(&app, &next).await.expect_problem(401, "invalid_refresh_token");
    app.audit().await;
}

#[tokio::test]
async fn signing_out_takes_the_cookie_away_and_what_was_in_it_opens_nothing() {
    let app = TestApp::start().await;
    app.customer("ada").await;
    let signed_in = sign_in(&app).await;
    let out = app.request(Method::POST, "/v1/auth/logout").header(HEADER, "cookie");
    let out = read(out.bearer_auth(access(&signed_in))).await;
    assert_eq!(out.status, 204);
    let line = set_cookie(&out);
    assert!(line.starts_with("tollgate_refresh=; Path=/v1/auth; Max-Age=0;"), "{line}");
    refresh(&app, &cookie(&signed_in)).await.expect_problem(401, "invalid_refresh_token");
    for nothing in ["theme=dark", "tollgate_refresh=", "tollgate_refresh=tgr_x"] {
        refresh(&app, nothing).await.expect_problem(401, "invalid_refresh_token");
    }
    let other = app.request(Method::POST, "/v1/auth/refresh").header(HEADER, "local-storage");
    read(other).await.expect_problem(400, "invalid_request");
    app.audit().await;
}

#[tokio::test]
async fn a_password_that_was_reset_in_a_browser_signs_it_in_with_a_cookie() {
    let app = TestApp::start().await;
    app.customer("ada").await;
    super::ask_reset(&app, "ada@example.com").await.expect(202);
    let token = super::newest_token(&app, "password_reset").await;
    let body = json!({ "token": token, "password": "battery staple horse" });
    let answer = send(&app, "/v1/auth/password-reset/confirm", None, body).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert!(!answer.text.contains("tgr_"), "{}", answer.text);
    refresh(&app, &cookie(&answer)).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn the_cookie_is_secure_where_the_browser_came_over_https() {
    let secure = async |app: &TestApp, proto: Option<&str>| {
        let body = json!({ "email": "ada@example.com", "password": "correct horse battery" });
        let mut login = app.request(Method::POST, "/v1/auth/login").header(HEADER, "cookie");
        if let Some(proto) = proto {
            login = login.header("X-Forwarded-Proto", proto);
        }
        set_cookie(&read(login.json(&body)).await).ends_with("; Secure")
    };
    let https = |config: &mut tollgate::config::Config| {
        config.people.public_url = "https://gate.example.com".to_owned();
    };
    let app = TestApp::start_with(https).await;
    app.customer("ada").await;
    assert!(secure(&app, None).await);
    app.audit().await;

    let app = TestApp::start().await;
    app.customer("ada").await;
    assert!(!secure(&app, Some("https")).await, "anybody can write that");
    app.audit().await;

    let proxied = |config: &mut tollgate::config::Config| {
        config.edge.trusted_proxies = vec!["127.0.0.0/8".parse().expect("a range")];
    };
    let app = TestApp::start_with(proxied).await;
    app.customer("ada").await;
    assert!(secure(&app, Some("https")).await);
    assert!(!secure(&app, Some("http")).await);
    assert!(!secure(&app, None).await);
    app.audit().await;
}
