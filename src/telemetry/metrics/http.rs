//! Requests as clients see them.

use std::sync::Arc;
use std::time::Instant;

use axum::http::StatusCode;
use prometheus::{Histogram, IntCounter};

use super::Metrics;
use super::labels::{By, labels};
use super::make::Maker;
use crate::http::ApiError;
use crate::limits::{Counted, Holder};

/// From what a refusal takes to a stream that runs for minutes.
const SECONDS: [f64; 17] = [
    0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0,
    120.0, 300.0,
];

labels! {
    /// Where a request goes.
    pub enum Place {
        /// `POST /v1/chat/completions`
        Chat = "chat_completions",
        /// `POST /v1/completions`
        Completions = "completions",
        /// `POST /v1/embeddings`
        Embeddings = "embeddings",
        /// `/v1/models`
        Models = "models",
        /// `/v1/key`, `/v1/credits`, `/v1/generation`
        Own = "own",
        /// `/v1/auth`
        Auth = "auth",
        /// `/v1/client`
        Client = "client",
        /// `/v1/admin`, `/v1/ledger`
        Admin = "admin",
        /// `/health`
        Health = "health",
        /// The page, the documentation, and whatever does not exist.
        Other = "other",
    }
}

labels! {
    /// A model endpoint.
    pub enum ModelPlace {
        /// `POST /v1/chat/completions`
        Chat = "chat_completions",
        /// `POST /v1/completions`
        Completions = "completions",
        /// `POST /v1/embeddings`
        Embeddings = "embeddings",
    }
}

labels! {
    /// What came of a request.
    pub enum Outcome {
        /// It was answered.
        Success = "2xx",
        /// Somewhere else, or not again.
        Redirection = "3xx",
        /// It was refused.
        Refused = "4xx",
        /// It failed.
        Failed = "5xx",
        /// Its client left before there was an answer.
        Gone = "gone",
    }
}

labels! {
    /// What an error is about; the codes of answers, where an upstream's own words are one.
    pub enum ErrorWord {
        /// Members that make no sense, or a method or type that is not taken.
        InvalidRequest = "invalid_request",
        /// No valid key, token or password.
        NotAuthenticated = "not_authenticated",
        /// Somebody who may not do this.
        Forbidden = "forbidden",
        /// The account is stopped.
        AccountSuspended = "account_suspended",
        /// A spending limit of a key.
        KeyLimitExceeded = "key_limit_exceeded",
        /// A spending limit of an account.
        SpendLimitExceeded = "spend_limit_exceeded",
        /// Not a model for this key.
        ModelNotAllowed = "model_not_allowed",
        /// Not enough money.
        InsufficientFunds = "insufficient_quota",
        /// No such model for sale.
        ModelNotFound = "model_not_found",
        /// No such thing.
        NotFound = "not_found",
        /// It contradicts what is there.
        Conflict = "conflict",
        /// Larger than is taken.
        TooLarge = "request_too_large",
        /// The request came too slowly.
        RequestTimeout = "request_timeout",
        /// Too often.
        RateLimited = "rate_limit_exceeded",
        /// The upstream refused what the client wants.
        UpstreamRefused = "upstream_refused",
        /// The upstream failed.
        UpstreamUnavailable = "upstream_unavailable",
        /// The upstream's answer broke off.
        AnswerBroke = "answer_broke",
        /// The upstream was too slow.
        UpstreamTimeout = "upstream_timeout",
        /// No upstream account can serve it.
        NoUpstream = "no_upstream",
        /// This node is full.
        Overloaded = "overloaded",
        /// The read models are not there yet.
        NotYetVisible = "not_yet_visible",
        /// The database is away, or the process stops.
        Unavailable = "unavailable",
        /// It took too long.
        TimedOut = "timed_out",
        /// The client closed the connection.
        ClientClosed = "client_closed_request",
        /// Our fault.
        Internal = "internal_error",
        /// Not one of ours.
        Other = "other",
    }
}

labels! {
    /// A limit that is not about money.
    pub enum Blocked {
        /// Of a key, in a minute.
        KeyRequests = "key_requests_per_minute",
        /// Of a key, in a minute.
        KeyTokens = "key_tokens_per_minute",
        /// Of a key, at once.
        KeyAtOnce = "key_concurrent_requests",
        /// Of an account, in a minute.
        AccountRequests = "account_requests_per_minute",
        /// Of an account, in a minute.
        AccountTokens = "account_tokens_per_minute",
        /// Of an account, at once.
        AccountAtOnce = "account_concurrent_requests",
        /// Tries to sign in, registrations, mails.
        People = "people",
        /// Everything that one node answers at once.
        Node = "node_concurrent_requests",
    }
}

