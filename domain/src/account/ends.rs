//! How reservations end, and what is booked for them afterwards. Decisions only.

use super::awaited::AwaitedBill;
use super::bills::{Booked, CallAbandoned, ChargeCorrected, LateBillBooked, Waived, WaivedBill};
use super::command::{
    AbandonCall, BookLateBill, CorrectCharge, ReleaseUnbilled, SettleReservation,
};
use super::decide::{DONE, Decision, short};
use super::error::AccountError as Error;
use super::event::{AccountEvent as Event, CostSource, ReleaseReason, ReservationSettled};
use super::recent::End;
use super::state::{Account, OpenReservation};
use crate::decimal::{ListCost, Ratio};
use crate::fairness::{Ruling, Split, Treatment};
use crate::ids::ReservationId;
use crate::money::Money;
use crate::pricing::Sale;
use crate::time::Timestamp;
use crate::usage::Usage;

/// A bill, divided and priced.
struct Priced {
    split: Split,
    booked: Booked,
    waived: Option<Waived>,
}

/// Divides a bill as the policy rules and prices both parts; each is rounded once.
fn price(
    billed: ListCost,
    usage: Usage,
    rule: (Option<Ruling>, ListCost),
    sale_ratio: Ratio,
    cost_rate: Ratio,
) -> Result<Priced, Error> {
    let (ruling, delivered) = rule;
    let treatment = ruling.map_or(Treatment::ChargeBilled, |ruling| ruling.treatment);
    let split = treatment.split(billed, delivered);
    let too_large = |_| Error::AmountTooLarge;
    let Sale { charge, cost } =
        Sale::of(split.charged, sale_ratio, cost_rate).map_err(too_large)?;
    let waived = match split.waived == ListCost::ZERO {
        true => None,
        false => {
            let list_cost = split.waived;
            let cost = Sale::of(list_cost, Ratio::ZERO, cost_rate).map_err(too_large)?.cost;
            Some(Waived { list_cost, cost })
        }
    };
    let booked = Booked { usage, list_cost: split.charged, charge, cost };
    Ok(Priced { split, booked, waived })
}

impl Account {
    /// INV-2: never refused for lack of funds; the balance may go below zero.
    pub(super) fn settle(&self, settle: SettleReservation) -> Decision {
        let Some(open) = self.reservations.get(&settle.reservation) else {
            return self.ended_as(settle.reservation, |end| match end {
                // The frozen ratio went with the reservation; the cost alone tells a retry.
                End::Settled { list_cost } | End::Waived { list_cost } => {
                    list_cost == settle.list_cost
                }
                End::Released | End::Expired => false,
            });
        };
        if let Some(id) = &settle.generation_id {
            short("generation_id", id)?;
        }
        let answered = settle.answered_model.as_ref().and_then(|model| open.fallback(model));
        let sale_ratio = answered.map_or(open.sale_ratio, |other| other.sale_ratio);
        let rule = (settle.ruling, settle.delivered_list_cost.unwrap_or(ListCost::ZERO));
        let Priced { split, booked, waived } =
            price(settle.list_cost, settle.usage, rule, sale_ratio, settle.cost_rate)?;
        if let Some(Waived { list_cost, cost }) = waived
            && split.charged == ListCost::ZERO
        {
            return Ok(vec![waive(settle, open, list_cost, cost)]);
        }
        self.charges(booked.charge)?;
        let warnings = self.warnings_after(open, booked.charge, settle.at);
        let settled = Event::ReservationSettled(Box::new(ReservationSettled {
            reservation: settle.reservation,
            key: open.key,
            model: open.model.clone(),
            answered_model: answered.map(|other| other.model.clone()),
            reserved: open.amount,
            usage: settle.usage,
            price_version: open.price_version,
            list_cost: booked.list_cost,
            computed_list_cost: settle.computed_list_cost,
            source: settle.source,
            sale_ratio,
            charge: booked.charge,
            cost_rate: settle.cost_rate,
            cost: booked.cost,
            waived,
            ruling: settle.ruling,
            master_account: settle.master_account,
            generation_id: settle.generation_id,
            outcome: settle.outcome,
            streamed: settle.streamed,
            latencies: settle.latencies,
            at: settle.at,
        }));
        Ok(std::iter::once(settled).chain(warnings).collect())
    }

