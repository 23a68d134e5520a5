//! The one error of the gateway.
//!
//! - [`ApiError`] says what happened, with fields and without a status code.
//! - `wire` is the only place where errors meet status codes; `retry` alone decides what is worth
//!   another try.
//! - [`ModelError`] and [`Problem`] are the two shapes in which it leaves: OpenAI's on the model
//!   endpoints, RFC 9457 elsewhere. Both log, once, what went wrong on our side.

mod convert;
mod respond;
mod retry;
mod wire;

use std::time::Duration;

use tollgate_domain::Money;
use tollgate_domain::time::Period;

pub use respond::{ErrorBody, ErrorDetail, ErrorShape, ModelError, Problem, ProblemBody};
pub use retry::Retry;
pub use wire::Wire;

/// What an internal error was caused by; only the log sees it.
pub type Cause = Box<dyn std::error::Error + Send + Sync>;

/// Why a request is not answered as hoped. Its text is public and never contains a cause.
#[derive(Debug, thiserror::Error)]
pub enum ApiError {
    /// A member is missing or has a value that makes no sense.
    #[error("{message}")]
    InvalidRequest {
        /// For people.
        message: String,
        /// Which member, as in `messages[0].content`.
        param: Option<String>,
    },
    /// The body is not JSON, or JSON of another shape.
    #[error("{message}")]
    InvalidJson {
        /// Where and why.
        message: String,
    },
    /// No `Authorization: Bearer`.
    #[error(
        "You didn't provide an API key. Send it in a header as in `Authorization: Bearer \
         sk-tg-…`."
    )]
    MissingApiKey,
    /// Not a key that we gave out.
    #[error("Incorrect API key provided.")]
    InvalidApiKey,
    /// Its owner or an operator revoked it.
    #[error("This API key was revoked.")]
    KeyRevoked,
    /// Its time is over.
    #[error("This API key has expired.")]
    KeyExpired,
    /// No access token, or not one of ours.
    #[error("Sign in at /v1/auth/login and send the access token as `Authorization: Bearer …`.")]
    NotSignedIn,
    /// It was valid once.
    #[error("The access token has expired: get a new one from /v1/auth/refresh.")]
    TokenExpired,
    /// Its session was ended.
    #[error("This session was ended: sign in again.")]
    SessionEnded,
    /// The refresh token is unknown, used before, revoked or too old.
    #[error("The refresh token is not valid (any more): sign in again.")]
    InvalidRefreshToken,
    /// Unknown address or wrong password; nobody learns which.
    #[error("The e-mail address or the password is wrong.")]
    WrongPassword,
    /// Signed in, but not as somebody who may do this.
    #[error("This needs the role `{needs}`.")]
    Forbidden {
        /// The role that may, as in `admin`.
        needs: &'static str,
    },
    /// An operator stopped the account.
    #[error("This account is suspended: ask the operator of this service.")]
    AccountSuspended,
    /// The key's own spending limit.
    #[error(
        "Key limit exceeded ({} limit). It leaves ${left}, and this request may cost up to \
         ${required}: raise the key's limit or use another key.", name_of(*.period)
    )]
    KeyLimitExceeded {
        /// What the request may cost.
        required: Money,
        /// What the limit leaves in this period.
        left: Money,
        /// The period that it counts in.
        period: Period,
    },
    /// The account's daily or monthly limit.
    #[error(
        "Account limit exceeded ({} limit). It leaves ${left}, and this request may cost up to \
         ${required}.", name_of(*.period)
    )]
    SpendLimitExceeded {
        /// What the request may cost.
        required: Money,
        /// What the limit leaves in this period.
        left: Money,
        /// The day or the month.
        period: Period,
    },
    /// The customer's money does not suffice.
    #[error("{}", funds(*.required, *.available, *.requested_tokens, *.affordable_tokens))]
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
    #[error("The model `{}` does not exist or you do not have access to it.", shortened(.model))]
    ModelNotFound {
        /// As requested.
        model: String,
    },
    /// The model is known but has no price, so it is not sold.
    #[error("The model `{}` has no price here, so it is not sold.", shortened(.model))]
    ModelNotPriced {
        /// As requested.
        model: String,
    },
    /// No such thing, or somebody else's.
    #[error("There is no such {what}.")]
    NotFound {
        /// As in `API key`.
        what: &'static str,
    },
    /// The path exists, with other methods.
    #[error("This path does not take this method.")]
    MethodNotAllowed,
    /// It contradicts what is there.
    #[error("{message}")]
    Conflict {
        /// A word for programs, as in `email_taken`.
        code: &'static str,
        /// For people.
        message: String,
    },
    /// The same `Idempotency-Key` with another content.
    #[error("This Idempotency-Key was used before with another request: make a new key.")]
    IdempotencyMismatch,
    /// Larger than this server takes.
    #[error("The request is larger than this server takes ({limit} bytes).")]
    BodyTooLarge {
        /// In bytes.
        limit: usize,
    },
    /// Not `application/json`.
    #[error("Send JSON, with the header `Content-Type: application/json`.")]
    UnsupportedMediaType,
    /// Too many requests.
    #[error("Rate limit exceeded: slow down and try again.")]
    RateLimited {
        /// When the next one may come.
        retry_after: Duration,
    },
    /// The upstream refused the request for a reason that its sender can do something about.
    #[error("{message}")]
    Upstream {
        /// 400, 403, 404, 408, 413, 422 or 429; others become 502.
        status: u16,
        /// The upstream's text without what is ours (account, key, cost).
        message: String,
        /// The upstream's word for it.
        code: Option<String>,
        /// The upstream's `Retry-After`.
        retry_after: Option<Duration>,
    },
    /// The upstream failed, or refused us instead of the client.
    #[error("The model's provider failed to answer: try again.")]
    UpstreamUnavailable,
    /// The upstream had begun to answer; what it bills for that is charged, so that a client that
    /// tried again by itself would pay twice.
    #[error(
        "The model's provider broke off its answer. What it bills for the part before is charged; \
         try again if you accept another charge."
    )]
    AnswerBroke,
    /// No upstream account can take the request now.
    #[error("No provider can take this request now: try again.")]
    NoUpstream,
    /// This node has as many requests as it can carry.
    #[error("This server has too many requests: try again.")]
    Overloaded,
    /// The upstream did not answer in time.
    #[error("The model's provider did not answer in time.")]
    UpstreamTimeout,
    /// The read models have not reached the position that was asked for.
    #[error("The read models are at position {position} and have not reached {at_least} yet.")]
    NotYetVisible {
        /// What was asked for.
        at_least: i64,
        /// Where they are.
        position: i64,
    },
    /// The database is away or the process is stopping; nothing was recorded.
    #[error("The books can't be reached, so nothing was done: try again.")]
    Unavailable(#[source] Cause),
    /// The answer took longer than this server allows.
    #[error("The answer took too long and was given up.")]
    TimedOut,
    /// The client closed the connection; the answer reaches nobody but the log.
    #[error("The client closed the connection.")]
    ClientClosed,
    /// Our fault.
    #[error("Something went wrong on our side; the x-request-id header names it in our log.")]
    Internal(#[source] Cause),
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
    pub fn invalid(param: impl Into<String>, message: impl Into<String>) -> Self {
        Self::InvalidRequest { message: message.into(), param: Some(param.into()) }
    }
}

/// As OpenRouter calls the limit of a key.
const fn name_of(period: Period) -> &'static str {
    match period {
        Period::Day => "daily",
        Period::Week => "weekly",
        Period::Month => "monthly",
        Period::Total => "total",
    }
}

/// OpenRouter's wording, which tools recognise.
fn funds(
    required: Money,
    available: Money,
    requested: Option<u64>,
    affordable: Option<u64>,
) -> String {
    match (requested, affordable) {
        (Some(requested), Some(affordable)) => format!(
            "This request requires more credits, or fewer max_tokens. You requested up to \
             {requested} tokens, but can only afford {affordable}. Top up the account and try again."
        ),
        _ => format!(
            "Insufficient credits: this request may cost up to ${required}, and ${available} is \
             available. Top up the account and try again."
        ),
    }
}

/// A model name from a client can be anything; an error repeats a readable part of it.
fn shortened(model: &str) -> String {
    model.chars().filter(|c| !c.is_control()).take(100).collect()
}

#[cfg(test)]
mod tests;
