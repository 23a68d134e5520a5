//! A stream from the database: snapshot and tail.

use cqrs_es::Aggregate;
use futures_util::TryStreamExt as _;
use sqlx::{PgPool, Row as _};
use tollgate_domain::Eventful;
use tollgate_domain::chain::{EventHash, GENESIS};

use super::error::LedgerError;
use super::snapshots::LAYOUT;

/// A stream's state with what the next event is chained to.
#[derive(Debug)]
pub(super) struct Loaded<A> {
    pub aggregate: A,
    pub sequence: i64,
    pub hash: EventHash,
}

/// Folds the stream, from its snapshot where one is usable.
pub(super) async fn load<A: Eventful>(pool: &PgPool, id: &str) -> Result<Loaded<A>, LedgerError> {
    if let Some((aggregate, sequence)) = find_snapshot::<A>(pool, id).await? {
        let loaded = fold(pool, id, Loaded { aggregate, sequence, hash: GENESIS }).await?;
        // GENESIS: the log does not have the snapshot's own event. The log is right.
        if loaded.hash != GENESIS {
            return Ok(loaded);
        }
        tracing::warn!(aggregate.kind = A::TYPE, aggregate.id = id, "snapshot ahead of the log");
    }
    fold(pool, id, Loaded { aggregate: A::default(), sequence: 0, hash: GENESIS }).await
}

/// Applies what follows `loaded`. Its own last event is read too: its hash is the link that the
/// next event is chained to.
async fn fold<A: Eventful>(
    pool: &PgPool,
    id: &str,
    mut loaded: Loaded<A>,
) -> Result<Loaded<A>, LedgerError> {
    let start = loaded.sequence;
    let mut rows = sqlx::query(
        "SELECT sequence, payload::text, hash FROM events
         WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence >= $3 ORDER BY sequence",
    )
    .bind(A::TYPE)
    .bind(id)
    .bind(start)
    .fetch(pool);
    while let Some(row) = rows.try_next().await? {
        let sequence: i64 = row.get(0);
        let unreadable = |reason: String| LedgerError::Unreadable {
            aggregate_type: A::TYPE,
            aggregate_id: id.to_owned(),
            sequence,
            reason,
        };
        loaded.hash = row
            .get::<&[u8], _>(2)
            .try_into()
            .map_err(|_| unreadable("its hash has not 32 bytes".into()))?;
        if sequence == start {
            continue;
        }
        if sequence != loaded.sequence + 1 {
            return Err(unreadable(format!("it follows event {}", loaded.sequence)));
        }
        let event: A::Event =
            serde_json::from_str(row.get(1)).map_err(|error| unreadable(error.to_string()))?;
        loaded.aggregate.evolve(&event);
        loaded.sequence = sequence;
    }
    Ok(loaded)
}

async fn find_snapshot<A: Eventful>(
    pool: &PgPool,
    id: &str,
) -> Result<Option<(A, i64)>, LedgerError> {
    let row = sqlx::query(
        "SELECT last_sequence, payload::text FROM snapshots
         WHERE aggregate_type = $1 AND aggregate_id = $2 AND current_snapshot = $3",
    )
    .bind(A::TYPE)
    .bind(id)
    .bind(LAYOUT)
    .fetch_optional(pool)
    .await?;
    let Some(row) = row else { return Ok(None) };
    let sequence: i64 = row.get(0);
    match serde_json::from_str::<A>(row.get(1)) {
        Ok(aggregate) if i64::try_from(aggregate.applied()) == Ok(sequence) => {
            Ok(Some((aggregate, sequence)))
        }
        // Disposable: an odd snapshot costs time, not correctness.
        Ok(_) | Err(_) => {
            tracing::warn!(aggregate.kind = A::TYPE, aggregate.id = id, "snapshot ignored");
            Ok(None)
        }
    }
}

/// The stored events of a stream with their metadata, oldest first.
pub(super) async fn load_events<A: Aggregate>(
    pool: &PgPool,
    id: &str,
) -> Result<Vec<cqrs_es::EventEnvelope<A>>, Box<dyn std::error::Error + Send + Sync>> {
    let rows = sqlx::query(
        "SELECT sequence, payload::text, metadata::text FROM events
         WHERE aggregate_type = $1 AND aggregate_id = $2 ORDER BY sequence",
    )
    .bind(A::TYPE)
    .bind(id)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            Ok(cqrs_es::EventEnvelope {
                aggregate_id: id.to_owned(),
                sequence: usize::try_from(row.get::<i64, _>(0))?,
                payload: serde_json::from_str(row.get(1))?,
                metadata: serde_json::from_str(row.get(2))?,
            })
        })
        .collect()
}
