//! Bodies, queries and path members that are refused in our own words.

use std::str::FromStr;

use axum::body::Bytes;
use axum::extract::{FromRequest, FromRequestParts, Path, Query};
use axum::http::HeaderMap;
use axum::http::header::CONTENT_TYPE;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;
use validator::{Validate, ValidationError, ValidationErrors};

use crate::config::Config;
use crate::http::error::{Text, both};
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
pub async fn read_json(
    request: axum::extract::Request,
    config: &Config,
) -> Result<Bytes, ApiError> {
    require_json(request.headers())?;
    super::body::read(request.into_body(), config).await
}

/// Refuses what says of itself that it is no JSON.
pub(super) fn require_json(headers: &HeaderMap) -> Result<(), ApiError> {
    match is_json(headers) {
        true => Ok(()),
        false => Err(ApiError::UnsupportedMediaType),
    }
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
        Ok(Self(understand(&read_json(request, &app.config).await?)?))
    }
}

/// The value that a body says, if it fulfils its rules.
pub(super) fn understand<T: DeserializeOwned + Validate>(bytes: &[u8]) -> Result<T, ApiError> {
    let value: T = serde_json::from_slice(bytes).map_err(unreadable)?;
    // Read after it: what is no JSON at all is told so.
    if bytes.trim_ascii_start().first() != Some(&b'{') {
        // A list of values would do for serde, in an order that nobody has promised.
        let message = both!("The body must be an object.", "Тело запроса должно быть объектом.");
        return Err(ApiError::InvalidRequest { message, param: None });
    }
    value.validate().map_err(invalid)?;
    Ok(value)
}

fn unreadable(error: serde_json::Error) -> ApiError {
    match error.classify() {
        serde_json::error::Category::Data => {
            let message = both!("{error}", "Тело запроса не подходит: {error}");
            ApiError::InvalidRequest { message, param: None }
        }
        serde_json::error::Category::Syntax
        | serde_json::error::Category::Eof
        | serde_json::error::Category::Io => {
            let message = both!("The body is not JSON: {error}", "Тело запроса не JSON: {error}");
            ApiError::InvalidJson { message }
        }
    }
}

fn invalid(errors: ValidationErrors) -> ApiError {
    let mut fields: Vec<_> = errors.field_errors().into_iter().collect();
    fields.sort_by(|one, other| one.0.cmp(&other.0));
    let Some((field, error)) = fields.first().and_then(|(field, all)| Some((field, all.first()?)))
    else {
        let message = both!("{errors}", "Запрос не подходит: {errors}");
        return ApiError::InvalidRequest { message, param: None };
    };
    ApiError::invalid(field.to_string(), broken_rule(field, error))
}

/// What a rule of `#[validate]` asks for. Rules have no messages of their own, because those would
/// have one language.
fn broken_rule(field: &str, error: &ValidationError) -> Text {
    let bound = |name: &str| error.params.get(name).map(ToString::to_string);
    match (&*error.code, bound("min"), bound("max")) {
        ("length", Some(min), Some(max)) => both!(
            "`{field}` must have {min} to {max} characters.",
            "`{field}`: нужно от {min} до {max} символов."
        ),
        ("length", None, Some(max)) => both!(
            "`{field}` must have at most {max} characters.",
            "`{field}`: можно не больше {max} символов."
        ),
        ("length", Some(min), None) => both!(
            "`{field}` must have at least {min} characters.",
            "`{field}`: нужно не меньше {min} символов."
        ),
        ("range", Some(min), Some(max)) => both!(
            "`{field}` must be from {min} to {max}.",
            "`{field}`: нужно число от {min} до {max}."
        ),
        ("email", ..) => both!(
            "`{field}` is not an e-mail address.",
            "`{field}`: это не адрес электронной почты."
        ),
        (code, ..) => both!(
            "`{field}` has a value that is not allowed ({code}).",
            "`{field}`: недопустимое значение ({code})."
        ),
    }
}

impl<T: DeserializeOwned + Validate> FromRequestParts<AppState> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &AppState) -> Result<Self, Problem> {
        let Query(value) = Query::<T>::try_from_uri(&parts.uri).map_err(|rejection| {
            let why = rejection.body_text();
            let message = both!("{why}", "Параметры запроса не подходят: {why}");
            ApiError::InvalidRequest { message, param: None }
        })?;
        value.validate().map_err(invalid)?;
        Ok(Self(value))
    }
}

impl<T: FromStr + Send> FromRequestParts<AppState> for PathId<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let not_found = || ApiError::NotFound { what: both!("id", "идентификатор") };
        let Path(text) =
            Path::<String>::from_request_parts(parts, app).await.map_err(|_| not_found())?;
        Ok(Self(text.parse().map_err(|_| not_found())?))
    }
}
