//! Event → state. Assertions, no decisions: the guard refuses before, the assertion proves after,
//! so a broken invariant stops the command instead of entering history.

use super::awaited::{AwaitedBill, Estimate};
use super::bills::{Booked, ChargeCorrected, LateBillBooked, WaivedBill, billed};
use super::ends::is_provisional;
use super::event::{AccountEvent as Event, FundsReserved, ReleaseReason, ReservationSettled};
use super::grants::OpenGrant;
use super::limits::{KeyLimits, Spent};
use super::recent::End;
use super::state::{Account, Given, KeyState, OpenReservation, Status, TopUp};
use crate::ids::{GrantId, KeyId, RefundId, ReservationId, TopUpId};
use crate::money::Money;
use crate::time::Period;

/// The only way numbers change here.
fn plus(sum: Money, amount: Money) -> Money {
    sum.checked_add(amount).expect("INV-2: the sum fits in Money")
}

fn minus(sum: Money, amount: Money) -> Money {
    sum.checked_sub(amount).expect("INV-2: the difference fits in Money")
}

pub(super) fn evolve(account: &mut Account, event: &Event) {
    account.applied += 1;
    match event {
        Event::AccountOpened { account: id, .. } => {
            assert!(account.id.is_none(), "INV-3: {id} was opened twice");
            account.id = Some(*id);
        }
        Event::FundsToppedUp { top_up, amount, processor, .. } => {
            account.take_in(*top_up, *amount, processor);
        }
        Event::FundsGranted { grant, amount, expires_at, .. } => {
            account.given(*grant, Given { amount: *amount, expires_at: *expires_at });
        }
        Event::GrantExpired { grant, amount, held, .. } => {
            account.taken_back(*grant, *amount, *held);
        }
        Event::TopUpRefunded { refund, top_up, amount, .. } => {
            account.refunded(*refund, *top_up, *amount);
        }
        Event::AdjustmentPosted { adjustment, amount, .. } => {
            let known = account.adjustments.insert(*adjustment, *amount);
            assert!(known.is_none(), "INV-3: {adjustment} was posted twice");
            account.balance = plus(account.balance, *amount);
            account.open_grants.spend(amount.negated());
            account.check_grants();
        }
        Event::KeyIssued { key, limits } => account.issued(*key, limits),
        Event::KeyLimitsChanged { key, limits } => {
            account.key_mut(*key).change_limits(limits);
        }
        Event::KeyRevoked { key } => account.key_mut(*key).revoked = true,
        Event::FundsReserved(new) => account.set_aside(new),
        Event::ReservationSettled(settled) => account.settled(settled),
        Event::ReservationReleased { reservation, reason, waived, awaits, .. } => {
            // Its owner may still be alive, and settle what it does not know to be released.
            let billable = *reason == ReleaseReason::Recovered || awaits.is_some();
            account.released(*reservation, waived.as_deref(), billable);
        }
        Event::ReservationExpired { reservation, .. } => {
            let open = account.end(*reservation, End::Expired);
            account.await_bill(*reservation, open);
        }
        Event::ChargeCorrected(corrected) => account.corrected(corrected),
        Event::LateBillBooked(late) => account.billed_late(late),
        Event::CallAbandoned(call) => {
            let bill = AwaitedBill::of_nothing_reserved(call.key, call.model.clone());
            account.awaited.wait(call.reservation, bill);
        }
        Event::AccountSuspended { .. } => account.status = Status::Suspended,
        Event::AccountReinstated { .. } => account.status = Status::Active,
        Event::SpendLimitsChanged { limits, .. } => {
            account.limits = *limits;
            account.forget_warnings();
        }
        Event::OwnLimitsChanged { limits } => {
            account.own_limits = *limits;
            account.forget_warnings();
        }
        Event::PlanAssigned { plan, .. } => {
            account.plan = Some(plan.clone());
            account.forget_warnings();
        }
        Event::PlanRemoved { .. } => {
            account.plan = None;
            account.forget_warnings();
        }
        Event::SpendWarningRaised(warning) => account.warned(warning),
    }
}

