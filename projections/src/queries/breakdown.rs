//! Usage of an account by more than one thing at once.

use chrono::NaiveDate;
use serde::Serialize;
use sqlx::{FromRow, PgPool, query, query_scalar};
use tollgate_domain::ids::{AccountId, KeyId};

use super::page::{AsOf, QueryError, Range, as_of, fetch};
use super::usage::{SCOPE, SUMS, Usage};

/// What a line stands for: what is false is added up.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Breakdown {
    /// By UTC day.
    pub day: bool,
    /// By requested model.
    pub model: bool,
    /// By API key.
    pub key: bool,
}

/// Which usage; empty members filter nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct UsageFilter {
    /// Of one model.
    pub model: Option<String>,
    /// Of one key.
    pub key: Option<KeyId>,
}

/// A line of it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct UsageLine {
    /// The day, where it is broken down by days.
    pub day: Option<NaiveDate>,
    /// The model, where it is broken down by models.
    pub model: Option<String>,
    /// The key, where it is broken down by keys.
    pub key_id: Option<String>,
    /// What was used.
    #[sqlx(flatten)]
    #[serde(flatten)]
    pub usage: Usage,
}

const FILTER: &str = "AND ($4::text IS NULL OR model = $4) AND ($5::text IS NULL OR key_id = $5)";

impl Breakdown {
    fn names(self) -> String {
        let column = |wanted: bool, column: &str, nothing: &str, name: &str| match wanted {
            true => format!("{column} AS {name}"),
            false => format!("{nothing} AS {name}"),
        };
        [
            column(self.day, "(hour AT TIME ZONE 'UTC')::date", "NULL::date", "day"),
            column(self.model, "model", "NULL::text", "model"),
            column(self.key, "key_id", "NULL::text", "key_id"),
        ]
        .join(", ")
    }
}

/// Usage in a span of time, line by line: the oldest day first, then the dearest; at most `most`.
///
/// # Errors
/// The database's.
pub async fn breakdown(
    pool: &PgPool,
    account: AccountId,
    range: Range,
    by: Breakdown,
    filter: &UsageFilter,
    most: i64,
) -> Result<AsOf<Vec<UsageLine>>, QueryError> {
    let rows = format!(
        "SELECT {}, {SUMS} {SCOPE} {FILTER} GROUP BY 1, 2, 3 \
         ORDER BY 1, sum(charge) DESC, 2, 3 LIMIT $6",
        by.names()
    );
    let sql = as_of(&["usage_hourly"], &rows, "r.day, r.charge DESC, r.model, r.key_id");
    let query = query(&sql).bind(account.to_string()).bind(range.from).bind(range.to);
    let query = query.bind(filter.model.clone()).bind(filter.key.map(|key| key.to_string()));
    fetch(pool, query.bind(most)).await
}

/// How many lines that would be; counts no further than `most`.
///
/// # Errors
/// The database's.
pub async fn count_breakdown(
    pool: &PgPool,
    account: AccountId,
    range: Range,
    by: Breakdown,
    filter: &UsageFilter,
    most: i64,
) -> Result<i64, QueryError> {
    let sql = format!(
        "SELECT count(*) FROM (SELECT {} {SCOPE} {FILTER} GROUP BY 1, 2, 3 LIMIT $6) lines",
        by.names()
    );
    let query = query_scalar(&sql).bind(account.to_string()).bind(range.from).bind(range.to);
    let query = query.bind(filter.model.clone()).bind(filter.key.map(|key| key.to_string()));
    Ok(query.bind(most).fetch_one(pool).await?)
}
