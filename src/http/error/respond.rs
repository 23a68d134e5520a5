//! The two shapes in which an error leaves.

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{ApiError, Retry};

/// An error of a model endpoint, in OpenAI's shape.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "it describes what `ModelError::body` writes")]
pub struct ErrorBody {
    /// What is wrong.
    error: ErrorDetail,
}

/// What is wrong with a request to a model endpoint.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "it describes what `ModelError::body` writes")]
pub struct ErrorDetail {
    /// For people.
    #[schema(examples("Incorrect API key provided."))]
    message: String,
    /// The kind of error.
    #[schema(examples("invalid_request_error"))]
    r#type: String,
    /// Which member of the request it is about.
    param: Option<String>,
    /// For programs.
    #[schema(examples("invalid_api_key"))]
    code: Option<String>,
    /// Figures for programs.
    metadata: Option<Value>,
}

/// An error of any other endpoint: an RFC 9457 problem.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "it describes what `Problem::body` writes")]
pub struct ProblemBody {
    /// The kind of problem.
    #[schema(examples("urn:tollgate:problem:invalid_request"))]
    r#type: String,
    /// The status in words.
    #[schema(examples("Bad Request"))]
    title: String,
    /// The status again.
    #[schema(examples(400))]
    status: u16,
    /// For people.
    #[schema(examples("use a limit from 1 to 200"))]
    detail: String,
    /// For programs: the end of `type`.
    #[schema(examples("invalid_request"))]
    code: String,
    /// Which member of the request it is about.
    #[schema(examples("limit"))]
    param: Option<String>,
    /// Figures for programs.
    metadata: Option<Value>,
}

/// OpenAI's shape: `{"error":{"message","type","param","code"}}`.
#[derive(Debug)]
pub struct ModelError(pub ApiError);

/// RFC 9457: `application/problem+json`.
#[derive(Debug)]
pub struct Problem(pub ApiError);

impl<E: Into<ApiError>> From<E> for ModelError {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

impl<E: Into<ApiError>> From<E> for Problem {
    fn from(error: E) -> Self {
        Self(error.into())
    }
}

/// Which shape a path's callers expect, for layers that stand before routing.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ErrorShape {
    /// OpenAI's.
    Model,
    /// RFC 9457.
    Problem,
}

impl ErrorShape {
    /// Everything under `/v1` is a model endpoint, except what is for people.
    pub fn of(path: &str) -> Self {
        const PEOPLE: [&str; 4] = ["auth", "client", "admin", "health"];
        let rest = path.strip_prefix("/v1/").map(|rest| rest.split('/').next().unwrap_or_default());
        match rest {
            Some(first) if !PEOPLE.contains(&first) => Self::Model,
            _ => Self::Problem,
        }
    }

    /// The answer in this shape.
    pub fn respond(self, error: ApiError) -> Response {
        match self {
            Self::Model => ModelError(error).into_response(),
            Self::Problem => Problem(error).into_response(),
        }
    }
}

impl ModelError {
    /// The JSON of the answer; streams that have begun send it as an event.
    pub fn body(&self) -> Value {
        let wire = self.0.wire();
        let mut error = Map::new();
        error.insert("message".to_owned(), self.0.to_string().into());
        error.insert("type".to_owned(), wire.kind.into());
        error.insert("param".to_owned(), self.0.param().into());
        error.insert("code".to_owned(), wire.code.into());
        if let Some(metadata) = self.0.metadata() {
            error.insert("metadata".to_owned(), metadata);
        }
        json!({ "error": error })
    }
}

impl Problem {
    /// The JSON of the answer.
    pub fn body(&self) -> Value {
        let wire = self.0.wire();
        let mut problem = Map::new();
        problem.insert("type".to_owned(), format!("urn:tollgate:problem:{}", wire.code).into());
        problem.insert("title".to_owned(), title(wire.status).into());
        problem.insert("status".to_owned(), wire.status.as_u16().into());
        problem.insert("detail".to_owned(), self.0.to_string().into());
        problem.insert("code".to_owned(), wire.code.into());
        if let Some(param) = self.0.param() {
            problem.insert("param".to_owned(), param.into());
        }
        if let Some(metadata) = self.0.metadata() {
            problem.insert("metadata".to_owned(), metadata);
        }
        Value::Object(problem)
    }
}

impl IntoResponse for ModelError {
    fn into_response(self) -> Response {
        log(&self.0);
        let body = Json(self.body());
        finish(&self.0, body.into_response())
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        log(&self.0);
        let kind = [(header::CONTENT_TYPE, "application/problem+json")];
        let body = (kind, self.body().to_string());
        finish(&self.0, body.into_response())
    }
}

fn finish(error: &ApiError, mut response: Response) -> Response {
    let status = error.wire().status;
    *response.status_mut() = status;
    let headers = response.headers_mut();
    let retry = error.retry();
    if let Retry::After(wait) = retry {
        // Whole seconds, upwards: earlier than that it would be refused again.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    // OpenAI's SDKs look at this first; without it they repeat every 409 and 5xx.
    let again = if retry == Retry::Never { "false" } else { "true" };
    headers.insert("x-should-retry", HeaderValue::from_static(again));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response
}

/// The boundary: what went wrong on our side is logged here and nowhere else.
fn log(error: &ApiError) {
    let wire = error.wire();
    let status = wire.status.as_u16();
    if matches!(error, ApiError::Internal(_)) {
        tracing::error!(error.code = wire.code, status, "{}", error.with_causes());
    } else if matches!(error, ApiError::NotYetVisible { .. }) || !wire.status.is_server_error() {
        tracing::debug!(error.code = wire.code, status, "the request was refused");
    } else {
        tracing::warn!(error.code = wire.code, status, "{}", error.with_causes());
    }
}

fn title(status: StatusCode) -> &'static str {
    status.canonical_reason().unwrap_or("Client Closed Request")
}