impl KeyState {
    fn change_limits(&mut self, limits: &KeyLimits) {
        let period = limits.period.unwrap_or(Period::Total);
        if self.spent.period() != period {
            // Another period counts from here: what the old one had seen is not comparable.
            self.spent = Spent::new(period);
            self.warned = None;
        }
        if self.limits.limit != limits.limit {
            // Another limit has an end of its own to warn of.
            self.warned = None;
        }
        self.limits = limits.clone();
    }
}

impl Account {
    fn issued(&mut self, key: KeyId, limits: &KeyLimits) {
        let state = KeyState {
            limits: limits.clone(),
            spent: Spent::new(limits.period.unwrap_or(Period::Total)),
            warned: None,
            reserved: Money::ZERO,
            revoked: false,
        };
        let known = self.keys.insert(key, state);
        assert!(known.is_none(), "INV-3: {key} was issued twice");
    }

    fn refunded(&mut self, refund: RefundId, top_up: TopUpId, amount: Money) {
        let known = self.refunds.insert(refund, (top_up, amount));
        assert!(known.is_none(), "INV-3: {refund} was paid twice");
        let entry = self.top_ups.get_mut(&top_up).expect("INV-3: a refund has its top-up");
        entry.refunded = plus(entry.refunded, amount);
        assert!(entry.refunded <= entry.amount, "INV-3: {top_up} was refunded beyond itself");
        self.balance = minus(self.balance, amount);
        self.topped_up = minus(self.topped_up, amount);
        self.check_grants();
    }

    fn take_in(&mut self, top_up: TopUpId, amount: Money, processor: &str) {
        let entry = TopUp { amount, refunded: Money::ZERO, processor: processor.to_owned() };
        let known = self.top_ups.insert(top_up, entry);
        assert!(known.is_none(), "INV-3: {top_up} came in twice");
        self.balance = plus(self.balance, amount);
        self.topped_up = plus(self.topped_up, amount);
    }

    /// Other limits have ends of their own to warn of.
    const fn forget_warnings(&mut self) {
        self.warned_today = None;
        self.warned_this_month = None;
    }

    /// INV-10: granted money that is left is part of the balance.
    fn check_grants(&self) {
        if !self.open_grants.is_empty() {
            let most = self.balance.at_least(Money::ZERO);
            assert!(self.open_grants.left() <= most, "INV-10: more is left than there is");
        }
    }

    fn given(&mut self, grant: GrantId, given: Given) {
        let known = self.grants.insert(grant, given);
        assert!(known.is_none(), "INV-3: {grant} was given twice");
        self.balance = plus(self.balance, given.amount);
        // What covers a debt is spent already.
        let left = self.balance.at_least(Money::ZERO).min(given.amount);
        self.open_grants.give(OpenGrant { grant, left, expires_at: given.expires_at });
    }

    fn taken_back(&mut self, grant: GrantId, amount: Money, held: Option<Money>) {
        self.open_grants.take_back(grant, amount);
        let left = self.open_grants.find(grant).map(|open| open.left);
        assert_eq!(left, held, "INV-10: {grant} is over unless a reservation holds of it");
        self.balance = minus(self.balance, amount);
        let promised = amount.is_zero() || !self.available().is_negative();
        assert!(promised, "INV-1: took back what is set aside");
        self.check_grants();
    }

    pub(super) fn key_mut(&mut self, key: KeyId) -> &mut KeyState {
        self.keys.get_mut(&key).expect("INV-1: a key is issued before it is used")
    }

    fn set_aside(&mut self, new: &FundsReserved) {
        let open = OpenReservation {
            amount: new.amount,
            key: new.key,
            model: new.model.clone(),
            sale_ratio: new.sale_ratio,
            price_version: new.price_version,
            expires_at: new.expires_at,
            fallbacks: new.fallbacks.clone(),
            plan: new.plan,
        };
        let replaced = self.reservations.insert(new.reservation, open);
        assert!(replaced.is_none(), "INV-3: {} was reserved twice", new.reservation);
        self.reserved = plus(self.reserved, new.amount);
        assert!(!self.available().is_negative(), "INV-1: reserved beyond what is available");
        let key = self.key_mut(new.key);
        key.reserved = plus(key.reserved, new.amount);
    }

