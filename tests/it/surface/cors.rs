//! Pages of other origins.

use axum::http::HeaderValue;
use reqwest::Method;

use crate::app::{TestApp, read};

#[tokio::test]
async fn only_pages_of_the_configured_origins_may_read_answers() {
    let app = TestApp::start_with(|config| {
        config.cors_allowed_origins = vec![HeaderValue::from_static("https://app.example.com")];
    })
    .await;
    let preflight = |origin: &'static str| {
        app.request(Method::OPTIONS, "/v1/chat/completions")
            .header("Origin", origin)
            .header("Access-Control-Request-Method", "POST")
            .header("Access-Control-Request-Headers", "authorization,idempotency-key")
    };
    let allowed = read(preflight("https://app.example.com")).await;
    assert_eq!(allowed.status, 200);
    assert_eq!(allowed.headers["access-control-allow-origin"], "https://app.example.com");
    assert_eq!(allowed.headers["access-control-allow-headers"], "authorization,idempotency-key");
    let stranger = read(preflight("https://evil.example.com")).await;
    assert!(!stranger.headers.contains_key("access-control-allow-origin"));

    let refused =
        app.request(Method::GET, "/v1/auth/me").header("Origin", "https://app.example.com");
    let refused = read(refused).await;
    assert_eq!(refused.status, 401);
    assert_eq!(refused.headers["access-control-allow-origin"], "https://app.example.com");
    let exposed = refused.headers["access-control-expose-headers"].to_str().unwrap();
    assert!(exposed.contains("x-tollgate-charge"), "{exposed}");
    assert!(!refused.headers.contains_key("access-control-allow-credentials"));
    app.audit().await;
}

#[tokio::test]
async fn without_a_configuration_no_page_may_read_anything() {
    let app = TestApp::start().await;
    let request = app.request(Method::GET, "/v1/models").header("Origin", "https://a.example");
    let answer = read(request).await;
    assert_eq!(answer.status, 200);
    assert!(!answer.headers.contains_key("access-control-allow-origin"));
    app.audit().await;
}
