//! Columns that stand for something else than text.

use std::error::Error;
use std::str::FromStr;

use sqlx::Row as _;
use sqlx::postgres::PgRow;

/// A column with text that stands for something; damaged text is an error of the row, not a panic.
pub(crate) fn parsed<T>(row: &PgRow, column: &str) -> Result<T, sqlx::Error>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    let text: &str = row.try_get(column)?;
    text.parse().map_err(|error: T::Err| damaged(column, error))
}

/// As [`parsed`], for a column that may be null.
pub(crate) fn maybe<T>(row: &PgRow, column: &str) -> Result<Option<T>, sqlx::Error>
where
    T: FromStr,
    T::Err: Error + Send + Sync + 'static,
{
    let text: Option<&str> = row.try_get(column)?;
    text.map(|text| text.parse().map_err(|error: T::Err| damaged(column, error))).transpose()
}

fn damaged(column: &str, error: impl Error + Send + Sync + 'static) -> sqlx::Error {
    sqlx::Error::ColumnDecode { index: column.to_owned(), source: Box::new(error) }
}
