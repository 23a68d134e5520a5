//! The table of signed-in sessions, and a memory of which still live.
//!
//! Requests are answered from the memory: a session is looked up once per node, and what ends later
//! is learnt by a worker twice a second, as revoked keys are.

use std::net::IpAddr;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
use moka::sync::Cache;
use sqlx::postgres::PgRow;
use sqlx::{PgExecutor, PgPool, Row as _};
use tollgate_domain::ids::{SessionId, UserId};
use uuid::Uuid;

use super::origin::Origin;
use super::refresh::RefreshClaims;
use super::tokens::{ACCESS_TTL, REFRESH_TTL};
use super::users::{User, parsed};

/// How long the token that was just replaced is answered with the same next one: a client that
/// lost the answer, or asked twice at once, is not a thief. Later it ends the session.
const LOST_ANSWER: TimeDelta = TimeDelta::seconds(10);
/// Live sessions of one person; a further one ends the one that was used longest ago.
const MOST: i64 = 100;

/// Reads and writes sessions.
#[derive(Debug, Clone)]
pub struct SessionStore {
    pool: PgPool,
    live: Cache<SessionId, bool>,
}

/// A session as its owner sees it.
#[derive(Debug, Clone)]
pub struct ListedSession {
    /// The session.
    pub id: SessionId,
    /// The sign-in.
    pub created_at: DateTime<Utc>,
    /// The newest refresh.
    pub last_used_at: DateTime<Utc>,
    /// Until then it can be refreshed.
    pub expires_at: DateTime<Utc>,
    /// Of the newest refresh.
    pub user_agent: Option<String>,
    /// Of the newest refresh.
    pub address: Option<String>,
}

/// What comes of a presented refresh token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rotation {
    /// These are the next one's claims.
    Next(RefreshClaims, UserId),
    /// It was replaced too long ago: one of its two holders is a thief, so the session was ended.
    Reused,
    /// The session has ended, expired, or never was.
    Over,
}

impl SessionStore {
    /// Over this database.
    pub fn new(pool: PgPool) -> Self {
        // Nobody asks about a session for longer than its last access token lives.
        let idle = Duration::from_secs(ACCESS_TTL.num_seconds().unsigned_abs());
        let live = Cache::builder().max_capacity(100_000).time_to_idle(idle).build();
        Self { pool, live }
    }

