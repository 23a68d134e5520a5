//! Usage of an account over time.

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{FromRow, PgExecutor, PgPool, query};
use tollgate_domain::ids::{AccountId, KeyId};

use super::page::{AsOf, QueryError, Range, as_of, fetch, first};

/// What was used. Cached, cache-write, audio and reasoning tokens are parts of the others.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Usage {
    /// Charged requests.
    pub requests: i64,
    /// Requests that ended without a charge.
    pub unbilled: i64,
    /// All input tokens.
    pub prompt_tokens: i64,
    /// All output tokens.
    pub completion_tokens: i64,
    /// Input tokens read from a cache.
    pub cached_tokens: i64,
    /// Input tokens written to a cache.
    pub cache_write_tokens: i64,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: i64,
    /// Input and output tokens of sound.
    pub audio_tokens: i64,
    /// What the upstream's public price list asks.
    pub list_cost: Decimal,
    /// What the customer paid.
    pub charge: Decimal,
}

/// Usage of one UTC hour.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct HourlyUsage {
    /// When the hour began.
    pub hour: DateTime<Utc>,
    /// What was used in it.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub usage: Usage,
}

/// Usage of one UTC day.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct DailyUsage {
    /// The day.
    pub day: NaiveDate,
    /// What was used on it.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub usage: Usage,
}

/// Usage of one model.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct ModelUsage {
    /// As it was requested.
    pub model: String,
    /// What was used of it.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub usage: Usage,
}

/// The sums of every query here; a sum of bigint is NUMERIC in SQL.
pub(super) const SUMS: &str = "COALESCE(sum(requests), 0)::bigint AS requests, \
    COALESCE(sum(unbilled), 0)::bigint AS unbilled, \
    COALESCE(sum(prompt_tokens), 0)::bigint AS prompt_tokens, \
    COALESCE(sum(completion_tokens), 0)::bigint AS completion_tokens, \
    COALESCE(sum(cached_tokens), 0)::bigint AS cached_tokens, \
    COALESCE(sum(cache_write_tokens), 0)::bigint AS cache_write_tokens, \
    COALESCE(sum(reasoning_tokens), 0)::bigint AS reasoning_tokens, \
    COALESCE(sum(audio_tokens), 0)::bigint AS audio_tokens, \
    trim_scale(round(COALESCE(sum(list_cost), 0), 12)) AS list_cost, \
    trim_scale(COALESCE(sum(charge), 0)) AS charge";

pub(super) const SCOPE: &str = "FROM read.usage_hourly WHERE account_id = $1 \
    AND hour >= date_trunc('hour', $2::timestamptz) AND hour < $3::timestamptz";

/// What SQL cannot know: a query without a group always has one row.
const NOTHING: Usage = Usage {
    requests: 0,
    unbilled: 0,
    prompt_tokens: 0,
    completion_tokens: 0,
    cached_tokens: 0,
    cache_write_tokens: 0,
    reasoning_tokens: 0,
    audio_tokens: 0,
    list_cost: Decimal::ZERO,
    charge: Decimal::ZERO,
};

/// Everything that the account used in a span of time.
///
/// # Errors
/// The database's.
pub async fn totals(
    pool: &PgPool,
    account: AccountId,
    range: Range,
) -> Result<AsOf<Usage>, QueryError> {
    let sql = as_of(&["usage_hourly"], &format!("SELECT {SUMS} {SCOPE}"), "1");
    let query = query(&sql).bind(account.to_string()).bind(range.from).bind(range.to);
    let found = first(fetch(pool, query).await?);
    Ok(AsOf { as_of_position: found.as_of_position, data: found.data.unwrap_or(NOTHING) })
}

/// Hour by hour, oldest first; hours without requests are left out.
///
/// # Errors
/// The database's.
pub async fn hourly(
    pool: &PgPool,
    account: AccountId,
    range: Range,
) -> Result<AsOf<Vec<HourlyUsage>>, QueryError> {
    let rows = format!("SELECT hour, {SUMS} {SCOPE} GROUP BY hour");
    let sql = as_of(&["usage_hourly"], &rows, "r.hour");
    let query = query(&sql).bind(account.to_string()).bind(range.from).bind(range.to);
    fetch(pool, query).await
}

/// UTC day by UTC day, oldest first; days without requests are left out.
///
/// # Errors
/// The database's.
pub async fn daily(
    pool: &PgPool,
    account: AccountId,
    range: Range,
) -> Result<AsOf<Vec<DailyUsage>>, QueryError> {
    daily_in(pool, account, range).await
}

pub(super) async fn daily_in<'e>(
    from: impl PgExecutor<'e>,
    account: AccountId,
    range: Range,
) -> Result<AsOf<Vec<DailyUsage>>, QueryError> {
    let rows = format!("SELECT (hour AT TIME ZONE 'UTC')::date AS day, {SUMS} {SCOPE} GROUP BY 1");
    let sql = as_of(&["usage_hourly"], &rows, "r.day");
    let query = query(&sql).bind(account.to_string()).bind(range.from).bind(range.to);
    fetch(from, query).await
}

/// Model by model, the dearest first.
///
/// # Errors
/// The database's.
pub async fn by_model(
    pool: &PgPool,
    account: AccountId,
    range: Range,
) -> Result<AsOf<Vec<ModelUsage>>, QueryError> {
    by_model_in(pool, account, range).await
}

pub(super) async fn by_model_in<'e>(
    from: impl PgExecutor<'e>,
    account: AccountId,
    range: Range,
) -> Result<AsOf<Vec<ModelUsage>>, QueryError> {
    let rows = format!("SELECT model, {SUMS} {SCOPE} GROUP BY model");
    let sql = as_of(&["usage_hourly"], &rows, "r.charge DESC, r.model");
    let query = query(&sql).bind(account.to_string()).bind(range.from).bind(range.to);
    fetch(from, query).await
}

/// What was charged to one key.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, FromRow)]
pub struct KeyCharges {
    /// Ever.
    pub total: Decimal,
    /// This UTC day.
    pub daily: Decimal,
    /// This UTC week, from Monday.
    pub weekly: Decimal,
    /// This UTC month.
    pub monthly: Decimal,
}

/// What was charged to a key of an account, ever and in the windows of now.
///
/// # Errors
/// The database's.
pub async fn key_charges(
    pool: &PgPool,
    account: AccountId,
    key: KeyId,
) -> Result<AsOf<KeyCharges>, QueryError> {
    let sum = |unit: &str| {
        format!(
            "trim_scale(COALESCE(sum(charge) FILTER
                (WHERE hour >= date_trunc('{unit}', now(), 'UTC')), 0))"
        )
    };
    let rows = format!(
        "SELECT trim_scale(COALESCE((SELECT charge FROM read.key_usage WHERE key_id = $2), 0))
            AS total, {} AS daily, {} AS weekly, {} AS monthly
         FROM read.usage_hourly WHERE account_id = $1 AND key_id = $2
            AND hour >= date_trunc('month', now(), 'UTC') - interval '7 days'",
        sum("day"),
        sum("week"),
        sum("month")
    );
    let sql = as_of(&["key_usage", "usage_hourly"], &rows, "1");
    let found = query(&sql).bind(account.to_string()).bind(key.to_string());
    let found = first(fetch(pool, found).await?);
    Ok(AsOf { as_of_position: found.as_of_position, data: found.data.unwrap_or_default() })
}
