//! Limits as people write and read them.

use std::num::{NonZeroU32, NonZeroU64};

use ipnet::IpNet;
use serde::{Deserialize, Deserializer, Serialize};
use tollgate_domain::account::{AccountLimits, KeyLimits, RateLimits, SpendLimits};
use tollgate_domain::time::Period;
use tollgate_domain::{Money, Timestamp};
use utoipa::ToSchema;

use super::ApiError;
use super::error::{Text, both};
use super::wire::Usd;
use crate::operations::limits::AccountStanding;

/// More than anybody needs, and far from where arithmetic ends.
const MOST_REQUESTS: u32 = 1_000_000;
const MOST_TOKENS: u64 = 1_000_000_000_000;

/// A member of a change: absent leaves what is there, null takes it away.
pub type Change<T> = Option<Option<T>>;

/// Tells a null from an absent member.
pub fn present<'de, T, D>(deserializer: D) -> Result<Change<T>, D::Error>
where
    T: Deserialize<'de>,
    D: Deserializer<'de>,
{
    Option::deserialize(deserializer).map(Some)
}

/// How long a spending limit counts before it starts anew; UTC, weeks from Monday.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum LimitPeriod {
    /// Since midnight.
    Day,
    /// Since Monday's midnight.
    Week,
    /// Since the first of the month.
    Month,
    /// For ever.
    Total,
}

impl From<LimitPeriod> for Period {
    fn from(period: LimitPeriod) -> Self {
        match period {
            LimitPeriod::Day => Self::Day,
            LimitPeriod::Week => Self::Week,
            LimitPeriod::Month => Self::Month,
            LimitPeriod::Total => Self::Total,
        }
    }
}

impl From<Period> for LimitPeriod {
    fn from(period: Period) -> Self {
        match period {
            Period::Day => Self::Day,
            Period::Week => Self::Week,
            Period::Month => Self::Month,
            Period::Total => Self::Total,
        }
    }
}

/// Limits of an account or of a plan. What is null is not limited.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct LimitsItem {
    /// What may be spent in a UTC day.
    #[schema(examples("5"))]
    pub daily_limit_usd: Option<Usd>,
    /// What may be spent in a UTC month.
    #[schema(examples("100"))]
    pub monthly_limit_usd: Option<Usd>,
    /// How many requests may begin in a minute. Each node of the gateway counts for itself.
    #[schema(examples(600))]
    pub requests_per_minute: Option<u32>,
    /// How many tokens of prompts and answers there may be in a minute.
    #[schema(examples(1_000_000))]
    pub tokens_per_minute: Option<u64>,
    /// How many requests may run at the same time.
    #[schema(examples(32))]
    pub concurrent_requests: Option<u32>,
}

impl From<AccountLimits> for LimitsItem {
    fn from(limits: AccountLimits) -> Self {
        let AccountLimits { daily, monthly, rates } = limits;
        Self {
            daily_limit_usd: daily.map(Usd),
            monthly_limit_usd: monthly.map(Usd),
            requests_per_minute: rates.requests_per_minute.map(NonZeroU32::get),
            tokens_per_minute: rates.tokens_per_minute.map(NonZeroU64::get),
            concurrent_requests: rates.concurrent_requests.map(NonZeroU32::get),
        }
    }
}

/// Spending limits of one period, and what is used of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct PeriodItem {
    /// What may be spent; null: as much as the account has.
    #[schema(examples("5"))]
    pub limit_usd: Option<Usd>,
    /// What is spent.
    #[schema(examples("1.5"))]
    pub spent_usd: Usd,
    /// What is left, requests that run taken off; null without a limit.
    #[schema(examples("3.25"))]
    pub left_usd: Option<Usd>,
}

/// Spending limits that an owner set.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, ToSchema)]
pub struct OwnLimitsItem {
    /// What may be spent in a UTC day.
    #[schema(examples("2.5"))]
    pub daily_limit_usd: Option<Usd>,
    /// What may be spent in a UTC month.
    #[schema(examples("20"))]
    pub monthly_limit_usd: Option<Usd>,
}

