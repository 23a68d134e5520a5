//! The table of signed-in sessions, and a short memory of which still live.

use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use sqlx::{PgPool, Row as _};
use tollgate_domain::ids::{SessionId, UserId};
use uuid::Uuid;

use super::RefreshToken;
use super::tokens::REFRESH_TTL;
use super::users::parsed;

/// How long an answer about a session is believed: another node may have ended it.
const BELIEVED: Duration = Duration::from_secs(1);
/// A client that lost the answer to its refresh comes again with the old token at once. That is
/// refused, but is no reason to end the session; what comes later is.
const LOST_ANSWER: TimeDelta = TimeDelta::seconds(10);

/// Reads and writes sessions.
#[derive(Debug, Clone)]
pub struct SessionStore {
    pool: PgPool,
    live: Cache<SessionId, bool>,
}

/// A session whose refresh token was exchanged.
#[derive(Debug, Clone, Copy)]
pub struct Rotated {
    /// The session.
    pub session: SessionId,
    /// Whose it is.
    pub user: UserId,
}

impl SessionStore {
    /// Over this database.
    pub fn new(pool: PgPool) -> Self {
        let live = Cache::builder().max_capacity(100_000).time_to_live(BELIEVED).build();
        Self { pool, live }
    }

    /// A new session of `user`, opened again by `refresh`.
    pub async fn open(
        &self,
        user: UserId,
        refresh: &RefreshToken,
        now: DateTime<Utc>,
    ) -> Result<SessionId, sqlx::Error> {
        let session = SessionId::from_uuid(Uuid::now_v7());
        sqlx::query(
            "INSERT INTO sessions (session_id, user_id, refresh_hash, created_at, expires_at)
             VALUES ($1, $2, $3, $4, $5)",
        )
        .bind(session.to_string())
        .bind(user.to_string())
        .bind(refresh.hash().as_slice())
        .bind(now)
        .bind(now + REFRESH_TTL)
        .execute(&self.pool)
        .await?;
        Ok(session)
    }

    /// Exchanges a refresh token for the next one; `None` if it is not the session's newest. One
    /// that was used before ends its session, because one of its two holders is a thief.
    pub async fn rotate(
        &self,
        presented: &[u8; 32],
        next: &RefreshToken,
        now: DateTime<Utc>,
    ) -> Result<Option<Rotated>, sqlx::Error> {
        let row = sqlx::query(
            "UPDATE sessions SET refresh_hash = $2, replaced_hash = $1, replaced_at = $3,
                    expires_at = $4
             WHERE refresh_hash = $1 AND revoked_at IS NULL AND expires_at > $3
             RETURNING session_id, user_id",
        )
        .bind(presented.as_slice())
        .bind(next.hash().as_slice())
        .bind(now)
        .bind(now + REFRESH_TTL)
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            self.end_if_reused(presented, now).await?;
            return Ok(None);
        };
        Ok(Some(Rotated { session: parsed(&row, "session_id")?, user: parsed(&row, "user_id")? }))
    }

    async fn end_if_reused(
        &self,
        presented: &[u8; 32],
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        let ended = sqlx::query(
            "UPDATE sessions SET revoked_at = $2
             WHERE replaced_hash = $1 AND replaced_at < $3 AND revoked_at IS NULL
             RETURNING session_id",
        )
        .bind(presented.as_slice())
        .bind(now)
        .bind(now - LOST_ANSWER)
        .fetch_all(&self.pool)
        .await?;
        for row in &ended {
            let session: SessionId = parsed(row, "session_id")?;
            self.live.insert(session, false);
            tracing::warn!(session.id = %session, "a refresh token was used twice; session ended");
        }
        Ok(())
    }

    /// Ends a session: its refresh token at once, its access tokens at once here and within a
    /// second elsewhere.
    pub async fn end(&self, session: SessionId) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE sessions SET revoked_at = now() WHERE session_id = $1 AND revoked_at IS NULL",
        )
        .bind(session.to_string())
        .execute(&self.pool)
        .await?;
        self.live.insert(session, false);
        Ok(())
    }

    /// Whether the session was neither ended nor forgotten.
    pub async fn is_live(&self, session: SessionId) -> Result<bool, sqlx::Error> {
        if let Some(live) = self.live.get(&session) {
            return Ok(live);
        }
        let row = sqlx::query(
            "SELECT revoked_at IS NULL AND expires_at > now() FROM sessions WHERE session_id = $1",
        )
        .bind(session.to_string())
        .fetch_optional(&self.pool)
        .await?;
        let live = row.is_some_and(|row| row.get(0));
        self.live.insert(session, live);
        Ok(live)
    }
}
