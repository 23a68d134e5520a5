//! How browsers keep the refresh token: in a cookie that no script can read.
//!
//! The cookie counts only together with the header: no form, image or link of another site can
//! send that, and another site's script would need a preflight that this server does not answer
//! for it. So a request that somebody else made the browser send opens nothing.

use axum::extract::{FromRequest, FromRequestParts};
use axum::http::header::{COOKIE, SET_COOKIE};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::AppendHeaders;
use serde::de::DeserializeOwned;
use validator::Validate;

use super::{ClientAddress, input};
use crate::config::Secret;
use crate::http::error::both;
use crate::http::{ApiError, AppState, Problem};
use crate::identity::tokens::REFRESH_TTL;

const HEADER: &str = "x-tollgate-session";
const FORWARDED_PROTO: &str = "x-forwarded-proto";
const NAME: &str = "tollgate_refresh";

/// A header that sets the cookie, if there is something to set.
pub type SetCookie = AppendHeaders<Option<(axum::http::HeaderName, HeaderValue)>>;

/// Whether the client is a page that keeps its session in a cookie, as `X-Tollgate-Session: cookie`
/// says, and what it keeps there.
#[derive(Debug, Clone)]
pub struct Browser {
    asked: bool,
    secure: bool,
    refresh: Option<Secret>,
}

/// A body; of a browser that sends none: nothing.
#[derive(Debug)]
pub struct BodyOrCookie<T>(pub Option<T>);

impl Browser {
    fn of(parts: &Parts, app: &AppState) -> Result<Self, ApiError> {
        let asked = match parts.headers.get(HEADER) {
            None => false,
            Some(value) if value == "cookie" => true,
            Some(_) => {
                let message = both!(
                    "Write `X-Tollgate-Session: cookie`, or leave it out.",
                    "Напишите `X-Tollgate-Session: cookie` или не указывайте этот заголовок."
                );
                return Err(ApiError::invalid("X-Tollgate-Session", message));
            }
        };
        let config = &app.config;
        let forwarded = parts.headers.get(FORWARDED_PROTO).is_some_and(|value| {
            // The proxy next to the client stands first.
            let text = value.to_str().unwrap_or_default();
            text.split(',').next().is_some_and(|first| first.trim().eq_ignore_ascii_case("https"))
        });
        let believed = ClientAddress::is_forwarded(parts, &config.edge.trusted_proxies);
        let secure = config.people.public_url.starts_with("https://") || (forwarded && believed);
        Ok(Self { asked, secure, refresh: kept(&parts.headers).filter(|_| asked) })
    }

    /// Does the session live in a cookie?
    pub const fn keeps_cookies(&self) -> bool {
        self.asked
    }

    /// The refresh token that it keeps.
    pub const fn refresh(&self) -> Option<&Secret> {
        self.refresh.as_ref()
    }

    /// Gives it this token to keep.
    pub fn keep(&self, token: &Secret) -> SetCookie {
        self.set(token.expose(), REFRESH_TTL.num_seconds())
    }

    /// Takes away what it keeps.
    pub fn forget(&self) -> SetCookie {
        self.set("", 0)
    }

    fn set(&self, value: &str, seconds: i64) -> SetCookie {
        let secure = if self.secure { "; Secure" } else { "" };
        let cookie = format!(
            "{NAME}={value}; Path=/v1/auth; Max-Age={seconds}; HttpOnly; SameSite=Strict{secure}"
        );
        let value = HeaderValue::from_str(&cookie).ok().filter(|_| self.asked);
        AppendHeaders(value.map(|mut value| {
            value.set_sensitive(true);
            (SET_COOKIE, value)
        }))
    }
}

/// The refresh token among the cookies.
fn kept(headers: &HeaderMap) -> Option<Secret> {
    let lines = headers.get_all(COOKIE).into_iter().filter_map(|line| line.to_str().ok());
    let mut cookies = lines.flat_map(|line| line.split(';')).filter_map(|one| one.split_once('='));
    let (_, value) = cookies.find(|(name, _)| name.trim() == NAME)?;
    Some(value.trim()).filter(|value| !value.is_empty()).map(Secret::new)
}

impl FromRequestParts<AppState> for Browser {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        Ok(Self::of(parts, app)?)
    }
}

impl<T: DeserializeOwned + Validate> FromRequest<AppState> for BodyOrCookie<T> {
    type Rejection = Problem;

    async fn from_request(
        request: axum::extract::Request,
        app: &AppState,
    ) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let browser = Browser::of(&parts, app)?;
        if !browser.asked {
            input::require_json(&parts.headers)?;
        }
        let bytes = super::body::read(body, &app.config).await?;
        if browser.asked && bytes.is_empty() {
            return Ok(Self(None));
        }
        input::require_json(&parts.headers)?;
        Ok(Self(Some(input::understand(&bytes)?)))
    }
}