/// The limits of an account, and what is used of them. For spending the lower of `allowed` and
/// `own` counts.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, ToSchema)]
pub struct LimitsResponse {
    /// The plan that the operator assigned.
    #[schema(examples("gold"))]
    pub plan: Option<String>,
    /// What the operator set for this account alone.
    pub of_account: LimitsItem,
    /// What the operator allows: that, and where it says nothing what the plan says.
    pub allowed: LimitsItem,
    /// What the owner set.
    pub own: OwnLimitsItem,
    /// The UTC day.
    pub today: PeriodItem,
    /// The UTC month.
    pub this_month: PeriodItem,
}

impl From<AccountStanding> for LimitsResponse {
    fn from(standing: AccountStanding) -> Self {
        let period = |limit: Option<Money>, spent: Money| {
            // What does not fit is far beyond any limit.
            let used = spent.checked_add(standing.reserved);
            let left = |limit: Money| used.and_then(|used| limit.checked_sub(used));
            PeriodItem {
                limit_usd: limit.map(Usd),
                spent_usd: spent.into(),
                left_usd: limit.map(|limit| Usd(left(limit).unwrap_or(Money::ZERO))),
            }
        };
        Self {
            of_account: standing.of_account.into(),
            allowed: standing.allowed.into(),
            own: OwnLimitsItem {
                daily_limit_usd: standing.own.daily.map(Usd),
                monthly_limit_usd: standing.own.monthly.map(Usd),
            },
            today: period(standing.spend.daily, standing.spent_today),
            this_month: period(standing.spend.monthly, standing.spent_this_month),
            plan: standing.plan,
        }
    }
}

/// Rates to be changed; the same members for keys, accounts and plans.
#[derive(Debug, Clone, Copy, Default)]
pub struct RatesChange {
    requests_per_minute: Change<NonZeroU32>,
    tokens_per_minute: Change<NonZeroU64>,
    concurrent_requests: Change<NonZeroU32>,
}

impl RatesChange {
    /// Out of the members of a request.
    ///
    /// # Errors
    /// A rate is zero, or larger than makes sense.
    pub fn new(
        requests_per_minute: Change<u32>,
        tokens_per_minute: Change<u64>,
        concurrent_requests: Change<u32>,
    ) -> Result<Self, ApiError> {
        let count = |name: &'static str, value: u32| {
            let value = NonZeroU32::new(value).filter(|value| value.get() <= MOST_REQUESTS);
            value.ok_or_else(|| ApiError::invalid(name, range(u64::from(MOST_REQUESTS))))
        };
        let tokens = |name: &'static str, value: u64| {
            let value = NonZeroU64::new(value).filter(|value| value.get() <= MOST_TOKENS);
            value.ok_or_else(|| ApiError::invalid(name, range(MOST_TOKENS)))
        };
        Ok(Self {
            requests_per_minute: checked(requests_per_minute, |value| {
                count("requests_per_minute", value)
            })?,
            tokens_per_minute: checked(tokens_per_minute, |value| {
                tokens("tokens_per_minute", value)
            })?,
            concurrent_requests: checked(concurrent_requests, |value| {
                count("concurrent_requests", value)
            })?,
        })
    }

    /// These rates with the change.
    #[must_use]
    pub fn apply(self, rates: RateLimits) -> RateLimits {
        RateLimits {
            requests_per_minute: self.requests_per_minute.unwrap_or(rates.requests_per_minute),
            tokens_per_minute: self.tokens_per_minute.unwrap_or(rates.tokens_per_minute),
            concurrent_requests: self.concurrent_requests.unwrap_or(rates.concurrent_requests),
        }
    }
}

/// A daily and a monthly limit to be changed.
#[derive(Debug, Clone, Copy, Default)]
pub struct SpendChange {
    daily: Change<Money>,
    monthly: Change<Money>,
}

