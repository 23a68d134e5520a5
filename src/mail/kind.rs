//! What a mail is about, for whom, and where it is on its way.

use std::str::FromStr;

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tollgate_domain::ids::{InvitationId, LinkId, MailId, UserId};

use super::Language;

/// What a mail is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A link that sets a new password.
    PasswordReset,
    /// A link that proves that mail arrives.
    EmailVerification,
    /// Somebody tried to register with an address that is registered.
    AddressTaken,
    /// The password is another one now.
    PasswordChanged,
    /// The balance fell below what its owner wants to be told of.
    LowBalance,
    /// A link that lets somebody register.
    Invitation,
}

impl Kind {
    pub(super) const ALL: [Self; 6] = [
        Self::PasswordReset,
        Self::EmailVerification,
        Self::AddressTaken,
        Self::PasswordChanged,
        Self::LowBalance,
        Self::Invitation,
    ];

    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::EmailVerification => "email_verification",
            Self::AddressTaken => "address_taken",
            Self::PasswordChanged => "password_changed",
            Self::LowBalance => "low_balance",
            Self::Invitation => "invitation",
        }
    }

    /// Mails of this kind to one person within an hour, where strangers can ask for them.
    pub(super) const fn most_per_hour(self) -> i64 {
        match self {
            Self::PasswordReset | Self::EmailVerification => 3,
            Self::AddressTaken => 1,
            Self::PasswordChanged | Self::LowBalance | Self::Invitation => i64::MAX,
        }
    }
}

/// A word that nobody of us wrote.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not known here; it was written by a newer version of Tollgate")]
pub struct UnknownWord(String);

impl FromStr for Kind {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let kind = Self::ALL.into_iter().find(|kind| kind.as_str() == text);
        kind.ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// Where a mail is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// It waits for the next attempt, or for the operator.
    Queued,
    /// A mail server has taken it.
    Sent,
    /// It was given up.
    Failed,
}

impl State {
    /// As it is stored and shown.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Queued => "queued",
            Self::Sent => "sent",
            Self::Failed => "failed",
        }
    }
}

impl FromStr for State {
    type Err = UnknownWord;

    fn from_str(text: &str) -> Result<Self, UnknownWord> {
        let state =
            [Self::Queued, Self::Sent, Self::Failed].into_iter().find(|s| s.as_str() == text);
        state.ok_or_else(|| UnknownWord(text.to_owned()))
    }
}

/// Whom a mail is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Recipient {
    /// A person who is registered.
    User(UserId),
    /// The address of an invitation.
    Invited(InvitationId),
}

/// Figures that a mail shows.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct Details {
    /// Of [`Kind::LowBalance`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub balance_usd: Option<Decimal>,
    /// Of [`Kind::LowBalance`].
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alert_usd: Option<Decimal>,
    /// Of [`Kind::Invitation`], whose reader has no settings yet.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub language: Option<String>,
}

/// A mail to be written.
#[derive(Debug, Clone)]
pub struct NewMail {
    /// What about.
    pub kind: Kind,
    /// For whom.
    pub to: Recipient,
    /// The link in it.
    pub link: Option<LinkId>,
    /// The figures in it.
    pub details: Details,
}

impl NewMail {
    /// A mail without figures.
    #[must_use]
    pub fn new(kind: Kind, to: Recipient, link: Option<LinkId>) -> Self {
        Self { kind, to, link, details: Details::default() }
    }
}

/// A mail with what its text is made of.
#[derive(Clone)]
pub struct Queued {
    /// The mail.
    pub id: MailId,
    /// What about.
    pub kind: Kind,
    /// The address.
    pub email: String,
    /// How to address the reader; may be empty.
    pub name: String,
    /// In which language.
    pub language: Language,
    /// The link in it.
    pub link: Option<LinkId>,
    /// Whose link is in it.
    pub invitation: Option<InvitationId>,
    /// The figures in it.
    pub details: Details,
    /// Where it is.
    pub state: State,
}

/// A mail as operators see it in lists: without its text.
#[derive(Debug, Clone)]
pub struct ListedMail {
    /// The mail.
    pub id: MailId,
    /// What about.
    pub kind: Kind,
    /// For whom, if registered.
    pub user: Option<UserId>,
    /// For whom, if invited.
    pub invitation: Option<InvitationId>,
    /// Where it is.
    pub state: State,
    /// How often it was tried.
    pub attempts: i32,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// When it was sent or given up.
    pub ended_at: Option<DateTime<Utc>>,
    /// Why the newest attempt failed.
    pub last_error: Option<String>,
}
