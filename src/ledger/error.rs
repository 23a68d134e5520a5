//! What can go wrong between a command and its commit.

use super::append::KeptResult;

/// The engine itself failed.
#[derive(Debug, thiserror::Error)]
pub enum LedgerError {
    /// PostgreSQL cannot be reached or refused a statement; nothing was recorded.
    #[error("the ledger's database is unavailable: {0}")]
    Unavailable(String),
    /// A stored event cannot be understood; its stream is not served.
    #[error("{aggregate_type} {aggregate_id}: event {sequence} cannot be read: {reason}")]
    Unreadable {
        /// The stream's type.
        aggregate_type: &'static str,
        /// The stream.
        aggregate_id: String,
        /// Which event.
        sequence: i64,
        /// Why.
        reason: String,
    },
    /// The database went away while this was being committed and has not come back in time: it is
    /// recorded or it is not. A command with an id of its own, or with an idempotency key, can
    /// safely be sent again.
    #[error("the database went away during the commit; whether this was recorded is not known yet")]
    InDoubt,
    /// The process is stopping.
    #[error("the ledger is shutting down")]
    Stopped,
}

impl From<sqlx::Error> for LedgerError {
    fn from(error: sqlx::Error) -> Self {
        Self::Unavailable(error.to_string())
    }
}

/// Why a command was not recorded. Nothing has changed, except that after
/// [`LedgerError::InDoubt`] nobody knows yet.
#[derive(Debug, thiserror::Error)]
pub enum CommandError<E: std::error::Error> {
    /// The aggregate refused.
    #[error(transparent)]
    Refused(E),
    /// Another node appended to the stream first, again and again.
    #[error("the stream is contended, try again")]
    Conflict,
    /// The idempotency key was used before.
    #[error("the idempotency key was used before")]
    KeyUsed(KeptResult),
    /// The engine failed.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
}

impl<E: std::error::Error> CommandError<E> {
    /// Whether the same command may succeed if it is sent again.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Conflict
            | Self::Ledger(
                LedgerError::Unavailable(_) | LedgerError::InDoubt | LedgerError::Stopped,
            ) => true,
            Self::Refused(_) | Self::KeyUsed(_) | Self::Ledger(LedgerError::Unreadable { .. }) => {
                false
            }
        }
    }
}
