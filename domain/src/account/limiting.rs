//! Which limits a request and a change of limits must keep.

use super::decide::{DONE, Decision, not_negative, short};
use super::error::AccountError as Error;
use super::event::AccountEvent as Event;
use super::limits::{AccountLimits, KeyLimits, SpendLimits};
use super::state::{Account, KeyState};
use crate::ids::KeyId;
use crate::money::Money;
use crate::time::{Period, Timestamp};

impl Account {
    pub(super) fn limit(&self, limits: AccountLimits, reason: Option<String>) -> Decision {
        short("reason", reason.as_deref().unwrap_or_default())?;
        limits.daily.map_or(Ok(()), not_negative)?;
        limits.monthly.map_or(Ok(()), not_negative)?;
        match self.limits == limits {
            true => DONE,
            false => Ok(vec![Event::SpendLimitsChanged { limits, reason }]),
        }
    }

    pub(super) fn assign(&self, plan: String, reason: Option<String>) -> Decision {
        short("reason", reason.as_deref().unwrap_or_default())?;
        short("plan", &plan)?;
        match self.plan.as_ref() == Some(&plan) {
            true => DONE,
            false => Ok(vec![Event::PlanAssigned { plan, reason }]),
        }
    }

    pub(super) fn unassign(&self, reason: Option<String>) -> Decision {
        short("reason", reason.as_deref().unwrap_or_default())?;
        match self.plan {
            None => DONE,
            Some(_) => Ok(vec![Event::PlanRemoved { reason }]),
        }
    }

    /// Below the operator's limits, or the owner would think that there is more.
    pub(super) fn limit_itself(&self, limits: SpendLimits, plan: SpendLimits) -> Decision {
        let allowed = self.limits.spend().or(plan);
        for (own, allowed) in [(limits.daily, allowed.daily), (limits.monthly, allowed.monthly)] {
            own.map_or(Ok(()), not_negative)?;
            if let (Some(own), Some(allowed)) = (own, allowed)
                && own > allowed
            {
                return Err(Error::OwnLimitTooHigh(allowed));
            }
        }
        match self.own_limits == limits {
            true => DONE,
            false => Ok(vec![Event::OwnLimitsChanged { limits }]),
        }
    }

    pub(super) fn within_limits(
        &self,
        amount: Money,
        at: Timestamp,
        plan: SpendLimits,
    ) -> Result<(), Error> {
        let caps = self.spend_limits(plan);
        for (limit, spent) in
            [(caps.daily, &self.spent_today), (caps.monthly, &self.spent_this_month)]
        {
            let Some(limit) = limit else { continue };
            let left = left_of(limit, spent.at(at), self.reserved)?;
            if amount > left {
                let period = spent.period();
                return Err(Error::SpendLimitExceeded { required: amount, left, period });
            }
        }
        Ok(())
    }
}

impl KeyState {
    pub(super) fn admits(&self, key: KeyId, amount: Money, at: Timestamp) -> Result<(), Error> {
        if self.limits.expires_at.is_some_and(|end| at >= end) {
            return Err(Error::KeyExpired(key));
        }
        let Some(limit) = self.limits.limit else { return Ok(()) };
        let left = left_of(limit, self.spent.at(at), self.reserved)?;
        match amount > left {
            true => {
                let period = self.limits.period.unwrap_or(Period::Total);
                Err(Error::KeyLimitExceeded { required: amount, left, period })
            }
            false => Ok(()),
        }
    }
}

/// Limits that make sense.
pub(super) fn sound(limits: &KeyLimits) -> Result<(), Error> {
    limits.limit.map_or(Ok(()), not_negative)?;
    for (name, entries) in [("models", &limits.models), ("addresses", &limits.addresses)] {
        if entries.len() > KeyLimits::MOST_ENTRIES {
            return Err(Error::TooManyEntries(name));
        }
        entries.iter().try_for_each(|entry| short(name, entry))?;
    }
    Ok(())
}

fn left_of(limit: Money, spent: Money, reserved: Money) -> Result<Money, Error> {
    limit
        .checked_sub(spent)
        .and_then(|left| left.checked_sub(reserved))
        .ok_or(Error::AmountTooLarge)
}
