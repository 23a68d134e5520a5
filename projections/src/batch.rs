//! One run of events: read and decoded once, folded by several projections, written in one
//! transaction together with their checkpoints.

use std::collections::BTreeMap;
use std::sync::Arc;

use sqlx::{Connection, PgConnection};

use crate::error::{FoldError, ProjectionError};
use crate::fold::Fold;
use crate::log::{self, LogRow};
use crate::models::{PROJECTIONS, Projection};
use crate::seen::{Models, Seen, decode};
use crate::sink::Arrays;
use crate::table::{Life, bind};
use crate::tail::Stretch;

/// Which copy of the read models is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Copy {
    /// What readers see.
    Live,
    /// What a rebuild fills beside it.
    Next,
}

impl Copy {
    pub(crate) const fn schema(self) -> &'static str {
        match self {
            Self::Live => "read",
            Self::Next => "read_next",
        }
    }

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Next => "next",
        }
    }
}

/// The statements of one copy, written once.
#[derive(Debug)]
pub(crate) struct Statements {
    pub(crate) copy: Copy,
    write: BTreeMap<&'static str, String>,
}

impl Statements {
    pub(crate) fn of(copy: Copy) -> Self {
        let write = PROJECTIONS
            .iter()
            .map(|p| match p.table.life {
                Life::Appended => (p.name, p.table.copy_in(copy.schema())),
                Life::Grouped | Life::Open => (p.name, p.table.upsert(copy.schema())),
            })
            .collect();
        Self { copy, write }
    }
}

