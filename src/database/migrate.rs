//! Bringing the schema up to date.

use sqlx::migrate::{Migrate, Migrator};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions, Connection};

use super::DatabaseError;

/// The migrations in `migrations/`, compiled in.
pub static MIGRATOR: Migrator = sqlx::migrate!("./migrations");

/// Applies what is missing and returns how many migrations that were.
///
/// Several nodes may do this at once: an advisory lock lets one work while the others wait and then
/// find nothing to do. `options` is the role that owns the tables.
pub async fn migrate(options: &PgConnectOptions) -> Result<usize, DatabaseError> {
    let mut connection = options.connect().await.map_err(DatabaseError::Connect)?;
    let before = applied(&mut connection).await?;
    MIGRATOR.run_direct(&mut connection).await?;
    let after = applied(&mut connection).await?;
    connection.close().await?;
    Ok(after.saturating_sub(before))
}

async fn applied(connection: &mut sqlx::PgConnection) -> Result<usize, DatabaseError> {
    connection.ensure_migrations_table().await?;
    Ok(connection.list_applied_migrations().await?.len())
}
