//! Leave to register.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::postgres::PgRow;
use sqlx::{PgConnection, PgPool, Row as _};
use tollgate_domain::ids::{InvitationId, UserId};
use uuid::Uuid;

use super::signer::{Signer, TokenUse};
use crate::database::rows::{maybe, parsed};

/// An invitation as operators see it.
#[derive(Debug, Clone)]
pub struct Invitation {
    /// The invitation.
    pub id: InvitationId,
    /// The only address that may use it; gone after its end.
    pub email: Option<String>,
    /// The operator who made it: a user's id or a part of the system.
    pub created_by: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Until then it can be used.
    pub expires_at: DateTime<Utc>,
    /// When it was used.
    pub used_at: Option<DateTime<Utc>>,
    /// Who has registered with it.
    pub used_by: Option<UserId>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

const COLUMNS: &str = "invitation_id, email, created_by, created_at, expires_at, used_at, used_by,
    revoked_at";
/// It can be used.
const OPEN: &str = "used_at IS NULL AND revoked_at IS NULL AND expires_at > now()";

/// The invitation that a presented token belongs to, if we signed it.
#[must_use]
pub fn read(signer: &Signer, token: &str) -> Option<InvitationId> {
    let bytes: [u8; 16] = signer.read(TokenUse::Invitation, token)?;
    Some(InvitationId::from_uuid(Uuid::from_bytes(bytes)))
}

/// Makes one, for one address or for whoever has it.
pub async fn make(
    connection: &mut PgConnection,
    email: Option<&str>,
    created_by: &str,
    lasts: TimeDelta,
) -> Result<Invitation, sqlx::Error> {
    let row = sqlx::query(&format!(
        "INSERT INTO invitations (invitation_id, email, created_by, expires_at)
         VALUES ($1, $2, $3, now() + make_interval(secs => $4)) RETURNING {COLUMNS}"
    ))
    .bind(InvitationId::from_uuid(Uuid::now_v7()).to_string())
    .bind(email)
    .bind(created_by)
    .bind(lasts.as_seconds_f64())
    .fetch_one(connection)
    .await?;
    invitation(&row)
}

/// Whether it can be used by whoever has this address.
pub async fn admits(pool: &PgPool, id: InvitationId, email: &str) -> Result<bool, sqlx::Error> {
    sqlx::query_scalar(&format!(
        "SELECT EXISTS (SELECT FROM invitations WHERE invitation_id = $1 AND {OPEN}
                        AND (email IS NULL OR lower(email) = lower($2)))"
    ))
    .bind(id.to_string())
    .bind(email)
    .fetch_one(pool)
    .await
}

/// Uses it up; of two who come at once one gets `false`.
pub async fn use_up(
    connection: &mut PgConnection,
    id: InvitationId,
    by: Option<UserId>,
) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(&format!(
        "UPDATE invitations SET used_at = now(), used_by = $2, email = NULL
         WHERE invitation_id = $1 AND {OPEN}"
    ))
    .bind(id.to_string())
    .bind(by.map(|user| user.to_string()))
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Revokes it; `false` if it can't be used anyway.
pub async fn revoke(connection: &mut PgConnection, id: InvitationId) -> Result<bool, sqlx::Error> {
    let done = sqlx::query(&format!(
        "UPDATE invitations SET revoked_at = now(), email = NULL
         WHERE invitation_id = $1 AND {OPEN}"
    ))
    .bind(id.to_string())
    .execute(connection)
    .await?;
    Ok(done.rows_affected() == 1)
}

/// Invitations, the newest first; those older than `before`.
pub async fn page(
    pool: &PgPool,
    before: Option<InvitationId>,
    limit: i64,
) -> Result<Vec<Invitation>, sqlx::Error> {
    let rows = sqlx::query(&format!(
        "SELECT {COLUMNS} FROM invitations WHERE $1::text IS NULL OR invitation_id < $1
         ORDER BY invitation_id DESC LIMIT $2"
    ))
    .bind(before.map(|id| id.to_string()))
    .bind(limit)
    .fetch_all(pool)
    .await?;
    rows.iter().map(invitation).collect()
}

/// Forgets the addresses of invitations that can't be used any more.
pub async fn sweep(pool: &PgPool) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE invitations SET email = NULL WHERE email IS NOT NULL AND expires_at < now()",
    )
    .execute(pool)
    .await?;
    Ok(())
}

fn invitation(row: &PgRow) -> Result<Invitation, sqlx::Error> {
    Ok(Invitation {
        id: parsed(row, "invitation_id")?,
        email: row.try_get("email")?,
        created_by: row.try_get("created_by")?,
        created_at: row.try_get("created_at")?,
        expires_at: row.try_get("expires_at")?,
        used_at: row.try_get("used_at")?,
        used_by: maybe(row, "used_by")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}
