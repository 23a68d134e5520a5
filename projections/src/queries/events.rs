//! The log itself: events as they are stored, and whether they are what they were.

use chrono::{DateTime, Utc};
use sqlx::{FromRow, PgPool, query};
use tollgate_domain::Timestamp;
use tollgate_domain::chain::{GENESIS, StoredBytes, event_hash};
use tollgate_domain::journal::Entry;
use tollgate_domain::ledger_event::LedgerEvent;

use super::page::{AsOf, Page, PageRequest, QueryError, as_of_head, fetch, first};
use crate::error::FoldError;
use crate::log::LogRow;
use crate::seen::decode;

/// An event as it is stored.
#[derive(Debug, Clone, PartialEq, Eq, FromRow)]
pub struct StoredEvent {
    /// Order of all events.
    pub position: i64,
    /// `account`, `master_account` or `price_book`.
    pub aggregate_type: String,
    /// The stream's id.
    pub aggregate_id: String,
    /// Order within the stream.
    pub sequence: i64,
    /// As in `FundsReserved`.
    pub event_type: String,
    /// The payload's version.
    pub event_version: String,
    /// By the clock of the process that wrote it.
    pub recorded_at: DateTime<Utc>,
    /// The JSON text as stored.
    pub payload: String,
    /// The JSON text as stored.
    pub metadata: String,
    /// SHA-256 of all of it, chained to the event before it in its stream.
    pub hash: Vec<u8>,
    /// The hash that it is chained to; none: the first event of its stream, or that is missing.
    pub previous_hash: Option<Vec<u8>>,
}

pub(super) const EVENT: &str = "SELECT e.position, e.aggregate_type, e.aggregate_id, e.sequence, \
    e.event_type, e.event_version, e.recorded_at, e.payload::text AS payload, \
    e.metadata::text AS metadata, e.hash, \
    (SELECT p.hash FROM events p WHERE p.aggregate_type = e.aggregate_type \
       AND p.aggregate_id = e.aggregate_id AND p.sequence = e.sequence - 1) AS previous_hash \
    FROM events e";

impl StoredEvent {
    /// Whether its hash is that of its bytes and continues the chain of its stream.
    #[must_use]
    pub fn verifies(&self) -> bool {
        let previous = match (self.sequence, &self.previous_hash) {
            (1, _) => Some(GENESIS),
            (_, Some(hash)) => hash.as_slice().try_into().ok(),
            (_, None) => None,
        };
        let stored = StoredBytes {
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            sequence: u64::try_from(self.sequence).unwrap_or(0),
            event_type: &self.event_type,
            event_version: &self.event_version,
            recorded_at: self.at(),
            payload: &self.payload,
            metadata: &self.metadata,
        };
        previous.is_some_and(|previous| event_hash(&previous, stored)[..] == self.hash)
    }

    /// The event itself.
    ///
    /// # Errors
    /// [`FoldError::Undecodable`].
    pub fn decode(&self) -> Result<LedgerEvent, FoldError> {
        decode(&LogRow {
            position: self.position,
            recorded_at: self.at(),
            aggregate_type: &self.aggregate_type,
            aggregate_id: &self.aggregate_id,
            payload: &self.payload,
            metadata: &self.metadata,
            sealed: None,
        })
    }

    /// Its journal entry; none where no money moves.
    ///
    /// # Errors
    /// [`FoldError::Undecodable`].
    pub fn entry(&self) -> Result<Option<Entry>, FoldError> {
        Ok(self.decode()?.entry(&self.aggregate_id))
    }

    fn at(&self) -> Timestamp {
        Timestamp(self.recorded_at.timestamp_micros())
    }
}

/// Which events; empty members filter nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct EventFilter {
    /// Of one stream: its id.
    pub stream: Option<String>,
    /// As in `FundsReserved`.
    pub event_type: Option<String>,
    /// From this position on.
    pub first: Option<i64>,
    /// Up to this position.
    pub last: Option<i64>,
    /// Recorded from here on.
    pub from: Option<DateTime<Utc>>,
    /// Recorded before this.
    pub to: Option<DateTime<Utc>>,
}

/// The kinds of streams, to which ids belong by their prefix.
fn kind_of(stream: &str) -> &'static str {
    match stream.split('_').next() {
        Some("acct") => "account",
        Some("mast") => "master_account",
        Some(_) | None => "price_book",
    }
}

/// Events that pass the filter, newest first.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn events(
    pool: &PgPool,
    filter: &EventFilter,
    page: &PageRequest,
) -> Result<Page<StoredEvent>, QueryError> {
    let mut rows = format!("{EVENT} WHERE e.position < $1 AND e.position >= $3");
    // Within one stream its own key is the order: the newest of a stream need not be new.
    let order = match filter.stream {
        Some(_) => {
            rows += " AND e.aggregate_type = $8 AND e.aggregate_id = $4";
            "e.sequence"
        }
        None => {
            rows += " AND $8::text IS NULL AND $4::text IS NULL";
            "e.position"
        }
    };
    rows += " AND ($5::text IS NULL OR e.event_type = $5) \
        AND ($6::timestamptz IS NULL OR e.recorded_at >= $6) \
        AND ($7::timestamptz IS NULL OR e.recorded_at < $7)";
    rows += &format!(" ORDER BY {order} DESC LIMIT $2");
    let sql = as_of_head(&rows, "r.position DESC");
    let last = filter.last.map_or(i64::MAX, |last| last.saturating_add(1));
    let query = query(&sql)
        .bind(page.before()?.min(last))
        .bind(page.rows())
        .bind(filter.first.unwrap_or(0))
        .bind(filter.stream.clone())
        .bind(filter.event_type.clone())
        .bind(filter.from)
        .bind(filter.to)
        .bind(filter.stream.as_deref().map(kind_of));
    Ok(page.page(fetch(pool, query).await?, |event: &StoredEvent| event.position.to_string()))
}

/// The event at a position.
///
/// # Errors
/// The database's.
pub async fn event(pool: &PgPool, position: i64) -> Result<AsOf<Option<StoredEvent>>, QueryError> {
    let sql = as_of_head(&format!("{EVENT} WHERE e.position = $1"), "1");
    Ok(first(fetch(pool, query(&sql).bind(position)).await?))
}

/// The events at these positions, in their order.
pub(super) async fn events_at(
    pool: &PgPool,
    positions: &[i64],
) -> Result<Vec<StoredEvent>, QueryError> {
    let sql = as_of_head(&format!("{EVENT} WHERE e.position = ANY($1)"), "r.position");
    Ok(fetch(pool, query(&sql).bind(positions)).await?.data)
}
