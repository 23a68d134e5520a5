//! A customer's statement: what was there, what moved, what is there.

use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{FromRow, PgPool, query};
use tollgate_domain::ids::AccountId;

use super::money::{MONEY_MOVE, MoneyMove};
use super::page::{AsOf, QueryError, Range, as_of, fetch, first};
use super::usage::{DailyUsage, ModelUsage, by_model_in, daily_in};

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

/// A statement: its sums and what they are made of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Statement {
    /// What was there, what moved, what is there.
    pub sums: StatementSums,
    /// The money moves, oldest first.
    pub moves: Vec<MoneyMove>,
    /// What was charged, the dearest model first.
    pub models: Vec<ModelUsage>,
}

/// The statement of a span that begins and ends at full UTC hours, with at most `most` money moves.
///
/// # Errors
/// The database's.
pub async fn statement(
    pool: &PgPool,
    account: AccountId,
    range: Range,
    most: i64,
) -> Result<AsOf<Statement>, QueryError> {
    let (mut snapshot, as_of_position, sums, moves) = begin(pool, account, range, most).await?;
    let models = by_model_in(&mut *snapshot, account, range).await?.data;
    snapshot.commit().await?;
    Ok(AsOf { as_of_position, data: Statement { sums, moves, models } })
}

/// A statement line by line.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct StatementLines {
    /// What was there, what moved, what is there.
    pub sums: StatementSums,
    /// The money moves, oldest first.
    pub moves: Vec<MoneyMove>,
    /// What was charged, by UTC day.
    pub days: Vec<DailyUsage>,
}

/// The same with the charges by day. One money move more than `most` says that there are too many.
///
/// # Errors
/// The database's.
pub async fn statement_lines(
    pool: &PgPool,
    account: AccountId,
    range: Range,
    most: i64,
) -> Result<AsOf<StatementLines>, QueryError> {
    let (mut snapshot, as_of_position, sums, moves) = begin(pool, account, range, most + 1).await?;
    let days = daily_in(&mut *snapshot, account, range).await?.data;
    snapshot.commit().await?;
    Ok(AsOf { as_of_position, data: StatementLines { sums, moves, days } })
}

type Begun = (sqlx::PgTransaction<'static>, i64, StatementSums, Vec<MoneyMove>);

/// One snapshot for all of it, so that the lines make the sums.
async fn begin(
    pool: &PgPool,
    account: AccountId,
    range: Range,
    most: i64,
) -> Result<Begun, QueryError> {
    let mut snapshot = pool.begin_with("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY").await?;
    let id = account.to_string();
    let sql = as_of(&["top_ups", "usage_hourly"], SUMS, "1");
    let sums = query(&sql).bind(&id).bind(range.from).bind(range.to);
    let found = first(fetch(&mut *snapshot, sums).await?);
    let rows = format!(
        "{MONEY_MOVE} WHERE account_id = $1 AND at >= $2 AND at < $3 ORDER BY position LIMIT $4"
    );
    let sql = as_of(&["top_ups"], &rows, "r.position");
    let moves = query(&sql).bind(&id).bind(range.from).bind(range.to).bind(most);
    let moves = fetch(&mut *snapshot, moves).await?.data;
    let sums = found.data.ok_or(sqlx::Error::RowNotFound)?;
    Ok((snapshot, found.as_of_position, sums, moves))
}
