//! Extractors. A handler's signature is its access rule: [`ApiKeyAuth`], [`CustomerSession`],
//! [`AdminSession`], [`AuditorSession`]; without one of them it is open to everybody.

mod address;
mod api_key;
mod body;
mod browser;
mod idempotency;
mod input;
mod origin;
mod request_id;
mod session;

pub use address::{ClientAddress, Peer};
pub use api_key::ApiKeyAuth;
pub use browser::{BodyOrCookie, Browser, SetCookie};
pub use idempotency::IdempotencyKey;
pub use input::{JsonBody, Params, PathId, read_json};
pub use origin::ClientOrigin;
pub use request_id::Request;
pub use session::{AdminSession, AuditorSession, CustomerSession, SignedIn};

use axum::http::HeaderMap;
use axum::http::header::AUTHORIZATION;

/// What stands behind `Authorization: Bearer`.
fn bearer(headers: &HeaderMap) -> Option<&str> {
    let value = headers.get(AUTHORIZATION)?.to_str().ok()?;
    let (scheme, token) = value.split_once(' ')?;
    let token = token.trim();
    (scheme.eq_ignore_ascii_case("bearer") && !token.is_empty()).then_some(token)
}
