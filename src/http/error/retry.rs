//! Transient or permanent: the one place that decides it.

use std::time::Duration;

use super::ApiError;

/// Whether the same request may succeed later.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Retry {
    /// It fails the same way again until somebody changes something.
    Never,
    /// It may succeed, and nobody knows when.
    Sometime,
    /// It may succeed after this long; sent as `Retry-After`.
    After(Duration),
}

impl ApiError {
    /// Whether the same request may succeed later, and from when on.
    pub fn retry(&self) -> Retry {
        match self {
            Self::InvalidRequest { .. }
            | Self::InvalidJson { .. }
            | Self::MissingApiKey
            | Self::InvalidApiKey
            | Self::KeyRevoked
            | Self::KeyExpired
            | Self::NotSignedIn
            | Self::TokenExpired
            | Self::SessionEnded
            | Self::InvalidRefreshToken
            | Self::WrongPassword
            | Self::EmailNotVerified
            | Self::RegistrationClosed
            | Self::SignInAgain
            | Self::Forbidden { .. }
            | Self::AccountSuspended
            | Self::KeyLimitExceeded { .. }
            | Self::SpendLimitExceeded { .. }
            | Self::ModelNotAllowed { .. }
            | Self::AddressNotAllowed { .. }
            | Self::HeadersTooLarge { .. }
            | Self::UrlTooLong { .. }
            | Self::InsufficientFunds { .. }
            | Self::ModelNotFound { .. }
            | Self::ModelNotPriced { .. }
            | Self::NotFound { .. }
            | Self::MethodNotAllowed
            | Self::Conflict { .. }
            | Self::IdempotencyMismatch
            | Self::AnswerNotKept { .. }
            | Self::BodyTooLarge { .. }
            | Self::UnsupportedMediaType
            | Self::AnswerBroke => Retry::Never,
            Self::LimitReached(reached) if reached.is_final() => Retry::Never,
            // When one of the others ends nobody knows: soon, mostly.
            Self::LimitReached(reached) => {
                Retry::After(reached.wait.unwrap_or(Duration::from_secs(1)))
            }
            Self::RequestInProgress { retry_after } => Retry::After(*retry_after),
            Self::RateLimited { retry_after } => Retry::After(*retry_after),
            Self::Upstream { status: 408 | 429, retry_after, .. } => {
                retry_after.map_or(Retry::Sometime, Retry::After)
            }
            Self::Upstream { .. } => Retry::Never,
            Self::NoUpstream | Self::Overloaded | Self::Unavailable(_) => {
                Retry::After(Duration::from_secs(2))
            }
            Self::NotYetVisible { .. } => Retry::After(Duration::from_secs(1)),
            Self::UpstreamUnavailable
            | Self::UpstreamTimeout
            | Self::TimedOut
            | Self::ClientClosed
            | Self::BodyTimedOut
            | Self::Internal(_) => Retry::Sometime,
        }
    }
}
