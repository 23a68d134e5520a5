//! Appends events as the engine does, one writer at a time.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tollgate_domain::chain::{EventHash, GENESIS, StoredBytes, event_hash};
use tollgate_domain::{Eventful, Timestamp};

/// Buffers events and appends them in one statement.
#[derive(Debug, Default)]
pub struct Writer {
    streams: HashMap<(&'static str, String), (u64, EventHash)>,
    rows: Rows,
}

#[derive(Debug, Default)]
struct Rows {
    kind: Vec<&'static str>,
    id: Vec<String>,
    sequence: Vec<i64>,
    name: Vec<&'static str>,
    version: Vec<&'static str>,
    payload: Vec<String>,
    metadata: Vec<String>,
    at: Vec<DateTime<Utc>>,
    hash: Vec<Vec<u8>>,
}

/// Metadata as the gateway writes it.
#[must_use]
pub fn metadata(actor: &str, request: Option<&str>, node: &str) -> String {
    let actor = serde_json::Value::from(actor);
    let node = serde_json::Value::from(node);
    match request {
        Some(request) => {
            let request = serde_json::Value::from(request);
            format!(r#"{{"actor":{actor},"request_id":{request},"node":{node}}}"#)
        }
        None => format!(r#"{{"actor":{actor},"node":{node}}}"#),
    }
}

impl Writer {
    /// Buffers one event of a stream that only this writer appends to.
    ///
    /// # Panics
    /// When the event cannot be serialised: a mistake in the domain.
    pub fn push<A: Eventful>(
        &mut self,
        stream: &str,
        event: &A::Event,
        metadata: String,
        at: Timestamp,
    ) {
        let known = self.streams.entry((A::TYPE, stream.to_owned())).or_insert((0, GENESIS));
        let payload = serde_json::to_string(event).expect("events are plain data");
        let stored = StoredBytes {
            aggregate_type: A::TYPE,
            aggregate_id: stream,
            sequence: known.0 + 1,
            event_type: A::event_name(event),
            event_version: A::event_version(event),
            recorded_at: at,
            payload: &payload,
            metadata: &metadata,
        };
        *known = (known.0 + 1, event_hash(&known.1, stored));
        let rows = &mut self.rows;
        rows.kind.push(A::TYPE);
        rows.id.push(stream.to_owned());
        rows.sequence.push(i64::try_from(known.0).unwrap_or(i64::MAX));
        rows.name.push(A::event_name(event));
        rows.version.push(A::event_version(event));
        rows.payload.push(payload);
        rows.metadata.push(metadata);
        rows.at.push(DateTime::from_timestamp_micros(at.micros()).unwrap_or_default());
        rows.hash.push(known.1.to_vec());
    }

    /// Events that are not appended yet.
    #[must_use]
    pub fn buffered(&self) -> usize {
        self.rows.kind.len()
    }

    /// Appends what is buffered and returns the new head of the log.
    ///
    /// # Errors
    /// The database's.
    pub async fn flush(&mut self, pool: &PgPool) -> Result<i64, sqlx::Error> {
        let rows = std::mem::take(&mut self.rows);
        sqlx::query_scalar(
            "WITH head AS (UPDATE ledger_head SET position = position + cardinality($1) \
                           RETURNING position), \
             added AS (INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, \
                         event_version, payload, metadata, recorded_at, hash, position) \
                       SELECT u.kind, u.id, u.sequence, u.name, u.version, u.payload::json, \
                         u.metadata::json, u.at, u.hash, \
                         head.position - cardinality($1) + u.nth \
                       FROM head, unnest($1::text[], $2::text[], $3::bigint[], $4::text[], \
                         $5::text[], $6::text[], $7::text[], $8::timestamptz[], $9::bytea[]) \
                         WITH ORDINALITY AS u (kind, id, sequence, name, version, payload, \
                                               metadata, at, hash, nth)) \
             SELECT position FROM head",
        )
        .bind(&rows.kind)
        .bind(&rows.id)
        .bind(&rows.sequence)
        .bind(&rows.name)
        .bind(&rows.version)
        .bind(&rows.payload)
        .bind(&rows.metadata)
        .bind(&rows.at)
        .bind(&rows.hash)
        .fetch_one(pool)
        .await
    }
}