    /// A new session of `user`, and the claims of its first refresh token. `None` if the person has
    /// another password or role by now, or was erased: what was checked before the change must not
    /// outlive it. The lock makes one of both wait for the other.
    pub async fn open(
        &self,
        user: &User,
        origin: &Origin,
    ) -> Result<Option<RefreshClaims>, sqlx::Error> {
        let session = SessionId::from_uuid(Uuid::now_v7());
        let done = sqlx::query(
            "INSERT INTO sessions (session_id, user_id, created_at, last_used_at, expires_at,
                                   user_agent, address)
             SELECT $1, user_id, now(), now(), now() + make_interval(secs => $3), $4, $5
             FROM users WHERE user_id = $2 AND password_hash = $6 AND role = $7 FOR SHARE",
        )
        .bind(session.to_string())
        .bind(user.id.to_string())
        .bind(seconds(REFRESH_TTL))
        .bind(origin.agent())
        .bind(origin.address.map(|address| address.to_string()))
        .bind(&user.password_hash)
        .bind(user.role.as_str())
        .execute(&self.pool)
        .await?;
        if done.rows_affected() == 0 {
            return Ok(None);
        }
        let surplus = sqlx::query(
            "UPDATE sessions SET revoked_at = now() WHERE session_id IN (
                 SELECT session_id FROM sessions
                 WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
                 ORDER BY last_used_at DESC, session_id DESC OFFSET $2)
             RETURNING session_id",
        )
        .bind(user.id.to_string())
        .bind(MOST);
        self.note_ended(surplus.fetch_all(&self.pool).await?)?;
        Ok(Some(RefreshClaims { session, generation: 0 }))
    }

    /// Exchanges a refresh token.
    pub async fn rotate(
        &self,
        presented: RefreshClaims,
        origin: &Origin,
    ) -> Result<Rotation, sqlx::Error> {
        let row = sqlx::query(
            "UPDATE sessions
             SET generation = generation + 1, replaced_at = now(), last_used_at = now(),
                 expires_at = now() + make_interval(secs => $3), user_agent = $4, address = $5
             WHERE session_id = $1 AND generation = $2
               AND revoked_at IS NULL AND expires_at > now()
             RETURNING user_id, generation",
        )
        .bind(presented.session.to_string())
        .bind(presented.generation)
        .bind(seconds(REFRESH_TTL))
        .bind(origin.agent())
        .bind(origin.address.map(|address| address.to_string()))
        .fetch_optional(&self.pool)
        .await?;
        match row {
            Some(row) => next(&row, presented.session),
            None => self.replaced(presented).await,
        }
    }

    /// The token is not the newest of a living session: why?
    async fn replaced(&self, presented: RefreshClaims) -> Result<Rotation, sqlx::Error> {
        let again = sqlx::query(
            "SELECT user_id, generation FROM sessions
             WHERE session_id = $1 AND generation = $2 + 1
               AND replaced_at > now() - make_interval(secs => $3)
               AND revoked_at IS NULL AND expires_at > now()",
        )
        .bind(presented.session.to_string())
        .bind(presented.generation)
        .bind(seconds(LOST_ANSWER))
        .fetch_optional(&self.pool)
        .await?;
        if let Some(row) = again {
            return next(&row, presented.session);
        }
        // A number above ours would be a token that we signed before a backup was restored.
        let reused = sqlx::query(
            "UPDATE sessions SET revoked_at = now()
             WHERE session_id = $1 AND generation <> $2 AND revoked_at IS NULL
             RETURNING session_id",
        )
        .bind(presented.session.to_string())
        .bind(presented.generation)
        .fetch_all(&self.pool)
        .await?;
        if reused.is_empty() {
            return Ok(Rotation::Over);
        }
        self.note_ended(reused)?;
        tracing::warn!(session.id = %presented.session, "a refresh token came twice; session ended");
        Ok(Rotation::Reused)
    }

    /// A person's living sessions, the one used last first.
    pub async fn list(&self, user: UserId) -> Result<Vec<ListedSession>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT session_id, created_at, last_used_at, expires_at, user_agent, address
             FROM sessions WHERE user_id = $1 AND revoked_at IS NULL AND expires_at > now()
             ORDER BY last_used_at DESC, session_id DESC LIMIT $2",
        )
        .bind(user.to_string())
        .bind(MOST)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(listed).collect()
    }

    /// Ends one session of `user`: its refresh token at once, its access tokens at once here and
    /// within a second elsewhere. Says whether there was one that lived.
    pub async fn end(&self, user: UserId, session: SessionId) -> Result<bool, sqlx::Error> {
        let ended = sqlx::query(
            "UPDATE sessions SET revoked_at = now()
             WHERE session_id = $1 AND user_id = $2 AND revoked_at IS NULL AND expires_at > now()
             RETURNING session_id",
        )
        .bind(session.to_string())
        .bind(user.to_string());
        Ok(self.note_ended(ended.fetch_all(&self.pool).await?)? > 0)
    }

    /// Ends all sessions of `user` but `spared`, as part of a transaction: pass what it returns to
    /// [`SessionStore::forget`] after the commit.
    pub async fn end_all(
        executor: impl PgExecutor<'_>,
        user: UserId,
        spared: Option<SessionId>,
    ) -> Result<Vec<SessionId>, sqlx::Error> {
        let ended = sqlx::query(
            "UPDATE sessions SET revoked_at = now()
             WHERE user_id = $1 AND revoked_at IS NULL AND session_id IS DISTINCT FROM $2
             RETURNING session_id",
        )
        .bind(user.to_string())
        .bind(spared.map(|session| session.to_string()))
        .fetch_all(executor)
        .await?;
        ended.iter().map(|row| parsed(row, "session_id")).collect()
    }

    /// [`SessionStore::end_all`] by itself; says how many lived.
    pub async fn end_others(
        &self,
        user: UserId,
        spared: Option<SessionId>,
    ) -> Result<usize, sqlx::Error> {
        let ended = Self::end_all(&self.pool, user, spared).await?;
        self.forget(&ended);
        Ok(ended.len())
    }

    /// These were ended: their access tokens are refused from now on.
    pub fn forget(&self, ended: &[SessionId]) {
        for session in ended {
            self.live.insert(*session, false);
        }
    }

    /// Whether the person with this e-mail address has signed in from this address lately, or of
    /// IPv6 from its network: a stranger cannot have made it so. Asks the same of the database
    /// where nobody has the address.
    pub async fn knows(&self, email: &str, address: IpAddr) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM sessions JOIN users USING (user_id)
                            WHERE lower(email) = lower($1) AND address::inet <<= $2::inet)",
        )
        .bind(email)
        .bind(match address {
            IpAddr::V4(v4) => v4.to_string(),
            IpAddr::V6(v6) => format!("{v6}/64"),
        })
        .fetch_one(&self.pool)
        .await
    }

    /// Whether the sign-in was so short a time ago.
    pub async fn is_younger(
        &self,
        session: SessionId,
        than: TimeDelta,
    ) -> Result<bool, sqlx::Error> {
        sqlx::query_scalar(
            "SELECT EXISTS (SELECT FROM sessions WHERE session_id = $1
                            AND created_at > now() - make_interval(secs => $2))",
        )
        .bind(session.to_string())
        .bind(seconds(than))
        .fetch_one(&self.pool)
        .await
    }

    /// Removes sessions that nobody can continue since long. Until then their addresses are those
    /// from which their owner is known.
    pub async fn sweep(&self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "DELETE FROM sessions WHERE expires_at < now() - interval '30 days'
                OR revoked_at < now() - interval '30 days'",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Whether the session was neither ended nor has expired.
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

    /// Learns what other nodes have ended within the last seconds. To be called twice a second.
    pub async fn learn_ended(&self) -> Result<(), sqlx::Error> {
        let rows = sqlx::query(
            "SELECT session_id FROM sessions WHERE revoked_at > now() - interval '15 seconds'",
        );
        self.note_ended(rows.fetch_all(&self.pool).await?)?;
        Ok(())
    }

    /// Forgets what is in memory: for a node that could not learn for a while.
    pub fn forget_everything(&self) {
        self.live.invalidate_all();
    }

    fn note_ended(&self, rows: Vec<PgRow>) -> Result<usize, sqlx::Error> {
        let ended: Result<Vec<_>, _> = rows.iter().map(|row| parsed(row, "session_id")).collect();
        let ended = ended?;
        self.forget(&ended);
        Ok(ended.len())
    }
}

/// As `make_interval` takes it.
fn seconds(span: TimeDelta) -> f64 {
    span.as_seconds_f64()
}

fn next(row: &PgRow, session: SessionId) -> Result<Rotation, sqlx::Error> {
    let generation = row.try_get("generation")?;
    Ok(Rotation::Next(RefreshClaims { session, generation }, parsed(row, "user_id")?))
}

fn listed(row: &PgRow) -> Result<ListedSession, sqlx::Error> {
    Ok(ListedSession {
        id: parsed(row, "session_id")?,
        created_at: row.try_get("created_at")?,
        last_used_at: row.try_get("last_used_at")?,
        expires_at: row.try_get("expires_at")?,
        user_agent: row.try_get("user_agent")?,
        address: row.try_get("address")?,
    })
}
