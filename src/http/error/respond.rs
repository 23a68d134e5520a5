//! The two shapes in which an error leaves.

use std::sync::Arc;

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{ApiError, Language, Retry};

/// An error of a model endpoint, in OpenAI's shape.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "it describes what `ErrorShape::body` writes")]
pub struct ErrorBody {
    /// What is wrong.
    error: ErrorDetail,
}

/// What is wrong with a request to a model endpoint.
#[derive(Debug, ToSchema)]
#[allow(dead_code, reason = "it describes what `ErrorShape::body` writes")]
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
#[allow(dead_code, reason = "it describes what `ErrorShape::body` writes")]
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

/// Where the paths stand once more, for clients of OpenRouter: `/api/v1/…`.
pub const ALIAS: &str = "/api";

/// OpenAI's shape: `{"error":{"message","type","param","code"}}`; under `/api/v1` the edge turns it
/// into OpenRouter's.
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
    /// OpenRouter's, whose clients expect the status as the `code`.
    OpenRouter,
    /// RFC 9457.
    Problem,
}

impl ErrorShape {
    /// Everything under `/v1` is a model endpoint, except what is for people. Under `/api` it is
    /// the same in OpenRouter's dialect.
    pub fn of(path: &str) -> Self {
        const PEOPLE: [&str; 5] = ["auth", "client", "admin", "ledger", "health"];
        let (path, model) = match path.strip_prefix(ALIAS) {
            Some(path) => (path, Self::OpenRouter),
            None => (path, Self::Model),
        };
        let rest = path.strip_prefix("/v1/").map(|rest| rest.split('/').next().unwrap_or_default());
        match rest {
            Some(first) if !PEOPLE.contains(&first) => model,
            _ => Self::Problem,
        }
    }

    /// The answer in this shape. An error that several requests meet may be shared.
    pub fn respond(self, error: impl Into<Arc<ApiError>>) -> Response {
        finish(error.into(), self)
    }
}

impl ErrorShape {
    /// The JSON of the answer; streams that have begun send it as an event.
    pub fn body(self, error: &ApiError, language: Language) -> Value {
        match self {
            Self::Model => Self::model(error, language),
            Self::OpenRouter => Self::openrouter(error, language),
            Self::Problem => Self::problem(error, language),
        }
    }

    fn model(given: &ApiError, language: Language) -> Value {
        let wire = given.wire();
        let mut error = Map::new();
        error.insert("message".to_owned(), given.text().of(language).into());
        error.insert("type".to_owned(), wire.kind.into());
        error.insert("param".to_owned(), given.param().into());
        error.insert("code".to_owned(), wire.code.into());
        let mut metadata = given.metadata().unwrap_or_default();
        metadata.insert("error_type".to_owned(), given.openrouter_type().into());
        error.insert("metadata".to_owned(), metadata.into());
        json!({ "error": error })
    }

    /// The word that stands in OpenAI's `code` moves to `metadata.code`.
    fn openrouter(given: &ApiError, language: Language) -> Value {
        let wire = given.wire();
        let mut metadata = given.metadata().unwrap_or_default();
        metadata.insert("error_type".to_owned(), given.openrouter_type().into());
        metadata.insert("code".to_owned(), wire.code.into());
        if let Some(param) = given.param() {
            metadata.insert("param".to_owned(), param.into());
        }
        let message = given.text();
        json!({ "error": {
            "code": wire.status.as_u16(),
            "message": message.of(language),
            "metadata": metadata,
        } })
    }

    fn problem(given: &ApiError, language: Language) -> Value {
        let wire = given.wire();
        let mut problem = Map::new();
        problem.insert("type".to_owned(), format!("urn:tollgate:problem:{}", wire.code).into());
        problem.insert("title".to_owned(), title(wire.status).into());
        problem.insert("status".to_owned(), wire.status.as_u16().into());
        problem.insert("detail".to_owned(), given.text().of(language).into());
        problem.insert("code".to_owned(), wire.code.into());
        if let Some(param) = given.param() {
            problem.insert("param".to_owned(), param.into());
        }
        if let Some(metadata) = given.metadata() {
            problem.insert("metadata".to_owned(), metadata.into());
        }
        Value::Object(problem)
    }
}

impl IntoResponse for ModelError {
    fn into_response(self) -> Response {
        ErrorShape::Model.respond(self.0)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        ErrorShape::Problem.respond(self.0)
    }
}

/// What an answer says, so that the edge, which knows the reader's language, can say it again.
#[derive(Debug, Clone)]
struct Said(Arc<ApiError>, ErrorShape);

/// The error that a response tells of, if it is one of ours.
pub fn error_of(response: &Response) -> Option<&ApiError> {
    response.extensions().get::<Said>().map(|Said(error, _)| &**error)
}

/// The same error in the reader's language and in the dialect of the path, if the response is one
/// of ours.
pub fn translate(response: &mut Response, language: Language, dialect: ErrorShape) {
    let Some(Said(error, shape)) = response.extensions_mut().remove::<Said>() else { return };
    let wanted = match (shape, dialect) {
        (ErrorShape::Model, ErrorShape::OpenRouter) => dialect,
        (ErrorShape::Model | ErrorShape::OpenRouter | ErrorShape::Problem, _) => shape,
    };
    if language == Language::English && wanted == shape {
        return;
    }
    *response.body_mut() = wanted.body(&error, language).to_string().into();
    let tag = HeaderValue::from_static(language.tag());
    response.headers_mut().insert(header::CONTENT_LANGUAGE, tag);
}

fn finish(error: Arc<ApiError>, shape: ErrorShape) -> Response {
    log(&error);
    let status = error.wire().status;
    let mut response = (status, shape.body(&error, Language::English).to_string()).into_response();
    let headers = response.headers_mut();
    let kind = match shape {
        ErrorShape::Model | ErrorShape::OpenRouter => "application/json",
        ErrorShape::Problem => "application/problem+json",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    headers.insert(header::CONTENT_LANGUAGE, HeaderValue::from_static("en"));
    headers.insert(header::VARY, HeaderValue::from_static("accept-language"));
    let retry = error.retry();
    if let Retry::After(wait) = retry {
        // Whole seconds, upwards: earlier than that it would be refused again.
        let seconds = wait.as_secs() + u64::from(wait.subsec_nanos() > 0);
        headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds.max(1)));
    }
    if let ApiError::LimitReached(reached) = &*error {
        reached.standing.write(headers);
    }
    // OpenAI's SDKs look at this first; without it they repeat every 409 and 5xx.
    let again = if retry == Retry::Never { "false" } else { "true" };
    headers.insert("x-should-retry", HeaderValue::from_static(again));
    if status == StatusCode::UNAUTHORIZED {
        headers.insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
    }
    response.extensions_mut().insert(Said(error, shape));
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
