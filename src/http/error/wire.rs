//! The only place where errors meet status codes.

use axum::http::StatusCode;
use axum::http::StatusCode as S;
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

/// One line for each error.
macro_rules! wires {
    ($($error:pat => $wire:expr,)*) => {
        impl ApiError {
            /// Status, type and code.
            pub fn wire(&self) -> Wire {
                match self {
                    $($error => $wire,)*
                }
            }
        }
    };
}

wires! {
    Self::InvalidRequest { .. } => Wire::new(S::BAD_REQUEST, REQUEST, "invalid_request"),
    Self::InvalidJson { .. } => Wire::new(S::BAD_REQUEST, REQUEST, "invalid_json"),
    Self::MissingApiKey => Wire::new(S::UNAUTHORIZED, REQUEST, "missing_api_key"),
    // The same words as OpenAI's, because clients compare them.
    Self::InvalidApiKey => Wire::new(S::UNAUTHORIZED, REQUEST, "invalid_api_key"),
    Self::KeyRevoked => Wire::new(S::UNAUTHORIZED, REQUEST, "api_key_revoked"),
    Self::KeyExpired => Wire::new(S::UNAUTHORIZED, REQUEST, "api_key_expired"),
    Self::NotSignedIn => Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "not_signed_in"),
    Self::TokenExpired => Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "token_expired"),
    Self::SessionEnded => Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "session_ended"),
    Self::InvalidRefreshToken => {
        Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "invalid_refresh_token")
    },
    Self::WrongPassword => Wire::new(S::UNAUTHORIZED, AUTHENTICATION, "wrong_password"),
    Self::EmailNotVerified => Wire::new(S::FORBIDDEN, PERMISSION, "email_not_verified"),
    Self::RegistrationClosed => Wire::new(S::FORBIDDEN, PERMISSION, "registration_closed"),
    Self::SignInAgain => Wire::new(S::FORBIDDEN, PERMISSION, "sign_in_again"),
    Self::Forbidden { .. } => Wire::new(S::FORBIDDEN, PERMISSION, "forbidden"),
    Self::AccountSuspended => Wire::new(S::FORBIDDEN, PERMISSION, "account_suspended"),
    // Not 402: the account has money, and topping it up would not help.
    Self::KeyLimitExceeded { .. } => Wire::new(S::FORBIDDEN, QUOTA, "key_limit_exceeded"),
    Self::SpendLimitExceeded { .. } => {
        Wire::new(S::FORBIDDEN, QUOTA, "spend_limit_exceeded")
    },
    Self::ModelNotAllowed { .. } => {
        Wire::new(S::FORBIDDEN, PERMISSION, "model_not_allowed")
    },
    Self::AddressNotAllowed { .. } => Wire::new(S::FORBIDDEN, PERMISSION, "ip_not_allowed"),
    Self::LimitReached(_) => Wire::new(S::TOO_MANY_REQUESTS, RATE, "rate_limit_exceeded"),
    // Not 429: SDKs retry 429 by themselves, and an empty balance does not refill.
    Self::InsufficientFunds { .. } => Wire::new(S::PAYMENT_REQUIRED, QUOTA, QUOTA),
    Self::ModelNotFound { .. } | Self::ModelNotPriced { .. } => {
        Wire::new(S::NOT_FOUND, REQUEST, "model_not_found")
    },
    Self::NotFound { .. } => Wire::new(S::NOT_FOUND, REQUEST, "not_found"),
    Self::MethodNotAllowed => {
        Wire::new(S::METHOD_NOT_ALLOWED, REQUEST, "method_not_allowed")
    },
    Self::Conflict { code, .. } => Wire::new(S::CONFLICT, REQUEST, *code),
    Self::IdempotencyMismatch => {
        Wire::new(S::CONFLICT, REQUEST, "idempotency_key_mismatch")
    },
    Self::RequestInProgress { .. } => {
        Wire::new(S::CONFLICT, REQUEST, "request_in_progress")
    },
    Self::AnswerNotKept { .. } => Wire::new(S::CONFLICT, REQUEST, "answer_not_kept"),
    Self::BodyTooLarge { .. } => {
        Wire::new(S::PAYLOAD_TOO_LARGE, REQUEST, "request_too_large")
    },
    Self::HeadersTooLarge { .. } => {
        Wire::new(S::REQUEST_HEADER_FIELDS_TOO_LARGE, REQUEST, "headers_too_large")
    },
    Self::UrlTooLong { .. } => Wire::new(S::URI_TOO_LONG, REQUEST, "url_too_long"),
    Self::BodyTimedOut => Wire::new(S::REQUEST_TIMEOUT, REQUEST, "request_timeout"),
    Self::UnsupportedMediaType => {
        Wire::new(S::UNSUPPORTED_MEDIA_TYPE, REQUEST, "unsupported_media_type")
    },
    Self::RateLimited { .. } => {
        Wire::new(S::TOO_MANY_REQUESTS, RATE, "rate_limit_exceeded")
    },
    Self::Upstream { status, code, .. } => upstream(*status, code.as_deref()),
    Self::UpstreamUnavailable => Wire::new(S::BAD_GATEWAY, SERVER, "upstream_unavailable"),
    Self::NoUpstream => Wire::new(S::SERVICE_UNAVAILABLE, SERVER, "no_upstream"),
    Self::Overloaded => Wire::new(S::SERVICE_UNAVAILABLE, SERVER, "overloaded"),
    Self::AnswerBroke => Wire::new(S::BAD_GATEWAY, SERVER, "answer_broke"),
    Self::UpstreamTimeout => Wire::new(S::GATEWAY_TIMEOUT, SERVER, "upstream_timeout"),
    Self::NotYetVisible { .. } => {
        Wire::new(S::SERVICE_UNAVAILABLE, SERVER, "not_yet_visible")
    },
    Self::Unavailable(_) => Wire::new(S::SERVICE_UNAVAILABLE, SERVER, "unavailable"),
    Self::TimedOut => Wire::new(S::GATEWAY_TIMEOUT, SERVER, "timed_out"),
    Self::ClientClosed => Wire::new(closed(), REQUEST, "client_closed_request"),
    Self::Internal(_) => Wire::new(S::INTERNAL_SERVER_ERROR, SERVER, "internal_error"),
}

impl ApiError {
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
