//! Errors in OpenRouter's shape, and small header helpers.

use axum::Json;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::Serialize;
use serde_json::Value;

use super::Sandbox;

pub const GENERATION_ID: HeaderName = HeaderName::from_static("x-generation-id");

/// A refusal before any generation began.
#[derive(Debug, Clone)]
pub struct WireError {
    pub status: StatusCode,
    pub message: String,
    pub metadata: Option<Value>,
    pub retry_after_seconds: Option<u64>,
    /// Refusals that the real upstream decides for a known account name that account.
    pub names_user: bool,
}

#[derive(Serialize)]
struct Body<'a> {
    error: Inner<'a>,
    #[serde(skip_serializing_if = "Option::is_none")]
    user_id: Option<&'a str>,
}

#[derive(Serialize)]
struct Inner<'a> {
    message: &'a str,
    code: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    metadata: Option<&'a Value>,
}

impl WireError {
    pub fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self {
            status,
            message: message.into(),
            metadata: None,
            retry_after_seconds: None,
            names_user: false,
        }
    }

    pub fn bad_request(message: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, message)
    }

    pub fn with_metadata(mut self, metadata: Value) -> Self {
        self.metadata = Some(metadata);
        self
    }

    pub fn naming_the_user(mut self) -> Self {
        self.names_user = true;
        self
    }

    /// The error as a JSON object without the status line around it.
    pub fn json(&self) -> String {
        let body = Body {
            error: Inner {
                message: &self.message,
                code: self.status.as_u16(),
                metadata: self.metadata.as_ref(),
            },
            user_id: self.names_user.then_some("user_000000000000000000sandbox00"),
        };
        serde_json::to_string(&body).unwrap_or_default()
    }
}

impl IntoResponse for WireError {
    fn into_response(self) -> Response {
        let json = [(header::CONTENT_TYPE, HeaderValue::from_static("application/json"))];
        let mut response = (self.status, json, self.json()).into_response();
        if let Some(seconds) = self.retry_after_seconds {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response
    }
}

/// Checks the bearer key and returns it.
pub fn authenticate<'a>(sandbox: &Sandbox, headers: &'a HeaderMap) -> Result<&'a str, WireError> {
    let missing = || WireError::new(StatusCode::UNAUTHORIZED, "Missing Authentication header");
    let value = headers.get(header::AUTHORIZATION).ok_or_else(missing)?;
    let (scheme, key) = value.to_str().ok().and_then(|v| v.split_once(' ')).ok_or_else(missing)?;
    let key = key.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || key.is_empty() {
        return Err(missing());
    }
    match &sandbox.keys {
        Some(keys) if !keys.contains(key) => {
            Err(WireError::new(StatusCode::UNAUTHORIZED, "User not found."))
        }
        _ => Ok(key),
    }
}

/// A JSON answer under `{"data": …}`.
pub fn data<T: Serialize>(data: T) -> Response {
    #[derive(Serialize)]
    struct Data<T> {
        data: T,
    }
    Json(Data { data }).into_response()
}

pub async fn no_such_route() -> WireError {
    WireError::new(StatusCode::NOT_FOUND, "Not Found")
}

pub async fn no_such_method() -> WireError {
    WireError::new(StatusCode::METHOD_NOT_ALLOWED, "Method Not Allowed")
}
