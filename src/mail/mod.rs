//! Mail to people: what is to be sent, its words in two languages, and the way out.
//!
//! - [`Outbox`] is the table of mails. A mail is ids and nothing else until it is sent.
//! - [`Letters`] makes the text, with the link that its reader opens.
//! - [`Mailer`] is the port; [`Smtp`] is behind it where `SMTP_URL` is set. Without one, mails wait
//!   in the outbox for the operator.

mod kind;
mod letters;
mod outbox;
mod smtp;
mod words;

use std::str::FromStr;

use futures_util::future::BoxFuture;

pub use kind::{Details, Kind, ListedMail, NewMail, Queued, Recipient, State};
pub use letters::{Letters, Page};
pub use outbox::Outbox;
pub use smtp::Smtp;

/// The languages of mails.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Language {
    /// Unless somebody wants another one.
    #[default]
    English,
    /// Русский.
    Russian,
}

impl Language {
    /// As it is stored.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Russian => "ru",
        }
    }
}

/// A word that names no language of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a language of ours: use en or ru")]
pub struct UnknownLanguage(pub String);

impl FromStr for Language {
    type Err = UnknownLanguage;

    fn from_str(text: &str) -> Result<Self, UnknownLanguage> {
        [Self::English, Self::Russian]
            .into_iter()
            .find(|language| language.as_str() == text)
            .ok_or_else(|| UnknownLanguage(text.to_owned()))
    }
}

/// A mail as it is sent.
#[derive(Clone)]
pub struct Mail {
    /// The same for every attempt, so that a receiver can tell a repetition.
    pub id: String,
    /// The address.
    pub to: String,
    /// One line.
    pub subject: String,
    /// Plain text.
    pub text: String,
}

impl std::fmt::Debug for Mail {
    /// Written by hand: the text holds a secret, and addresses don't belong into logs.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "Mail({})", self.id)
    }
}

/// Why a mail was not sent. Its text names no person, so that it can be kept and logged.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MailError {
    /// Another attempt may succeed.
    #[error("{0}")]
    Later(String),
    /// It will never be taken.
    #[error("{0}")]
    Never(String),
}

/// A way out for mail.
pub trait Mailer: Send + Sync {
    /// Hands a mail over to whoever delivers it.
    fn send<'a>(&'a self, mail: &'a Mail) -> BoxFuture<'a, Result<(), MailError>>;
}
