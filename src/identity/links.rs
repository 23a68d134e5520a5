//! Links that are mailed to people: what each is for, until when, and that it works once.
//!
//! The token of a link is its id signed with `SECRET_KEY`; this table opens nothing.

use chrono::TimeDelta;
use sqlx::{PgConnection, PgPool};
use tollgate_domain::ids::{LinkId, UserId};
use uuid::Uuid;

use super::signer::{Signer, TokenUse};
use crate::database::rows::maybe;

/// What a link does.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Sets a new password.
    PasswordReset,
    /// Proves that mail to the address arrives.
    EmailVerification,
}

impl Purpose {
    const fn as_str(self) -> &'static str {
        match self {
            Self::PasswordReset => "password_reset",
            Self::EmailVerification => "email_verification",
        }
    }

    /// How its token is signed.
    #[must_use]
    pub const fn token_use(self) -> TokenUse {
        match self {
            Self::PasswordReset => TokenUse::PasswordReset,
            Self::EmailVerification => TokenUse::EmailVerification,
        }
    }

    /// How long it works.
    #[must_use]
    pub const fn lasts(self) -> TimeDelta {
        match self {
            Self::PasswordReset => TimeDelta::hours(1),
            Self::EmailVerification => TimeDelta::days(3),
        }
    }
}

/// The link that a presented token belongs to, if we signed it.
#[must_use]
pub fn read(signer: &Signer, purpose: Purpose, token: &str) -> Option<LinkId> {
    let bytes: [u8; 16] = signer.read(purpose.token_use(), token)?;
    Some(LinkId::from_uuid(Uuid::from_bytes(bytes)))
}

/// A new link for `user`.
pub async fn make(
    connection: &mut PgConnection,
    user: UserId,
    purpose: Purpose,
) -> Result<LinkId, sqlx::Error> {
    let link = LinkId::from_uuid(Uuid::now_v7());
    sqlx::query(
        "INSERT INTO one_time_links (link_id, user_id, purpose, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(secs => $4))",
    )
    .bind(link.to_string())
    .bind(user.to_string())
    .bind(purpose.as_str())
    .bind(purpose.lasts().as_seconds_f64())
    .execute(connection)
    .await?;
    Ok(link)
}

/// Whose link it is, if it still works.
pub async fn holder(
    pool: &PgPool,
    link: LinkId,
    purpose: Purpose,
) -> Result<Option<UserId>, sqlx::Error> {
    let row = sqlx::query(
        "SELECT user_id FROM one_time_links
         WHERE link_id = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now()",
    )
    .bind(link.to_string())
    .bind(purpose.as_str())
    .fetch_optional(pool)
    .await?;
    row.map_or(Ok(None), |row| maybe(&row, "user_id"))
}

/// Uses a link up, and with it all others of the same person and purpose. Of two who come at once
/// one gets `None`.
pub async fn use_up(
    connection: &mut PgConnection,
    link: LinkId,
    purpose: Purpose,
) -> Result<Option<UserId>, sqlx::Error> {
    let row = sqlx::query(
        "UPDATE one_time_links SET used_at = now()
         WHERE link_id = $1 AND purpose = $2 AND used_at IS NULL AND expires_at > now()
         RETURNING user_id",
    )
    .bind(link.to_string())
    .bind(purpose.as_str())
    .fetch_optional(&mut *connection)
    .await?;
    let user: Option<UserId> = row.map_or(Ok(None), |row| maybe(&row, "user_id"))?;
    if let Some(user) = user {
        withdraw(connection, user, purpose).await?;
    }
    Ok(user)
}

/// No link of this purpose works for `user` any more.
pub async fn withdraw(
    connection: &mut PgConnection,
    user: UserId,
    purpose: Purpose,
) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE one_time_links SET used_at = now()
         WHERE user_id = $1 AND purpose = $2 AND used_at IS NULL",
    )
    .bind(user.to_string())
    .bind(purpose.as_str())
    .execute(connection)
    .await?;
    Ok(())
}

/// Removes links that could not be used for long. Mails that hold them go along.
pub async fn sweep(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query("DELETE FROM one_time_links WHERE expires_at < now() - interval '30 days'")
        .execute(pool)
        .await?;
    Ok(())
}
