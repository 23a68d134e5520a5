//! The id of a request: in the log, in events, in the answer's `x-request-id`.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use tollgate_domain::ids::RequestId;
use uuid::Uuid;

/// The request's own id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request(pub RequestId);

impl Request {
    /// A new id. A client's own is not taken over: it could be another client's.
    pub fn new() -> Self {
        Self(RequestId::from_uuid(Uuid::now_v7()))
    }

    /// The id that the edge has given to this request.
    pub fn of(parts: &Parts) -> Self {
        parts.extensions.get::<Self>().copied().unwrap_or_default()
    }
}

impl Default for Request {
    fn default() -> Self {
        Self::new()
    }
}

impl<S: Sync> FromRequestParts<S> for Request {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Infallible> {
        Ok(Self::of(parts))
    }
}
