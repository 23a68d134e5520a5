//! The audit trail: what was done to people, by whom.
//!
//! People are no part of the ledger, so that they can be erased; what happens to them is written
//! here instead, append-only and with ids only. An entry is written in the transaction of the
//! change, so neither is there without the other.

use chrono::{DateTime, Utc};
use serde::Serialize;
use serde_json::{Map, Value};
use sqlx::types::Json;
use sqlx::{PgExecutor, PgPool, Row as _};

use super::Role;
use crate::ledger::CommandContext;

/// What was done.
#[derive(Debug, Clone, Copy, Serialize)]
#[serde(tag = "action", rename_all = "snake_case")]
pub enum Action {
    /// Somebody may do something else now. The subject is the user.
    RoleChanged {
        /// What they could do before.
        from: Role,
        /// What they can do now.
        to: Role,
    },
    /// A user was erased. The subject is the user.
    PersonErased,
    /// By its owner, who knew the old one. The subject is the user.
    PasswordChanged,
    /// By whoever had the link. The subject is the user.
    PasswordReset,
    /// An operator got a link that resets a password. The subject is the user.
    ResetLinkMade,
    /// The address is its owner's. The subject is the user.
    EmailVerified,
    /// An operator ended a user's sessions. The subject is the user.
    SessionsEnded {
        /// How many.
        sessions: usize,
    },
    /// The subject is the invitation.
    InvitationMade,
    /// The subject is the invitation.
    InvitationRevoked,
    /// The actor is who registered with it, the subject the invitation.
    InvitationUsed,
    /// An operator read a mail that waits, with its link. The subject is the mail.
    MailRead,
}

/// An entry as it stands there.
#[derive(Debug, Clone)]
pub struct Entry {
    /// Its number.
    pub entry: i64,
    /// When.
    pub recorded_at: DateTime<Utc>,
    /// Who.
    pub actor: String,
    /// What.
    pub action: String,
    /// To whom or what.
    pub subject: String,
    /// With which request.
    pub request_id: Option<String>,
    /// More about it.
    pub details: Map<String, Value>,
}

/// Writes an entry down.
pub async fn record(
    executor: impl PgExecutor<'_>,
    context: &CommandContext,
    action: Action,
    subject: &(dyn std::fmt::Display + Sync),
) -> Result<(), sqlx::Error> {
    let mut details = match serde_json::to_value(action) {
        Ok(Value::Object(details)) => details,
        Ok(_) | Err(_) => Map::new(),
    };
    let word = details.remove("action").and_then(|word| word.as_str().map(str::to_owned));
    sqlx::query(
        "INSERT INTO audit_trail (actor, action, subject, request_id, details)
         VALUES ($1, $2, $3, $4, $5::json)",
    )
    .bind(context.actor.to_string())
    .bind(word.unwrap_or_default())
    .bind(subject.to_string())
    .bind(context.request.map(|request| request.to_string()))
    .bind(Value::Object(details).to_string())
    .execute(executor)
    .await?;
    Ok(())
}

/// Entries, the newest first; those before `before`, and about `subject` where one is given.
pub async fn page(
    pool: &PgPool,
    subject: Option<&str>,
    before: Option<i64>,
    limit: i64,
) -> Result<Vec<Entry>, sqlx::Error> {
    let rows = sqlx::query(
        "SELECT entry, recorded_at, actor, action, subject, request_id, details FROM audit_trail
         WHERE ($1::text IS NULL OR subject = $1) AND ($2::bigint IS NULL OR entry < $2)
         ORDER BY entry DESC LIMIT $3",
    )
    .bind(subject)
    .bind(before)
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(Entry {
                entry: row.try_get("entry")?,
                recorded_at: row.try_get("recorded_at")?,
                actor: row.try_get("actor")?,
                action: row.try_get("action")?,
                subject: row.try_get("subject")?,
                request_id: row.try_get("request_id")?,
                details: row.try_get::<Json<_>, _>("details")?.0,
            })
        })
        .collect()
}
