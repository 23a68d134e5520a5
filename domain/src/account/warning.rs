//! Most of a spending limit is spent: said once per window, with the settlement that reached it.

use serde::{Deserialize, Serialize};

use super::event::AccountEvent;
use super::limits::{SpendLimits, Spent};
use super::state::{Account, OpenReservation};
use crate::ids::KeyId;
use crate::money::Money;
use crate::time::{Period, Timestamp};

/// A spending limit of which four fifths are spent.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SpendWarning {
    /// The key whose limit it is; none: the account's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub key: Option<KeyId>,
    /// The period that the limit counts in.
    pub period: Period,
    /// The limit.
    pub limit: Money,
    /// What is spent in the current window.
    pub spent: Money,
    /// When it was reached; the window is that moment's.
    pub at: Timestamp,
}

/// A limit that counts, with what has been spent of it and the window that was warned of.
struct Watched {
    key: Option<KeyId>,
    limit: Money,
    spent: Spent,
    warned: Option<i64>,
}

impl Watched {
    fn warning(&self, spent: Money, at: Timestamp) -> Option<SpendWarning> {
        let Self { key, limit, .. } = *self;
        let period = self.spent.period();
        is_near(spent, limit).then_some(SpendWarning { key, period, limit, spent, at })
    }
}

impl Account {
    /// Warnings of a settlement with this charge: each limit warns once per window.
    pub(super) fn warnings_after(
        &self,
        open: &OpenReservation,
        charge: Money,
        at: Timestamp,
    ) -> impl Iterator<Item = AccountEvent> {
        self.watched(open.key, open.plan).into_iter().flatten().filter_map(move |watched| {
            let after = watched.spent.plus(charge, at)?;
            let warning = watched.warning(after.at(at), at)?;
            let news = watched.warned != Some(after.window());
            news.then_some(AccountEvent::SpendWarningRaised(warning))
        })
    }

    /// The limit of the key or of the account that is nearest to its end, if most of it is spent
    /// in the window of `at`. `plan` is what the account's plan allows.
    #[must_use]
    pub fn warning(&self, key: KeyId, at: Timestamp, plan: SpendLimits) -> Option<SpendWarning> {
        let near = |watched: Watched| watched.warning(watched.spent.at(at), at);
        let left = |warning: &SpendWarning| warning.limit.checked_sub(warning.spent);
        self.watched(key, plan).into_iter().flatten().filter_map(near).min_by_key(left)
    }

    fn watched(&self, key: KeyId, plan: SpendLimits) -> [Option<Watched>; 3] {
        let caps = self.spend_limits(plan);
        let of_key = self.keys.get(&key).and_then(|state| {
            let limit = state.limits.limit?;
            Some(Watched { key: Some(key), limit, spent: state.spent, warned: state.warned })
        });
        let of_account = |limit: Option<Money>, spent, warned| {
            limit.map(|limit| Watched { key: None, limit, spent, warned })
        };
        [
            of_key,
            of_account(caps.daily, self.spent_today, self.warned_today),
            of_account(caps.monthly, self.spent_this_month, self.warned_this_month),
        ]
    }

    /// Remembers that this window was warned of.
    pub(super) fn warned(&mut self, warning: &SpendWarning) {
        let (spent, warned) = match (warning.key, warning.period) {
            (Some(key), _) => {
                let key = self.key_mut(key);
                (&key.spent, &mut key.warned)
            }
            (None, Period::Day) => (&self.spent_today, &mut self.warned_today),
            (None, Period::Month | Period::Week | Period::Total) => {
                (&self.spent_this_month, &mut self.warned_this_month)
            }
        };
        assert_ne!(*warned, Some(spent.window()), "INV-9: a window is warned of once");
        *warned = Some(spent.window());
    }
}

/// Four fifths or more. A limit of nothing leaves nothing to warn of.
fn is_near(spent: Money, limit: Money) -> bool {
    let times = |amount: Money, by: u8| amount.decimal().checked_mul(by.into());
    limit.is_positive() && times(spent, 5) >= times(limit, 4)
}
