//! The fast path from position 0: sharded folds, COPY, indexes last.

use std::collections::BTreeSet;

use sqlx::{Executor, PgConnection};
use tokio::sync::mpsc;

use super::{RebuildStage, Workshop, begin_long_read, head};
use crate::batch::{Copy, Statements, arrays, copy_in, upsert};
use crate::error::{FoldError, ProjectionError};
use crate::fold::Fold;
use crate::log::{FOLDED, LogRow};
use crate::models::Projection;
use crate::seen::{Models, Seen, decode};
use crate::shards::{Worker, parallelism, spread};
use crate::sink::CopyText;
use crate::table::Life;

/// Bytes of finished lines that are sent at once.
const SEND: usize = 1_024 * 1_024;

/// What a worker hands to the connection that writes.
enum Load {
    /// Lines of an appended table.
    Lines(&'static Projection, Vec<u8>),
    /// A grouped fold that has grown too large to be held.
    Spill(&'static Projection, Box<dyn Fold>),
}

/// A fold for each of the chosen projections.
type Folds = Vec<(&'static Projection, Box<dyn Fold>)>;

/// Folds the streams that fall to it.
struct Folder {
    folds: Folds,
    models: Models,
    loads: mpsc::Sender<Load>,
    most_rows: usize,
}

/// Fills a new copy of the chosen read models and returns the position that it has reached.
pub(super) async fn fill(
    shop: &mut Workshop,
    progress: &mut (impl FnMut(RebuildStage) + Send),
) -> Result<i64, ProjectionError> {
    let head = head(&mut shop.writer).await?;
    begin_long_read(&mut shop.reader).await?;
    shop.writer.execute("BEGIN; SET LOCAL synchronous_commit = off").await?;
    create(&mut shop.writer, &shop.projections).await?;
    let (loads, waiting) = mpsc::channel(4);
    let workers = parallelism();
    let folders: Vec<_> = (0..workers)
        .map(|_| Folder {
            folds: shop.projections.iter().map(|p| (*p, (p.start)())).collect(),
            models: Models::default(),
            loads: loads.clone(),
            most_rows: shop.options.most_rows / workers,
        })
        .collect();
    drop(loads);
    let mut last = 0;
    let each = |position: i64| {
        if position != last + 1 {
            return Err(ProjectionError::Hole { expected: last + 1, found: position });
        }
        last = position;
        if position % 65_536 == 0 {
            progress(RebuildStage::Filling { position, head });
        }
        Ok(())
    };
    // If the writer fails, its end of the channel closes and the folders stop; if a folder fails,
    // the writer finds the channel closed and stops.
    let (folded, written) = tokio::join!(
        async {
            let folders = spread(&mut shop.reader, FOLDED, (0, head), folders, each).await?;
            // Their ends of the channel go here, or the writer would wait for more.
            let parts: Vec<Folds> = folders.into_iter().map(|folder| folder.folds).collect();
            Ok::<_, ProjectionError>(parts)
        },
        receive(&mut shop.writer, waiting),
    );
    let written = written?;
    let folds = add_up(folded?, head)?;
    shop.reader.execute("COMMIT").await?;
    finish(&mut shop.writer, folds, written, progress).await?;
    checkpoint(&mut shop.writer, &shop.projections, head).await?;
    shop.writer.execute("COMMIT").await?;
    Ok(head)
}

async fn create(
    connection: &mut PgConnection,
    projections: &[&'static Projection],
) -> Result<(), ProjectionError> {
    for projection in projections {
        let drop = format!("DROP TABLE IF EXISTS read_next.{}", projection.name);
        connection.execute(drop.as_str()).await?;
        connection.execute(projection.table.create("read_next").as_str()).await?;
    }
    Ok(())
}

/// Writes what the folders hand over; returns the tables that have spilled and are indexed.
async fn receive(
    connection: &mut PgConnection,
    mut loads: mpsc::Receiver<Load>,
) -> Result<BTreeSet<&'static str>, ProjectionError> {
    let statements = Statements::of(Copy::Next);
    let mut indexed = BTreeSet::new();
    while let Some(load) = loads.recv().await {
        match load {
            Load::Lines(projection, lines) => {
                copy_in(connection, &projection.table.copy_in("read_next"), &lines).await?;
            }
            Load::Spill(projection, fold) => {
                if indexed.insert(projection.name) {
                    connection.execute(projection.table.index("read_next").as_str()).await?;
                }
                upsert(connection, &statements, projection, &[], arrays(projection, fold.as_ref()))
                    .await?;
            }
        }
    }
    Ok(indexed)
}

fn add_up(parts: Vec<Folds>, head: i64) -> Result<Folds, ProjectionError> {
    let mut parts = parts.into_iter();
    let mut sums = parts.next().unwrap_or_default();
    for part in parts {
        for ((_, sum), (_, fold)) in sums.iter_mut().zip(part) {
            sum.absorb(fold).map_err(|source| ProjectionError::Event { position: head, source })?;
        }
    }
    Ok(sums)
}

/// Writes what is still in memory and makes the indexes.
async fn finish(
    connection: &mut PgConnection,
    folds: Folds,
    indexed: BTreeSet<&'static str>,
    progress: &mut (impl FnMut(RebuildStage) + Send),
) -> Result<(), ProjectionError> {
    let statements = Statements::of(Copy::Next);
    for (projection, mut fold) in folds {
        let table = projection.table;
        if indexed.contains(projection.name) {
            upsert(connection, &statements, projection, &[], arrays(projection, fold.as_ref()))
                .await?;
            continue;
        }
        let lines = match fold.lines() {
            Some(lines) => lines.take(),
            None => {
                let mut text = CopyText::default();
                fold.write(&mut text);
                text.take()
            }
        };
        if !lines.is_empty() {
            copy_in(connection, &table.copy_in("read_next"), &lines).await?;
        }
        progress(RebuildStage::Indexing(projection.name));
        connection.execute(table.index("read_next").as_str()).await?;
        connection.execute(format!("ANALYZE read_next.{}", table.name).as_str()).await?;
    }
    Ok(())
}

async fn checkpoint(
    connection: &mut PgConnection,
    projections: &[&'static Projection],
    position: i64,
) -> Result<(), ProjectionError> {
    // Also those of other names: a rebuild that was stopped may have left them.
    sqlx::query("DELETE FROM projection_checkpoints WHERE copy = 'next'")
        .execute(&mut *connection)
        .await?;
    let names: Vec<_> = projections.iter().map(|projection| projection.name).collect();
    let versions: Vec<_> = projections.iter().map(|projection| projection.version).collect();
    sqlx::query(
        "INSERT INTO projection_checkpoints (name, copy, version, position) \
         SELECT u.name, 'next', u.version, $3 FROM unnest($1::text[], $2::integer[]) \
           AS u (name, version)",
    )
    .bind(&names)
    .bind(&versions)
    .bind(position)
    .execute(connection)
    .await?;
    Ok(())
}

impl Folder {
    fn fold(&mut self, row: &LogRow<'_>) -> Result<(), FoldError> {
        let event = decode(row)?;
        let seen = Seen::new(row, &event, &mut self.models)?;
        self.folds.iter_mut().try_for_each(|(_, fold)| fold.apply(&seen))
    }

    fn send(loads: &mpsc::Sender<Load>, load: Load) -> Result<(), ProjectionError> {
        let gone = |_| ProjectionError::Worker("the writer has stopped".to_owned());
        loads.blocking_send(load).map_err(gone)
    }
}

impl Worker for Folder {
    fn take(&mut self, row: &LogRow<'_>) -> Result<(), ProjectionError> {
        self.fold(row).map_err(|source| ProjectionError::Event { position: row.position, source })
    }

    fn pause(&mut self) -> Result<(), ProjectionError> {
        for (projection, fold) in &mut self.folds {
            if let Some(lines) = fold.lines() {
                if lines.bytes().len() >= SEND {
                    let load = Load::Lines(projection, lines.take());
                    Self::send(&self.loads, load)?;
                }
            } else if projection.table.life == Life::Grouped && fold.len() > self.most_rows {
                let full = std::mem::replace(fold, (projection.start)());
                Self::send(&self.loads, Load::Spill(projection, full))?;
            }
        }
        Ok(())
    }
}
