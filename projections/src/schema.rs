//! Makes the tables of the read models and finds out which of them are out of date.

use std::collections::HashMap;

use sqlx::{Executor, PgConnection, PgPool};

use crate::error::ProjectionError;
use crate::models::{PROJECTIONS, Projection};

/// Serialises `ensure` of processes that start together. The number only has to be ours.
const ENSURE_LOCK: i64 = 0x746f_6c6c_7265_6164;

/// What [`ensure`] found.
#[derive(Debug, Default, Clone, PartialEq, Eq)]
pub struct Ensured {
    /// Made anew; they start at position 0.
    pub created: Vec<&'static str>,
    /// Stored by an older build: to be rebuilt. Until then they stand still or are kept up by
    /// older processes.
    pub outdated: Vec<&'static str>,
    /// Stored by a newer build: left alone.
    pub newer: Vec<&'static str>,
}

/// Creates what is missing in the schema `read`, with checkpoints. Safe to call from any number of
/// processes at any time.
///
/// # Errors
/// The database's.
pub async fn ensure(pool: &PgPool) -> Result<Ensured, ProjectionError> {
    let mut tx = pool.begin().await?;
    sqlx::query("SELECT pg_advisory_xact_lock($1)").bind(ENSURE_LOCK).execute(&mut *tx).await?;
    let stored = versions(&mut tx).await?;
    let mut found = Ensured::default();
    for projection in &PROJECTIONS {
        let exists = table_exists(&mut tx, projection.name).await?;
        match stored.get(projection.name) {
            Some(version) if exists && *version < projection.version => {
                found.outdated.push(projection.name);
            }
            Some(version) if exists && *version > projection.version => {
                found.newer.push(projection.name);
            }
            Some(_) if exists => {}
            // A table without a checkpoint, or the other way round: both are disposable.
            _ => {
                create(&mut tx, projection).await?;
                found.created.push(projection.name);
            }
        }
    }
    tx.commit().await?;
    Ok(found)
}

async fn versions(connection: &mut PgConnection) -> Result<HashMap<String, i32>, ProjectionError> {
    let sql = "SELECT name, version FROM projection_checkpoints WHERE copy = 'live'";
    Ok(sqlx::query_as(sql).fetch_all(connection).await?.into_iter().collect())
}

async fn table_exists(connection: &mut PgConnection, name: &str) -> Result<bool, ProjectionError> {
    let sql = "SELECT to_regclass($1) IS NOT NULL";
    Ok(sqlx::query_scalar(sql).bind(format!("read.{name}")).fetch_one(connection).await?)
}

async fn create(
    connection: &mut PgConnection,
    projection: &Projection,
) -> Result<(), ProjectionError> {
    let table = projection.table;
    let drop = format!("DROP TABLE IF EXISTS read.{}", table.name);
    for sql in [drop, table.create("read"), table.index("read")] {
        (&mut *connection).execute(sql.as_str()).await?;
    }
    sqlx::query(
        "INSERT INTO projection_checkpoints (name, copy, version, position) \
         VALUES ($1, 'live', $2, 0) \
         ON CONFLICT (name, copy) DO UPDATE SET version = excluded.version, position = 0",
    )
    .bind(projection.name)
    .bind(projection.version)
    .execute(connection)
    .await?;
    Ok(())
}
