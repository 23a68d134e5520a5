//! Spending limits of a key and of an account.

use serde::{Deserialize, Serialize};

use crate::money::Money;
use crate::time::{Period, Timestamp};

/// What one key may spend.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
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
}

/// What all keys of an account may spend together.
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
