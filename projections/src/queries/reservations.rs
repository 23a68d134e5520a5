//! Open reservations, for recovery and for the operator.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{FromRow, PgPool, query};
use tollgate_domain::ids::AccountId;

use super::page::{Page, PageRequest, QueryError, as_of, fetch};

/// Money that is set aside for a request that has not ended, as far as the read model knows: the
/// command that ends it is decided by the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct OpenReservation {
    /// `rsv_…`
    pub reservation_id: String,
    /// Whose money it is.
    pub account_id: String,
    /// The key that the request came with.
    pub key_id: String,
    /// The model that it asked for.
    pub model: String,
    /// How much.
    pub amount: Decimal,
    /// Frozen for the charge.
    pub sale_ratio: Decimal,
    /// Version of the price list.
    pub price_version: i64,
    /// From then on recovery may end it.
    pub expires_at: DateTime<Utc>,
    /// The process that reserved it.
    pub node: String,
    /// The request as the client sees it.
    pub request_id: Option<String>,
    /// When it was reserved.
    pub reserved_at: DateTime<Utc>,
    /// The position of its event.
    pub position: i64,
}

/// Which reservations; empty members filter nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct OpenFilter {
    /// Made by one of these processes.
    pub nodes: Option<Vec<String>>,
    /// Made by a process that is none of these.
    pub not_nodes: Option<Vec<String>>,
    /// Whose time was over before this moment.
    pub expired_before: Option<DateTime<Utc>>,
    /// Of one account.
    pub account: Option<AccountId>,
}

/// Open reservations all together.
#[derive(Debug, Clone, Copy, PartialEq, FromRow)]
pub struct OpenSummary {
    /// How many there are.
    pub count: i64,
    /// The age of the oldest, in seconds.
    pub oldest_seconds: f64,
}

/// How many reservations are open, and for how long.
///
/// # Errors
/// The database's.
pub async fn open_summary(pool: &PgPool) -> Result<OpenSummary, QueryError> {
    let sql = "SELECT count(*) AS count, \
        greatest(COALESCE(extract(epoch FROM now() - min(reserved_at)), 0), 0)::float8 \
            AS oldest_seconds FROM read.open_reservations";
    Ok(sqlx::query_as(sql).fetch_one(pool).await?)
}

/// The open reservations that pass the filter, by id: oldest first.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn open_reservations(
    pool: &PgPool,
    filter: &OpenFilter,
    page: &PageRequest,
) -> Result<Page<OpenReservation>, QueryError> {
    let rows = "SELECT reservation_id, account_id, key_id, model, trim_scale(amount) AS amount, \
                  sale_ratio, price_version, expires_at, node, request_id, reserved_at, position \
                FROM read.open_reservations WHERE reservation_id > $1 \
                AND ($3::text[] IS NULL OR node = ANY($3)) \
                AND ($4::text[] IS NULL OR node <> ALL($4)) \
                AND ($5::timestamptz IS NULL OR expires_at < $5) \
                AND ($6::text IS NULL OR account_id = $6) \
                ORDER BY reservation_id LIMIT $2";
    let sql = as_of(&["open_reservations"], rows, "r.reservation_id");
    let query = query(&sql)
        .bind(page.after()?)
        .bind(page.rows())
        .bind(&filter.nodes)
        .bind(&filter.not_nodes)
        .bind(filter.expired_before)
        .bind(filter.account.map(|id| id.to_string()));
    Ok(page.page(fetch(pool, query).await?, |open: &OpenReservation| open.reservation_id.clone()))
}
