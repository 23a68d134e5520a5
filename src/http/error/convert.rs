//! From the errors of the layers below.

use tollgate_domain::{AccountError, MasterAccountError, PriceBookError};
use tollgate_projections::queries::QueryError;

use super::{ApiError, Text, both};
use crate::identity::password::PasswordRule;
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
        match error {
            E::NotOpen => Self::NotFound { what: both!("account", "счёт") },
            E::AlreadyOpen(account) => {
                let message = both!("{account} is open already.", "{account} уже открыт.");
                Self::Conflict { code: "account_exists", message }
            }
            E::AmountNotPositive => {
                let message =
                    both!("The amount must be above zero.", "Сумма должна быть больше нуля.");
                Self::invalid("amount_usd", message)
            }
            E::AmountTooLarge => Self::invalid("amount_usd", too_large()),
            E::TextTooLong(param) => Self::invalid(param, too_long(param)),
            E::IdReused(id) => Self::Conflict { code: "id_reused", message: reused(&id) },
            E::ReservationExistsWithDifferentAmount(_)
            | E::AlreadySettled(_)
            | E::AlreadyReleased(_)
            | E::AlreadyExpired(_)
            | E::ReservationNotFound(_)
            | E::ReservationTooOld(_)
            | E::NotYetExpired { .. } => reservation(&error),
            E::Suspended => Self::AccountSuspended,
            E::NotSuspended => {
                let message = both!("The account is active.", "Счёт не заблокирован.");
                Self::Conflict { code: "not_suspended", message }
            }
            // The row that led here was written before its event: the key was never issued.
            E::KeyNotFound(_) => Self::InvalidApiKey,
            E::KeyRevoked(_) => Self::KeyRevoked,
            E::KeyExpired(_) => Self::KeyExpired,
            E::TooManyKeys(most) => {
                let message = both!(
                    "An account has at most {most} keys that are not revoked.",
                    "У счёта может быть не больше {most} неотозванных ключей."
                );
                Self::Conflict { code: "too_many_keys", message }
            }
            E::KeyLimitExceeded { required, left, period } => {
                Self::KeyLimitExceeded { required, left, period }
            }
            E::SpendLimitExceeded { required, left, period } => {
                Self::SpendLimitExceeded { required, left, period }
            }
            E::TooManyEntries(param) => {
                let message = both!(
                    "`{param}` can have at most 100 entries.",
                    "В `{param}` может быть не больше 100 записей."
                );
                Self::invalid(param, message)
            }
            E::OwnLimitTooHigh(most) => {
                let message = both!(
                    "Your own limit can be at most ${most}, which the operator allows.",
                    "Ваш собственный лимит может быть не больше ${most}: столько разрешил оператор."
                );
                Self::Conflict { code: "own_limit_too_high", message }
            }
            E::InsufficientFunds { required, available } => Self::InsufficientFunds {
                required,
                available,
                requested_tokens: None,
                affordable_tokens: None,
            },
            E::GrantNotFound(_) => Self::NotFound { what: both!("grant", "подарок") },
            E::GrantNotExpired(grant) => {
                let message = both!("{grant} has not expired.", "Срок {grant} ещё не истёк.");
                Self::Conflict { code: "grant_not_expired", message }
            }
            E::TopUpNotFound => Self::NotFound { what: both!("top-up", "пополнение") },
            E::RefundTooLarge(left) => {
                let message = both!(
                    "Only ${left} of this top-up can still be refunded.",
                    "Из этого пополнения можно вернуть ещё не больше ${left}."
                );
                Self::invalid("amount_usd", message)
            }
        }
    }
}

/// Reservations are the gateway's own: a customer meets this only through a fault of ours.
fn reservation(error: &AccountError) -> ApiError {
    let message = both!("{error}", "Конфликт резервирования: {error}");
    ApiError::Conflict { code: "reservation_conflict", message }
}

fn too_large() -> Text {
    both!("The amount does not fit into the account.", "Такая сумма не помещается на счёт.")
}

fn too_long(param: &str) -> Text {
    both!("`{param}` is longer than 200 characters.", "`{param}` длиннее 200 символов.")
}

fn reused(id: &str) -> Text {
    both!(
        "{id} was used before with different content.",
        "{id} уже использован с другим содержимым."
    )
}

