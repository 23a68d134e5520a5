//! Which pages may call this server from a browser.

use std::time::Duration;

use axum::http::{HeaderName, HeaderValue, Method};
use tower_http::cors::{AllowHeaders, AllowOrigin, CorsLayer, ExposeHeaders};

/// What a page may read of an answer's headers.
const EXPOSED: [&str; 13] = [
    "content-language",
    "idempotent-replayed",
    "retry-after",
    "x-generation-id",
    "x-ratelimit-limit",
    "x-ratelimit-remaining",
    "x-ratelimit-reset",
    "x-request-id",
    "x-tollgate-balance",
    "x-tollgate-charge",
    "x-tollgate-max-tokens",
    "x-tollgate-request-id",
    "x-tollgate-warning",
];
/// How long a browser need not ask again.
const REMEMBERED: Duration = Duration::from_secs(3_600);

/// Answers preflights and marks answers for these origins; none: a browser gets to read nothing.
///
/// No credentials: who calls sends a key or a token by itself. The one cookie that there is belongs
/// to pages of this server's own origin.
pub fn layer(origins: &[HeaderValue]) -> Option<CorsLayer> {
    let allowed = match origins {
        [] => return None,
        [any] if any == "*" => AllowOrigin::any(),
        listed => AllowOrigin::list(listed.iter().cloned()),
    };
    let methods = [Method::GET, Method::POST, Method::PUT, Method::PATCH, Method::DELETE];
    Some(
        CorsLayer::new()
            .allow_origin(allowed)
            .allow_methods(methods)
            .allow_headers(AllowHeaders::mirror_request())
            .expose_headers(ExposeHeaders::list(EXPOSED.map(HeaderName::from_static)))
            .max_age(REMEMBERED),
    )
}
