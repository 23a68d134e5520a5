//! Whether the database answers, and whether it protects the log.

use std::time::Duration;

use sqlx::{PgPool, Row as _};

use super::{DatabaseError, Durability, read_durability};

/// A database that takes longer than this to say how it is counts as away.
const PATIENCE: Duration = Duration::from_secs(2);

/// What a reachable database says about itself.
#[derive(Debug, Clone)]
pub struct DatabaseHealth {
    /// Its settings now.
    pub durability: Durability,
    /// A trigger refuses to change or remove events.
    pub append_only_trigger: bool,
    /// Our role has no right to do so either, which holds even where the trigger is gone.
    pub append_only_rights: bool,
}

/// Asks the database; `None` if it is away.
pub async fn check(pool: &PgPool) -> Option<DatabaseHealth> {
    match tokio::time::timeout(PATIENCE, read(pool)).await {
        Ok(Ok(health)) => Some(health),
        Ok(Err(error)) => {
            tracing::warn!(%error, "the database does not say how it is");
            None
        }
        Err(_) => {
            tracing::warn!("the database does not answer");
            None
        }
    }
}

async fn read(pool: &PgPool) -> Result<DatabaseHealth, DatabaseError> {
    let mut connection = pool.acquire().await?;
    let durability = read_durability(&mut connection).await?;
    let row = sqlx::query(
        "SELECT EXISTS (SELECT FROM pg_trigger
                        WHERE tgrelid = 'events'::regclass AND tgname = 'events_are_append_only'
                          AND tgenabled IN ('O', 'A')),
                NOT (has_table_privilege('events', 'UPDATE')
                  OR has_table_privilege('events', 'DELETE')
                  OR has_table_privilege('events', 'TRUNCATE'))",
    )
    .fetch_one(&mut *connection)
    .await?;
    Ok(DatabaseHealth {
        durability,
        append_only_trigger: row.try_get(0)?,
        append_only_rights: row.try_get(1)?,
    })
}
