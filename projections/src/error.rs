//! What can go wrong while events are folded into read models.

/// Why an event could not be folded. Permanent: the same event fails the same way again.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FoldError {
    /// The stored bytes are not an event that this build knows.
    #[error("the event cannot be decoded: {0}")]
    Undecodable(String),
    /// The stream's id is not one of its aggregate type.
    #[error("the stream `{0}` does not belong to its aggregate type")]
    ForeignStream(String),
    /// A sum left the range in which it is exact.
    #[error("a sum does not fit; rounding it would make the books differ")]
    DoesNotFit,
}

/// Why a projection stopped, or could not go on for now.
#[derive(Debug, thiserror::Error)]
pub enum ProjectionError {
    /// The database did not answer, or refused.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
    /// An event that cannot be folded stands at this position. It is never skipped: a skipped
    /// event is a balance that is wrong without anybody knowing.
    #[error("the event at position {position} stops the projections: {source}")]
    Event {
        /// Where.
        position: i64,
        /// What is wrong with it.
        source: FoldError,
    },
    /// Positions are dense by construction; a hole means that history was cut.
    #[error("position {expected} is missing from the log, {found} follows")]
    Hole {
        /// The position that should have come.
        expected: i64,
        /// The one that came.
        found: i64,
    },
    /// The answer of COPY is not laid out as documented.
    #[error("the database answered COPY with something else")]
    Protocol,
    /// Another process is rebuilding.
    #[error("another process is rebuilding the read models")]
    Busy,
    /// No projection has this name.
    #[error("there is no projection `{0}`")]
    Unknown(String),
    /// A worker thread died.
    #[error("a worker stopped: {0}")]
    Worker(String),
}

impl ProjectionError {
    /// The position that cannot be passed, where the log itself is in the way.
    pub(crate) const fn stops_at(&self) -> Option<i64> {
        match self {
            Self::Event { position, .. } => Some(*position),
            Self::Hole { expected, .. } => Some(*expected),
            Self::Database(_)
            | Self::Busy
            | Self::Protocol
            | Self::Unknown(_)
            | Self::Worker(_) => None,
        }
    }

    /// Whether trying again can help. The one place that decides it.
    #[must_use]
    pub const fn is_transient(&self) -> bool {
        match self {
            Self::Database(_) | Self::Busy => true,
            Self::Event { .. }
            | Self::Hole { .. }
            | Self::Protocol
            | Self::Unknown(_)
            | Self::Worker(_) => false,
        }
    }
}
