//! Values and envelopes of the endpoints about people, who are no part of the books: their lists
//! have no position.

use std::str::FromStr;

use axum::http::HeaderMap;
use serde::{Deserialize, Serialize};
use tollgate_projections::queries::QueryError;
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::ApiError;
use super::error::Language;
use crate::mail;

/// What every list takes.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct ListParams {
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    pub limit: u16,
    /// `next_cursor` of the page before; absent for the first page.
    pub cursor: Option<String>,
}

/// Entries where nobody says how many.
pub const fn default_limit() -> u16 {
    50
}

impl ListParams {
    /// The cursor as what it is made of.
    pub fn cursor<T: FromStr>(&self) -> Result<Option<T>, ApiError> {
        cursor(self.cursor.as_deref())
    }

    /// One more than asked for: whether it comes tells if there is another page.
    pub fn fetch(&self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// A cursor as what it is made of.
pub fn cursor<T: FromStr>(text: Option<&str>) -> Result<Option<T>, ApiError> {
    text.map(str::parse).transpose().map_err(|_| QueryError::InvalidCursor.into())
}

/// One page of a list.
#[derive(Debug, Serialize, ToSchema)]
pub struct List<T> {
    /// The entries.
    pub data: Vec<T>,
    /// Where the next page begins; null on the last one.
    pub next_cursor: Option<String>,
}

impl<T> List<T> {
    /// A page of at most `limit`, out of entries of which one more was fetched.
    pub fn cut(mut data: Vec<T>, limit: u16, cursor: impl Fn(&T) -> String) -> Self {
        let limit = usize::from(limit);
        let more = data.len() > limit;
        data.truncate(limit);
        let next_cursor = data.last().filter(|_| more).map(cursor);
        Self { data, next_cursor }
    }

    /// The same page with other entries.
    pub fn map<U>(self, entry: impl FnMut(T) -> U) -> List<U> {
        List { data: self.data.into_iter().map(entry).collect(), next_cursor: self.next_cursor }
    }
}

/// The answer to what happens later, or does not: the same whatever it will be.
#[derive(Debug, Serialize, ToSchema)]
pub struct Accepted {
    #[schema(examples("accepted"))]
    status: &'static str,
}

impl Accepted {
    /// The only one.
    pub const ANSWER: Self = Self { status: "accepted" };
}

/// The language of mails.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
pub enum MailLanguage {
    /// English.
    En,
    /// Русский.
    Ru,
}

impl MailLanguage {
    /// As `Accept-Language` asks for.
    pub fn of(headers: &HeaderMap) -> mail::Language {
        match Language::of(headers) {
            Language::English => mail::Language::English,
            Language::Russian => mail::Language::Russian,
        }
    }
}

impl From<MailLanguage> for mail::Language {
    fn from(language: MailLanguage) -> Self {
        match language {
            MailLanguage::En => Self::English,
            MailLanguage::Ru => Self::Russian,
        }
    }
}

impl From<mail::Language> for MailLanguage {
    fn from(language: mail::Language) -> Self {
        match language {
            mail::Language::English => Self::En,
            mail::Language::Russian => Self::Ru,
        }
    }
}

/// A member that may be absent (stays as it is) or null (is removed).
pub fn double<'de, T: Deserialize<'de>, D: serde::Deserializer<'de>>(
    deserializer: D,
) -> Result<Option<Option<T>>, D::Error> {
    Option::deserialize(deserializer).map(Some)
}
