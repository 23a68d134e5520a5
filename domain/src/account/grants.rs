//! Granted money that is left: spent before any other, the soonest expiry first.
//!
//! Whatever lowers the balance takes granted money first, except a refund, which pays out paid
//! money only. What covers a debt on the day of the grant is spent at once. So what is left of all
//! grants is never more than the balance (INV-10), and taking it back never leads into debt.

use serde::{Deserialize, Serialize};

use crate::ids::GrantId;
use crate::money::Money;
use crate::time::Timestamp;

/// What is left of one grant.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenGrant {
    /// Which.
    pub grant: GrantId,
    /// Not spent and not taken back.
    pub left: Money,
    /// From then on it is taken back; none: never.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub expires_at: Option<Timestamp>,
}

impl OpenGrant {
    /// The order of consumption. A grant that never expires is spent last.
    fn order(&self) -> (Timestamp, GrantId) {
        (self.expires_at.unwrap_or(Timestamp(i64::MAX)), self.grant)
    }

    /// Is its time over?
    pub fn is_due(&self, at: Timestamp) -> bool {
        self.expires_at.is_some_and(|end| at >= end)
    }
}

/// The grants that are not over, in the order of consumption. One that expires stays until its
/// expiry is recorded, even if nothing is left of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct OpenGrants(Vec<OpenGrant>);

impl OpenGrants {
    /// In the order of consumption.
    pub fn iter(&self) -> std::slice::Iter<'_, OpenGrant> {
        self.0.iter()
    }

    /// Whether there is nothing to think of.
    pub const fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// The one with this id.
    pub fn find(&self, grant: GrantId) -> Option<&OpenGrant> {
        self.0.iter().find(|open| open.grant == grant)
    }

    /// What is left of all of them.
    pub fn left(&self) -> Money {
        self.sum(|_| true)
    }

    /// What is left of those whose time is over.
    pub fn due(&self, at: Timestamp) -> Money {
        self.sum(|open| open.is_due(at))
    }

    fn sum(&self, counts: impl Fn(&OpenGrant) -> bool) -> Money {
        self.0.iter().filter(|open| counts(open)).fold(Money::ZERO, |sum, open| {
            sum.checked_add(open.left).expect("INV-10: what is left is within the balance")
        })
    }

    /// A new grant of which this much is not spent yet.
    pub fn give(&mut self, new: OpenGrant) {
        if new.left.is_zero() && new.expires_at.is_none() {
            return;
        }
        let place = self.0.partition_point(|open| open.order() <= new.order());
        self.0.insert(place, new);
    }

    /// Spends an amount, as far as there is granted money.
    pub fn spend(&mut self, amount: Money) {
        let mut rest = amount;
        for open in &mut self.0 {
            if !rest.is_positive() {
                break;
            }
            let part = open.left.min(rest);
            open.left = open.left.checked_sub(part).expect("INV-10: a part of what is left");
            rest = rest.checked_sub(part).expect("INV-10: a part of the rest");
        }
        self.0.retain(|open| open.expires_at.is_some() || !open.left.is_zero());
    }

    /// Takes an amount back. A grant of which nothing is left then is over.
    pub fn take_back(&mut self, grant: GrantId, amount: Money) {
        let place = self.0.iter().position(|open| open.grant == grant);
        let place = place.expect("INV-10: an open grant expires");
        let open = &mut self.0[place];
        open.left = open.left.checked_sub(amount).expect("INV-10: the difference fits");
        assert!(!open.left.is_negative(), "INV-10: {grant} gives back what is left of it");
        if open.left.is_zero() {
            self.0.remove(place);
        }
    }
}
