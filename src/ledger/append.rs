//! What travels from a decided command to the writer.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row as _};
use tokio::sync::oneshot;
use tollgate_domain::chain::EventHash;
use tollgate_projections::StreamEvents;

use super::error::{CommandError, LedgerError};
use super::snapshots::Snapshot;

/// One event as it will be stored.
#[derive(Debug)]
pub(super) struct Row {
    pub sequence: i64,
    pub event_type: &'static str,
    pub event_version: &'static str,
    pub payload: String,
    pub hash: EventHash,
}

/// The events of one command.
#[derive(Debug)]
pub(super) struct Append {
    pub aggregate_type: &'static str,
    pub aggregate_id: Arc<str>,
    pub metadata: Arc<str>,
    /// Microseconds since 1970, by the clock of this process.
    pub recorded_at: i64,
    pub rows: Vec<Row>,
    pub idempotency: Option<Idempotency>,
    pub residency: Arc<Residency>,
    pub snapshot: Option<Snapshot>,
    /// None: its caller has been told that it is in doubt.
    pub done: Option<oneshot::Sender<Result<i64, Lost>>>,
}

impl Append {
    /// What the projections need of it.
    pub fn into_events(self) -> StreamEvents {
        StreamEvents {
            aggregate_type: self.aggregate_type,
            aggregate_id: self.aggregate_id,
            recorded_at: self.recorded_at,
            metadata: self.metadata,
            payloads: self.rows.into_iter().map(|row| row.payload).collect(),
        }
    }
}

/// Why an append was not stored.
#[derive(Debug)]
pub(super) enum Lost {
    /// The state that it was decided on is not the stream's.
    Conflict,
    /// Its idempotency key exists.
    KeyUsed(KeptResult),
    /// The database is away or refuses.
    Unavailable(String),
    /// The database went away with it and has not come back.
    InDoubt,
}

/// One stay of a stream in memory. Whatever was decided during a stay that turned out wrong is
/// refused by this mark, however far it has come.
#[derive(Debug, Default)]
pub(super) struct Residency(AtomicBool);

impl Residency {
    pub fn is_void(&self) -> bool {
        self.0.load(Ordering::Acquire)
    }

    pub fn void(&self) {
        self.0.store(true, Ordering::Release);
    }
}

/// A command's key, written by the statement that appends its events.
#[derive(Debug, Clone)]
pub struct Idempotency {
    /// Who may use the key: `admin:top_up`, …
    pub scope: String,
    /// The key as the caller gave it.
    pub key: String,
    /// SHA-256 of the command's content.
    pub fingerprint: [u8; 32],
    /// What the caller is told; JSON text.
    pub result: String,
}

/// What was recorded under an idempotency key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KeptResult {
    /// SHA-256 of the first command's content.
    pub fingerprint: Vec<u8>,
    /// What its caller was told; JSON text.
    pub result: String,
}

impl Idempotency {
    /// A key for a command with this content and this answer.
    #[must_use]
    pub fn new(scope: &str, key: &str, content: &str, result: String) -> Self {
        let fingerprint = Sha256::digest(content.as_bytes()).into();
        Self { scope: scope.to_owned(), key: key.to_owned(), fingerprint, result }
    }
}

/// Those of the keys that were used, with what is kept under each.
pub(super) async fn find_all_kept(
    pool: &PgPool,
    scope: &str,
    keys: &[String],
) -> Result<Vec<(String, KeptResult)>, LedgerError> {
    let rows = sqlx::query(
        "SELECT key, fingerprint, result::text FROM idempotency_keys
         WHERE scope = $1 AND key = ANY ($2)",
    )
    .bind(scope)
    .bind(keys)
    .fetch_all(pool)
    .await?;
    let kept = rows
        .into_iter()
        .map(|row| (row.get(0), KeptResult { fingerprint: row.get(1), result: row.get(2) }));
    Ok(kept.collect())
}

pub(super) async fn find_kept(
    pool: &PgPool,
    scope: &str,
    key: &str,
) -> Result<Option<KeptResult>, LedgerError> {
    let row = sqlx::query(
        "SELECT fingerprint, result::text FROM idempotency_keys WHERE scope = $1 AND key = $2",
    )
    .bind(scope)
    .bind(key)
    .fetch_optional(pool)
    .await?;
    Ok(row.map(|row| KeptResult { fingerprint: row.get(0), result: row.get(1) }))
}

/// # Errors
/// The key was used, or the database cannot be reached.
pub(super) async fn refuse_used<E: std::error::Error>(
    pool: &PgPool,
    idempotency: Option<&Idempotency>,
) -> Result<(), CommandError<E>> {
    let Some(Idempotency { scope, key, .. }) = idempotency else { return Ok(()) };
    match find_kept(pool, scope, key).await? {
        Some(kept) => Err(CommandError::KeyUsed(kept)),
        None => Ok(()),
    }
}
