//! The log itself: events as they are stored, and whether they are what they were.

use chrono::{DateTime, TimeDelta, Utc};
use sqlx::{FromRow, PgPool, query, query_scalar};
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

/// Events that are looked through for one page: a kind that is rare in a long log takes several
/// pages, of which some are short or empty, instead of one that never comes.
const WINDOW: i64 = 200_000;
/// Clocks of different processes differ by no more.
const SKEW: TimeDelta = TimeDelta::minutes(5);

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
    let (low, high) = bounds(pool, filter, page.before()?).await?;
    match &filter.stream {
        Some(stream) => of_stream(pool, stream, filter, (low, high), page).await,
        None => of_all(pool, filter, (low, high), page).await,
    }
}

/// The positions that can pass: from the first one on, and before the second one.
async fn bounds(
    pool: &PgPool,
    filter: &EventFilter,
    before: i64,
) -> Result<(i64, i64), QueryError> {
    let head: i64 = query_scalar("SELECT position FROM ledger_head").fetch_one(pool).await?;
    let last = filter.last.map_or(i64::MAX, |last| last.saturating_add(1));
    let mut low = filter.first.unwrap_or(1).max(1);
    let mut high = before.min(last).min(head + 1);
    if let Some(from) = filter.from {
        low =
            low.max(position_at(pool, head, from.checked_sub_signed(SKEW).unwrap_or(from)).await?);
    }
    if let Some(to) = filter.to {
        high = high.min(position_at(pool, head, to.checked_add_signed(SKEW).unwrap_or(to)).await?);
    }
    Ok((low, high))
}

/// About the first position that was recorded at this time or later: positions follow the clocks
/// of those who wrote them.
async fn position_at(pool: &PgPool, head: i64, at: DateTime<Utc>) -> Result<i64, QueryError> {
    let (mut low, mut high) = (1, head + 1);
    while low < high {
        let middle = low + (high - low) / 2;
        let recorded: Option<DateTime<Utc>> =
            query_scalar("SELECT recorded_at FROM events WHERE position = $1")
                .bind(middle)
                .fetch_optional(pool)
                .await?;
        match recorded.is_some_and(|recorded| recorded < at) {
            true => low = middle + 1,
            false => high = middle,
        }
    }
    Ok(low)
}

const PASSES: &str = "e.position >= $1 AND e.position < $2 \
    AND ($4::text IS NULL OR e.event_type = $4) \
    AND ($5::timestamptz IS NULL OR e.recorded_at >= $5) \
    AND ($6::timestamptz IS NULL OR e.recorded_at < $6)";

/// Within one stream its own key is the order: the newest of a stream need not be new.
async fn of_stream(
    pool: &PgPool,
    stream: &str,
    filter: &EventFilter,
    (low, high): (i64, i64),
    page: &PageRequest,
) -> Result<Page<StoredEvent>, QueryError> {
    let rows = format!(
        "{EVENT} WHERE {PASSES} AND e.aggregate_type = $7 AND e.aggregate_id = $8 \
         ORDER BY e.sequence DESC LIMIT $3"
    );
    let sql = as_of_head(&rows, "r.position DESC");
    let query = query(&sql).bind(low).bind(high).bind(page.rows());
    let query = query.bind(filter.event_type.clone()).bind(filter.from).bind(filter.to);
    let found = fetch(pool, query.bind(kind_of(stream)).bind(stream)).await?;
    Ok(page.page(found, |event: &StoredEvent| event.position.to_string()))
}

async fn of_all(
    pool: &PgPool,
    filter: &EventFilter,
    (low, high): (i64, i64),
    page: &PageRequest,
) -> Result<Page<StoredEvent>, QueryError> {
    let window = low.max(high.saturating_sub(WINDOW));
    let rows = format!("{EVENT} WHERE {PASSES} ORDER BY e.position DESC LIMIT $3");
    let sql = as_of_head(&rows, "r.position DESC");
    let query = query(&sql).bind(window).bind(high).bind(page.rows());
    let query = query.bind(filter.event_type.clone()).bind(filter.from).bind(filter.to);
    let found = fetch(pool, query).await?;
    let mut page = page.page(found, |event: &StoredEvent| event.position.to_string());
    if page.next_cursor.is_none() && window > low {
        page.next_cursor = Some(window.to_string());
    }
    Ok(page)
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
