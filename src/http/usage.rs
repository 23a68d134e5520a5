//! Usage as customers and operators are told it.

use chrono::{DateTime, NaiveDate, Utc};
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tollgate_domain::ids::AccountId;
use tollgate_projections::queries::{self, Breakdown, Usage, UsageFilter, UsageLine};
use utoipa::{IntoParams, ToSchema};
use validator::Validate;

use super::ApiError;
use super::error::both;
use super::wire::{Amount, Page, SpanParams, id, plain};

/// The most lines of a page of usage.
const MOST_LINES: i64 = 5_000;

/// What was used. Cached, cache-write, audio and reasoning tokens are parts of the others.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageItem {
    /// Charged requests.
    #[schema(examples(120))]
    requests: i64,
    /// Requests that ended without a charge.
    #[schema(examples(2))]
    unbilled_requests: i64,
    #[schema(examples(1_200_000))]
    prompt_tokens: i64,
    #[schema(examples(48_000))]
    completion_tokens: i64,
    /// Input tokens read from a cache.
    #[schema(examples(800_000))]
    cached_tokens: i64,
    /// Input tokens written to a cache.
    #[schema(examples(20_000))]
    cache_write_tokens: i64,
    /// Output tokens spent on reasoning.
    #[schema(examples(9_000))]
    reasoning_tokens: i64,
    #[schema(examples(0))]
    audio_tokens: i64,
    /// What the public price list asks.
    #[schema(examples("1.25"))]
    list_cost_usd: Amount,
    /// What you paid.
    #[schema(examples("1"))]
    charge_usd: Amount,
}

impl From<Usage> for UsageItem {
    fn from(usage: Usage) -> Self {
        Self {
            requests: usage.requests,
            unbilled_requests: usage.unbilled,
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            cached_tokens: usage.cached_tokens,
            cache_write_tokens: usage.cache_write_tokens,
            reasoning_tokens: usage.reasoning_tokens,
            audio_tokens: usage.audio_tokens,
            list_cost_usd: usage.list_cost.into(),
            charge_usd: usage.charge.into(),
        }
    }
}

/// What a line stands for.
#[derive(Debug, Clone, Copy, Default, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum GroupBy {
    #[default]
    Day,
    Model,
    Key,
    DayModel,
    DayKey,
}

/// Which usage, and how it is broken down.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub struct BreakdownParams {
    /// What a line stands for.
    #[serde(default)]
    #[param(inline)]
    group_by: GroupBy,
    /// The first moment; absent: 30 days before the end.
    from: Option<DateTime<Utc>>,
    /// The end, which doesn't belong to it; absent: now. Usage is counted by whole UTC hours.
    to: Option<DateTime<Utc>>,
    /// Of one model.
    #[validate(length(max = 200))]
    model: Option<String>,
    /// Of one key.
    key_id: Option<String>,
    /// As for every read: wait until the answer reflects at least this position of the log.
    pub at_least: Option<i64>,
}

/// A line of usage.
#[derive(Debug, Serialize, ToSchema)]
pub struct UsageLineItem {
    /// The UTC day; null where usage is not broken down by days.
    day: Option<NaiveDate>,
    /// As it was requested; null where usage is not broken down by models.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: Option<String>,
    /// Null where usage is not broken down by keys.
    #[schema(examples("key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    api_key_id: Option<String>,
    #[serde(flatten)]
    usage: UsageItem,
}

impl From<UsageLine> for UsageLineItem {
    fn from(line: UsageLine) -> Self {
        let UsageLine { day, model, key_id, usage } = line;
        Self { day, model, api_key_id: key_id, usage: usage.into() }
    }
}

impl GroupBy {
    const fn breakdown(self) -> Breakdown {
        let by = Breakdown { day: false, model: false, key: false };
        match self {
            Self::Day => Breakdown { day: true, ..by },
            Self::Model => Breakdown { model: true, ..by },
            Self::Key => Breakdown { key: true, ..by },
            Self::DayModel => Breakdown { day: true, model: true, ..by },
            Self::DayKey => Breakdown { day: true, key: true, ..by },
        }
    }
}

impl BreakdownParams {
    /// Reads what is asked for.
    pub async fn lines(
        &self,
        pool: &PgPool,
        account: AccountId,
    ) -> Result<Page<UsageLineItem>, ApiError> {
        let span = SpanParams { from: self.from, to: self.to, at_least: self.at_least };
        let filter = UsageFilter {
            model: plain("model", self.model.clone())?,
            key: id("key_id", self.key_id.as_deref())?,
        };
        let (range, by, most) = (span.range()?, self.group_by.breakdown(), MOST_LINES + 1);
        let found = queries::breakdown(pool, account, range, by, &filter, most).await?;
        if found.data.len() as i64 > MOST_LINES {
            let message = both!(
                "There are more than {MOST_LINES} lines. Ask for a shorter span of time.",
                "Строк больше {MOST_LINES}. Выберите промежуток короче."
            );
            return Err(ApiError::invalid("from", message));
        }
        Ok(Page::whole(found))
    }
}
