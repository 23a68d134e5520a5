//! A customer's statement: what was there, what moved, what is there.

use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{FromRow, PgPool, query};
use tollgate_domain::ids::AccountId;

use super::money::{MONEY_MOVE, MoneyMove};
use super::page::{AsOf, QueryError, Range, as_of, fetch, first};

/// The sums of a span of time.
/// `closing = opening + topped_up − refunded + granted − expired + adjusted − charged`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct StatementSums {
    /// The balance before the span.
    pub opening: Decimal,
    /// Money in.
    pub topped_up: Decimal,
    /// Money back.
    pub refunded: Decimal,
    /// Money given.
    pub granted: Decimal,
    /// Given money that was taken back unspent.
    pub expired: Decimal,
    /// Corrections, up and down.
    pub adjusted: Decimal,
    /// Requests charged.
    pub charged: Decimal,
    /// How many.
    pub requests: i64,
    /// The balance after the span.
    pub closing: Decimal,
}

const SUMS: &str = "SELECT trim_scale(m.before - u.before) AS opening, \
      trim_scale(m.topped_up) AS topped_up, trim_scale(m.refunded) AS refunded, \
      trim_scale(m.granted) AS granted, trim_scale(m.expired) AS expired, \
      trim_scale(m.adjusted) AS adjusted, trim_scale(u.charged) AS charged, u.requests, \
      trim_scale(m.before + m.within - u.before - u.charged) AS closing \
    FROM (SELECT COALESCE(sum(amount) FILTER (WHERE at < $2), 0) AS before, \
        COALESCE(sum(amount) FILTER (WHERE at >= $2), 0) AS within, \
        COALESCE(sum(amount) FILTER (WHERE at >= $2 AND kind = 'top_up'), 0) AS topped_up, \
        COALESCE(-sum(amount) FILTER (WHERE at >= $2 AND kind = 'refund'), 0) AS refunded, \
        COALESCE(sum(amount) FILTER (WHERE at >= $2 AND kind = 'grant'), 0) AS granted, \
        COALESCE(-sum(amount) FILTER (WHERE at >= $2 AND kind = 'grant_expired'), 0) AS expired, \
        COALESCE(sum(amount) FILTER (WHERE at >= $2 AND kind = 'adjustment'), 0) AS adjusted \
      FROM read.top_ups WHERE account_id = $1 AND at < $3) m, \
    (SELECT COALESCE(sum(charge) FILTER (WHERE hour < $2), 0) AS before, \
        COALESCE(sum(charge) FILTER (WHERE hour >= $2), 0) AS charged, \
        COALESCE(sum(requests) FILTER (WHERE hour >= $2), 0)::bigint AS requests \
      FROM read.usage_hourly WHERE account_id = $1 AND hour < $3) u";

/// The sums of a span that begins and ends at full UTC hours.
///
/// # Errors
/// The database's.
pub async fn statement_sums(
    pool: &PgPool,
    account: AccountId,
    range: Range,
) -> Result<AsOf<Option<StatementSums>>, QueryError> {
    let sql = as_of(&["top_ups", "usage_hourly"], SUMS, "1");
    let query = query(&sql).bind(account.to_string()).bind(range.from).bind(range.to);
    Ok(first(fetch(pool, query).await?))
}

/// The money moves of a span, oldest first; at most `most`.
///
/// # Errors
/// The database's.
pub async fn statement_moves(
    pool: &PgPool,
    account: AccountId,
    range: Range,
    most: i64,
) -> Result<AsOf<Vec<MoneyMove>>, QueryError> {
    let rows = format!(
        "{MONEY_MOVE} WHERE account_id = $1 AND at >= $2 AND at < $3 ORDER BY position LIMIT $4"
    );
    let sql = as_of(&["top_ups"], &rows, "r.position");
    let query = query(&sql).bind(account.to_string()).bind(range.from).bind(range.to);
    fetch(pool, query.bind(most)).await
}