/// Handles for requests.
#[derive(Debug)]
pub struct HttpMetrics {
    pub(super) requests: By<Place, By<Outcome, IntCounter>>,
    pub(super) errors: By<ErrorWord, IntCounter>,
    refusals: By<Blocked, IntCounter>,
    seconds: By<Place, Histogram>,
    first_byte: By<ModelPlace, Histogram>,
}

impl HttpMetrics {
    pub(super) fn new(make: &Maker) -> Self {
        Self {
            requests: make.table(
                "tollgate_http_requests_total",
                "Requests by endpoint and class of the status; gone: the client left before an \
                 answer.",
                ["endpoint", "outcome"],
            ),
            errors: make.counters(
                "tollgate_http_errors_total",
                "Answers that are errors, by what they are about.",
                "code",
            ),
            refusals: make.counters(
                "tollgate_limit_refusals_total",
                "Requests refused by a limit that is not about money.",
                "limit",
            ),
            seconds: make.histograms(
                "tollgate_http_request_duration_seconds",
                "From a request's headers to the last byte of its answer.",
                "endpoint",
                &SECONDS,
            ),
            first_byte: make.histograms(
                "tollgate_time_to_first_byte_seconds",
                "From a request's headers to the first byte of a model's answer.",
                "endpoint",
                &SECONDS,
            ),
        }
    }

    pub(super) fn model_seconds(&self) -> impl Iterator<Item = &Histogram> {
        [Place::Chat, Place::Completions, Place::Embeddings]
            .map(|place| self.seconds.of(place))
            .into_iter()
    }

    pub(super) fn model_first_byte(&self) -> impl Iterator<Item = &Histogram> {
        self.first_byte.all()
    }

    /// An answer that is an error; none: one that others have made.
    pub fn refused(&self, error: Option<&ApiError>) {
        self.errors.of(error.map_or(ErrorWord::Other, ErrorWord::of)).inc();
        if let Some(limit) = error.and_then(Blocked::by) {
            self.refusals.of(limit).inc();
        }
    }
}

impl Place {
    /// Of a path, also under OpenRouter's prefix.
    #[must_use]
    pub fn of(path: &str) -> Self {
        let path = path.strip_prefix(crate::http::error::ALIAS).unwrap_or(path);
        let Some(rest) = path.strip_prefix("/v1/") else {
            return if path == "/health" { Self::Health } else { Self::Other };
        };
        match rest {
            "chat/completions" => return Self::Chat,
            "completions" => return Self::Completions,
            "embeddings" => return Self::Embeddings,
            _ => {}
        }
        match rest.split('/').next() {
            Some("models") => Self::Models,
            Some("key" | "credits" | "generation") => Self::Own,
            Some("auth") => Self::Auth,
            Some("client") => Self::Client,
            Some("admin" | "ledger") => Self::Admin,
            Some("health") => Self::Health,
            _ => Self::Other,
        }
    }

    const fn model(self) -> Option<ModelPlace> {
        match self {
            Self::Chat => Some(ModelPlace::Chat),
            Self::Completions => Some(ModelPlace::Completions),
            Self::Embeddings => Some(ModelPlace::Embeddings),
            Self::Models
            | Self::Own
            | Self::Auth
            | Self::Client
            | Self::Admin
            | Self::Health
            | Self::Other => None,
        }
    }
}

impl Outcome {
    fn of(status: StatusCode) -> Self {
        match status.as_u16() {
            ..300 => Self::Success,
            300..400 => Self::Redirection,
            400..500 => Self::Refused,
            500.. => Self::Failed,
        }
    }
}

