//! Command → events. Guards, then the one thing that happens; nothing here changes state.

mod transfers;

use super::command::{AccountCommand as Command, ReserveFunds, SettleReservation};
use super::error::AccountError as Error;
use super::event::{AccountEvent as Event, FundsReserved, ReleaseReason, ReservationSettled};
use super::limiting::sound;
use super::limits::KeyLimits;
use super::recent::End;
use super::state::{Account, Given, KeyState, OpenReservation, Status};
use crate::ids::{KeyId, ReservationId};
use crate::money::Money;
use crate::pricing::Sale;
use crate::time::Timestamp;

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
        Command::ChangeSpendLimits { limits } => {
            limits.daily.map_or(Ok(()), not_negative)?;
            limits.monthly.map_or(Ok(()), not_negative)?;
            match account.limits == limits {
                true => DONE,
                false => Ok(vec![Event::SpendLimitsChanged { limits }]),
            }
        }
        Command::ChangeOwnLimits { limits, plan } => account.limit_itself(limits, plan),
        Command::AssignPlan { plan } => {
            short("plan", &plan)?;
            match account.plan.as_ref() == Some(&plan) {
                true => DONE,
                false => Ok(vec![Event::PlanAssigned { plan }]),
            }
        }
        Command::RemovePlan => match account.plan {
            None => DONE,
            Some(_) => Ok(vec![Event::PlanRemoved {}]),
        },
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
        if self.ended.may_be_forgotten(new.reservation) {
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

    /// INV-2: never refused for lack of funds; the balance may go below zero.
    fn settle(&self, settle: SettleReservation) -> Decision {
        let Some(open) = self.reservations.get(&settle.reservation) else {
            return self.ended_as(settle.reservation, |end| match end {
                // The frozen ratio went with the reservation; the cost alone tells a retry.
                End::Settled { list_cost } => list_cost == settle.list_cost,
                End::Released | End::Expired => false,
            });
        };
        if let Some(id) = &settle.generation_id {
            short("generation_id", id)?;
        }
        let answered = settle.answered_model.and_then(|model| open.fallback(&model));
        let sale_ratio = answered.map_or(open.sale_ratio, |other| other.sale_ratio);
        let Sale { charge, cost } = Sale::of(settle.list_cost, sale_ratio, settle.cost_rate)
            .map_err(|_| Error::AmountTooLarge)?;
        self.holds(charge.negated())?;
        self.spent.checked_add(charge).ok_or(Error::AmountTooLarge)?;
        let warnings = self.warnings_after(open, charge, settle.at);
        let settled = Event::ReservationSettled(Box::new(ReservationSettled {
            reservation: settle.reservation,
            key: open.key,
            model: open.model.clone(),
            answered_model: answered.map(|other| other.model.clone()),
            reserved: open.amount,
            usage: settle.usage,
            price_version: open.price_version,
            list_cost: settle.list_cost,
            computed_list_cost: settle.computed_list_cost,
            source: settle.source,
            sale_ratio,
            charge,
            cost_rate: settle.cost_rate,
            cost,
            master_account: settle.master_account,
            generation_id: settle.generation_id,
            outcome: settle.outcome,
            streamed: settle.streamed,
            latencies: settle.latencies,
            at: settle.at,
        }));
        Ok(std::iter::once(settled).chain(warnings).collect())
    }

    fn release(&self, reservation: ReservationId, reason: ReleaseReason) -> Decision {
        let Some(open) = self.reservations.get(&reservation) else {
            return self.ended_as(reservation, |end| end == End::Released);
        };
        let OpenReservation { key, model, amount, .. } = open.clone();
        Ok(vec![Event::ReservationReleased { reservation, key, model, amount, reason }])
    }

    fn expire(&self, reservation: ReservationId, at: Timestamp) -> Decision {
        let Some(open) = self.reservations.get(&reservation) else {
            return self.ended_as(reservation, |end| end == End::Expired);
        };
        if at < open.expires_at {
            return Err(Error::NotYetExpired { reservation, expires_at: open.expires_at });
        }
        let OpenReservation { key, model, amount, .. } = open.clone();
        Ok(vec![Event::ReservationExpired { reservation, key, model, amount, at }])
    }

    /// INV-3: a second end is either the first one again or refused.
    fn ended_as(&self, reservation: ReservationId, same: impl Fn(End) -> bool) -> Decision {
        match self.ended.find(reservation) {
            Some(end) if same(end) => DONE,
            Some(End::Settled { .. }) => Err(Error::AlreadySettled(reservation)),
            Some(End::Released) => Err(Error::AlreadyReleased(reservation)),
            Some(End::Expired) => Err(Error::AlreadyExpired(reservation)),
            None => Err(Error::ReservationNotFound(reservation)),
        }
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
