//! Removing everything that says who somebody was.

use sqlx::PgConnection;
use tollgate_domain::ids::SessionId;

use super::{SessionStore, User};

/// Erases a person's rows and returns their sessions, which ended. The books keep the account under
/// its id; nothing says any more whose it was.
///
/// The sessions stay until they would have expired, so that other nodes learn of their end, but
/// not where they were opened from.
pub async fn erase(
    connection: &mut PgConnection,
    user: &User,
) -> Result<Vec<SessionId>, sqlx::Error> {
    let (id, account) = (user.id.to_string(), user.account.to_string());
    let ended = SessionStore::end_all(&mut *connection, user.id, None).await?;
    sqlx::query("UPDATE sessions SET user_agent = NULL, address = NULL WHERE user_id = $1")
        .bind(&id)
        .execute(&mut *connection)
        .await?;
    // Names of keys and remarks about payments are free text.
    sqlx::query("UPDATE api_keys SET name = '' WHERE account_id = $1")
        .bind(&account)
        .execute(&mut *connection)
        .await?;
    sqlx::query(
        "DELETE FROM remarks WHERE subject = $1 OR about = $1 OR subject IN (
             SELECT id FROM read.top_ups WHERE account_id = $1)",
    )
    .bind(&account)
    .execute(&mut *connection)
    .await?;
    // Links and mails go along.
    sqlx::query("DELETE FROM users WHERE user_id = $1").bind(&id).execute(&mut *connection).await?;
    Ok(ended)
}