    fn settled(&mut self, settled: &ReservationSettled) {
        let list_cost = billed(settled.list_cost, settled.waived).expect("INV-4: parts of a bill");
        let open = self.end(settled.reservation, End::Settled { list_cost });
        assert_eq!(open.amount, settled.reserved, "INV-3: gives back what was set aside");
        assert!(!settled.charge.is_negative(), "INV-4: a charge is never negative");
        self.balance = minus(self.balance, settled.charge);
        self.open_grants.spend(settled.charge);
        self.check_grants();
        self.spent = plus(self.spent, settled.charge);
        let count = |spent: Spent| {
            spent.plus(settled.charge, settled.at).expect("INV-2: the sum fits in Money")
        };
        self.spent_today = count(self.spent_today);
        self.spent_this_month = count(self.spent_this_month);
        let key = self.key_mut(settled.key);
        key.spent = count(key.spent);
        if let (true, Some(generation_id)) = (is_provisional(settled), &settled.generation_id) {
            let ReservationSettled { usage, list_cost, charge, cost, .. } = *settled;
            let estimate = Estimate {
                booked: Booked { usage, list_cost, charge, cost },
                ruling: settled.ruling,
                cost_rate: settled.cost_rate,
                master_account: settled.master_account,
                generation_id: generation_id.clone(),
                at: settled.at,
            };
            let bill = AwaitedBill::of(open, settled.sale_ratio, Some(estimate));
            self.awaited.wait(settled.reservation, bill);
        }
    }

    fn released(&mut self, reservation: ReservationId, bill: Option<&WaivedBill>, billable: bool) {
        let end = match bill {
            Some(bill) => End::Waived { list_cost: bill.list_cost },
            None => End::Released,
        };
        let open = self.end(reservation, end);
        if billable {
            self.await_bill(reservation, open);
        }
    }

    /// It ended without a charge, and its bill may still come.
    fn await_bill(&mut self, reservation: ReservationId, open: OpenReservation) {
        let ratio = open.sale_ratio;
        self.awaited.wait(reservation, AwaitedBill::of(open, ratio, None));
    }

    fn corrected(&mut self, corrected: &ChargeCorrected) {
        let to = &corrected.to;
        assert!(!to.charge.is_negative(), "INV-4: a charge is never negative");
        let list_cost = billed(to.list_cost, corrected.waived).expect("INV-4: parts of a bill");
        self.awaited.came(corrected.reservation, list_cost);
        let (change, _) = corrected.change().expect("INV-2: the difference fits in Money");
        self.balance = minus(self.balance, change);
        // What comes back was the customer's, whatever it was paid from.
        self.open_grants.spend(change.at_least(Money::ZERO));
        self.check_grants();
        self.spent = plus(self.spent, change);
        let count = |spent: Spent| {
            spent.corrected(change, corrected.charged_at).expect("INV-2: the sum fits in Money")
        };
        self.spent_today = count(self.spent_today);
        self.spent_this_month = count(self.spent_this_month);
        let key = self.key_mut(corrected.key);
        key.spent = count(key.spent);
    }

    fn billed_late(&mut self, late: &LateBillBooked) {
        let charge = late.booked.charge;
        assert!(!charge.is_negative(), "INV-4: a charge is never negative");
        let list_cost = billed(late.booked.list_cost, late.waived).expect("INV-4: parts of a bill");
        self.awaited.came(late.reservation, list_cost);
        self.balance = minus(self.balance, charge);
        self.open_grants.spend(charge);
        self.check_grants();
        self.spent = plus(self.spent, charge);
        let count =
            |spent: Spent| spent.plus(charge, late.at).expect("INV-2: the sum fits in Money");
        self.spent_today = count(self.spent_today);
        self.spent_this_month = count(self.spent_this_month);
        let key = self.key_mut(late.key);
        key.spent = count(key.spent);
    }

    /// INV-3: exactly one end.
    fn end(&mut self, reservation: ReservationId, end: End) -> OpenReservation {
        let open = self.reservations.remove(&reservation).expect("INV-3: ends what is open");
        self.reserved = minus(self.reserved, open.amount);
        assert!(!self.reserved.is_negative(), "INV-3: reserved is the sum of what is open");
        let key = self.key_mut(open.key);
        key.reserved = minus(key.reserved, open.amount);
        self.ended.push(reservation, end);
        open
    }
}
