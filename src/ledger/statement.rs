//! The one statement of the append path.

use chrono::{DateTime, Utc};
use sqlx::encode::{Encode, IsNull};
use sqlx::error::BoxDynError;
use sqlx::postgres::types::Oid;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo};
use sqlx::{PgConnection, Postgres, Row as _, Type};

use super::append::Append;

/// Numbers, events and idempotency keys in one statement: one round trip, one commit, one fsync.
///
/// The row lock on `ledger_head` lasts as long as the statement and its commit, so positions are
/// dense and become visible in order from any number of nodes.
macro_rules! append {
    ($kept:literal) => {
        concat!(
            "WITH head AS (
    UPDATE ledger_head SET position = position + cardinality($3::bigint[])
    RETURNING position - cardinality($3::bigint[]) AS base
), ",
            $kept,
            "appended AS (
    INSERT INTO events (aggregate_type, aggregate_id, sequence, event_type, event_version,
        payload, metadata, position, recorded_at, hash)
    SELECT e.aggregate_type, e.aggregate_id, e.sequence, e.event_type, e.event_version,
        e.payload, e.metadata, head.base + e.place, e.recorded_at, e.hash
    FROM head, unnest($1::text[], $2::text[], $3::bigint[], $4::text[], $5::text[], $6::json[],
        $7::json[], $8::timestamptz[], $9::bytea[]) WITH ORDINALITY
        AS e (aggregate_type, aggregate_id, sequence, event_type, event_version, payload,
            metadata, recorded_at, hash, place)
)
SELECT base FROM head"
        )
    };
}

/// Nearly every batch: no command came with an idempotency key.
const APPEND: &str = append!("");

const APPEND_WITH_KEYS: &str = append!(
    "kept AS (
    INSERT INTO idempotency_keys
        (scope, key, fingerprint, result, aggregate_type, aggregate_id, recorded_at)
    SELECT scope, key, fingerprint, result::json, aggregate_type, aggregate_id, recorded_at
    FROM unnest($10::text[], $11::text[], $12::bytea[], $13::text[], $14::text[], $15::text[],
        $16::timestamptz[])
        AS k (scope, key, fingerprint, result, aggregate_type, aggregate_id, recorded_at)
), "
);

/// JSON text as PostgreSQL's `json`, which keeps the bytes: nothing has to cast it there.
struct JsonText<'a>(&'a str);

impl Type<Postgres> for JsonText<'_> {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(114))
    }
}

impl PgHasArrayType for JsonText<'_> {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_oid(Oid(199))
    }
}

impl Encode<'_, Postgres> for JsonText<'_> {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        buffer.extend_from_slice(self.0.as_bytes());
        Ok(IsNull::No)
    }
}

fn moment(micros: i64) -> DateTime<Utc> {
    DateTime::from_timestamp_micros(micros).unwrap_or(DateTime::UNIX_EPOCH)
}

/// Appends the batch; the answer is the position before its first event.
pub(super) async fn append(
    connection: &mut PgConnection,
    batch: &[Append],
) -> Result<i64, sqlx::Error> {
    let count = batch.iter().map(|append| append.rows.len()).sum();
    let mut types: Vec<&str> = Vec::with_capacity(count);
    let mut ids: Vec<&str> = Vec::with_capacity(count);
    let mut sequences: Vec<i64> = Vec::with_capacity(count);
    let mut names: Vec<&str> = Vec::with_capacity(count);
    let mut versions: Vec<&str> = Vec::with_capacity(count);
    let mut payloads: Vec<JsonText<'_>> = Vec::with_capacity(count);
    let mut metadata: Vec<JsonText<'_>> = Vec::with_capacity(count);
    let mut times: Vec<DateTime<Utc>> = Vec::with_capacity(count);
    let mut hashes: Vec<&[u8]> = Vec::with_capacity(count);
    for append in batch {
        for row in &append.rows {
            types.push(append.aggregate_type);
            ids.push(&append.aggregate_id);
            sequences.push(row.sequence);
            names.push(row.event_type);
            versions.push(row.event_version);
            payloads.push(JsonText(&row.payload));
            metadata.push(JsonText(&append.metadata));
            times.push(moment(append.recorded_at));
            hashes.push(&row.hash);
        }
    }
    let keyed: Vec<_> =
        batch.iter().filter_map(|append| Some((append, append.idempotency.as_ref()?))).collect();
    let statement = sqlx::query(if keyed.is_empty() { APPEND } else { APPEND_WITH_KEYS })
        .bind(types)
        .bind(ids)
        .bind(sequences)
        .bind(names)
        .bind(versions)
        .bind(payloads)
        .bind(metadata)
        .bind(times)
        .bind(hashes);
    let statement = match keyed.is_empty() {
        true => statement,
        false => statement
            .bind(keyed.iter().map(|(_, key)| key.scope.as_str()).collect::<Vec<_>>())
            .bind(keyed.iter().map(|(_, key)| key.key.as_str()).collect::<Vec<_>>())
            .bind(keyed.iter().map(|(_, key)| key.fingerprint.as_slice()).collect::<Vec<_>>())
            .bind(keyed.iter().map(|(_, key)| key.result.as_str()).collect::<Vec<_>>())
            .bind(keyed.iter().map(|(append, _)| append.aggregate_type).collect::<Vec<_>>())
            .bind(keyed.iter().map(|(append, _)| &*append.aggregate_id).collect::<Vec<_>>())
            .bind(keyed.iter().map(|(append, _)| moment(append.recorded_at)).collect::<Vec<_>>()),
    };
    statement.fetch_one(connection).await?.try_get(0)
}
