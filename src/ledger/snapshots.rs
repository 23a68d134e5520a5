//! Snapshots: written off the command path, from committed state, and disposable.

use std::sync::Arc;

use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

/// The layout of a snapshot's payload. Another number in the table is ignored on load.
pub(super) const LAYOUT: i64 = 2;

/// Snapshots that may wait; more are dropped, because the next ones will come.
const QUEUE: usize = 256;

/// The state of a stream right after `sequence`; serialised by the worker, not by the command.
pub(super) struct Snapshot {
    pub aggregate_type: &'static str,
    pub aggregate_id: Arc<str>,
    pub sequence: i64,
    pub payload: Box<dyn FnOnce() -> serde_json::Result<String> + Send + Sync>,
}

impl std::fmt::Debug for Snapshot {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Snapshot({} {} @ {})", self.aggregate_type, self.aggregate_id, self.sequence)
    }
}

pub(super) fn start(
    pool: PgPool,
    tracker: &TaskTracker,
    stop: CancellationToken,
) -> mpsc::Sender<Snapshot> {
    let (sender, mut receiver) = mpsc::channel::<Snapshot>(QUEUE);
    tracker.spawn(async move {
        loop {
            let snapshot = tokio::select! {
                () = stop.cancelled() => return,
                next = receiver.recv() => next,
            };
            let Some(snapshot) = snapshot else { return };
            let (kind, id, at) =
                (snapshot.aggregate_type, snapshot.aggregate_id.clone(), snapshot.sequence);
            if let Err(error) = write(&pool, snapshot).await {
                tracing::warn!(aggregate.kind = kind, aggregate.id = %id, sequence = at, %error,
                    "a snapshot was not written; loading this stream will take longer");
            }
        }
    });
    sender
}

async fn write(pool: &PgPool, snapshot: Snapshot) -> Result<(), Box<dyn std::error::Error>> {
    let payload = (snapshot.payload)()?;
    sqlx::query(
        "INSERT INTO snapshots
            (aggregate_type, aggregate_id, last_sequence, current_snapshot, payload)
         VALUES ($1, $2, $3, $4, $5::json)
         ON CONFLICT (aggregate_type, aggregate_id) DO UPDATE
         SET last_sequence = excluded.last_sequence, current_snapshot = excluded.current_snapshot,
             payload = excluded.payload
         WHERE snapshots.last_sequence < excluded.last_sequence
            OR snapshots.current_snapshot <> excluded.current_snapshot",
    )
    .bind(snapshot.aggregate_type)
    .bind(&*snapshot.aggregate_id)
    .bind(snapshot.sequence)
    .bind(LAYOUT)
    .bind(payload)
    .execute(pool)
    .await?;
    Ok(())
}