    pub(super) fn release(&self, reservation: ReservationId, reason: ReleaseReason) -> Decision {
        let unbilled = ReleaseUnbilled { reservation, reason, ruling: None, awaits: None };
        self.release_unbilled(unbilled)
    }

    pub(super) fn release_unbilled(&self, release: ReleaseUnbilled) -> Decision {
        let ReleaseUnbilled { reservation, reason, ruling, awaits } = release;
        let Some(open) = self.reservations.get(&reservation) else {
            return self.ended_as(reservation, |end| end == End::Released);
        };
        if let Some(handle) = &awaits {
            short("generation_id", &handle.generation_id)?;
        }
        let OpenReservation { key, model, amount, .. } = open.clone();
        Ok(vec![Event::ReservationReleased {
            reservation,
            key,
            model,
            amount,
            reason,
            ruling,
            waived: None,
            awaits: awaits.map(Box::new),
        }])
    }

    pub(super) fn expire(&self, reservation: ReservationId, at: Timestamp) -> Decision {
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
    pub(super) fn ended_as(
        &self,
        reservation: ReservationId,
        same: impl Fn(End) -> bool,
    ) -> Decision {
        match self.ended.find(reservation) {
            Some(end) if same(end) => DONE,
            Some(End::Settled { .. }) => Err(Error::AlreadySettled(reservation)),
            Some(End::Released | End::Waived { .. }) => Err(Error::AlreadyReleased(reservation)),
            Some(End::Expired) => Err(Error::AlreadyExpired(reservation)),
            None => Err(Error::ReservationNotFound(reservation)),
        }
    }

    /// INV-11: an estimate is replaced by the truth once; nothing of it is computed anew but the
    /// bill, and whose ratio it is charged by.
    pub(super) fn correct(&self, correct: CorrectCharge) -> Decision {
        let reservation = correct.reservation;
        let Some(awaited) = self.awaited(reservation, correct.list_cost)? else { return DONE };
        let Some(estimate) = &awaited.estimate else {
            return Err(Error::NothingToCorrect(reservation));
        };
        // What was delivered was the estimate: the truth about the bill says nothing new of it.
        let rule = (estimate.ruling, estimate.booked.list_cost);
        let (answered_model, sale_ratio) = awaited.answered(correct.answered_model.as_deref());
        let Priced { booked: to, waived, .. } =
            price(correct.list_cost, correct.usage, rule, sale_ratio, estimate.cost_rate)?;
        let corrected = ChargeCorrected {
            reservation,
            key: awaited.key,
            model: awaited.model.clone(),
            answered_model,
            from: estimate.booked,
            to,
            waived,
            ruling: estimate.ruling,
            source: correct.source,
            sale_ratio,
            cost_rate: estimate.cost_rate,
            master_account: estimate.master_account,
            generation_id: estimate.generation_id.clone(),
            charged_at: estimate.at,
            at: correct.at,
        };
        let (charge, _) = corrected.change().ok_or(Error::AmountTooLarge)?;
        self.charges(charge)?;
        Ok(vec![Event::ChargeCorrected(Box::new(corrected))])
    }

    /// INV-11: what ended without a charge is billed once.
    pub(super) fn book_late(&self, late: BookLateBill) -> Decision {
        let reservation = late.reservation;
        if self.reservations.contains_key(&reservation) {
            return Err(Error::NothingToCorrect(reservation));
        }
        let Some(awaited) = self.awaited(reservation, late.list_cost)? else { return DONE };
        if awaited.estimate.is_some() {
            return Err(Error::AlreadySettled(reservation));
        }
        if let Some(id) = &late.generation_id {
            short("generation_id", id)?;
        }
        let (answered_model, sale_ratio) = awaited.answered(late.answered_model.as_deref());
        let rule = (Some(late.ruling), late.delivered_list_cost.unwrap_or(ListCost::ZERO));
        let Priced { booked, waived, .. } =
            price(late.list_cost, late.usage, rule, sale_ratio, late.cost_rate)?;
        self.charges(booked.charge)?;
        Ok(vec![Event::LateBillBooked(Box::new(LateBillBooked {
            reservation,
            key: awaited.key,
            model: awaited.model.clone(),
            answered_model,
            booked,
            waived,
            ruling: late.ruling,
            source: late.source,
            sale_ratio,
            cost_rate: late.cost_rate,
            master_account: late.master_account,
            generation_id: late.generation_id,
            at: late.at,
        }))])
    }

    /// INV-11: the bill of a call for which nothing was reserved is awaited, and never charged.
    pub(super) fn abandon(&self, call: AbandonCall) -> Decision {
        let AbandonCall { reservation, key, model, awaits, at } = call;
        short("generation_id", &awaits.generation_id)?;
        short("model", &model)?;
        if self.reservations.contains_key(&reservation) {
            // Its commit was in doubt, and it had been stored after all.
            let (reason, ruling) = (ReleaseReason::UpstreamUnreachable, None);
            let awaits = Some(awaits);
            return self.release_unbilled(ReleaseUnbilled { reservation, reason, ruling, awaits });
        }
        if self.awaited.find(reservation).is_some() {
            return DONE;
        }
        if let Some(End::Settled { .. } | End::Waived { .. }) = self.ended.find(reservation) {
            return self.ended_as(reservation, |_| false);
        }
        if !self.keys.contains_key(&key) {
            return Err(Error::KeyNotFound(key));
        }
        let abandoned = CallAbandoned { reservation, key, model, awaits, at };
        Ok(vec![Event::CallAbandoned(Box::new(abandoned))])
    }

    /// The bill that is awaited; none where this very one came already.
    fn awaited(
        &self,
        reservation: ReservationId,
        billed: ListCost,
    ) -> Result<Option<&AwaitedBill>, Error> {
        let known = self.awaited.find(reservation).ok_or(Error::NothingToCorrect(reservation))?;
        match known.came {
            Some(came) if came == billed => Ok(None),
            Some(_) => Err(Error::AlreadyCorrected(reservation)),
            None => Ok(Some(known)),
        }
    }

    /// Whether balance and sums still fit after this charge, or after giving it back.
    fn charges(&self, charge: Money) -> Result<(), Error> {
        self.holds(charge.negated())?;
        self.spent.checked_add(charge).map(|_| ()).ok_or(Error::AmountTooLarge)
    }
}

/// Ends a reservation whose bill is the operator's.
fn waive(
    settle: SettleReservation,
    open: &OpenReservation,
    list_cost: ListCost,
    cost: Money,
) -> Event {
    let OpenReservation { key, model, amount, .. } = open.clone();
    Event::ReservationReleased {
        reservation: settle.reservation,
        key,
        model,
        amount,
        reason: ReleaseReason::Waived,
        ruling: settle.ruling,
        waived: Some(Box::new(WaivedBill {
            usage: settle.usage,
            list_cost,
            source: settle.source,
            cost_rate: settle.cost_rate,
            cost,
            master_account: settle.master_account,
            generation_id: settle.generation_id,
        })),
        awaits: None,
    }
}

/// Whether a settlement is to be corrected when the truth comes.
pub(super) fn is_provisional(settled: &ReservationSettled) -> bool {
    match settled.source {
        CostSource::Estimate => settled.generation_id.is_some(),
        CostSource::Upstream | CostSource::GenerationRecord | CostSource::PriceList => false,
    }
}
