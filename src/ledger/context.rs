//! Who commands, and when.

use std::fmt;
use std::time::{SystemTime, UNIX_EPOCH};

use tollgate_domain::Timestamp;
use tollgate_domain::ids::{KeyId, RequestId, UserId};
use tollgate_domain::metadata::Metadata;

/// The clock of this process.
#[must_use]
pub fn now() -> Timestamp {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Timestamp(i64::try_from(since.as_micros()).unwrap_or(i64::MAX))
}

/// Who caused a command.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Actor {
    /// An API key.
    Key(KeyId),
    /// A person.
    User(UserId),
    /// A part of Tollgate itself.
    System(&'static str),
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(key) => key.fmt(f),
            Self::User(user) => user.fmt(f),
            Self::System(part) => write!(f, "system:{part}"),
        }
    }
}

/// What the metadata of a command's events will say.
#[derive(Debug, Clone)]
pub struct CommandContext {
    /// Who.
    pub actor: Actor,
    /// The request that it belongs to.
    pub request: Option<RequestId>,
    /// The event or command that led to it.
    pub causation: Option<String>,
}

impl CommandContext {
    /// A command without a request behind it.
    #[must_use]
    pub const fn by(actor: Actor) -> Self {
        Self { actor, request: None, causation: None }
    }

    /// A command of a request.
    #[must_use]
    pub const fn request(actor: Actor, request: RequestId) -> Self {
        Self { actor, request: Some(request), causation: None }
    }

    pub(super) fn metadata(&self, node: &str) -> Metadata {
        Metadata {
            actor: self.actor.to_string(),
            request_id: self.request.map(|id| id.to_string()),
            causation: self.causation.clone(),
            node: node.to_owned(),
        }
    }
}