impl ErrorWord {
    /// Of an error.
    #[must_use]
    pub const fn of(error: &ApiError) -> Self {
        use ApiError as E;
        match error {
            E::InvalidRequest { .. }
            | E::InvalidJson { .. }
            | E::MethodNotAllowed
            | E::UnsupportedMediaType => Self::InvalidRequest,
            E::MissingApiKey
            | E::InvalidApiKey
            | E::KeyRevoked
            | E::KeyExpired
            | E::NotSignedIn
            | E::TokenExpired
            | E::SessionEnded
            | E::InvalidRefreshToken
            | E::WrongPassword => Self::NotAuthenticated,
            E::EmailNotVerified
            | E::RegistrationClosed
            | E::SignInAgain
            | E::Forbidden { .. }
            | E::AddressNotAllowed { .. } => Self::Forbidden,
            E::AccountSuspended => Self::AccountSuspended,
            E::KeyLimitExceeded { .. } => Self::KeyLimitExceeded,
            E::SpendLimitExceeded { .. } => Self::SpendLimitExceeded,
            E::ModelNotAllowed { .. } => Self::ModelNotAllowed,
            E::InsufficientFunds { .. } => Self::InsufficientFunds,
            E::ModelNotFound { .. } | E::ModelNotPriced { .. } => Self::ModelNotFound,
            E::NotFound { .. } => Self::NotFound,
            E::Conflict { .. }
            | E::IdempotencyMismatch
            | E::RequestInProgress { .. }
            | E::AnswerNotKept { .. } => Self::Conflict,
            E::BodyTooLarge { .. } | E::HeadersTooLarge { .. } | E::UrlTooLong { .. } => {
                Self::TooLarge
            }
            E::BodyTimedOut => Self::RequestTimeout,
            E::LimitReached(_) | E::RateLimited { .. } => Self::RateLimited,
            E::Upstream { .. } => Self::UpstreamRefused,
            E::UpstreamUnavailable => Self::UpstreamUnavailable,
            E::AnswerBroke => Self::AnswerBroke,
            E::UpstreamTimeout => Self::UpstreamTimeout,
            E::NoUpstream => Self::NoUpstream,
            E::Overloaded => Self::Overloaded,
            E::NotYetVisible { .. } => Self::NotYetVisible,
            E::Unavailable(_) => Self::Unavailable,
            E::TimedOut => Self::TimedOut,
            E::ClientClosed => Self::ClientClosed,
            E::Internal(_) => Self::Internal,
        }
    }
}

impl Blocked {
    /// Which limit has refused, if it was one.
    fn by(error: &ApiError) -> Option<Self> {
        if let ApiError::LimitReached(reached) = error {
            return Some(match (reached.holder, reached.counted) {
                (Holder::Key, Counted::Requests) => Self::KeyRequests,
                (Holder::Key, Counted::Tokens) => Self::KeyTokens,
                (Holder::Key, Counted::AtOnce) => Self::KeyAtOnce,
                (Holder::Account, Counted::Requests) => Self::AccountRequests,
                (Holder::Account, Counted::Tokens) => Self::AccountTokens,
                (Holder::Account, Counted::AtOnce) => Self::AccountAtOnce,
            });
        }
        match ErrorWord::of(error) {
            ErrorWord::RateLimited => Some(Self::People),
            ErrorWord::Overloaded => Some(Self::Node),
            _ => None,
        }
    }
}

/// One request from its headers to the last byte of its answer; it counts itself.
#[derive(Debug)]
#[must_use = "it counts the request when it is dropped"]
pub struct Watch {
    metrics: Arc<Metrics>,
    place: Place,
    began: Instant,
    answered: bool,
    spoke: bool,
}

impl Watch {
    /// Of a request that has just come.
    pub fn begin(metrics: &Arc<Metrics>, path: &str) -> Self {
        let place = Place::of(path);
        let (began, metrics) = (Instant::now(), metrics.clone());
        Self { metrics, place, began, answered: false, spoke: false }
    }

    /// There is an answer.
    pub fn answered(&mut self, status: StatusCode, error: Option<&ApiError>) {
        self.answered = true;
        // A refusal is no answer of a model.
        self.spoke = !status.is_success();
        let http = &self.metrics.http;
        http.requests.of(self.place).of(Outcome::of(status)).inc();
        if status.is_client_error() || status.is_server_error() {
            http.refused(error);
        }
    }

    /// A piece of the answer goes out.
    pub fn speaks(&mut self) {
        if !self.spoke {
            self.spoke = true;
            if let Some(place) = self.place.model() {
                let histogram = self.metrics.http.first_byte.of(place);
                histogram.observe(self.began.elapsed().as_secs_f64());
            }
        }
    }
}

impl Drop for Watch {
    fn drop(&mut self) {
        let http = &self.metrics.http;
        if !self.answered {
            http.requests.of(self.place).of(Outcome::Gone).inc();
        }
        http.seconds.of(self.place).observe(self.began.elapsed().as_secs_f64());
    }
}
