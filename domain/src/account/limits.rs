//! Limits of a key and of an account.

use std::num::{NonZeroU32, NonZeroU64};

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::time::{Period, Timestamp};

/// What one key may do.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyLimits {
    /// The most it may spend in one period; none: as much as the account has.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<Money>,
    /// The period that the limit counts in; none: for ever.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub period: Option<Period>,
    /// From this moment on the key is refused.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
    /// The models that it may ask for: ids, or `vendor/*` for all of a vendor; empty: every model.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub models: Vec<String>,
    /// The ranges of addresses that it may be used from, as in `192.0.2.0/24`; empty: anywhere.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub addresses: Vec<String>,
    /// How often and how much at once.
    #[serde(default, skip_serializing_if = "RateLimits::is_unlimited")]
    pub rates: RateLimits,
}

/// How often and how much at once. These are not money: each node counts them for itself, and the
/// stream only tells what they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct RateLimits {
    /// Requests a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub requests_per_minute: Option<NonZeroU32>,
    /// Tokens a minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub tokens_per_minute: Option<NonZeroU64>,
    /// Requests at the same time.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub concurrent_requests: Option<NonZeroU32>,
}

/// What all keys of an account may do together.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountLimits {
    /// At most this much a UTC day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<Money>,
    /// At most this much a UTC month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly: Option<Money>,
    /// How often and how much at once.
    #[serde(default, skip_serializing_if = "RateLimits::is_unlimited")]
    pub rates: RateLimits,
}

/// What may be spent in a UTC day and in a UTC month.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpendLimits {
    /// At most this much a UTC day.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub daily: Option<Money>,
    /// At most this much a UTC month.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub monthly: Option<Money>,
}

impl KeyLimits {
    /// Entries of a list at most: it is looked through for each request.
    pub const MOST_ENTRIES: usize = 100;

    /// Whether a list of models has this one; an empty list has them all.
    #[must_use]
    pub fn allow(models: &[String], model: &str) -> bool {
        let fits = |allowed: &String| match allowed.strip_suffix('*') {
            Some(vendor) => model.len() > vendor.len() && model.starts_with(vendor),
            None => allowed == model,
        };
        models.is_empty() || models.iter().any(fits)
    }
}

impl RateLimits {
    /// No limit at all.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// These, and where one is absent the other's.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self {
            requests_per_minute: self.requests_per_minute.or(other.requests_per_minute),
            tokens_per_minute: self.tokens_per_minute.or(other.tokens_per_minute),
            concurrent_requests: self.concurrent_requests.or(other.concurrent_requests),
        }
    }
}

impl AccountLimits {
    /// No limit at all.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        *self == Self::default()
    }

    /// What may be spent.
    #[must_use]
    pub const fn spend(&self) -> SpendLimits {
        SpendLimits { daily: self.daily, monthly: self.monthly }
    }
}

impl SpendLimits {
    /// No limit at all.
    #[must_use]
    pub fn is_unlimited(&self) -> bool {
        self.daily.is_none() && self.monthly.is_none()
    }

    /// These, and where one is absent the other's.
    #[must_use]
    pub fn or(self, other: Self) -> Self {
        Self { daily: self.daily.or(other.daily), monthly: self.monthly.or(other.monthly) }
    }

    /// The lower of both.
    #[must_use]
    pub fn least(self, other: Self) -> Self {
        let least = |one: Option<Money>, other: Option<Money>| match (one, other) {
            (Some(one), Some(other)) => Some(one.min(other)),
            (one, other) => one.or(other),
        };
        Self { daily: least(self.daily, other.daily), monthly: least(self.monthly, other.monthly) }
    }
}

/// Money spent in the current window of a period. A new window starts by being looked at, so
/// nothing has to reset it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Spent {
    period: Period,
    window: i64,
    amount: Money,
}

impl Spent {
    /// Nothing spent yet.
    pub const fn new(period: Period) -> Self {
        Self { period, window: i64::MIN, amount: Money::ZERO }
    }

    /// The period it counts in.
    pub const fn period(&self) -> Period {
        self.period
    }

    /// The window that is being counted.
    pub const fn window(&self) -> i64 {
        self.window
    }

    /// What was spent in the window of `at`; an earlier moment (a clock that went back) still sees
    /// the window that is being counted.
    pub fn at(&self, at: Timestamp) -> Money {
        match self.period.window(at) > self.window {
            true => Money::ZERO,
            false => self.amount,
        }
    }

    /// Counts what a charge of `charged_at` changed by, while its window lasts; never below zero.
    /// Nothing if the sum does not fit.
    #[must_use]
    pub fn corrected(self, change: Money, charged_at: Timestamp) -> Option<Self> {
        if self.period.window(charged_at) != self.window {
            return Some(self);
        }
        let amount = self.amount.checked_add(change)?.at_least(Money::ZERO);
        Some(Self { amount, ..self })
    }

    /// Counts a charge. Nothing if the sum does not fit.
    #[must_use]
    pub fn plus(self, amount: Money, at: Timestamp) -> Option<Self> {
        Some(Self {
            period: self.period,
            window: self.period.window(at).max(self.window),
            amount: self.at(at).checked_add(amount)?,
        })
    }
}
