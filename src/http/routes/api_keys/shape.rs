//! Keys as customers write and read them.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::account::KeyLimits;
use tollgate_domain::{Money, Timestamp};
use tollgate_projections::queries::Key;
use utoipa::ToSchema;
use validator::Validate;

use crate::http::ApiError;
use crate::http::limits::{
    Change, LimitPeriod, RatesChange, addresses, checked, models, money, present, shown,
};
use crate::http::wire::{Amount, Usd};
use crate::identity::keys::ListedKey;
use crate::operations::keys::KeyStanding;

/// A key as it is shown after its first moment.
#[derive(Serialize, ToSchema)]
pub(super) struct ApiKeyItem {
    #[schema(examples("key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    #[schema(examples("my laptop"))]
    name: String,
    /// Enough to recognise the key.
    #[schema(examples("sk-tg-…x7Qa"))]
    masked: String,
    created_at: DateTime<Utc>,
    /// Null while it works.
    revoked_at: Option<DateTime<Utc>>,
    /// From then on it is refused; null: never.
    expires_at: Option<DateTime<Utc>>,
    /// The most it may spend in one period; null: as much as the account has.
    #[schema(examples("10"))]
    limit_usd: Option<Usd>,
    /// The period that the limit counts in.
    period: LimitPeriod,
    /// What it spent in the current period.
    #[schema(examples("8.25"))]
    spent_usd: Usd,
    /// What the limit leaves, requests that run taken off; null without a limit.
    #[schema(examples("1.75"))]
    left_usd: Option<Usd>,
    /// The models that it may ask for; null: every model.
    #[schema(examples("openai/gpt-4o-mini", "anthropic/*"))]
    allowed_models: Option<Vec<String>>,
    /// The addresses that it may be used from; null: anywhere.
    #[schema(examples("192.0.2.0/24"))]
    allowed_ips: Option<Vec<String>>,
    #[schema(examples(60))]
    requests_per_minute: Option<u32>,
    #[schema(examples(100_000))]
    tokens_per_minute: Option<u64>,
    #[schema(examples(4))]
    concurrent_requests: Option<u32>,
    /// Charged requests.
    requests: i64,
    /// Everything ever charged to it.
    #[schema(examples("21.5"))]
    lifetime_spent_usd: Amount,
    /// Its newest request; null before the first.
    last_used_at: Option<DateTime<Utc>>,
}

impl ApiKeyItem {
    /// A key that neither its account nor the read models know yet was issued a moment ago.
    pub(super) fn new(key: ListedKey, standing: Option<KeyStanding>, used: Option<Key>) -> Self {
        let standing = standing.unwrap_or(KeyStanding {
            limits: KeyLimits::default(),
            spent: Money::ZERO,
            left: None,
        });
        let KeyStanding { limits, spent, left } = standing;
        let rates = limits.rates;
        let listed = |entries: Vec<String>| (!entries.is_empty()).then_some(entries);
        Self {
            id: key.id.to_string(),
            name: key.name,
            masked: key.masked,
            created_at: key.created_at,
            revoked_at: key.revoked_at,
            expires_at: limits.expires_at.and_then(shown),
            limit_usd: limits.limit.map(Usd),
            period: limits.period.map_or(LimitPeriod::Total, LimitPeriod::from),
            spent_usd: spent.into(),
            left_usd: left.map(Usd),
            allowed_models: listed(limits.models),
            allowed_ips: listed(limits.addresses),
            requests_per_minute: rates.requests_per_minute.map(Into::into),
            tokens_per_minute: rates.tokens_per_minute.map(Into::into),
            concurrent_requests: rates.concurrent_requests.map(Into::into),
            requests: used.as_ref().map_or(0, |used| used.requests),
            lifetime_spent_usd: used.as_ref().map(|used| used.charge).unwrap_or_default().into(),
            last_used_at: used.and_then(|used| used.last_used_at),
        }
    }
}

