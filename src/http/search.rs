//! Which requests are asked for.

use chrono::{DateTime, Utc};
use serde::Deserialize;
use tollgate_projections::queries::RequestSearch;
use utoipa::IntoParams;
use validator::Validate;

use super::ApiError;
use super::wire::{PageParams, id, plain, sane_times};

/// Which requests; absent members filter nothing.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct RequestParams {
    /// Ended from here on.
    from: Option<DateTime<Utc>>,
    /// Ended before this.
    to: Option<DateTime<Utc>>,
    /// That asked for one model.
    #[validate(length(max = 200))]
    model: Option<String>,
    /// That came with one key.
    key_id: Option<String>,
    /// As they are now: `settled`, `released`, `expired`, `corrected` or `billed_late`.
    #[validate(length(max = 40))]
    status: Option<String>,
    /// How they ended, as in `completed`.
    #[validate(length(max = 40))]
    outcome: Option<String>,
    /// A request (`req_…`), a reservation (`rsv_…`) or an answer (`gen-…`) by its whole id; else a
    /// part of the model's name.
    #[validate(length(max = 200))]
    search: Option<String>,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u16,
    /// `next_cursor` of the page before; absent for the first page.
    cursor: Option<String>,
    /// As for every read: wait until the answer reflects at least this position of the log.
    at_least: Option<i64>,
}

const fn default_limit() -> u16 {
    50
}

impl RequestParams {
    /// What is searched for, and which page of it.
    pub fn split(self) -> Result<(RequestSearch, PageParams), ApiError> {
        sane_times(self.from, self.to)?;
        let search = RequestSearch {
            from: self.from,
            to: self.to,
            model: plain("model", self.model)?,
            key: id("key_id", self.key_id.as_deref())?,
            state: plain("status", self.status)?,
            outcome: plain("outcome", self.outcome)?,
            text: plain("search", self.search)?,
        };
        let page = PageParams { limit: self.limit, cursor: self.cursor, at_least: self.at_least };
        Ok((search, page))
    }
}
