//! Bodies, queries and path members that are refused in our own words.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::rejection::{BytesRejection, FailedToBufferBody};
use axum::extract::{FromRequest, FromRequestParts, Path, Query};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use validator::{Validate, ValidationErrors};

use crate::http::{ApiError, AppState, Problem};

/// A JSON body that fulfils its rules.
#[derive(Debug, Clone, Copy)]
pub struct JsonBody<T>(pub T);

/// A query that fulfils its rules.
#[derive(Debug, Clone, Copy)]
pub struct Params<T>(pub T);

/// An id in the path. What is no id names nothing, so it is not found.
#[derive(Debug, Clone, Copy)]
pub struct PathId<T>(pub T);

/// Reads a whole JSON body, whatever it will be understood as.
pub async fn read_json(request: axum::extract::Request, limit: usize) -> Result<Bytes, ApiError> {
    if !is_json(request.headers()) {
        return Err(ApiError::UnsupportedMediaType);
    }
    Bytes::from_request(request, &()).await.map_err(|rejection| match rejection {
        BytesRejection::FailedToBufferBody(FailedToBufferBody::LengthLimitError(_)) => {
            ApiError::BodyTooLarge { limit }
        }
        _ => ApiError::ClientClosed,
    })
}

fn is_json(headers: &HeaderMap) -> bool {
    let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json"))
}

impl<T: DeserializeOwned + Validate> FromRequest<AppState> for JsonBody<T> {
    type Rejection = Problem;

    async fn from_request(
        request: axum::extract::Request,
        app: &AppState,
    ) -> Result<Self, Problem> {
        let bytes = read_json(request, app.config.body_limit_bytes).await?;
        let value: T = serde_json::from_slice(&bytes).map_err(unreadable)?;
        value.validate().map_err(invalid)?;
        Ok(Self(value))
    }
}

fn unreadable(error: serde_json::Error) -> ApiError {
    match error.classify() {
        serde_json::error::Category::Data => {
            ApiError::InvalidRequest { message: error.to_string(), param: None }
        }
        serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof
        | serde_json::error::Category::Io => {
            ApiError::InvalidJson { message: format!("The body is not JSON: {error}") }
        }
    }
}

fn invalid(errors: ValidationErrors) -> ApiError {
    let mut fields: Vec<_> = errors.field_errors().into_iter().collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    let Some((field, error)) = fields.first().and_then(|(field, all)| Some((field, all.first()?)))
    else {
        return ApiError::InvalidRequest { message: errors.to_string(), param: None };
    };
    let message = error.message.as_ref().map_or_else(
        || format!("`{field}` has a value that is not allowed ({})", error.code),
        ToString::to_string,
    );
    ApiError::invalid(field.to_string(), message)
}

impl<T: DeserializeOwned + Validate> FromRequestParts<AppState> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| {
            ApiError::InvalidRequest { message: rejection.body_text(), param: None }
        })?;
        value.validate().map_err(invalid)?;
        Ok(Self(value))
    }
}

impl<T: FromStr + Send> FromRequestParts<AppState> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let not_found = || ApiError::NotFound { what: "id" };
        let Path(text) =
            Path::<String>::from_request_parts(parts, app).await.map_err(|_| not_found())?;
        Ok(Self(text.parse().map_err(|_| not_found())?))
    }
}
