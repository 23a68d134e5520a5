//! Money in, back, given and corrected.

use super::{Decision, positive, same, short};
use crate::account::error::AccountError as Error;
use crate::account::event::AccountEvent as Event;
use crate::account::grants::OpenGrant;
use crate::account::state::{Account, Given};
use crate::ids::{AdjustmentId, GrantId, RefundId, TopUpId};
use crate::money::Money;
use crate::time::Timestamp;

impl Account {
    pub(super) fn top_up(
        &self,
        top_up: TopUpId,
        amount: Money,
        by: String,
        reference: String,
    ) -> Decision {
        if let Some(known) = self.top_ups.get(&top_up) {
            return same((known.amount, &known.processor) == (amount, &by), top_up);
        }
        positive(amount)?;
        short("processor", &by)?;
        short("reference", &reference)?;
        self.holds(amount)?;
        self.topped_up.checked_add(amount).ok_or(Error::AmountTooLarge)?;
        Ok(vec![Event::FundsToppedUp { top_up, amount, processor: by, reference }])
    }

    pub(super) fn grant(&self, grant: GrantId, new: Given, reason: String) -> Decision {
        if let Some(known) = self.grants.get(&grant) {
            return same(*known == new, grant);
        }
        let Given { amount, expires_at } = new;
        positive(amount)?;
        short("reason", &reason)?;
        self.holds(amount)?;
        Ok(vec![Event::FundsGranted { grant, amount, reason, expires_at }])
    }

    pub(super) fn expire_grant(&self, grant: GrantId, at: Timestamp) -> Decision {
        let known = self.grants.get(&grant).ok_or(Error::GrantNotFound(grant))?;
        if known.expires_at.is_none_or(|end| at < end) {
            return Err(Error::GrantNotExpired(grant));
        }
        let open = self.open_grants.find(grant);
        Ok(open.and_then(|open| taken_back(open, self.available(), at)).into_iter().collect())
    }

    /// Grants whose time is over give way before anything is set aside; and what is available then.
    pub(super) fn expiries(&self, at: Timestamp) -> (Vec<Event>, Money) {
        let mut available = self.available();
        let mut events = vec![];
        for open in self.open_grants.iter().filter(|open| open.is_due(at)) {
            let Some(event) = taken_back(open, available, at) else { continue };
            if let Event::GrantExpired { amount, .. } = &event {
                available = available.checked_sub(*amount).unwrap_or(available);
            }
            events.push(event);
        }
        (events, available)
    }

    pub(super) fn adjust(
        &self,
        adjustment: AdjustmentId,
        amount: Money,
        reason: String,
        reference: String,
    ) -> Decision {
        if let Some(known) = self.adjustments.get(&adjustment) {
            return same(*known == amount, adjustment);
        }
        if amount.is_zero() {
            return Err(Error::AmountNotPositive);
        }
        short("reason", &reason)?;
        short("reference", &reference)?;
        self.holds(amount)?;
        Ok(vec![Event::AdjustmentPosted { adjustment, amount, reason, reference }])
    }

    pub(super) fn refund(
        &self,
        refund: RefundId,
        top_up: TopUpId,
        amount: Money,
        reason: String,
    ) -> Decision {
        if let Some(known) = self.refunds.get(&refund) {
            return same(*known == (top_up, amount), refund);
        }
        positive(amount)?;
        short("reason", &reason)?;
        let known = self.top_ups.get(&top_up).ok_or(Error::TopUpNotFound)?;
        let left = known.amount.checked_sub(known.refunded).ok_or(Error::AmountTooLarge)?;
        if amount > left {
            return Err(Error::RefundTooLarge(left));
        }
        // INV-10: what was given is not paid out.
        let available = self.refundable(top_up).ok_or(Error::TopUpNotFound)?;
        if amount > available {
            return Err(Error::InsufficientFunds { required: amount, available });
        }
        let processor = known.processor.clone();
        Ok(vec![Event::TopUpRefunded { refund, top_up, amount, processor, reason }])
    }

    /// Whether the balance and what is available still fit after this amount came in (or went).
    pub(in crate::account) fn holds(&self, amount: Money) -> Result<(), Error> {
        self.balance
            .checked_add(amount)
            .and_then(|balance| balance.checked_sub(self.reserved))
            .map(|_| ())
            .ok_or(Error::AmountTooLarge)
    }
}

/// What is unspent of a grant whose time is over goes back, as far as it is available: what is set
/// aside for requests that run was promised to them. Nothing while all of it is.
fn taken_back(open: &OpenGrant, available: Money, at: Timestamp) -> Option<Event> {
    let amount = open.left.min(available.at_least(Money::ZERO));
    let held = open.left.checked_sub(amount).filter(|held| !held.is_zero());
    let event = Event::GrantExpired { grant: open.grant, amount, held, at };
    (held.is_none() || !amount.is_zero()).then_some(event)
}
