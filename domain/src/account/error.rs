//! Why an account refuses, in order of precedence.

use crate::ids::{AccountId, GrantId, KeyId, ReservationId};
use crate::money::Money;
use crate::time::{Period, Timestamp};

/// One variant per reason; a refused command changes nothing (INV-6).
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AccountError {
    /// No such account.
    #[error("the account is not open")]
    NotOpen,
    /// The stream already belongs to an account.
    #[error("account {0} is open already")]
    AlreadyOpen(AccountId),
    /// Zero or less where only more makes sense.
    #[error("the amount must be above zero")]
    AmountNotPositive,
    /// A balance that no account will hold.
    #[error("the amount does not fit into the account")]
    AmountTooLarge,
    /// A text member is longer than events may carry.
    #[error("`{0}` is longer than 200 characters")]
    TextTooLong(&'static str),
    /// The same id with other content: a client's bug that must not be papered over.
    #[error("{0} was used before with different content")]
    IdReused(String),
    /// The reservation exists with another amount, key or model.
    #[error("{0} exists with different content")]
    ReservationExistsWithDifferentAmount(ReservationId),
    /// The reservation was charged.
    #[error("{0} was settled already")]
    AlreadySettled(ReservationId),
    /// The reservation was given back.
    #[error("{0} was released already")]
    AlreadyReleased(ReservationId),
    /// The reservation ran out.
    #[error("{0} expired")]
    AlreadyExpired(ReservationId),
    /// No bill is awaited for it: neither estimated nor ended without a charge, or too long ago.
    #[error("no bill is awaited for {0}")]
    NothingToCorrect(ReservationId),
    /// Another bill came for it before.
    #[error("{0} was billed already")]
    AlreadyCorrected(ReservationId),
    /// So old that it may have ended already: make a fresh id.
    #[error("{0} is too old to be reserved")]
    ReservationTooOld(ReservationId),
    /// Never reserved here, or ended long ago.
    #[error("{0} is not open")]
    ReservationNotFound(ReservationId),
    /// It may still be settled by its owner.
    #[error("{reservation} does not expire before {expires_at:?}")]
    NotYetExpired {
        /// Which.
        reservation: ReservationId,
        /// When it may be ended.
        expires_at: Timestamp,
    },
    /// An operator stopped the account.
    #[error("the account is suspended")]
    Suspended,
    /// It is not suspended.
    #[error("the account is active")]
    NotSuspended,
    /// No such key on this account.
    #[error("{0} is not a key of this account")]
    KeyNotFound(KeyId),
    /// The key was revoked.
    #[error("{0} was revoked")]
    KeyRevoked(KeyId),
    /// The key's time is over.
    #[error("{0} expired")]
    KeyExpired(KeyId),
    /// An account may hold this many keys.
    #[error("an account has at most {0} keys that are not revoked")]
    TooManyKeys(usize),
    /// The key's own spending limit.
    #[error("the key's limit leaves {left}, {required} is needed")]
    KeyLimitExceeded {
        /// What the request may cost.
        required: Money,
        /// What the limit leaves in this period.
        left: Money,
        /// The period that it counts in.
        period: Period,
    },
    /// The account's daily or monthly limit.
    #[error("the account's spending limit leaves {left}, {required} is needed")]
    SpendLimitExceeded {
        /// What the request may cost.
        required: Money,
        /// What the limit leaves in this period.
        left: Money,
        /// The day or the month.
        period: Period,
    },
    /// Not enough money.
    #[error("{required} is needed, {available} is available")]
    InsufficientFunds {
        /// What the request may cost.
        required: Money,
        /// What can be reserved.
        available: Money,
    },
    /// A list of a key's limits is longer than what may be looked through for each request.
    #[error("`{0}` has more than 100 entries")]
    TooManyEntries(&'static str),
    /// The owner's own limit, above what the operator allows.
    #[error("your own limit can be at most {0}, which the operator allows")]
    OwnLimitTooHigh(Money),
    /// No such top-up on this account.
    #[error("the top-up does not exist on this account")]
    TopUpNotFound,
    /// No such grant on this account.
    #[error("{0} is not a grant of this account")]
    GrantNotFound(GrantId),
    /// Its time is not over, or it has no end.
    #[error("{0} has not expired")]
    GrantNotExpired(GrantId),
    /// More than what is left of the top-up.
    #[error("only {0} of this top-up can still be refunded")]
    RefundTooLarge(Money),
}