/// A key to be issued. What is absent or null is not limited.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct IssueKeyRequest {
    /// Your name for it.
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("my laptop"))]
    pub(super) name: String,
    /// The most it may spend in one period; absent: as much as the account has.
    #[serde(default)]
    #[schema(examples("10"))]
    limit_usd: Option<Usd>,
    /// The period that the limit counts in; absent: for ever.
    #[serde(default)]
    period: Option<LimitPeriod>,
    /// From then on it is refused.
    #[serde(default)]
    expires_at: Option<DateTime<Utc>>,
    /// The models that it may ask for: ids, or `vendor/*` for all of a vendor. Every model of
    /// `models` in a request must be among them.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100, examples("openai/gpt-4o-mini", "anthropic/*"))]
    allowed_models: Option<Vec<String>>,
    /// The addresses and ranges that it may be used from.
    #[serde(default)]
    #[schema(min_items = 1, max_items = 100, examples("192.0.2.0/24", "2001:db8::/32"))]
    allowed_ips: Option<Vec<String>>,
    /// How many requests may begin in a minute. They come back one by one; each node counts for
    /// itself.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000, examples(60))]
    requests_per_minute: Option<u32>,
    /// How many tokens there may be in a minute: the prompt counts by estimate at once, and prompt
    /// and answer as they were when the request is charged.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, examples(100_000))]
    tokens_per_minute: Option<u64>,
    /// How many requests may run at the same time.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000, examples(4))]
    concurrent_requests: Option<u32>,
}

/// What is to be changed of a key. What is absent stays; null takes a limit away.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
pub(super) struct ChangeKeyRequest {
    /// Your name for it.
    #[serde(default)]
    #[validate(length(min = 1, max = 200))]
    #[schema(min_length = 1, max_length = 200, examples("my old laptop"))]
    pub(super) name: Option<String>,
    /// The most it may spend in one period. What it spent stays counted.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Usd>, examples("20"))]
    limit_usd: Change<Usd>,
    /// The period that the limit counts in. Another one counts anew.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<LimitPeriod>)]
    period: Change<LimitPeriod>,
    /// From then on it is refused.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<DateTime<Utc>>)]
    expires_at: Change<DateTime<Utc>>,
    /// The models that it may ask for: ids, or `vendor/*` for all of a vendor.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 100,
        examples("openai/gpt-4o-mini"))]
    allowed_models: Change<Vec<String>>,
    /// The addresses and ranges that it may be used from.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Vec<String>>, min_items = 1, max_items = 100,
        examples("192.0.2.0/24"))]
    allowed_ips: Change<Vec<String>>,
    /// How many requests may begin in a minute. Each node of the gateway counts for itself.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000, examples(60))]
    requests_per_minute: Change<u32>,
    /// How many tokens there may be in a minute.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 1_000_000_000_000_i64,
        examples(100_000))]
    tokens_per_minute: Change<u64>,
    /// How many requests may run at the same time.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000, examples(4))]
    concurrent_requests: Change<u32>,
}

/// A change of limits that makes sense.
pub(super) struct LimitsChange {
    limit: Change<Money>,
    period: Change<LimitPeriod>,
    expires_at: Change<DateTime<Utc>>,
    models: Change<Vec<String>>,
    addresses: Change<Vec<String>>,
    rates: RatesChange,
}

impl IssueKeyRequest {
    /// The limits, and the name.
    pub(super) fn limits(self) -> Result<(String, KeyLimits), ApiError> {
        let change = ChangeKeyRequest {
            name: None,
            limit_usd: Some(self.limit_usd),
            period: Some(self.period),
            expires_at: Some(self.expires_at),
            allowed_models: Some(self.allowed_models),
            allowed_ips: Some(self.allowed_ips),
            requests_per_minute: Some(self.requests_per_minute),
            tokens_per_minute: Some(self.tokens_per_minute),
            concurrent_requests: Some(self.concurrent_requests),
        };
        Ok((self.name, change.limits()?.apply(KeyLimits::default())))
    }
}

impl ChangeKeyRequest {
    /// The change of the limits, if it makes sense.
    pub(super) fn limits(self) -> Result<LimitsChange, ApiError> {
        Ok(LimitsChange {
            limit: checked(self.limit_usd, |usd| money("limit_usd", usd))?,
            period: self.period,
            expires_at: self.expires_at,
            models: checked(self.allowed_models, models)?,
            addresses: checked(self.allowed_ips, addresses)?,
            rates: RatesChange::new(
                self.requests_per_minute,
                self.tokens_per_minute,
                self.concurrent_requests,
            )?,
        })
    }
}

impl LimitsChange {
    /// These limits with the change.
    pub(super) fn apply(&self, limits: KeyLimits) -> KeyLimits {
        let list = |change: &Change<Vec<String>>, old| match change {
            Some(new) => new.clone().unwrap_or_default(),
            None => old,
        };
        let at = |at: DateTime<Utc>| Timestamp(at.timestamp_micros());
        KeyLimits {
            limit: self.limit.unwrap_or(limits.limit),
            period: self.period.map_or(limits.period, |new| new.map(Into::into)),
            expires_at: self.expires_at.map_or(limits.expires_at, |new| new.map(at)),
            models: list(&self.models, limits.models),
            addresses: list(&self.addresses, limits.addresses),
            rates: self.rates.apply(limits.rates),
        }
    }
}
