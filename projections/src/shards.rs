//! Reading a long stretch of the log with several threads.
//!
//! One task reads and hands each row to the worker that owns its stream: so a worker sees all
//! events of a stream, in order, and needs no lock.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::num::NonZero;

use futures_util::TryStreamExt;
use sqlx::PgConnection;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use crate::error::ProjectionError;
use crate::log::{self, LogRow};

/// Bytes that are handed over at once.
const CHUNK: usize = 256 * 1_024;
/// Chunks that wait for a worker at most.
const WAITING: usize = 4;

/// What is done with the events of some streams.
pub(crate) trait Worker: Send + 'static {
    /// Takes one event.
    fn take(&mut self, row: &LogRow<'_>) -> Result<(), ProjectionError>;
    /// Called now and then, to pass on what has gathered.
    fn pause(&mut self) -> Result<(), ProjectionError>;
}

#[derive(Debug, Default)]
struct Chunk {
    bytes: Vec<u8>,
    ends: Vec<usize>,
}

/// How many workers are worth it here.
pub(crate) fn parallelism() -> usize {
    std::thread::available_parallelism().map_or(2, NonZero::get).min(8)
}

/// Streams `after < position <= until` through the workers; `each` sees every position in order.
///
/// The connection must be closed if this returns an error or is cancelled.
pub(crate) async fn spread<W: Worker>(
    connection: &mut PgConnection,
    columns: &str,
    (after, until): (i64, i64),
    workers: Vec<W>,
    each: impl FnMut(i64) -> Result<(), ProjectionError> + Send,
) -> Result<Vec<W>, ProjectionError> {
    let (senders, handles): (Vec<_>, Vec<_>) = workers.into_iter().map(start).unzip();
    let read = read(connection, &log::statement(columns, after, until), senders, each).await;
    // What a worker says is the cause; that the reader could not go on is only the consequence.
    let mut done = vec![];
    for handle in handles {
        done.push(handle.await.map_err(|error| ProjectionError::Worker(error.to_string()))??);
    }
    read?;
    Ok(done)
}

fn start<W: Worker>(
    mut worker: W,
) -> (mpsc::Sender<Chunk>, JoinHandle<Result<W, ProjectionError>>) {
    let (sender, mut chunks) = mpsc::channel::<Chunk>(WAITING);
    let handle = tokio::task::spawn_blocking(move || {
        while let Some(chunk) = chunks.blocking_recv() {
            let mut from = 0;
            for end in chunk.ends {
                let row = LogRow::parse(&chunk.bytes[from..end]);
                worker.take(&row.ok_or(ProjectionError::Protocol)?)?;
                from = end;
            }
            worker.pause()?;
        }
        Ok(worker)
    });
    (sender, handle)
}

async fn read(
    connection: &mut PgConnection,
    statement: &str,
    senders: Vec<mpsc::Sender<Chunk>>,
    mut each: impl FnMut(i64) -> Result<(), ProjectionError> + Send,
) -> Result<(), ProjectionError> {
    let gone = || ProjectionError::Worker("it does not take any more events".to_owned());
    let mut chunks: Vec<Chunk> = senders.iter().map(|_| Chunk::default()).collect();
    let mut rows = connection.copy_out_raw(statement).await?;
    while let Some(row) = rows.try_next().await? {
        if log::is_end(&row) {
            continue;
        }
        let (position, stream) = log::place_of(&row).ok_or(ProjectionError::Protocol)?;
        each(position)?;
        let shard = shard_of(stream, senders.len());
        let chunk = &mut chunks[shard];
        chunk.bytes.extend_from_slice(&row);
        chunk.ends.push(chunk.bytes.len());
        if chunk.bytes.len() >= CHUNK {
            let full = std::mem::take(chunk);
            senders[shard].send(full).await.map_err(|_| gone())?;
        }
    }
    for (sender, chunk) in senders.iter().zip(chunks) {
        sender.send(chunk).await.map_err(|_| gone())?;
    }
    Ok(())
}

fn shard_of(stream: &[u8], shards: usize) -> usize {
    let mut hasher = DefaultHasher::new();
    stream.hash(&mut hasher);
    usize::try_from(hasher.finish() % shards.max(1) as u64).unwrap_or(0)
}
