//! The table of mails that are to be sent or were.

use std::sync::Arc;

use sqlx::postgres::PgRow;
use sqlx::types::Json;
use sqlx::{PgConnection, PgPool, Row as _};
use tokio::sync::Notify;
use tollgate_domain::ids::MailId;
use uuid::Uuid;

use super::MailError;
use super::kind::{Details, ListedMail, NewMail, Queued, Recipient};
use crate::database::rows::{maybe, parsed};

/// Mails that wait at once; further ones are refused, because somebody makes us write them.
const MOST_QUEUED: i64 = 10_000;
/// After so many attempts, which takes four hours, a mail is given up.
const MOST_ATTEMPTS: i32 = 8;
/// What was sent or given up is kept for so long.
const KEPT_DAYS: i32 = 30;

const QUEUED: &str = "m.mail_id, m.kind, m.link_id, m.invitation_id, m.details, m.state,
    coalesce(u.email, i.email) AS email, coalesce(u.name, '') AS name,
    coalesce(u.language, m.details->>'language', 'en') AS language";

/// Reads and writes mails.
#[derive(Debug, Clone)]
pub struct Outbox {
    pool: PgPool,
    /// Told when there is something to send.
    pub wake: Arc<Notify>,
}

impl Outbox {
    /// Over this database.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self { pool, wake: Arc::default() }
    }

    /// Adds a mail, as part of a transaction; call [`Outbox::wake`]'s `notify_one` after the
    /// commit. `false`: there are too many of them, and it was not added.
    pub async fn add(connection: &mut PgConnection, mail: &NewMail) -> Result<bool, sqlx::Error> {
        let (user, invitation) = match mail.to {
            Recipient::User(user) => (Some(user.to_string()), None),
            Recipient::Invited(invitation) => (None, Some(invitation.to_string())),
        };
        if let Some(user) = &user {
            // One after the other, or many who ask at once would all find that there are few.
            sqlx::query("SELECT FROM users WHERE user_id = $1 FOR NO KEY UPDATE")
                .bind(user)
                .execute(&mut *connection)
                .await?;
        }
        let done = sqlx::query(
            "INSERT INTO mails (mail_id, kind, user_id, invitation_id, link_id, details)
             SELECT $1, $2, $3, $4, $5, $6::json
             WHERE (SELECT count(*) FROM mails WHERE user_id = $3 AND kind = $2
                    AND created_at > now() - interval '1 hour') < $7
               AND (SELECT count(*) FROM
                    (SELECT FROM mails WHERE state = 'queued' LIMIT $8) AS waiting) < $8",
        )
        .bind(MailId::from_uuid(Uuid::now_v7()).to_string())
        .bind(mail.kind.as_str())
        .bind(user)
        .bind(invitation)
        .bind(mail.link.map(|link| link.to_string()))
        .bind(serde_json::to_string(&mail.details).unwrap_or_else(|_| "{}".to_owned()))
        .bind(mail.kind.most_per_hour())
        .bind(MOST_QUEUED)
        .execute(connection)
        .await?;
        Ok(done.rows_affected() == 1)
    }

    /// Takes some mails whose time has come. Each comes again after a while, longer each time,
    /// unless its end is told with [`Outbox::sent`] or [`Outbox::not_sent`].
    pub async fn take(&self, most: i64) -> Result<Vec<Queued>, sqlx::Error> {
        self.give_up_pointless().await?;
        let rows = sqlx::query(&format!(
            "WITH due AS (
                 UPDATE mails SET attempts = attempts + 1,
                        next_attempt_at = now() + interval '2 minutes' * power(2, attempts)
                 WHERE mail_id IN (
                     SELECT mail_id FROM mails WHERE state = 'queued' AND next_attempt_at <= now()
                     ORDER BY next_attempt_at LIMIT $1 FOR UPDATE SKIP LOCKED)
                 RETURNING *)
             SELECT {QUEUED} FROM due AS m
             LEFT JOIN users AS u USING (user_id) LEFT JOIN invitations AS i USING (invitation_id)
             WHERE coalesce(u.email, i.email) IS NOT NULL ORDER BY m.mail_id"
        ))
        .bind(most)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(queued).collect()
    }

    /// A mail whose link opens nothing any more need not arrive.
    pub async fn give_up_pointless(&self) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE mails AS m SET state = 'failed', ended_at = now(),
                    last_error = 'its link does not work any more'
             WHERE m.state = 'queued' AND (
                 EXISTS (SELECT FROM one_time_links AS l WHERE l.link_id = m.link_id
                         AND (l.used_at IS NOT NULL OR l.expires_at <= now()))
              OR EXISTS (SELECT FROM invitations AS i WHERE i.invitation_id = m.invitation_id
                         AND (num_nonnulls(i.used_at, i.revoked_at) > 0 OR i.expires_at <= now())))",
        )
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A mail server has taken it.
    pub async fn sent(&self, mail: MailId) -> Result<(), sqlx::Error> {
        sqlx::query(
            "UPDATE mails SET state = 'sent', ended_at = now(), last_error = NULL
             WHERE mail_id = $1",
        )
        .bind(mail.to_string())
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// An attempt failed.
    pub async fn not_sent(&self, mail: MailId, why: &MailError) -> Result<(), sqlx::Error> {
        let never = match why {
            MailError::Later(_) => false,
            MailError::Never(_) => true,
        };
        let text: String = why.to_string().chars().take(400).collect();
        sqlx::query(
            "UPDATE mails SET last_error = $2,
                    state = CASE WHEN $3 OR attempts >= $4 THEN 'failed' ELSE state END,
                    ended_at = CASE WHEN $3 OR attempts >= $4 THEN now() END
             WHERE mail_id = $1 AND state = 'queued'",
        )
        .bind(mail.to_string())
        .bind(text)
        .bind(never)
        .bind(MOST_ATTEMPTS)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// A mail with what its text is made of.
    pub async fn find(&self, mail: MailId) -> Result<Option<Queued>, sqlx::Error> {
        let row = sqlx::query(&format!(
            "SELECT {QUEUED} FROM mails AS m
             LEFT JOIN users AS u USING (user_id) LEFT JOIN invitations AS i USING (invitation_id)
             WHERE m.mail_id = $1 AND coalesce(u.email, i.email) IS NOT NULL"
        ))
        .bind(mail.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(queued).transpose()
    }

    /// Mails, the newest first; those older than `before`.
    pub async fn page(
        &self,
        before: Option<MailId>,
        limit: i64,
    ) -> Result<Vec<ListedMail>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT mail_id, kind, user_id, invitation_id, state, attempts, created_at, ended_at,
                    last_error
             FROM mails WHERE $1::text IS NULL OR mail_id < $1 ORDER BY mail_id DESC LIMIT $2",
        )
        .bind(before.map(|mail| mail.to_string()))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(listed).collect()
    }

    /// Removes what was written long ago, sent or not.
    pub async fn sweep(&self) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM mails WHERE created_at < now() - make_interval(days => $1)")
            .bind(KEPT_DAYS)
            .execute(&self.pool)
            .await?;
        Ok(())
    }
}

fn queued(row: &PgRow) -> Result<Queued, sqlx::Error> {
    Ok(Queued {
        id: parsed(row, "mail_id")?,
        kind: parsed(row, "kind")?,
        email: row.try_get("email")?,
        name: row.try_get("name")?,
        language: parsed(row, "language")?,
        link: maybe(row, "link_id")?,
        invitation: maybe(row, "invitation_id")?,
        details: row.try_get::<Json<Details>, _>("details")?.0,
        state: parsed(row, "state")?,
    })
}

fn listed(row: &PgRow) -> Result<ListedMail, sqlx::Error> {
    Ok(ListedMail {
        id: parsed(row, "mail_id")?,
        kind: parsed(row, "kind")?,
        user: maybe(row, "user_id")?,
        invitation: maybe(row, "invitation_id")?,
        state: parsed(row, "state")?,
        attempts: row.try_get("attempts")?,
        created_at: row.try_get("created_at")?,
        ended_at: row.try_get("ended_at")?,
        last_error: row.try_get("last_error")?,
    })
}
