//! The one error of the gateway.
//!
//! - [`ApiError`] says what happened, with fields and without a status code.
//! - `wire` is the only place where errors meet status codes; `retry` alone decides what is worth
//!   another try.
//! - `words` has its text in English and in Russian; [`both!`](both) makes a text of one's own.
//! - [`ModelError`] and [`Problem`] are the two shapes in which it leaves: OpenAI's on the model
//!   endpoints, RFC 9457 elsewhere. Both log, once, what went wrong on our side.

mod account;
mod convert;
mod language;
mod respond;
mod retry;
mod text;
mod wire;
mod words;

use std::fmt;
use std::time::Duration;

use tollgate_domain::Money;
use tollgate_domain::time::Period;

use crate::limits::Reached;

pub use language::Language;
pub use respond::{
    ALIAS, ErrorBody, ErrorDetail, ErrorShape, ModelError, Problem, ProblemBody, error_of,
    translate,
};
pub use retry::Retry;
pub(crate) use text::both;
pub use text::{Text, is_russian};
pub use wire::Wire;

/// What an internal error was caused by; only the log sees it.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request is not answered as hoped. Its text is public and never contains a cause.
#[derive(Debug)]
pub enum ApiError {
    /// A member is missing or has a value that makes no sense.
    InvalidRequest {
        /// For people.
        message: Text,
        /// Which member, as in `messages[0].content`.
        param: Option<String>,
    },
    /// The body is not JSON, or JSON of another shape.
    InvalidJson {
        /// Where and why.
        message: Text,
    },
    /// No `Authorization: Bearer`.
    MissingApiKey,
    /// Not a key that we gave out.
    InvalidApiKey,
    /// Its owner or an operator revoked it.
    KeyRevoked,
    /// Its time is over.
    KeyExpired,
    /// No access token, or not one of ours.
    NotSignedIn,
    /// It was valid once.
    TokenExpired,
    /// Its session was ended.
    SessionEnded,
    /// The refresh token is unknown, used before, revoked or too old.
    InvalidRefreshToken,
    /// Unknown address or wrong password; nobody learns which.
    WrongPassword,
    /// The password is right, and nobody has shown that the address is theirs.
    EmailNotVerified,
    /// Nobody may register.
    RegistrationClosed,
    /// What cannot be undone needs a sign-in of a moment ago.
    SignInAgain,
    /// Signed in, but not as somebody who may do this.
    Forbidden {
        /// The role that may, as in `admin`.
        needs: &'static str,
    },
    /// An operator stopped the account.
    AccountSuspended,
    /// The key's own spending limit.
    KeyLimitExceeded {
        /// What the request may cost.
        required: Money,
        /// What the limit leaves in this period.
        left: Money,
        /// The period that it counts in.
        period: Period,
    },
    /// The account's daily or monthly limit.
    SpendLimitExceeded {
        /// What the request may cost.
        required: Money,
        /// What the limit leaves in this period.
        left: Money,
        /// The day or the month.
        period: Period,
    },
    /// The key's list of models has not this one.
    ModelNotAllowed {
        /// As requested.
        model: String,
    },
    /// The key may not be used from where the request came from.
    AddressNotAllowed {
        /// Where that is.
        address: std::net::IpAddr,
    },
    /// As many requests or tokens as the key or the account may have, in a minute or at once.
    LimitReached(Box<Reached>),
    /// The customer's money does not suffice.
    InsufficientFunds {
        /// What the request may cost.
        required: Money,
        /// What can be reserved.
        available: Money,
        /// The output bound that was asked for, where there was one.
        requested_tokens: Option<u64>,
        /// The output bound that could be paid, where it is known.
        affordable_tokens: Option<u64>,
    },
    /// Nobody offers this model here.
    ModelNotFound {
        /// As requested.
        model: String,
    },
    /// The model is known but has no price, so it is not sold.
    ModelNotPriced {
        /// As requested.
        model: String,
    },
    /// No such thing, or somebody else's.
    NotFound {
        /// As in `both!("API key", "ключ API")`.
        what: Text,
    },
    /// The path exists, with other methods.
    MethodNotAllowed,
    /// It contradicts what is there.
    Conflict {
        /// A word for programs, as in `email_taken`.
        code: &'static str,
        /// For people.
        message: Text,
    },
    /// The same `Idempotency-Key` with another content.
    IdempotencyMismatch,
    /// The first request with this `Idempotency-Key` has not ended yet.
    RequestInProgress {
        /// When to ask again.
        retry_after: Duration,
    },
    /// The first request with this `Idempotency-Key` has ended, and its answer is not here (any
    /// more).
    AnswerNotKept {
        /// What it was charged, which it is not charged again.
        charge: Money,
        /// Its `x-request-id`.
        request: String,
    },
    /// Larger than this server takes.
    BodyTooLarge {
        /// In bytes.
        limit: usize,
    },
    /// All headers together are longer than this server takes, or there are too many.
    HeadersTooLarge {
        /// In bytes.
        limit: usize,
    },
    /// Path and query together are longer than this server takes.
    UrlTooLong {
        /// In bytes.
        limit: usize,
    },
    /// The request's body came too slowly.
    BodyTimedOut,
    /// Not `application/json`.
    UnsupportedMediaType,
    /// Too many requests.
    RateLimited {
        /// When the next one may come.
        retry_after: Duration,
    },
    /// The upstream refused the request for a reason that its sender can do something about.
    Upstream {
        /// 400, 403, 404, 408, 413, 422 or 429; others become 502.
        status: u16,
        /// The upstream's text without what is ours (account, key, cost).
        message: Text,
        /// The upstream's word for it.
        code: Option<String>,
        /// The upstream's `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The upstream failed, or refused us instead of the client.
    UpstreamUnavailable,
    /// The upstream had begun to answer; what it bills for that is charged, so that a client that
    /// tried again by itself would pay twice.
    AnswerBroke,
    /// No upstream account can take the request now.
    NoUpstream,
    /// This node has as many requests as it can carry.
    Overloaded,
    /// The upstream did not answer in time.
    UpstreamTimeout,
    /// The read models have not reached the position that was asked for.
    NotYetVisible {
        /// What was asked for.
        at_least: i64,
        /// Where they are.
        position: i64,
    },
    /// The database is away or the process is stopping; nothing was recorded.
    Unavailable(Cause),
    /// The answer took longer than this server allows.
    TimedOut,
    /// The client closed the connection; the answer reaches nobody but the log.
    ClientClosed,
    /// Our fault.
    Internal(Cause),
}

impl fmt::Display for ApiError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.text().fmt(f)
    }
}

impl std::error::Error for ApiError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        if let Self::Unavailable(cause) | Self::Internal(cause) = self {
            return Some(&**cause);
        }
        None
    }
}

impl ApiError {
    /// Our fault, with its cause for the log.
    pub fn internal(cause: impl Into<Cause>) -> Self {
        Self::Internal(cause.into())
    }

    /// The error and what caused it, for the log and for the operator; never for a client.
    pub fn with_causes(&self) -> String {
        let first: &dyn std::error::Error = self;
        let causes = std::iter::successors(Some(first), |cause| cause.source());
        causes.map(ToString::to_string).collect::<Vec<_>>().join(": ")
    }

    /// A member with a value that makes no sense.
    pub fn invalid(param: impl Into<String>, message: Text) -> Self {
        Self::InvalidRequest { message, param: Some(param.into()) }
    }
}

#[cfg(test)]
mod tests;
