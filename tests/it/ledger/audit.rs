//! What must hold of the stored log at the end of every test.

use std::collections::HashMap;

use sqlx::{PgPool, Row as _};
use tollgate_domain::chain::{EventHash, GENESIS, StoredBytes, event_hash};
use tollgate_domain::{Eventful, Timestamp};

/// One stored event, as PostgreSQL gives it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stored {
    pub kind: String,
    pub stream: String,
    pub sequence: i64,
    pub name: String,
    pub version: String,
    pub payload: String,
    pub metadata: String,
    pub position: i64,
    pub recorded_at: i64,
    pub hash: Vec<u8>,
}

/// The whole log in order of position.
#[derive(Debug)]
pub struct Log(pub Vec<Stored>);

impl Log {
    pub async fn read(pool: &PgPool) -> Self {
        let rows = sqlx::query(
            "SELECT aggregate_type, aggregate_id, sequence, event_type, event_version,
                payload::text, metadata::text, position,
                (extract(epoch FROM recorded_at) * 1000000)::bigint, hash
             FROM events ORDER BY position",
        )
        .fetch_all(pool)
        .await
        .expect("the log");
        let stored = rows.iter().map(|row| Stored {
            kind: row.get(0),
            stream: row.get(1),
            sequence: row.get(2),
            name: row.get(3),
            version: row.get(4),
            payload: row.get(5),
            metadata: row.get(6),
            position: row.get(7),
            recorded_at: row.get(8),
            hash: row.get(9),
        });
        Self(stored.collect())
    }

    /// Positions dense from 1 to the head, sequences dense per stream and in order of position,
    /// every hash chained to the one before.
    pub async fn audited(pool: &PgPool) -> Self {
        let log = Self::read(pool).await;
        let head: i64 = sqlx::query_scalar("SELECT position FROM ledger_head")
            .fetch_one(pool)
            .await
            .expect("the head");
        assert_eq!(log.0.len() as i64, head, "the head counts the events");
        let mut ends: HashMap<(&str, &str), (i64, EventHash)> = HashMap::new();
        for (place, event) in log.0.iter().enumerate() {
            assert_eq!(event.position, place as i64 + 1, "positions are dense");
            let end = ends.entry((&event.kind, &event.stream)).or_insert((0, GENESIS));
            assert_eq!(event.sequence, end.0 + 1, "{} is dense and in order", event.stream);
            let hash = event_hash(&end.1, event.bytes());
            assert_eq!(event.hash, hash, "{} {}: the chain holds", event.stream, event.sequence);
            *end = (event.sequence, hash);
        }
        log
    }

    /// The events of one stream, oldest first.
    pub fn of(&self, stream: &str) -> Vec<&Stored> {
        self.0.iter().filter(|event| event.stream == stream).collect()
    }

    /// The state that the stored events of a stream make.
    pub fn fold<A: Eventful>(&self, stream: &str) -> A {
        let mut aggregate = A::default();
        for event in self.of(stream) {
            assert_eq!(event.kind, A::TYPE);
            aggregate.evolve(&serde_json::from_str(&event.payload).expect("an event"));
        }
        aggregate
    }

    /// How often each id of a `Counted::Added` stands in the log.
    pub fn added(&self) -> HashMap<u64, usize> {
        let mut times = HashMap::new();
        for event in &self.0 {
            let payload: serde_json::Value = serde_json::from_str(&event.payload).expect("JSON");
            if let Some(id) = payload["Added"]["id"].as_u64() {
                *times.entry(id).or_default() += 1;
            }
        }
        times
    }
}

impl Stored {
    pub fn bytes(&self) -> StoredBytes<'_> {
        StoredBytes {
            aggregate_type: &self.kind,
            aggregate_id: &self.stream,
            sequence: self.sequence.unsigned_abs(),
            event_type: &self.name,
            event_version: &self.version,
            recorded_at: Timestamp(self.recorded_at),
            payload: &self.payload,
            metadata: &self.metadata,
        }
    }
}
