//! Values and envelopes that all people-facing endpoints share.

use chrono::{DateTime, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize, Serializer};
use tollgate_domain::Money;
use tollgate_projections::queries;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::ApiError;
use super::error::both;
use crate::operations::Outcome;

/// US dollars as a decimal string with at most 12 decimals.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[schema(value_type = String, format = "decimal", pattern = r"^-?\d+(\.\d{1,12})?$", examples("10.00"))]
#[serde(transparent)]
pub struct Usd(pub Money);

impl From<Money> for Usd {
    fn from(money: Money) -> Self {
        Self(money)
    }
}

/// US dollars as a decimal string with all its decimals: a sum or a cost, as it comes out of the
/// books.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = String, format = "decimal", examples("0.000123"))]
pub struct Amount(pub Decimal);

impl From<Decimal> for Amount {
    fn from(decimal: Decimal) -> Self {
        Self(decimal)
    }
}

impl Serialize for Amount {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0.normalize())
    }
}

/// US dollars as a JSON number, for clients of OpenRouter, who expect one. It is written from the
/// decimal and never was a float.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ToSchema)]
#[schema(value_type = f64, examples(0.008))]
pub struct Number(pub Decimal);

impl Serialize for Number {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let text = self.0.normalize().to_string();
        let raw = serde_json::value::RawValue::from_string(text);
        raw.map_err(serde::ser::Error::custom)?.serialize(serializer)
    }
}

/// What every read takes.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct ReadParams {
    /// Wait until the answer reflects at least this position of the log: the `position` that an
    /// earlier write answered with. After two seconds the answer is a 503 with `Retry-After`.
    pub at_least: Option<i64>,
}

/// What every list takes.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct PageParams {
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    pub limit: u16,
    /// `next_cursor` of the page before; absent for the first page.
    pub cursor: Option<String>,
    /// As for every read: wait until the answer reflects at least this position of the log.
    pub at_least: Option<i64>,
}

const fn default_limit() -> u16 {
    50
}

impl PageParams {
    /// The cursor as what it is made of.
    pub fn cursor<T: std::str::FromStr>(&self) -> Result<Option<T>, ApiError> {
        let parsed = self.cursor.as_deref().map(str::parse).transpose();
        parsed.map_err(|_| queries::QueryError::InvalidCursor.into())
    }

    /// The page, as read models are asked for it.
    pub fn request(&self) -> Result<queries::PageRequest, ApiError> {
        Ok(queries::PageRequest::new(self.cursor.clone(), Some(self.limit.into()))?)
    }

    /// One more than asked for: whether it comes tells if there is another page.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct Page<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
    /// The position of the log that the answer reflects at least.
    pub as_of_position: i64,
}

impl<T> Page<T> {
    /// A page of at most the limit, out of entries fetched with [`PageParams::fetch`].
    pub fn cut(
        mut data: Vec<T>,
        params: &PageParams,
        as_of_position: i64,
        cursor: impl Fn(&T) -> String,
    ) -> Self {
        let limit = usize::from(params.limit);
        let more = data.len() > limit;
        data.truncate(limit);
        let next_cursor = data.last().filter(|_| more).map(cursor);
        Self { data, next_cursor, as_of_position }
    }

    /// The same page with other entries.
    pub fn map<U>(self, entry: impl FnMut(T) -> U) -> Page<U> {
        Page {
            data: self.data.into_iter().map(entry).collect(),
            next_cursor: self.next_cursor,
            as_of_position: self.as_of_position,
        }
    }
}

impl<T> Page<T> {
    /// A page of a read model.
    pub fn of<R: Into<T>>(page: queries::Page<R>) -> Self {
        Self {
            data: page.items.into_iter().map(Into::into).collect(),
            next_cursor: page.next_cursor,
            as_of_position: page.as_of_position,
        }
    }

    /// A list that is short enough to be one page.
    pub fn whole<R: Into<T>>(list: queries::AsOf<Vec<R>>) -> Self {
        Self {
            data: list.data.into_iter().map(Into::into).collect(),
            next_cursor: None,
            as_of_position: list.as_of_position,
        }
    }
}

/// A span of time.
#[derive(Debug, Clone, Copy, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct SpanParams {
    /// The first moment; absent: 30 days before the end.
    pub from: Option<DateTime<Utc>>,
    /// The end, which doesn't belong to it; absent: now. Usage is counted by whole UTC hours,
    /// profit by UTC days.
    pub to: Option<DateTime<Utc>>,
    /// As for every read: wait until the answer reflects at least this position of the log.
    pub at_least: Option<i64>,
}

impl SpanParams {
    /// The span; at most 366 days.
    pub fn range(&self) -> Result<queries::Range, ApiError> {
        sane_times(self.from, self.to)?;
        // The current hour and day count too.
        let to = self.to.unwrap_or_else(|| Utc::now() + TimeDelta::days(1));
        let from = self.from.unwrap_or_else(|| to - TimeDelta::days(31));
        match from < to && to - from <= TimeDelta::days(367) {
            true => Ok(queries::Range { from, to }),
            false => {
                let message = both!(
                    "Use a span of 1 hour to 366 days.",
                    "Укажите промежуток от 1 часа до 366 дней."
                );
                Err(ApiError::invalid("from", message))
            }
        }
    }
}

/// Refuses times that no event can have: the database counts no farther.
pub fn sane_times(from: Option<DateTime<Utc>>, to: Option<DateTime<Utc>>) -> Result<(), ApiError> {
    use chrono::Datelike as _;
    for (param, time) in [("from", from), ("to", to)] {
        if time.is_some_and(|time| !(1..=9_999).contains(&time.year())) {
            let message = both!("Use a year from 1 to 9999.", "Укажите год от 1 до 9999.");
            return Err(ApiError::invalid(param, message));
        }
    }
    Ok(())
}

/// The answer to a write that gives nothing else back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Written {
    /// The position of the log that holds it: pass it as `at_least` to read what you wrote.
    #[schema(examples(42))]
    pub position: i64,
}

/// The answer to an operator's command that gives nothing else back.
#[derive(Debug, Serialize, ToSchema)]
pub struct Commanded {
    /// A position of the log that holds it. A repeated answer may name a later one.
    #[schema(examples(42))]
    pub position: i64,
    /// Was it carried out by an earlier request with this Idempotency-Key?
    pub replayed: bool,
}

impl<T> From<Outcome<T>> for Commanded {
    fn from(done: Outcome<T>) -> Self {
        Self { position: done.position, replayed: done.replayed }
    }
}

/// Bytes as hexadecimal digits.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// An id in a query.
pub fn id<T: std::str::FromStr<Err: std::fmt::Display>>(
    param: &str,
    text: Option<&str>,
) -> Result<Option<T>, ApiError> {
    let parsed = text.map(str::parse).transpose();
    parsed.map_err(|error: T::Err| {
        let message = both!("{error}", "`{param}` не подходит: {error}");
        ApiError::invalid(param, message)
    })
}

/// Text as the database can hold it.
pub fn plain(param: &str, text: Option<String>) -> Result<Option<String>, ApiError> {
    match text {
        Some(text) if text.contains('\0') => {
            let message = both!("Text has no NUL.", "В тексте не может быть NUL.");
            Err(ApiError::invalid(param, message))
        }
        text => Ok(text),
    }
}
