use axum::body::to_bytes;
use axum::http::{StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::Value;
use tollgate_domain::Money;

use super::*;

async fn read(response: Response) -> (StatusCode, Value) {
    let status = response.status();
    let bytes = to_bytes(response.into_body(), 1 << 16).await.unwrap();
    (status, serde_json::from_slice(&bytes).unwrap())
}

#[tokio::test]
async fn an_empty_balance_is_402_in_the_words_that_tools_recognise() {
    let error = ApiError::InsufficientFunds {
        required: Money::parse("0.30").unwrap(),
        available: Money::parse("0.02").unwrap(),
        requested_tokens: Some(4096),
        affordable_tokens: Some(273),
    };
    let response = ModelError(error).into_response();
    assert_eq!(response.headers()["x-should-retry"], "false");
    assert!(!response.headers().contains_key(header::RETRY_AFTER));
    let (status, body) = read(response).await;
    assert_eq!(status, 402);
    assert_eq!(body["error"]["code"], "insufficient_quota");
    assert_eq!(body["error"]["type"], "insufficient_quota");
    assert_eq!(body["error"]["param"], Value::Null);
    assert_eq!(body["error"]["metadata"]["available_usd"], "0.02");
    let message = body["error"]["message"].as_str().unwrap();
    assert!(message.starts_with(
        "This request requires more credits, or fewer max_tokens. You requested up to 4096 \
         tokens, but can only afford 273."
    ));
}

#[tokio::test]
async fn the_cause_of_an_internal_error_stays_in_the_log() {
    let error = || ApiError::internal("password=hunter2");
    for response in [ModelError(error()).into_response(), Problem(error()).into_response()] {
        let (status, body) = read(response).await;
        assert_eq!(status, 500);
        assert!(!body.to_string().contains("hunter2"), "{body}");
    }
}

#[tokio::test]
async fn a_problem_is_rfc_9457() {
    let response =
        Problem(ApiError::invalid("email", both!("not an address", "не адрес"))).into_response();
    assert_eq!(response.headers()[header::CONTENT_TYPE], "application/problem+json");
    let (status, body) = read(response).await;
    assert_eq!(status, 400);
    assert_eq!(body["status"], 400);
    assert_eq!(body["title"], "Bad Request");
    assert_eq!(body["detail"], "not an address");
    assert_eq!(body["param"], "email");
    assert_eq!(body["type"], "urn:tollgate:problem:invalid_request");
}

#[test]
fn an_upstream_s_401_and_402_are_not_the_customer_s() {
    for (status, wire) in [(400, 400), (401, 502), (402, 502), (403, 403), (422, 422), (500, 502)] {
        let message = Text::foreign("refused");
        let error = ApiError::Upstream { status, message, code: None, retry_after: None };
        assert_eq!(error.wire().status.as_u16(), wire);
    }
}

#[test]
fn a_wait_is_announced_in_whole_seconds_upwards() {
    let error = ApiError::RateLimited { retry_after: Duration::from_millis(1200) };
    let response = ModelError(error).into_response();
    assert_eq!(response.headers()[header::RETRY_AFTER], "2");
    assert_eq!(response.headers()["x-should-retry"], "true");
    assert_eq!(ApiError::MissingApiKey.retry(), Retry::Never);
}

#[test]
fn the_shape_follows_the_path() {
    for path in ["/v1/chat/completions", "/v1/models", "/v1/models/a/b", "/v1/nothing"] {
        assert_eq!(ErrorShape::of(path), ErrorShape::Model, "{path}");
    }
    for path in ["/api/v1/chat/completions", "/api/v1/models/a/b", "/api/v1/key"] {
        assert_eq!(ErrorShape::of(path), ErrorShape::OpenRouter, "{path}");
    }
    for path in [
        "/api/v1/auth/login",
        "/api/x",
        "/",
        "/v1/auth/login",
        "/v1/client/balance",
        "/v1/admin/x",
        "/v1/health",
        "/x",
    ] {
        assert_eq!(ErrorShape::of(path), ErrorShape::Problem, "{path}");
    }
}
