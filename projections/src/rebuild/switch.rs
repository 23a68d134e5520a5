//! The last step: both copies stand still at the same position, are compared, and change places in
//! one transaction.

use sqlx::{Executor, PgConnection};

use super::compare::{self, Unchanging};
use super::{
    Compared, RebuildReport, RebuildStage, Standing, TableReport, Workshop, head, standing,
};
use crate::batch::{Batch, Copy, Statements, advance, flush};
use crate::error::ProjectionError;
use crate::log;

/// Somebody else holds what is needed.
pub(super) fn is_contention(error: &sqlx::Error) -> bool {
    // lock_not_available, deadlock_detected
    let code = error.as_database_error().and_then(sqlx::error::DatabaseError::code);
    matches!(code.as_deref(), Some("55P03" | "40P01"))
}

/// Compares and switches. After an error nothing has changed.
pub(super) async fn finish(
    shop: &mut Workshop,
    known: &Unchanging,
    progress: &mut (impl FnMut(RebuildStage) + Send),
) -> Result<RebuildReport, ProjectionError> {
    // Shorter than PostgreSQL's own patience with deadlocks, so that the rebuild gives way and not
    // a reader.
    let begin = format!("BEGIN; SET LOCAL lock_timeout = '700ms'; {}", log::LONG_READ);
    shop.writer.execute(begin.as_str()).await?;
    let finished = in_transaction(shop, known, progress).await;
    let end = match &finished {
        Ok(report) if report.switched => "COMMIT",
        Ok(_) | Err(_) => "ROLLBACK",
    };
    let ended = shop.writer.execute(end).await;
    let report = finished?;
    ended?;
    if report.switched {
        progress(RebuildStage::Switched);
    } else {
        clear(shop).await?;
    }
    Ok(report)
}

async fn in_transaction(
    shop: &mut Workshop,
    known: &Unchanging,
    progress: &mut (impl FnMut(RebuildStage) + Send),
) -> Result<RebuildReport, ProjectionError> {
    // From here on no runner can move these projections: its compare-and-set waits for us.
    let live = standing(&mut shop.writer, &shop.projections, "FOR UPDATE").await?;
    let position = meet(shop, &live).await?;
    let mut tables = vec![];
    for standing in &live {
        let table = standing.projection.table;
        progress(RebuildStage::Comparing(table.name));
        let compared = match standing.same {
            true => compare::table(&mut shop.writer, table, known).await?,
            false => Compared::OtherVersion,
        };
        tables.push(TableReport { name: table.name, compared });
    }
    let differ = tables.iter().any(|t| matches!(t.compared, Compared::Different { .. }));
    let switched = !differ || shop.options.switch_despite_differences;
    if switched {
        exchange(&mut shop.writer, &live, position).await?;
    }
    Ok(RebuildReport { position, tables, switched })
}

/// Brings both copies of every projection to the same position: the newest.
async fn meet(shop: &mut Workshop, live: &[Standing]) -> Result<i64, ProjectionError> {
    let sql = "SELECT COALESCE(min(position), 0) FROM projection_checkpoints WHERE copy = 'next'";
    let next: i64 = sqlx::query_scalar(sql).fetch_one(&mut *shop.writer).await?;
    let target = live.iter().map(|s| s.position).fold(next, i64::max);
    // The head was written before the checkpoints were locked, or the log would be broken.
    let target = target.min(head(&mut shop.writer).await?);
    let group = shop.projections.clone();
    apply(shop, Copy::Next, &group, next, target).await?;
    let mut behind: Vec<_> = live.iter().filter(|s| s.same && s.position < target).collect();
    behind.sort_by_key(|s| s.position);
    for standing in behind {
        apply(shop, Copy::Live, &[standing.projection], standing.position, target).await?;
    }
    Ok(target)
}

async fn apply(
    shop: &mut Workshop,
    copy: Copy,
    group: &[&'static crate::models::Projection],
    after: i64,
    until: i64,
) -> Result<(), ProjectionError> {
    if until <= after {
        return Ok(());
    }
    let statements = Statements::of(copy);
    let mut batch = Batch::new(group, after);
    batch.read(&mut shop.reader, until).await?;
    match advance(&mut shop.writer, copy, &batch).await? {
        true => flush(&mut shop.writer, &statements, &mut batch).await,
        false => Err(ProjectionError::Busy),
    }
}

/// Readers that come now wait until the commit and then see the new tables.
async fn exchange(
    connection: &mut PgConnection,
    live: &[Standing],
    position: i64,
) -> Result<(), ProjectionError> {
    let tables: Vec<_> = live.iter().map(|s| format!("read.{}", s.projection.table.name)).collect();
    // All locks first and in one order.
    let lock = format!("LOCK TABLE {} IN ACCESS EXCLUSIVE MODE", tables.join(", "));
    connection.execute(lock.as_str()).await?;
    for standing in live {
        let name = standing.projection.table.name;
        let change =
            format!("DROP TABLE read.{name}; ALTER TABLE read_next.{name} SET SCHEMA read");
        connection.execute(change.as_str()).await?;
        sqlx::query(
            "UPDATE projection_checkpoints SET version = $2, position = $3 \
             WHERE name = $1 AND copy = 'live'",
        )
        .bind(standing.projection.name)
        .bind(standing.projection.version)
        .bind(position)
        .execute(&mut *connection)
        .await?;
    }
    sqlx::query("DELETE FROM projection_checkpoints WHERE copy = 'next'")
        .execute(connection)
        .await?;
    Ok(())
}

/// What was not wanted is not left lying about.
async fn clear(shop: &mut Workshop) -> Result<(), ProjectionError> {
    for name in shop.names() {
        shop.writer.execute(format!("DROP TABLE IF EXISTS read_next.{name}").as_str()).await?;
    }
    sqlx::query("DELETE FROM projection_checkpoints WHERE copy = 'next'")
        .execute(&mut *shop.writer)
        .await?;
    Ok(())
}