impl From<MasterAccountError> for ApiError {
    fn from(error: MasterAccountError) -> Self {
        use MasterAccountError as E;
        match error {
            E::NotRegistered => {
                Self::NotFound { what: both!("master account", "основной счёт") }
            }
            E::AlreadyRegistered(master) => {
                let message =
                    both!("{master} is registered already.", "{master} уже зарегистрирован.");
                Self::Conflict { code: "master_account_exists", message }
            }
            E::InvalidPurchase => {
                let message = both!(
                    "Credits must be above zero; what was paid and the fee must not be negative.",
                    "Кредиты должны быть больше нуля, оплата и комиссия не могут быть отрицательными."
                );
                Self::invalid("credits_usd", message)
            }
            E::EmptyAdjustment => {
                let message = both!(
                    "The adjustment must not be zero.",
                    "Корректировка не может быть нулевой."
                );
                Self::invalid("credits_usd", message)
            }
            E::AmountTooLarge => Self::invalid("credits_usd", too_large()),
            E::TextTooLong(param) => Self::invalid(param, too_long(param)),
            E::IdReused(id) => Self::Conflict { code: "id_reused", message: reused(&id) },
            E::KeyVersionNotNewer(version) => {
                let message = both!(
                    "The key is at version {version} already.",
                    "У ключа уже версия {version}."
                );
                Self::Conflict { code: "key_version", message }
            }
        }
    }
}

impl From<PriceBookError> for ApiError {
    fn from(error: PriceBookError) -> Self {
        use PriceBookError as E;
        match error {
            E::EmptyList => {
                let message = both!(
                    "A price list without models is refused.",
                    "Прайс-лист без моделей не принимается."
                );
                Self::invalid("models", message)
            }
            E::RatioOutOfRange => {
                let message = both!(
                    "A sale ratio must be above zero and at most 100.",
                    "Коэффициент продажи должен быть больше нуля и не больше 100."
                );
                Self::invalid("default_sale_ratio", message)
            }
            E::DefaultNeeded => {
                let message = both!(
                    "The default sale ratio cannot be removed.",
                    "Коэффициент продажи по умолчанию нельзя удалить."
                );
                Self::invalid("default_sale_ratio", message)
            }
            E::InvalidText(param) => {
                let message = both!(
                    "`{param}` must have 1 to 200 characters.",
                    "`{param}` должен содержать от 1 до 200 символов."
                );
                Self::invalid(param, message)
            }
            E::NegativeLimit => {
                let message = both!(
                    "A spending limit is not negative.",
                    "Лимит расходов не может быть отрицательным."
                );
                Self::invalid("limits", message)
            }
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
            E::Password(rule) => Self::invalid("password", password(rule)),
            E::EmailTaken => {
                let message = both!(
                    "This e-mail address is registered already.",
                    "Этот адрес электронной почты уже зарегистрирован."
                );
                Self::Conflict { code: "email_taken", message }
            }
            E::WrongPassword => Self::WrongPassword,
            E::InvalidRefreshToken => Self::InvalidRefreshToken,
            E::Hashing(_) => Self::internal(error),
            E::Account(error) => error.into(),
            E::Sql(error) => error.into(),
        }
    }
}

fn password(rule: PasswordRule) -> Text {
    match rule {
        PasswordRule::TooShort => both!(
            "The password is too short: use at least 10 characters.",
            "Пароль слишком короткий: нужно не меньше 10 символов."
        ),
        PasswordRule::TooLong => both!(
            "The password is too long: use at most 128 characters.",
            "Пароль слишком длинный: можно не больше 128 символов."
        ),
        PasswordRule::SameAsEmail => both!(
            "The password must not be the e-mail address.",
            "Пароль не должен совпадать с адресом электронной почты."
        ),
    }
}

impl From<UpstreamKeyError> for ApiError {
    fn from(error: UpstreamKeyError) -> Self {
        match error {
            UpstreamKeyError::Seal(_) | UpstreamKeyError::Reseal { .. } => Self::internal(error),
            UpstreamKeyError::Sql(error) => error.into(),
        }
    }
}

impl From<QueryError> for ApiError {
    fn from(error: QueryError) -> Self {
        match error {
            QueryError::InvalidCursor => {
                let message = both!(
                    "Use the next_cursor of an earlier page.",
                    "Используйте next_cursor предыдущей страницы."
                );
                Self::invalid("cursor", message)
            }
            QueryError::InvalidLimit => {
                let message = both!("Use a limit from 1 to 200.", "Укажите limit от 1 до 200.");
                Self::invalid("limit", message)
            }
            QueryError::Database(error) => error.into(),
        }
    }
}
