//! From an account's refusals.

use tollgate_domain::{AccountError, Money};

use super::convert::{reused, too_large, too_long};
use super::{ApiError, Text, both};

impl From<AccountError> for ApiError {
    fn from(error: AccountError) -> Self {
        use AccountError as E;
        let conflict = |code, message| Self::Conflict { code, message };
        match error {
            E::NotOpen => Self::NotFound { what: both!("account", "счёт") },
            E::AlreadyOpen(id) => {
                conflict("account_exists", both!("{id} is open already.", "{id} уже открыт."))
            }
            E::AmountNotPositive => Self::invalid("amount_usd", not_positive()),
            E::AmountTooLarge => Self::invalid("amount_usd", too_large()),
            E::TextTooLong(param) => Self::invalid(param, too_long(param)),
            E::IdReused(id) => conflict("id_reused", reused(&id)),
            E::ReservationExistsWithDifferentAmount(_)
            | E::AlreadySettled(_)
            | E::AlreadyReleased(_)
            | E::AlreadyExpired(_)
            | E::NothingToCorrect(_)
            | E::AlreadyCorrected(_)
            | E::ReservationNotFound(_)
            | E::ReservationTooOld(_)
            | E::NotYetExpired { .. } => conflict("reservation_conflict", reservation(&error)),
            E::Suspended => Self::AccountSuspended,
            E::NotSuspended => {
                conflict("not_suspended", both!("The account is active.", "Счёт не заблокирован."))
            }
            // The row that led here was written before its event: the key was never issued.
            E::KeyNotFound(_) => Self::InvalidApiKey,
            E::KeyRevoked(_) => Self::KeyRevoked,
            E::KeyExpired(_) => Self::KeyExpired,
            E::TooManyKeys(most) => conflict("too_many_keys", too_many_keys(most)),
            E::KeyLimitExceeded { required, left, period } => {
                Self::KeyLimitExceeded { required, left, period }
            }
            E::SpendLimitExceeded { required, left, period } => {
                Self::SpendLimitExceeded { required, left, period }
            }
            E::TooManyEntries(param) => Self::invalid(param, too_many_entries(param)),
            E::OwnLimitTooHigh(most) => conflict("own_limit_too_high", own_limit(most)),
            E::InsufficientFunds { required, available } => Self::InsufficientFunds {
                required,
                available,
                requested_tokens: None,
                affordable_tokens: None,
            },
            E::GrantNotFound(_) => Self::NotFound { what: both!("grant", "подарок") },
            E::GrantNotExpired(grant) => conflict(
                "grant_not_expired",
                both!("{grant} has not expired.", "Срок {grant} ещё не истёк."),
            ),
            E::TopUpNotFound => Self::NotFound { what: both!("top-up", "пополнение") },
            E::RefundTooLarge(left) => Self::invalid("amount_usd", refund(left)),
        }
    }
}

fn not_positive() -> Text {
    both!("The amount must be above zero.", "Сумма должна быть больше нуля.")
}

/// Reservations are the gateway's own: a customer meets this only through a fault of ours.
fn reservation(error: &AccountError) -> Text {
    both!("{error}", "Конфликт резервирования: {error}")
}

fn too_many_keys(most: usize) -> Text {
    both!(
        "An account has at most {most} keys that are not revoked.",
        "У счёта может быть не больше {most} неотозванных ключей."
    )
}

fn too_many_entries(param: &str) -> Text {
    both!(
        "`{param}` can have at most 100 entries.",
        "В `{param}` может быть не больше 100 записей."
    )
}

fn own_limit(most: Money) -> Text {
    both!(
        "Your own limit can be at most ${most}, which the operator allows.",
        "Ваш собственный лимит может быть не больше ${most}: столько разрешил оператор."
    )
}

fn refund(left: Money) -> Text {
    both!(
        "Only ${left} of this top-up can still be refunded.",
        "Из этого пополнения можно вернуть ещё не больше ${left}."
    )
}
