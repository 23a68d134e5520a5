//! Command → events. Guards, then the one thing that happens; nothing here changes state.

mod transfers;

use super::command::{AccountCommand as Command, ReserveFunds};
use super::error::AccountError as Error;
use super::event::{AccountEvent as Event, FundsReserved};
use super::limiting::sound;
use super::limits::KeyLimits;
use super::state::{Account, Given, KeyState, Status};
use crate::ids::KeyId;
use crate::money::Money;

pub(super) type Decision = Result<Vec<Event>, Error>;

/// Keys that are not revoked, per account: a bound on what stays in memory.
const MOST_KEYS: usize = 1_000;
/// Characters in a text member.
const MOST_TEXT: usize = 200;

/// What has happened already is answered with no event at all.
pub(super) const DONE: Decision = Ok(vec![]);

pub(super) fn decide(account: &Account, command: Command) -> Decision {
    if let Command::OpenAccount { account: id, owner } = command {
        return match account.id {
            None => Ok(vec![Event::AccountOpened { account: id, owner }]),
            Some(open) if open == id => DONE,
            Some(open) => Err(Error::AlreadyOpen(open)),
        };
    }
    if account.id.is_none() {
        return Err(Error::NotOpen);
    }
    match command {
        Command::OpenAccount { .. } => DONE,
        Command::TopUpFunds { top_up, amount, processor, reference } => {
            account.top_up(top_up, amount, processor, reference)
        }
        Command::GrantFunds { grant, amount, reason, expires_at } => {
            account.grant(grant, Given { amount, expires_at }, reason)
        }
        Command::ExpireGrant { grant, at } => account.expire_grant(grant, at),
        Command::RefundTopUp { refund, top_up, amount, reason } => {
            account.refund(refund, top_up, amount, reason)
        }
        Command::PostAdjustment { adjustment, amount, reason, reference } => {
            account.adjust(adjustment, amount, reason, reference)
        }
        Command::IssueKey { key, limits } => account.issue_key(key, limits),
        Command::ChangeKeyLimits { key, limits } => account.change_key_limits(key, limits),
        Command::RevokeKey { key } => match account.keys.get(&key) {
            None => Err(Error::KeyNotFound(key)),
            Some(known) if known.revoked => DONE,
            Some(_) => Ok(vec![Event::KeyRevoked { key }]),
        },
        Command::ReserveFunds(new) => account.reserve(new),
        Command::SettleReservation(settle) => account.settle(*settle),
        Command::ReleaseReservation { reservation, reason } => account.release(reservation, reason),
        Command::ReleaseUnbilled(release) => account.release_unbilled(*release),
        Command::CorrectCharge(correct) => account.correct(*correct),
        Command::BookLateBill(late) => account.book_late(*late),
        Command::AbandonCall(call) => account.abandon(*call),
        Command::ExpireReservation { reservation, at } => account.expire(reservation, at),
        Command::SuspendAccount { reason } => {
            short("reason", &reason)?;
            match account.status {
                Status::Suspended => Err(Error::Suspended),
                Status::Active => Ok(vec![Event::AccountSuspended { reason }]),
            }
        }
        Command::ReinstateAccount { reason } => {
            short("reason", reason.as_deref().unwrap_or_default())?;
            match account.status {
                Status::Active => Err(Error::NotSuspended),
                Status::Suspended => Ok(vec![Event::AccountReinstated { reason }]),
            }
        }
        Command::ChangeSpendLimits { limits, reason } => account.limit(limits, reason),
        Command::ChangeOwnLimits { limits, plan } => account.limit_itself(limits, plan),
        Command::AssignPlan { plan, reason } => account.assign(plan, reason),
        Command::RemovePlan { reason } => account.unassign(reason),
    }
}

impl Account {
    /// INV-1: a reservation is accepted only within what is available and every limit.
    fn reserve(&self, new: ReserveFunds) -> Decision {
        if let Some(open) = self.reservations.get(&new.reservation) {
            // The id is the request's idempotency key: the same request twice is one reservation,
            // another request under the same id is a client bug that we must not paper over.
            return match (open.amount, open.key, &open.model) == (new.amount, new.key, &new.model) {
                true => DONE,
                false => Err(Error::ReservationExistsWithDifferentAmount(new.reservation)),
            };
        }
        if self.ended.find(new.reservation).is_some() {
            return self.ended_as(new.reservation, |_| false);
        }
        // Its call is abandoned, and a bill of it is never charged.
        let abandoned = self.awaited.find(new.reservation).is_some();
        if abandoned || self.ended.may_be_forgotten(new.reservation) {
            return Err(Error::ReservationTooOld(new.reservation));
        }
        if self.status == Status::Suspended {
            return Err(Error::Suspended);
        }
        not_negative(new.amount)?;
        short("model", &new.model)?;
        new.fallbacks.iter().try_for_each(|other| short("models", &other.model))?;
        self.live_key(new.key)?.admits(new.key, new.amount, new.at)?;
        self.within_limits(new.amount, new.at, new.plan)?;
        let (mut events, available) = self.expiries(new.at);
        // The amount is never negative, so a debt blocks even what costs nothing (INV-2).
        if new.amount > available {
            return Err(Error::InsufficientFunds { required: new.amount, available });
        }
        events.push(Event::FundsReserved(FundsReserved {
            reservation: new.reservation,
            key: new.key,
            model: new.model,
            amount: new.amount,
            sale_ratio: new.sale_ratio,
            price_version: new.price_version,
            expires_at: new.expires_at,
            fallbacks: new.fallbacks,
            plan: new.plan,
        }));
        Ok(events)
    }

    fn issue_key(&self, key: KeyId, limits: KeyLimits) -> Decision {
        if let Some(known) = self.keys.get(&key) {
            return same(known.limits == limits, key);
        }
        sound(&limits)?;
        if self.keys.values().filter(|key| !key.revoked).count() >= MOST_KEYS {
            return Err(Error::TooManyKeys(MOST_KEYS));
        }
        Ok(vec![Event::KeyIssued { key, limits }])
    }

    fn change_key_limits(&self, key: KeyId, limits: KeyLimits) -> Decision {
        let known = self.live_key(key)?;
        sound(&limits)?;
        match known.limits == limits {
            true => DONE,
            false => Ok(vec![Event::KeyLimitsChanged { key, limits }]),
        }
    }

    fn live_key(&self, key: KeyId) -> Result<&KeyState, Error> {
        match self.keys.get(&key) {
            None => Err(Error::KeyNotFound(key)),
            Some(known) if known.revoked => Err(Error::KeyRevoked(key)),
            Some(known) => Ok(known),
        }
    }
}

/// The same id again is the first outcome again, or a conflict.
fn same(equal: bool, id: impl std::fmt::Display) -> Decision {
    match equal {
        true => DONE,
        false => Err(Error::IdReused(id.to_string())),
    }
}

fn positive(amount: Money) -> Result<(), Error> {
    amount.is_positive().then_some(()).ok_or(Error::AmountNotPositive)
}

pub(super) fn not_negative(amount: Money) -> Result<(), Error> {
    (!amount.is_negative()).then_some(()).ok_or(Error::AmountNotPositive)
}

pub(super) fn short(name: &'static str, text: &str) -> Result<(), Error> {
    // Bytes bound characters from above, and counting them is free.
    match text.len() <= MOST_TEXT || text.chars().count() <= MOST_TEXT {
        true => Ok(()),
        false => Err(Error::TextTooLong(name)),
    }
}