/// The folds of projections that stand at the same position.
pub(crate) struct Batch {
    /// The position that they stand at.
    pub(crate) after: i64,
    /// The last position folded in.
    pub(crate) until: i64,
    pub(crate) folds: Vec<(&'static Projection, Box<dyn Fold>)>,
    /// The parameters of each fold's statement, where they are ready.
    prepared: Vec<Option<Arrays>>,
    models: Models,
}

impl Batch {
    /// Nothing folded yet.
    pub(crate) fn new(projections: &[&'static Projection], after: i64) -> Self {
        let folds: Vec<_> = projections.iter().map(|p| (*p, (p.start)())).collect();
        let prepared = folds.iter().map(|_| None).collect();
        Self { after, until: after, folds, prepared, models: Models::default() }
    }

    /// How many events are folded in.
    pub(crate) const fn events(&self) -> i64 {
        self.until - self.after
    }

    /// Takes in the next row of the log, as the database sent it.
    pub(crate) fn take(&mut self, bytes: &[u8]) -> Result<(), ProjectionError> {
        self.take_row(&LogRow::parse(bytes).ok_or(ProjectionError::Protocol)?)
    }

    fn take_row(&mut self, row: &LogRow<'_>) -> Result<(), ProjectionError> {
        if row.position != self.until + 1 {
            return Err(ProjectionError::Hole { expected: self.until + 1, found: row.position });
        }
        self.fold(row)
            .map_err(|source| ProjectionError::Event { position: row.position, source })?;
        self.until = row.position;
        Ok(())
    }

    fn fold(&mut self, row: &LogRow<'_>) -> Result<(), FoldError> {
        let event = decode(row)?;
        let seen = Seen::new(row, &event, &mut self.models)?;
        self.folds.iter_mut().try_for_each(|(_, fold)| fold.apply(&seen))
    }

    /// Makes the parameters of the statements, so that writing needs no more time than the
    /// database does.
    pub(crate) fn prepare(&mut self) {
        let arrays = |(projection, fold): &(&Projection, Box<dyn Fold>)| {
            (projection.table.life != Life::Appended).then(|| arrays(projection, fold.as_ref()))
        };
        self.prepared = self.folds.iter().map(arrays).collect();
    }

    /// Reads on until `until` or the end of the log. See [`log::stream`] about the connection.
    pub(crate) async fn read(
        &mut self,
        connection: &mut PgConnection,
        until: i64,
    ) -> Result<(), ProjectionError> {
        let after = self.until;
        log::stream(connection, log::FOLDED, after, until, |row| self.take(row)).await
    }

    /// The same from memory.
    pub(crate) async fn take_stretches(
        &mut self,
        stretches: Vec<Arc<Stretch>>,
    ) -> Result<(), ProjectionError> {
        for stretch in stretches {
            for row in stretch.rows(self.until) {
                self.take_row(&row)?;
            }
            // As between the rows of an answer: a long batch must not keep requests waiting.
            tokio::task::yield_now().await;
        }
        Ok(())
    }
}

/// What became of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Written {
    /// It is in the read models.
    Yes,
    /// Another worker was faster: nothing was written.
    Lost,
}

/// Writes a batch and moves its checkpoints, all or nothing.
pub(crate) async fn write(
    connection: &mut PgConnection,
    statements: &Statements,
    batch: &mut Batch,
) -> Result<Written, ProjectionError> {
    // A crash may lose the last commits of read models but never part of one, and the checkpoint
    // is in the same transaction: what was lost is applied again. So nobody has to wait for disk.
    let mut tx = connection.begin_with("BEGIN; SET LOCAL synchronous_commit = off").await?;
    // First of all, because it decides: whoever comes second waits here and then finds the
    // position moved, before it has touched any row.
    if !advance(&mut tx, statements.copy, batch).await? {
        tx.rollback().await?;
        return Ok(Written::Lost);
    }
    flush(&mut tx, statements, batch).await?;
    tx.commit().await?;
    Ok(Written::Yes)
}

/// Compare-and-set of all the batch's checkpoints.
pub(crate) async fn advance(
    connection: &mut PgConnection,
    copy: Copy,
    batch: &Batch,
) -> Result<bool, ProjectionError> {
    let names: Vec<_> = batch.folds.iter().map(|(p, _)| p.name).collect();
    let versions: Vec<_> = batch.folds.iter().map(|(p, _)| p.version).collect();
    let moved = sqlx::query(
        "WITH held AS MATERIALIZED ( \
             SELECT c.name FROM projection_checkpoints c \
             JOIN unnest($1::text[], $2::integer[]) AS mine (name, version) \
               ON c.name = mine.name AND c.version = mine.version \
             WHERE c.copy = $3 AND c.position = $4 ORDER BY c.name FOR UPDATE OF c) \
         UPDATE projection_checkpoints c SET position = $5 FROM held \
         WHERE c.name = held.name AND c.copy = $3 AND c.position = $4",
    )
    .bind(&names)
    .bind(&versions)
    .bind(copy.name())
    .bind(batch.after)
    .bind(batch.until)
    .execute(connection)
    .await?;
    Ok(moved.rows_affected() == names.len() as u64)
}

/// One statement per table, whatever the number of rows.
pub(crate) async fn flush(
    connection: &mut PgConnection,
    statements: &Statements,
    batch: &mut Batch,
) -> Result<(), ProjectionError> {
    for ((projection, fold), prepared) in batch.folds.iter_mut().zip(&mut batch.prepared) {
        if fold.len() == 0 {
            continue;
        }
        if let Some(lines) = fold.lines() {
            copy_in(connection, &statements.write[projection.name], lines.bytes()).await?;
            continue;
        }
        let ready = prepared.take().unwrap_or_else(|| arrays(projection, fold.as_ref()));
        upsert(connection, statements, projection, fold.removed(), ready).await?;
    }
    Ok(())
}

/// The rows of a fold as parameters.
pub(crate) fn arrays(projection: &Projection, fold: &dyn Fold) -> Arrays {
    let mut arrays = projection.table.arrays();
    fold.write(&mut arrays);
    arrays
}

/// Writes a fold that is not appended: removes what is gone, adds up the rest.
pub(crate) async fn upsert(
    connection: &mut PgConnection,
    statements: &Statements,
    projection: &Projection,
    removed: &[String],
    rows: Arrays,
) -> Result<(), ProjectionError> {
    let table = projection.table;
    if !removed.is_empty() {
        let (schema, key) = (statements.copy.schema(), table.columns[0].name);
        let delete = format!("DELETE FROM {schema}.{} WHERE {key} = ANY($1)", table.name);
        sqlx::query(&delete).bind(removed).execute(&mut *connection).await?;
    }
    if !rows.is_empty() {
        let sql = &statements.write[projection.name];
        bind(sql, rows.into_columns()).execute(connection).await?;
    }
    Ok(())
}

/// Sends finished lines; about half the work of an INSERT, because rows enter pages in bulk.
pub(crate) async fn copy_in(
    connection: &mut PgConnection,
    sql: &str,
    lines: &[u8],
) -> Result<(), ProjectionError> {
    let mut copy = connection.copy_in_raw(sql).await?;
    copy.send(lines).await?;
    copy.finish().await?;
    Ok(())
}
