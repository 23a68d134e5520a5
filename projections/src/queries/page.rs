//! Pages, cursors and the position that an answer reflects.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::postgres::{PgArguments, PgRow};
use sqlx::query::Query;
use sqlx::{FromRow, PgExecutor, Postgres, Row};

use crate::error::FoldError;

/// An answer and the position that it reflects.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct AsOf<T> {
    /// The last event that the answer includes.
    pub as_of_position: i64,
    /// The answer.
    pub data: T,
}

/// One page of a list.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Page<T> {
    /// The last event that the page includes.
    pub as_of_position: i64,
    /// The rows.
    pub items: Vec<T>,
    /// Asks for the next page; none: this is the last one.
    pub next_cursor: Option<String>,
}

/// Why a query was not answered.
#[derive(Debug, thiserror::Error)]
pub enum QueryError {
    /// The cursor is not one that a page of this list gave out.
    #[error("the cursor is not one of this list")]
    InvalidCursor,
    /// Pages have 1 to 200 rows.
    #[error("the limit must be between 1 and 200")]
    InvalidLimit,
    /// An event of the log cannot be read.
    #[error(transparent)]
    Event(#[from] FoldError),
    /// The database's.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

/// Which page is asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PageRequest {
    cursor: Option<String>,
    limit: i64,
}

impl Default for PageRequest {
    fn default() -> Self {
        Self { cursor: None, limit: Self::USUAL }
    }
}

impl PageRequest {
    /// Rows of a page where nobody says how many.
    pub const USUAL: i64 = 50;
    /// The most rows of a page.
    pub const MOST: i64 = 200;

    /// The page after `cursor` with at most `limit` rows.
    ///
    /// # Errors
    /// [`QueryError::InvalidLimit`]. A foreign cursor is noticed by the query.
    pub fn new(cursor: Option<String>, limit: Option<i64>) -> Result<Self, QueryError> {
        let limit = limit.unwrap_or(Self::USUAL);
        match (1..=Self::MOST).contains(&limit) {
            true => Ok(Self { cursor, limit }),
            false => Err(QueryError::InvalidLimit),
        }
    }

    /// One more than is shown, which tells whether there is a next page.
    pub(super) const fn rows(&self) -> i64 {
        self.limit + 1
    }

    /// For lists by position, newest first: everything below this one.
    pub(super) fn before(&self) -> Result<i64, QueryError> {
        match &self.cursor {
            None => Ok(i64::MAX),
            Some(text) => text.parse().map_err(|_| QueryError::InvalidCursor),
        }
    }

    /// For lists by id, ascending: everything above this one. Ids never begin with anything
    /// smaller than the empty text.
    pub(super) fn after(&self) -> Result<&str, QueryError> {
        let text = self.cursor.as_deref().unwrap_or("");
        match text.len() <= 64 && !text.contains('\0') {
            true => Ok(text),
            false => Err(QueryError::InvalidCursor),
        }
    }

    /// Makes the page of `rows() + 1` rows; `cursor` names a row.
    pub(super) fn page<T>(&self, found: AsOf<Vec<T>>, cursor: fn(&T) -> String) -> Page<T> {
        let AsOf { as_of_position, data: mut items } = found;
        let more = items.len() as i64 > self.limit;
        items.truncate(usize::try_from(self.limit).unwrap_or(usize::MAX));
        let next_cursor = more.then(|| items.last().map(cursor)).flatten();
        Page { as_of_position, items, next_cursor }
    }
}

/// A span of time: `from` belongs to it, `to` does not. Usage is kept by UTC hour and profit by
/// UTC day; an hour or day that the span touches counts whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Range {
    /// From here on.
    pub from: DateTime<Utc>,
    /// Until before here.
    pub to: DateTime<Utc>,
}

/// Wraps the query of rows so that each answer, even an empty one, carries the position of the
/// projections that it reads. `order` is repeated outside, where it counts.
pub(super) fn as_of(projections: &[&str], rows: &str, order: &str) -> String {
    let names: Vec<_> = projections.iter().map(|name| format!("'{name}'")).collect();
    format!(
        "SELECT c.as_of_position, r.* FROM \
           (SELECT COALESCE(min(position), 0) AS as_of_position FROM projection_checkpoints \
            WHERE copy = 'live' AND name IN ({})) c \
         LEFT JOIN (SELECT true AS present, q.* FROM ({rows}) q) r ON true ORDER BY {order}",
        names.join(", ")
    )
}

/// The same for rows of the log itself, which is as new as its head.
pub(super) fn as_of_head(rows: &str, order: &str) -> String {
    format!(
        "SELECT h.position AS as_of_position, r.* FROM ledger_head h \
         LEFT JOIN (SELECT true AS present, q.* FROM ({rows}) q) r ON true ORDER BY {order}"
    )
}

/// Runs a query made by [`as_of`].
pub(super) async fn fetch<'e, T>(
    from: impl PgExecutor<'e>,
    query: Query<'_, Postgres, PgArguments>,
) -> Result<AsOf<Vec<T>>, QueryError>
where
    T: for<'r> FromRow<'r, PgRow>,
{
    let rows = query.fetch_all(from).await?;
    let mut found = AsOf { as_of_position: 0, data: Vec::with_capacity(rows.len()) };
    for row in &rows {
        found.as_of_position = row.try_get("as_of_position")?;
        if row.try_get::<Option<bool>, _>("present")?.is_some() {
            found.data.push(T::from_row(row)?);
        }
    }
    Ok(found)
}

/// The first row, if there is one.
pub(super) fn first<T>(found: AsOf<Vec<T>>) -> AsOf<Option<T>> {
    AsOf { as_of_position: found.as_of_position, data: found.data.into_iter().next() }
}
