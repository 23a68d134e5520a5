//! Proving that two copies are equal.

use std::collections::BTreeMap;

use sqlx::PgConnection;

use super::{Compared, RebuildStage, Standing, Workshop, begin_long_read, standing};
use crate::digest::{Checksum, checksum};
use crate::error::ProjectionError;
use crate::table::{Life, Table};
use sqlx::Executor;

/// Both checksums of the appended tables up to a position: their rows never change, so most of the
/// work is done before anything has to stand still.
pub(super) struct Unchanging {
    up_to: i64,
    sums: BTreeMap<&'static str, (Checksum, Checksum)>,
}

/// Compares what cannot change any more.
pub(super) async fn unchanging(
    shop: &mut Workshop,
    position: i64,
    progress: &mut (impl FnMut(RebuildStage) + Send),
) -> Result<Unchanging, ProjectionError> {
    let known = standing(&mut shop.writer, &shop.projections, "").await?;
    let appended = |s: &&Standing| s.same && s.projection.table.life == Life::Appended;
    let up_to = known.iter().filter(appended).map(|s| s.position).min().unwrap_or(0).min(position);
    let filter = format!("position <= {up_to}");
    let mut sums = BTreeMap::new();
    for standing in known.iter().filter(appended) {
        let table = standing.projection.table;
        progress(RebuildStage::Comparing(table.name));
        begin_long_read(&mut shop.reader).await?;
        begin_long_read(&mut shop.writer).await?;
        let (live, next) = tokio::join!(
            checksum(&mut shop.reader, table, "read", &filter),
            checksum(&mut shop.writer, table, "read_next", &filter),
        );
        sums.insert(table.name, (live?, next?));
        shop.reader.execute("COMMIT").await?;
        shop.writer.execute("COMMIT").await?;
    }
    Ok(Unchanging { up_to, sums })
}

/// Compares a table whose copies stand at the same position, in the transaction that holds them
/// there.
pub(super) async fn table(
    connection: &mut PgConnection,
    table: &'static Table,
    known: &Unchanging,
) -> Result<Compared, ProjectionError> {
    let (filter, before) = match known.sums.get(table.name) {
        Some(sums) => (format!("position > {}", known.up_to), *sums),
        None => ("true".to_owned(), Default::default()),
    };
    let (mut live, mut next) = before;
    live.merge(checksum(connection, table, "read", &filter).await?);
    next.merge(checksum(connection, table, "read_next", &filter).await?);
    if live == next {
        return Ok(Compared::Equal(next.rows));
    }
    let first = first_difference(connection, table).await?;
    Ok(Compared::Different { live: live.rows, rebuilt: next.rows, first })
}

/// The first row that differs, by key.
async fn first_difference(
    connection: &mut PgConnection,
    table: &'static Table,
) -> Result<String, ProjectionError> {
    let key = table.key().collect::<Vec<_>>().join(", ");
    let (cells, name) = (table.canonical(), table.name);
    let sql = format!(
        "SELECT 'live ' || COALESCE(a.line, 'no row') || ', rebuilt ' || \
                COALESCE(b.line, 'no row') \
         FROM (SELECT {key}, ROW({cells})::text AS line FROM read.{name}) a \
         FULL JOIN (SELECT {key}, ROW({cells})::text AS line FROM read_next.{name}) b \
           USING ({key}) \
         WHERE a.line IS DISTINCT FROM b.line ORDER BY {key} LIMIT 1"
    );
    let found: Option<String> = sqlx::query_scalar(&sql).fetch_optional(connection).await?;
    Ok(found.unwrap_or_else(|| "a row that is there more than once".to_owned()))
}
