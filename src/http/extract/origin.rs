//! Where a sign-in comes from, as the session's owner is shown it.

use std::convert::Infallible;

use axum::extract::FromRequestParts;
use axum::http::header::USER_AGENT;
use axum::http::request::Parts;

use super::ClientAddress;
use crate::http::AppState;
use crate::identity::Origin;

/// The client's address and what it calls itself.
#[derive(Debug, Clone)]
pub struct ClientOrigin(pub Origin);

impl FromRequestParts<AppState> for ClientOrigin {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Infallible> {
        let agent = parts.headers.get(USER_AGENT);
        let user_agent = agent.map(|value| String::from_utf8_lossy(value.as_bytes()).into_owned());
        let trusted = &app.config.edge.trusted_proxies;
        let ClientAddress(address) = ClientAddress::of(parts, trusted);
        let address = (!address.is_unspecified()).then_some(address);
        Ok(Self(Origin::new(address, !trusted.is_empty(), user_agent)))
    }
}