impl SpendChange {
    /// Out of the members of a request.
    ///
    /// # Errors
    /// An amount is negative.
    pub fn new(daily: Change<Usd>, monthly: Change<Usd>) -> Result<Self, ApiError> {
        Ok(Self {
            daily: checked(daily, |usd| money("daily_limit_usd", usd))?,
            monthly: checked(monthly, |usd| money("monthly_limit_usd", usd))?,
        })
    }

    /// These limits with the change.
    #[must_use]
    pub fn apply(self, limits: SpendLimits) -> SpendLimits {
        SpendLimits {
            daily: self.daily.unwrap_or(limits.daily),
            monthly: self.monthly.unwrap_or(limits.monthly),
        }
    }
}

/// A change whose value, where there is one, makes sense.
///
/// # Errors
/// What `check` says.
pub fn checked<T, U>(
    change: Change<T>,
    check: impl Fn(T) -> Result<U, ApiError>,
) -> Result<Change<U>, ApiError> {
    change.map(|value| value.map(check).transpose()).transpose()
}

fn range(most: u64) -> Text {
    both!("Use a number from 1 to {most}, or null.", "Укажите число от 1 до {most} или null.")
}

/// A spending limit.
///
/// # Errors
/// It is negative.
pub fn money(name: &'static str, usd: Usd) -> Result<Money, ApiError> {
    let message = || {
        both!(
            "Use an amount that is not negative, or null.",
            "Укажите неотрицательную сумму или null."
        )
    };
    match usd.0.is_negative() {
        false => Ok(usd.0),
        true => Err(ApiError::invalid(name, message())),
    }
}

/// The models of a key's list.
///
/// # Errors
/// The list is empty or too long, or an entry is neither an id nor all of a vendor.
pub fn models(entries: Vec<String>) -> Result<Vec<String>, ApiError> {
    const NAME: &str = "allowed_models";
    let odd = |entry: &String| {
        let plain = entry.strip_suffix("/*").unwrap_or(entry);
        let spaced = entry.chars().any(|c| c.is_whitespace() || c.is_control());
        plain.is_empty() || entry.len() > 200 || spaced || plain.contains('*')
    };
    listed(NAME, &entries)?;
    match entries.iter().any(odd) {
        false => Ok(entries),
        true => Err(ApiError::invalid(
            NAME,
            both!(
                "Use ids of models as in `openai/gpt-4o-mini`, or `vendor/*`.",
                "Укажите идентификаторы моделей, например `openai/gpt-4o-mini`, или `vendor/*`."
            ),
        )),
    }
}

/// The ranges of addresses of a key's list, each as its network.
///
/// # Errors
/// The list is empty or too long, or an entry is no address and no range.
pub fn addresses(entries: Vec<String>) -> Result<Vec<String>, ApiError> {
    const NAME: &str = "allowed_ips";
    listed(NAME, &entries)?;
    let network = |entry: &String| {
        let address = || entry.parse::<std::net::IpAddr>().map(IpNet::from);
        let network = entry.parse::<IpNet>().or_else(|_| address()).ok()?;
        Some(network.trunc().to_string())
    };
    let networks: Option<Vec<String>> = entries.iter().map(network).collect();
    networks.ok_or_else(|| {
        let message = both!(
            "Use addresses or ranges as in `192.0.2.0/24` or `2001:db8::/32`.",
            "Укажите адреса или диапазоны, например `192.0.2.0/24` или `2001:db8::/32`."
        );
        ApiError::invalid(NAME, message)
    })
}

fn listed(name: &'static str, entries: &[String]) -> Result<(), ApiError> {
    let most = KeyLimits::MOST_ENTRIES;
    match (1..=most).contains(&entries.len()) {
        true => Ok(()),
        false => Err(ApiError::invalid(
            name,
            both!(
                "Use 1 to {most} entries, or null for no such limit.",
                "Укажите от 1 до {most} записей или null, если ограничения нет."
            ),
        )),
    }
}

/// A moment of our own as JSON shows it.
#[must_use]
pub fn shown(at: Timestamp) -> Option<chrono::DateTime<chrono::Utc>> {
    chrono::DateTime::from_timestamp_micros(at.micros())
}
