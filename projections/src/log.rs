//! Reading the log with as little overhead as possible.
//!
//! `COPY … TO STDOUT (FORMAT binary)` sends rows without a bind or a describe per row, and its
//! fields are length-prefixed bytes: nothing is escaped, so payloads arrive as they are stored.

use futures_util::TryStreamExt;
use sqlx::PgConnection;
use tollgate_domain::Timestamp;

use crate::error::ProjectionError;

/// PostgreSQL counts microseconds from 2000-01-01.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
const SIGNATURE: &[u8] = b"PGCOPY\n\xff\r\n\0";

/// What the folds need of an event.
pub(crate) const FOLDED: &str =
    "position, recorded_at, aggregate_type, aggregate_id, payload, metadata";

/// Everything, for the audit.
pub(crate) const WHOLE: &str = "position, recorded_at, aggregate_type, aggregate_id, payload, \
                                metadata, sequence, event_type, event_version, hash";

/// One row of the log.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LogRow<'a> {
    pub position: i64,
    pub recorded_at: Timestamp,
    pub aggregate_type: &'a str,
    pub aggregate_id: &'a str,
    pub payload: &'a str,
    pub metadata: &'a str,
    /// Only where the whole row was asked for.
    pub sealed: Option<Sealed<'a>>,
}

/// What only the audit reads.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sealed<'a> {
    pub sequence: i64,
    pub event_type: &'a str,
    pub event_version: &'a str,
    pub hash: &'a [u8],
}

impl<'a> LogRow<'a> {
    /// Takes one binary row apart.
    pub(crate) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let mut fields = Fields::open(bytes)?;
        let count = fields.count;
        let position = fields.int()?;
        let recorded_at = Timestamp(fields.int()?.checked_add(POSTGRES_EPOCH)?);
        let aggregate_type = fields.text()?;
        let aggregate_id = fields.text()?;
        let payload = fields.text()?;
        let metadata = fields.text()?;
        let sealed = match count {
            6 => None,
            _ => Some(Sealed {
                sequence: fields.int()?,
                event_type: fields.text()?,
                event_version: fields.text()?,
                hash: fields.bytes()?,
            }),
        };
        Some(Self {
            position,
            recorded_at,
            aggregate_type,
            aggregate_id,
            payload,
            metadata,
            sealed,
        })
    }
}

/// The position of a row and the stream that it belongs to, without reading the rest of it.
pub(crate) fn place_of(bytes: &[u8]) -> Option<(i64, &[u8])> {
    let mut fields = Fields::open(bytes)?;
    let position = fields.int()?;
    fields.int()?;
    fields.bytes()?;
    Some((position, fields.bytes()?))
}

/// Whether this message is the end marker of a binary COPY.
pub(crate) fn is_end(bytes: &[u8]) -> bool {
    bytes.ends_with(&[0xff, 0xff]) && matches!(Fields::open(bytes), Some(Fields { count: -1, .. }))
}

struct Fields<'a> {
    rest: &'a [u8],
    count: i16,
}

impl<'a> Fields<'a> {
    fn open(mut bytes: &'a [u8]) -> Option<Self> {
        // The file header comes in front of the first row.
        if let Some(rest) = bytes.strip_prefix(SIGNATURE) {
            bytes = rest.get(8..)?;
        }
        let (count, rest) = bytes.split_first_chunk::<2>()?;
        Some(Self { rest, count: i16::from_be_bytes(*count) })
    }

    fn bytes(&mut self) -> Option<&'a [u8]> {
        let (length, rest) = self.rest.split_first_chunk::<4>()?;
        let length = usize::try_from(i32::from_be_bytes(*length)).ok()?;
        let (field, rest) = rest.split_at_checked(length)?;
        self.rest = rest;
        Some(field)
    }

    fn int(&mut self) -> Option<i64> {
        Some(i64::from_be_bytes(self.bytes()?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }
}

/// COPY takes no parameters; two integers cannot be anything but integers.
pub(crate) fn statement(columns: &str, after: i64, until: i64) -> String {
    format!(
        "COPY (SELECT {columns} FROM events WHERE position > {after} AND position <= {until} \
         ORDER BY position) TO STDOUT (FORMAT binary)"
    )
}

/// For reading long stretches: the index on positions is the order that is wanted, and a planner
/// without statistics would sort the whole log on disk instead. Text is as [`crate::sink`] writes.
pub(crate) const LONG_READ: &str = "SET LOCAL enable_sort = off; SET LOCAL enable_seqscan = off; \
    SET LOCAL enable_bitmapscan = off; SET LOCAL max_parallel_workers_per_gather = 0; \
    SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL statement_timeout = 0";

/// Streams `after < position <= until` in order, as raw rows.
///
/// The connection must be closed if this returns an error or is cancelled: it may be in the
/// middle of an answer.
pub(crate) async fn stream(
    connection: &mut PgConnection,
    columns: &str,
    after: i64,
    until: i64,
    mut each: impl FnMut(&[u8]) -> Result<(), ProjectionError>,
) -> Result<(), ProjectionError> {
    let mut rows = connection.copy_out_raw(&statement(columns, after, until)).await?;
    let mut since_pause = 0;
    while let Some(row) = rows.try_next().await? {
        if is_end(&row) {
            continue;
        }
        each(&row)?;
        since_pause += 1;
        if since_pause == 128 {
            since_pause = 0;
            // A long batch must not keep requests on the same thread waiting.
            tokio::task::yield_now().await;
        }
    }
    Ok(())
}
