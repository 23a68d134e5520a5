//! Errors in the shape that their readers expect.

use reqwest::Method;
use serde_json::json;
use tollgate::http::error::is_russian;

use crate::app::{TestApp, read};

#[tokio::test]
async fn unknown_paths_and_methods_are_told_in_the_shape_of_their_prefix() {
    let app = TestApp::start().await;
    let get = async |path: &str| app.send(Method::GET, path, None, None).await;
    get("/v1/nothing").await.expect_model_error(404, "not_found");
    get("/v1/admin/nothing").await.expect_problem(404, "not_found");
    get("/nothing").await.expect_problem(404, "not_found");
    get("/v1/chat/completions").await.expect_model_error(405, "method_not_allowed");
    get("/v1/auth/login").await.expect_problem(405, "method_not_allowed");
    app.audit().await;
}

#[tokio::test]
async fn bodies_that_make_no_sense_are_told_why() {
    let app = TestApp::start().await;
    let post = |kind: &'static str, body: String| {
        let request = app.request(Method::POST, "/v1/auth/login");
        read(request.header("Content-Type", kind).body(body))
    };
    post("application/json", "{".into()).await.expect_problem(400, "invalid_json");
    post("application/json", "[]".into()).await.expect_problem(400, "invalid_request");
    post("text/plain", "{}".into()).await.expect_problem(415, "unsupported_media_type");
    let missing = post("application/json; charset=utf-8", r#"{"email":"a@b.c"}"#.into()).await;
    missing.expect_problem(400, "invalid_request");
    assert!(missing.text.contains("password"), "{}", missing.text);
    app.audit().await;
}

#[tokio::test]
async fn a_body_beyond_the_limit_is_refused_in_both_shapes() {
    let app = TestApp::start_with(|config| config.body_limit_bytes = 2_000).await;
    let (_, key) = app.paying_customer("ada").await;
    let body = json!({ "email": "a@b.c", "password": "x".repeat(3_000) });
    let large = app.send(Method::POST, "/v1/auth/login", None, Some(&body)).await;
    large.expect_problem(413, "request_too_large");
    app.chat(&key, &"x".repeat(3_000)).await.expect_model_error(413, "request_too_large");
    app.audit().await;
}

#[tokio::test]
async fn every_answer_has_an_id_of_its_own() {
    let app = TestApp::start().await;
    let mut ids = std::collections::BTreeSet::new();
    for path in ["/", "/health", "/v1/nothing", "/v1/auth/me", "/openapi.json", "/docs/"] {
        let request = app.request(Method::GET, path).header("x-request-id", "mine");
        let answer = read(request).await;
        let id = answer.headers["x-request-id"].to_str().unwrap().to_owned();
        assert!(id.starts_with("req_"), "{id}");
        ids.insert(id);
    }
    assert_eq!(ids.len(), 6);
    app.audit().await;
}

#[tokio::test]
async fn beyond_the_most_requests_at_once_the_next_is_turned_away_and_health_answers() {
    let app = TestApp::start_with(|config| config.max_concurrent_requests = 1).await;
    let place = app.state().in_flight.clone().try_acquire_owned().unwrap();
    let full = app.send(Method::GET, "/v1/models", None, None).await;
    full.expect_model_error(503, "overloaded");
    assert!(full.headers.contains_key("retry-after"));
    app.send(Method::GET, "/v1/auth/me", None, None).await.expect_problem(503, "overloaded");
    app.send(Method::GET, "/health", None, None).await.expect(200);
    drop(place);
    app.send(Method::GET, "/v1/models", None, None).await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn messages_are_in_russian_where_that_is_preferred_and_codes_never_are() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let english = app.request(Method::POST, "/v1/chat/completions").bearer_auth(&key);
    let russian = english.try_clone().unwrap().header("Accept-Language", "de,ru;q=0.9,en;q=0.5");
    let body = json!({ "model": "nobody/nothing", "messages": [{ "role": "user" }] });
    let english = read(english.json(&body)).await;
    let russian = read(russian.json(&body)).await;
    for answer in [&english, &russian] {
        answer.expect_model_error(404, "model_not_found");
        assert_eq!(answer.body["error"]["param"], "model");
        assert_eq!(answer.headers["vary"], "accept-language");
        assert!(answer.body["error"]["message"].as_str().unwrap().contains("nobody/nothing"));
    }
    assert_eq!(english.headers["content-language"], "en");
    assert_eq!(russian.headers["content-language"], "ru");
    assert!(!is_russian(&english.text), "{}", english.text);
    assert!(is_russian(&russian.text), "{}", russian.text);

    let refused = [
        app.request(Method::GET, "/v1/auth/me"),
        app.request(Method::GET, "/v1/admin/nothing"),
        app.request(Method::POST, "/v1/auth/register").json(&json!({ "email": "no", "name": "" })),
    ];
    for request in refused {
        let problem = read(request.header("Accept-Language", "ru-RU")).await;
        problem.expect_problem(problem.status.as_u16(), problem.body["code"].as_str().unwrap());
        assert!(is_russian(problem.body["detail"].as_str().unwrap()), "{}", problem.text);
        assert!(!is_russian(problem.body["code"].as_str().unwrap()), "{}", problem.text);
    }
    app.audit().await;
}
