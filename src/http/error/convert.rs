//! From the errors of the layers below.

use tollgate_domain::{AccountError, MasterAccountError, PriceBookError};
use tollgate_projections::queries::QueryError;

use super::ApiError;
use crate::identity::people::PeopleError;
use crate::identity::upstream_keys::UpstreamKeyError;
use crate::ledger::{CommandError, LedgerError};

impl<E> From<CommandError<E>> for ApiError
where
    E: std::error::Error + Into<Self>,
{
    fn from(error: CommandError<E>) -> Self {
        match error {
            CommandError::Refused(refusal) => refusal.into(),
            CommandError::Conflict => Self::Unavailable("the stream is contended".into()),
            // Who sends a key compares the fingerprint first; a key that another stream has used
            // meanwhile is another request.
            CommandError::KeyUsed(_) => Self::IdempotencyMismatch,
            CommandError::Ledger(error) => error.into(),
        }
    }
}

impl From<LedgerError> for ApiError {
    fn from(error: LedgerError) -> Self {
        match error {
            LedgerError::Unavailable(_) | LedgerError::InDoubt | LedgerError::Stopped => {
                Self::Unavailable(error.into())
            }
            LedgerError::Unreadable { .. } => Self::internal(error),
        }
    }
}

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        use AccountError as E;
        let message = error.to_string();
        match error {
            E::NotOpen => Self::NotFound { what: "account" },
            E::AlreadyOpen(_) => Self::Conflict { code: "account_exists", message },
            E::AmountNotPositive | E::AmountTooLarge => Self::invalid("amount_usd", message),
            E::TextTooLong(param) => Self::invalid(param, message),
            E::IdReused(_) => Self::Conflict { code: "id_reused", message },
            E::ReservationExistsWithDifferentAmount(_)
            | E::AlreadySettled(_)
            | E::AlreadyReleased(_)
            | E::AlreadyExpired(_)
            | E::ReservationNotFound(_)
            | E::NothingToCorrect(_)
            | E::AlreadyCorrected(_)
            | E::ReservationTooOld(_)
            | E::NotYetExpired { .. } => Self::Conflict { code: "reservation_conflict", message },
            E::Suspended => Self::AccountSuspended,
            E::NotSuspended => Self::Conflict { code: "not_suspended", message },
            // The row that led here was written before its event: the key was never issued.
            E::KeyNotFound(_) => Self::InvalidApiKey,
            E::KeyRevoked(_) => Self::KeyRevoked,
            E::KeyExpired(_) => Self::KeyExpired,
            E::TooManyKeys(_) => Self::Conflict { code: "too_many_keys", message },
            E::KeyLimitExceeded { required, left } => Self::KeyLimitExceeded { required, left },
            E::SpendLimitExceeded { required, left } => Self::SpendLimitExceeded { required, left },
            E::InsufficientFunds { required, available } => Self::InsufficientFunds {
                required,
                available,
                requested_tokens: None,
                affordable_tokens: None,
            },
            E::TopUpNotFound => Self::NotFound { what: "top-up" },
            E::RefundTooLarge(_) => Self::invalid("amount_usd", message),
        }
    }
}

impl From<MasterAccountError> for ApiError {
    fn from(error: MasterAccountError) -> Self {
        use MasterAccountError as E;
        let message = error.to_string();
        match error {
            E::NotRegistered => Self::NotFound { what: "master account" },
            E::AlreadyRegistered(_) => Self::Conflict { code: "master_account_exists", message },
            E::InvalidPurchase => Self::invalid("credits_usd", message),
            E::EmptyAdjustment => Self::invalid("credits_usd", message),
            E::AmountTooLarge => Self::invalid("credits_usd", message),
            E::TextTooLong(param) => Self::invalid(param, message),
            E::IdReused(_) => Self::Conflict { code: "id_reused", message },
            E::KeyVersionNotNewer(_) => Self::Conflict { code: "key_version", message },
        }
    }
}

impl From<PriceBookError> for ApiError {
    fn from(error: PriceBookError) -> Self {
        use PriceBookError as E;
        let message = error.to_string();
        match error {
            E::EmptyList => Self::invalid("models", message),
            E::RatioOutOfRange | E::DefaultNeeded => Self::invalid("default_sale_ratio", message),
            E::InvalidText(param) => Self::invalid(param, message),
        }
    }
}

impl From<sqlx::Error> for ApiError {
    fn from(error: sqlx::Error) -> Self {
        match &error {
            // 53: resources, 57: an operator or a shutdown, 08: connection, 40: try again.
            sqlx::Error::Database(database) => match database.code().as_deref() {
                Some(code)
                    if ["53", "57", "08", "40"].iter().any(|class| code.starts_with(class)) =>
                {
                    Self::Unavailable(error.into())
                }
                _ => Self::internal(error),
            },
            sqlx::Error::Io(_)
            | sqlx::Error::Tls(_)
            | sqlx::Error::Protocol(_)
            | sqlx::Error::PoolTimedOut
            | sqlx::Error::PoolClosed
            | sqlx::Error::WorkerCrashed => Self::Unavailable(error.into()),
            _ => Self::internal(error),
        }
    }
}

impl From<PeopleError> for ApiError {
    fn from(error: PeopleError) -> Self {
        use PeopleError as E;
        match error {
            E::Password(rule) => Self::invalid("password", rule.to_string()),
            E::EmailTaken => Self::Conflict { code: "email_taken", message: error.to_string() },
            E::WrongPassword => Self::WrongPassword,
            E::InvalidRefreshToken => Self::InvalidRefreshToken,
            E::Hashing(_) | E::Randomness(_) => Self::internal(error),
            E::Account(error) => error.into(),
            E::Sql(error) => error.into(),
        }
    }
}

impl From<UpstreamKeyError> for ApiError {
    fn from(error: UpstreamKeyError) -> Self {
        match error {
            UpstreamKeyError::Seal(_) => Self::internal(error),
            UpstreamKeyError::Sql(error) => error.into(),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::InvalidCursor => Self::invalid("cursor", error.to_string()),
            QueryError::InvalidLimit => Self::invalid("limit", error.to_string()),
            QueryError::Database(error) => error.into(),
        }
    }
}
