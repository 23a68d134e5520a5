//! From the errors of the layers below.

use tollgate_domain::{MasterAccountError, PriceBookError};
use tollgate_projections::queries::QueryError;

use super::{ApiError, Text, both};
use crate::identity::password::{PasswordError, PasswordRule};
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

pub(super) fn too_large() -> Text {
    both!("The amount does not fit into the account.", "Такая сумма не помещается на счёт.")
}

pub(super) fn too_long(param: &str) -> Text {
    both!("`{param}` is longer than 200 characters.", "`{param}` длиннее 200 символов.")
}

pub(super) fn reused(id: &str) -> Text {
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
            sqlx::Error::Database(database) if database.code().as_deref() == Some("22021") => {
                let message = both!(
                    "Text must not contain the character U+0000.",
                    "Текст не может содержать символ U+0000."
                );
                Self::InvalidRequest { message, param: None }
            }
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
            E::WrongOldPassword => {
                let message = both!("The old password is wrong.", "Старый пароль неверен.");
                Self::invalid("old_password", message)
            }
            E::NotVerified => Self::EmailNotVerified,
            E::TooOften(retry_after) => Self::RateLimited { retry_after },
            E::RegistrationClosed => Self::RegistrationClosed,
            E::InvalidInvitation => {
                let message = both!(
                    "You need an invitation that was not used before and is for this address.",
                    "Нужно приглашение для этого адреса, которое ещё не использовано."
                );
                Self::invalid("invitation", message)
            }
            E::InvalidLink => {
                let message = both!(
                    "This link was used, is too old or was not made here: ask for a new one.",
                    "Эта ссылка использована, устарела или создана не здесь: запросите новую."
                );
                Self::invalid("token", message)
            }
            E::InvalidRefreshToken => Self::InvalidRefreshToken,
            E::Erased => Self::SessionEnded,
            E::Hashing(PasswordError::Busy) => Self::Overloaded,
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
        PasswordRule::Common => both!(
            "The password is one of those that are tried first: choose another one.",
            "Такие пароли подбирают первыми: выберите другой."
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
            QueryError::Event(error) => Self::internal(error.to_string()),
            QueryError::Database(error) => error.into(),
        }
    }
}
