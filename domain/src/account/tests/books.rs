//! What must hold for an account and its journal at every position.

use std::collections::{BTreeMap, BTreeSet};

use rust_decimal::Decimal;

use crate::account::{Account, AccountEvent};
use crate::eventful::Eventful;
use crate::ids::{AccountId, ReservationId};
use crate::journal::{LedgerAccount, Side};
use crate::money::Money;
use crate::time::{Period, Timestamp};

/// An account, the journal of its events, and everything that ever ended.
#[derive(Debug, Clone, Default)]
pub struct Books {
    pub account: Account,
    pub events: Vec<AccountEvent>,
    /// Debits above zero, credits below. Sums over many entries may leave `Money`'s range.
    pub journal: BTreeMap<LedgerAccount, Decimal>,
    /// When how much was charged.
    pub charges: Vec<(Timestamp, Money)>,
    begun: BTreeSet<ReservationId>,
    ended: BTreeSet<ReservationId>,
    billed: BTreeSet<ReservationId>,
    abandoned: BTreeSet<ReservationId>,
}

pub fn plus(a: Money, b: Money) -> Money {
    a.checked_add(b).expect("test amounts fit")
}

impl Books {
    /// Applies what was decided and checks every invariant.
    pub fn apply(&mut self, stream: AccountId, events: Vec<AccountEvent>) {
        for event in events {
            self.account.evolve(&event);
            self.note_ends(&event);
            self.post(stream, &event);
            self.events.push(event);
            self.check(stream);
        }
    }

    /// INV-3: every reservation begins once and ends once, however long ago that was.
    fn note_ends(&mut self, event: &AccountEvent) {
        if let AccountEvent::FundsReserved(new) = event {
            assert!(self.begun.insert(new.reservation), "INV-3: reserved twice");
        }
        let takes = matches!(event, AccountEvent::GrantExpired { amount, .. } if !amount.is_zero());
        if takes
            || matches!(event, AccountEvent::FundsReserved(_) | AccountEvent::TopUpRefunded { .. })
        {
            let available = self.account.available();
            assert!(!available.is_negative(), "INV-1: {available} after {event:?}");
        }
        let (AccountEvent::ReservationReleased { reservation: ended, .. }
        | AccountEvent::ReservationExpired { reservation: ended, .. }) = event
        else {
            self.note_charge(event);
            return;
        };
        self.note_end(*ended);
    }

    fn note_charge(&mut self, event: &AccountEvent) {
        match event {
            AccountEvent::ReservationSettled(settled) => {
                self.charges.push((settled.at, settled.charge));
                self.note_end(settled.reservation);
            }
            AccountEvent::ChargeCorrected(corrected) => {
                let (change, _) = corrected.change().expect("the difference fits");
                self.charges.push((corrected.charged_at, change));
                self.note_bill(corrected.reservation);
            }
            AccountEvent::CallAbandoned(call) => {
                self.abandoned.insert(call.reservation);
            }
            AccountEvent::LateBillBooked(late) => {
                if self.abandoned.contains(&late.reservation) {
                    assert!(late.booked.charge.is_zero(), "INV-11: nobody had agreed to pay it");
                }
                self.charges.push((late.at, late.booked.charge));
                self.note_bill(late.reservation);
            }
            _ => {}
        }
    }

    /// INV-11: a bill comes once, and after the end.
    fn note_bill(&mut self, billed: ReservationId) {
        let over = self.ended.contains(&billed) || self.abandoned.contains(&billed);
        assert!(over, "INV-11: billed before its end");
        assert!(self.billed.insert(billed), "INV-11: billed twice");
    }

    fn note_end(&mut self, ended: ReservationId) {
        assert!(self.begun.contains(&ended), "INV-3: ended without a beginning");
        assert!(self.ended.insert(ended), "INV-3: ended twice");
    }

    fn post(&mut self, stream: AccountId, event: &AccountEvent) {
        let Some(entry) = Account::entry(&stream.to_string(), event) else { return };
        assert_eq!(entry.total(Side::Debit), entry.total(Side::Credit), "INV-5: {event:?}");
        for posting in entry.postings() {
            assert!(posting.amount.is_positive(), "INV-5: a posting is never negative");
            let amount = match posting.side {
                Side::Debit => posting.amount.decimal(),
                Side::Credit => -posting.amount.decimal(),
            };
            *self.journal.entry(posting.account.clone()).or_default() += amount;
        }
    }

    fn check(&self, stream: AccountId) {
        let total: Decimal = self.journal.values().sum();
        assert_eq!(total, Decimal::ZERO, "INV-5: debits equal credits at every position");
        let owed = self.journal.get(&LedgerAccount::Customer(stream)).copied().unwrap_or_default();
        assert_eq!(self.account.balance().decimal(), -owed, "INV-5: the balance is what we owe");
        let open = self
            .account
            .open_reservations()
            .fold(Money::ZERO, |sum, (_, open)| plus(sum, open.amount));
        assert_eq!(self.account.reserved(), open, "INV-3: reserved is the sum of what is open");
        assert_eq!(self.begun.len() - self.ended.len(), self.account.reservations.len());
        assert_eq!(self.account.applied(), self.events.len() as u64);
        for (id, key) in &self.account.keys {
            let reserved = self
                .account
                .open_reservations()
                .filter(|(_, open)| open.key == *id)
                .fold(Money::ZERO, |sum, (_, open)| plus(sum, open.amount));
            assert_eq!(key.reserved, reserved, "INV-1: {id} counts what it has open");
        }
    }

    /// What was charged in the window of `at`, told from the charges alone; nothing where `at` lies
    /// behind a charge, because the account does not look back.
    pub fn charged(&self, period: Period, at: Timestamp) -> Option<Money> {
        let window = period.window(at);
        let of = |charged: &Timestamp| period.window(*charged);
        (self.charges.iter().all(|(charged, _)| of(charged) <= window)).then(|| {
            let within = self.charges.iter().filter(|(charged, _)| of(charged) == window);
            within.fold(Money::ZERO, |sum, (_, charge)| plus(sum, *charge))
        })
    }

    /// fold(events) = state, also through JSON, event by event and as a snapshot.
    pub fn check_replay(&self) {
        let mut folded = Account::default();
        let mut decoded = Account::default();
        for event in &self.events {
            folded.evolve(event);
            let json = serde_json::to_string(event).expect("events encode");
            decoded.evolve(&serde_json::from_str(&json).expect("events decode"));
        }
        assert_eq!(folded, self.account);
        assert_eq!(decoded, self.account);
        let snapshot = serde_json::to_string(&self.account).expect("snapshots encode");
        let restored: Account = serde_json::from_str(&snapshot).expect("snapshots decode");
        assert_eq!(restored, self.account);
    }
}
