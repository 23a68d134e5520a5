//! `Idempotency-Key`.

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use serde::Serialize;

use crate::http::error::both;
use crate::http::{ApiError, Problem};
use crate::operations::RequestKey;
use crate::proxy::ClientKey;

const HEADER: &str = "idempotency-key";
const LONGEST: usize = 255;

/// The client's key for this request, if it sent one.
#[derive(Debug, Clone)]
pub struct IdempotencyKey(Option<String>);

impl IdempotencyKey {
    /// The key together with what it was sent for.
    pub fn on(
        self,
        scope: &'static str,
        content: &impl Serialize,
    ) -> Result<Option<RequestKey>, ApiError> {
        self.0.map(|key| RequestKey::new(scope, key, content)).transpose()
    }
}

impl IdempotencyKey {
    /// The key in these headers.
    pub fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let Some(value) = headers.get(HEADER) else { return Ok(Self(None)) };
        let key = value.to_str().unwrap_or_default().trim();
        match (1..=LONGEST).contains(&key.len()) {
            true => Ok(Self(Some(key.to_owned()))),
            false => {
                let message = both!(
                    "An Idempotency-Key has 1 to 255 visible ASCII characters.",
                    "Idempotency-Key состоит из 1–255 видимых символов ASCII."
                );
                Err(ApiError::invalid("Idempotency-Key", message))
            }
        }
    }

    /// For a request to a model.
    pub fn into_client_key(self) -> Option<ClientKey> {
        self.0.map(ClientKey::new)
    }
}

impl<S: Sync> FromRequestParts<S> for IdempotencyKey {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        Ok(Self::of(&parts.headers)?)
    }
}
