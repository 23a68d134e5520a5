//! The only place where errors meet status codes.

use axum::http::StatusCode;
use serde_json::{Map, Value, json};

use super::ApiError;
use crate::limits::Holder;

/// What of an error goes over the wire, whatever the shape.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wire {
    /// HTTP.
    pub status: StatusCode,
    /// OpenAI's `error.type`.
    pub kind: &'static str,
    /// OpenAI's `error.code`: what programs look at.
    pub code: String,
}

const REQUEST: &str = "invalid_request_error";
const AUTHENTICATION: &str = "authentication_error";
const PERMISSION: &str = "permission_error";
const QUOTA: &str = "insufficient_quota";
const RATE: &str = "rate_limit_error";
const SERVER: &str = "server_error";

impl Wire {
    fn new(status: StatusCode, kind: &'static str, code: impl Into<String>) -> Self {
        Self { status, kind, code: code.into() }
    }
}

impl ApiError {
    /// Status, type and code.
    pub fn wire(&self) -> Wire {
        use StatusCode as S;
        let refused = |status, code: &'static str| Wire::new(status, REQUEST, code);
        let conflict = |code: &'static str| Wire::new(S::CONFLICT, REQUEST, code);
        let forbidden = |code: &'static str| Wire::new(S::FORBIDDEN, PERMISSION, code);
        let away = |code: &'static str| Wire::new(S::SERVICE_UNAVAILABLE, SERVER, code);
        match self {
            Self::InvalidRequest { .. } => refused(S::BAD_REQUEST, "invalid_request"),
            Self::InvalidJson { .. } => refused(S::BAD_REQUEST, "invalid_json"),
            Self::MissingApiKey => refused(S::UNAUTHORIZED, "missing_api_key"),
            // The same words as OpenAI's, because clients compare them.
            Self::InvalidApiKey => refused(S::UNAUTHORIZED, "invalid_api_key"),
            Self::KeyRevoked => refused(S::UNAUTHORIZED, "api_key_revoked"),
            Self::KeyExpired => refused(S::UNAUTHORIZED, "api_key_expired"),
            Self::NotSignedIn => Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "not_signed_in"),
            Self::TokenExpired => Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "token_expired"),
            Self::SessionEnded => Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "session_ended"),
            Self::InvalidRefreshToken => {
                Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "invalid_refresh_token")
            }
            Self::WrongPassword => Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "wrong_password"),
            Self::EmailNotVerified => forbidden("email_not_verified"),
            Self::RegistrationClosed => forbidden("registration_closed"),
            Self::SignInAgain => forbidden("sign_in_again"),
            Self::Forbidden { .. } => forbidden("forbidden"),
            Self::AccountSuspended => forbidden("account_suspended"),
            // Not 402: the account has money, and topping it up would not help.
            Self::KeyLimitExceeded { .. } => Wire::new(S::FORBIDDEN, QUOTA, "key_limit_exceeded"),
            Self::SpendLimitExceeded { .. } => {
                Wire::new(S::FORBIDDEN, QUOTA, "spend_limit_exceeded")
            }
            Self::ModelNotAllowed { .. } => forbidden("model_not_allowed"),
            Self::AddressNotAllowed { .. } => forbidden("ip_not_allowed"),
            // Not 429: SDKs retry 429 by themselves, and an empty balance does not refill.
            Self::InsufficientFunds { .. } => Wire::new(S::PAYMENT_REQUIRED, QUOTA, QUOTA),
            Self::ModelNotFound { .. } | Self::ModelNotPriced { .. } => {
                refused(S::NOT_FOUND, "model_not_found")
            }
            Self::NotFound { .. } => refused(S::NOT_FOUND, "not_found"),
            Self::MethodNotAllowed => refused(S::METHOD_NOT_ALLOWED, "method_not_allowed"),
            Self::Conflict { code, .. } => conflict(code),
            Self::IdempotencyMismatch => conflict("idempotency_key_mismatch"),
            Self::RequestInProgress { .. } => conflict("request_in_progress"),
            Self::AnswerNotKept { .. } => conflict("answer_not_kept"),
            Self::BodyTooLarge { .. } => refused(S::PAYLOAD_TOO_LARGE, "request_too_large"),
            Self::HeadersTooLarge { .. } => {
                refused(S::REQUEST_HEADER_FIELDS_TOO_LARGE, "headers_too_large")
            }
            Self::UrlTooLong { .. } => refused(S::URI_TOO_LONG, "url_too_long"),
            Self::BodyTimedOut => refused(S::REQUEST_TIMEOUT, "request_timeout"),
            Self::UnsupportedMediaType => {
                refused(S::UNSUPPORTED_MEDIA_TYPE, "unsupported_media_type")
            }
            Self::LimitReached(_) | Self::RateLimited { .. } => {
                Wire::new(S::TOO_MANY_REQUESTS, RATE, "rate_limit_exceeded")
            }
            Self::Upstream { status, code, .. } => upstream(*status, code.as_deref()),
            Self::UpstreamUnavailable => Wire::new(S::BAD_GATEWAY, SERVER, "upstream_unavailable"),
            Self::NoUpstream => away("no_upstream"),
            Self::Overloaded => away("overloaded"),
            Self::AnswerBroke => Wire::new(S::BAD_GATEWAY, SERVER, "answer_broke"),
            Self::UpstreamTimeout => Wire::new(S::GATEWAY_TIMEOUT, SERVER, "upstream_timeout"),
            Self::NotYetVisible { .. } => away("not_yet_visible"),
            Self::Unavailable(_) => away("unavailable"),
            Self::TimedOut => Wire::new(S::GATEWAY_TIMEOUT, SERVER, "timed_out"),
            Self::ClientClosed => Wire::new(closed(), REQUEST, "client_closed_request"),
            Self::Internal(_) => Wire::new(S::INTERNAL_SERVER_ERROR, SERVER, "internal_error"),
        }
    }

    /// OpenRouter's word for it: `metadata.error_type`.
    pub fn openrouter_type(&self) -> &'static str {
        match self.wire().status.as_u16() {
            400 | 405 | 415 => "invalid_request",
            401 => "authentication",
            402 => "payment_required",
            403 => "permission_denied",
            404 => "not_found",
            408 | 504 => "timeout",
            409 => "precondition_failed",
            413 | 414 | 431 => "payload_too_large",
            422 => "unprocessable",
            429 => "rate_limit_exceeded",
            502 => "provider_unavailable",
            503 => "provider_overloaded",
            500 => "server",
            _ => "unmapped",
        }
    }

    /// Which member of the request it is about.
    pub fn param(&self) -> Option<&str> {
        if let Self::InvalidRequest { param, .. } = self {
            return param.as_deref();
        }
        let model = matches!(
            self,
            Self::ModelNotFound { .. } | Self::ModelNotPriced { .. } | Self::ModelNotAllowed { .. }
        );
        model.then_some("model")
    }

    /// Figures for programs, where there are any.
    pub fn metadata(&self) -> Option<Map<String, Value>> {
        let object = |value: Value| value.as_object().cloned();
        if let Self::KeyLimitExceeded { required, left, period }
        | Self::SpendLimitExceeded { required, left, period } = self
        {
            return object(json!({ "required_usd": required, "left_usd": left, "period": period }));
        }
        if let Self::InsufficientFunds {
            required,
            available,
            requested_tokens,
            affordable_tokens,
        } = self
        {
            return object(json!({
                "required_usd": required,
                "available_usd": available,
                "requested_tokens": requested_tokens,
                "affordable_tokens": affordable_tokens,
            }));
        }
        if let Self::LimitReached(reached) = self {
            let holder = match reached.holder {
                Holder::Key => "key",
                Holder::Account => "account",
            };
            return object(json!({
                "limit": reached.name(),
                "limit_of": holder,
                "most": reached.limit,
                "used": reached.used,
                "requested": reached.needed,
            }));
        }
        if let Self::AnswerNotKept { charge, request } = self {
            return object(json!({ "charge_usd": charge, "request_id": request }));
        }
        if let Self::NotYetVisible { at_least, position } = self {
            return object(json!({ "at_least": at_least, "as_of_position": position }));
        }
        None
    }
}

/// Client Closed Request, as nginx numbers it: nobody reads it, and logs tell it from an error.
fn closed() -> StatusCode {
    StatusCode::from_u16(499).unwrap_or(StatusCode::BAD_REQUEST)
}

/// Only what the sender of the request can do something about keeps its status: an upstream's 401
/// or 402 is about our account and must not look like the customer's.
fn upstream(status: u16, code: Option<&str>) -> Wire {
    let code = code.unwrap_or("upstream_error").to_owned();
    match (status, StatusCode::from_u16(status)) {
        (429, Ok(status)) => Wire::new(status, RATE, code),
        (403, Ok(status)) => Wire::new(status, PERMISSION, code),
        (400 | 404 | 408 | 413 | 422, Ok(status)) => Wire::new(status, REQUEST, code),
        _ => Wire::new(StatusCode::BAD_GATEWAY, SERVER, code),
    }
}
