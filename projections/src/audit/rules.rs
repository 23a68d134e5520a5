//! Every event is decided again: the command that it answers is put to the state before it, and
//! the aggregate must say exactly what is stored. So all rules are checked by the code that made
//! them: reservations within what is available, one end each, charge and cost as computed.

use std::panic::{AssertUnwindSafe, catch_unwind};

use tollgate_domain::account::{
    AbandonCall, Account, AccountCommand as Command, AccountError, AccountEvent as Event,
    BookLateBill, CallAbandoned, ChargeCorrected, CorrectCharge, LateBillBooked, Latencies,
    Outcome, ReleaseUnbilled, ReservationSettled, ReserveFunds, SettleReservation, SpendLimits,
    Waived, WaivedBill, billed,
};
use tollgate_domain::decimal::ListCost;
use tollgate_domain::fairness::Ruling;
use tollgate_domain::ids::ReservationId;
use tollgate_domain::ledger_event::{AggregateType, LedgerEvent};
use tollgate_domain::price_book::{PriceBook, PriceBookCommand, PriceBookEvent};
use tollgate_domain::{
    Eventful, MasterAccount, MasterAccountCommand, MasterAccountEvent, Timestamp,
};

/// Writing takes a moment.
const WRITE_SECONDS: i64 = 60;

/// A stream's state.
#[derive(Debug, Clone)]
pub(super) enum State {
    /// With the events that the last decision made beside the one that is stored.
    Account(Box<Account>, Vec<Event>),
    MasterAccount(Box<MasterAccount>),
    PriceBook(Box<PriceBook>),
}

impl State {
    pub(super) fn new(kind: AggregateType) -> Self {
        match kind {
            AggregateType::Account => Self::Account(Box::default(), Vec::new()),
            AggregateType::MasterAccount => Self::MasterAccount(Box::default()),
            AggregateType::PriceBook => Self::PriceBook(Box::default()),
        }
    }

    /// Checks the event against the rules and applies it. After an error the state is unknown.
    pub(super) fn take(&mut self, event: &LedgerEvent, at: Timestamp) -> Result<(), String> {
        // The aggregates assert their invariants; here a broken one is a finding, not a crash.
        let checked = catch_unwind(AssertUnwindSafe(|| match (self, event) {
            (Self::Account(state, more), LedgerEvent::Account(event)) => {
                account(state, more, event, at)?;
                state.evolve(event);
                Ok(())
            }
            (Self::MasterAccount(state), LedgerEvent::MasterAccount(event)) => {
                if let Some(command) = master_command(event) {
                    same(state.decide(command), event)?;
                }
                state.evolve(event);
                Ok(())
            }
            (Self::PriceBook(state), LedgerEvent::PriceBook(event)) => {
                if let Some(command) = price_command(event) {
                    same(state.decide(command), event)?;
                }
                state.evolve(event);
                Ok(())
            }
            (_, _) => Err("the event belongs to another aggregate than its stream".to_owned()),
        }));
        checked.unwrap_or_else(|panic| Err(format!("breaks an invariant: {}", text(&*panic))))
    }

    /// The state as a snapshot would keep it.
    pub(super) fn to_json(&self) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::Account(state, _) => serde_json::to_vec(state),
            Self::MasterAccount(state) => serde_json::to_vec(state),
            Self::PriceBook(state) => serde_json::to_vec(state),
        }
    }

    /// A stored snapshot, read and written again by this build.
    pub(super) fn normal_json(
        kind: AggregateType,
        text: &str,
    ) -> Result<Vec<u8>, serde_json::Error> {
        let state = match kind {
            AggregateType::Account => Self::Account(serde_json::from_str(text)?, Vec::new()),
            AggregateType::MasterAccount => Self::MasterAccount(serde_json::from_str(text)?),
            AggregateType::PriceBook => Self::PriceBook(serde_json::from_str(text)?),
        };
        state.to_json()
    }
}

fn text(panic: &(dyn std::any::Any + Send)) -> &str {
    let owned = panic.downcast_ref::<String>().map(String::as_str);
    owned.or_else(|| panic.downcast_ref::<&str>().copied()).unwrap_or("a panic without text")
}

/// The decision must be this one event.
fn same<E: PartialEq, R: std::fmt::Display>(
    decided: Result<Vec<E>, R>,
    event: &E,
) -> Result<(), String> {
    match decided {
        Ok(events) if events.as_slice() == std::slice::from_ref(event) => Ok(()),
        Ok(events) if events.is_empty() => Err("repeats what has happened already".to_owned()),
        Ok(_) => Err("is not what the rules make of it".to_owned()),
        Err(refused) => Err(format!("should have been refused: {refused}")),
    }
}

fn account(
    state: &Account,
    more: &mut Vec<Event>,
    event: &Event,
    at: Timestamp,
) -> Result<(), String> {
    let announced = std::mem::take(more);
    let Some(answered) = command(event, at) else {
        // A warning goes with the settlement that reached the limit. That one is missing proves
        // nothing: older builds raised none.
        *more = announced;
        return match more.iter().position(|expected| expected == event) {
            Some(place) => {
                more.remove(place);
                Ok(())
            }
            None => Err("is not what the rules make of it".to_owned()),
        };
    };
    let mut decided = state.decide(answered);
    if let Ok(events) = &mut decided
        && events.len() > 1
    {
        *more = events.split_off(1);
    }
    match decided {
        // Bounds on size and memory may change from build to build without touching money.
        Err(
            AccountError::TextTooLong(_)
            | AccountError::TooManyEntries(_)
            | AccountError::TooManyKeys(_)
            | AccountError::ReservationTooOld(_),
        ) => Ok(()),
        decided => same(decided, event).or_else(|problem| match event {
            // A key or a grant may expire between the decision and the record of it.
            Event::FundsReserved(_) => {
                let earlier = command(event, at.plus_seconds(-WRITE_SECONDS));
                let decided = earlier.map_or(Ok(vec![]), |command| state.decide(command));
                same(decided, event).map_err(|_| problem)
            }
            _ => Err(problem),
        }),
    }
}

/// The command that an event answers; `at` is when it was recorded. None: it goes with another.
fn command(event: &Event, at: Timestamp) -> Option<Command> {
    Some(match event.clone() {
        Event::AccountOpened { account, owner } => Command::OpenAccount { account, owner },
        Event::FundsToppedUp { top_up, amount, processor, reference } => {
            Command::TopUpFunds { top_up, amount, processor, reference }
        }
        Event::FundsGranted { grant, amount, reason, expires_at } => {
            Command::GrantFunds { grant, amount, reason, expires_at }
        }
        // What is taken back and what is held is the decision's own.
        Event::GrantExpired { grant, amount: _, held: _, at } => Command::ExpireGrant { grant, at },
        // The processor is the top-up's, which the decision looks up.
        Event::TopUpRefunded { refund, top_up, amount, processor: _, reason } => {
            Command::RefundTopUp { refund, top_up, amount, reason }
        }
        Event::AdjustmentPosted { adjustment, amount, reason, reference } => {
            Command::PostAdjustment { adjustment, amount, reason, reference }
        }
        Event::KeyIssued { key, limits } => Command::IssueKey { key, limits },
        Event::KeyLimitsChanged { key, limits } => Command::ChangeKeyLimits { key, limits },
        Event::KeyRevoked { key } => Command::RevokeKey { key },
        Event::FundsReserved(reserved) => Command::ReserveFunds(ReserveFunds {
            reservation: reserved.reservation,
            key: reserved.key,
            model: reserved.model,
            amount: reserved.amount,
            sale_ratio: reserved.sale_ratio,
            price_version: reserved.price_version,
            expires_at: reserved.expires_at,
            fallbacks: reserved.fallbacks,
            plan: reserved.plan,
            at,
        }),
        Event::ReservationSettled(settled) => {
            Command::SettleReservation(Box::new(settle(*settled)))
        }
        // Key, model and amount are the reservation's own, which the decision looks up.
        Event::ReservationReleased { reservation, ruling, waived: Some(bill), .. } => {
            Command::SettleReservation(Box::new(waive(reservation, ruling, *bill)))
        }
        Event::ReservationReleased { reservation, reason, ruling, awaits, .. } => {
            let awaits = awaits.map(|handle| *handle);
            let release = ReleaseUnbilled { reservation, reason, ruling, awaits };
            Command::ReleaseUnbilled(Box::new(release))
        }
        Event::ChargeCorrected(corrected) => Command::CorrectCharge(Box::new(correct(&corrected))),
        Event::LateBillBooked(late) => Command::BookLateBill(Box::new(late_bill(*late))),
        Event::CallAbandoned(call) => Command::AbandonCall(Box::new(abandon(*call))),
        Event::ReservationExpired { reservation, key: _, model: _, amount: _, at } => {
            Command::ExpireReservation { reservation, at }
        }
        Event::AccountSuspended { reason } => Command::SuspendAccount { reason },
        Event::AccountReinstated { reason } => Command::ReinstateAccount { reason },
        Event::SpendLimitsChanged { limits, reason } => {
            Command::ChangeSpendLimits { limits, reason }
        }
        Event::PlanAssigned { plan, reason } => Command::AssignPlan { plan, reason },
        // What the plan allowed is not told: it could only have refused.
        Event::OwnLimitsChanged { limits } => {
            Command::ChangeOwnLimits { limits, plan: SpendLimits::default() }
        }
        Event::PlanRemoved { reason } => Command::RemovePlan { reason },
        Event::SpendWarningRaised(_) => return None,
    })
}

/// The bill whose parts these are. Where they make none, the decision will differ from the event.
fn whole(charged: ListCost, waived: Option<Waived>) -> ListCost {
    billed(charged, waived).unwrap_or(charged)
}

/// The settlement of a bill that nobody is charged for; what else it said is not in the event.
fn waive(
    reservation: ReservationId,
    ruling: Option<Ruling>,
    bill: WaivedBill,
) -> SettleReservation {
    SettleReservation {
        reservation,
        answered_model: None,
        usage: bill.usage,
        list_cost: bill.list_cost,
        ruling,
        delivered_list_cost: None,
        computed_list_cost: None,
        source: bill.source,
        master_account: bill.master_account,
        cost_rate: bill.cost_rate,
        generation_id: bill.generation_id,
        outcome: Outcome::Completed,
        streamed: false,
        latencies: Latencies::default(),
        at: Timestamp::default(),
    }
}

fn correct(corrected: &ChargeCorrected) -> CorrectCharge {
    CorrectCharge {
        reservation: corrected.reservation,
        answered_model: corrected.answered_model.clone(),
        usage: corrected.to.usage,
        list_cost: whole(corrected.to.list_cost, corrected.waived),
        source: corrected.source,
        at: corrected.at,
    }
}

fn abandon(call: CallAbandoned) -> AbandonCall {
    let CallAbandoned { reservation, key, model, awaits, at } = call;
    AbandonCall { reservation, key, model, awaits, at }
}

fn late_bill(late: LateBillBooked) -> BookLateBill {
    BookLateBill {
        reservation: late.reservation,
        answered_model: late.answered_model,
        usage: late.booked.usage,
        list_cost: whole(late.booked.list_cost, late.waived),
        ruling: late.ruling,
        delivered_list_cost: Some(late.booked.list_cost),
        source: late.source,
        master_account: late.master_account,
        cost_rate: late.cost_rate,
        generation_id: late.generation_id,
        at: late.at,
    }
}

fn settle(settled: ReservationSettled) -> SettleReservation {
    SettleReservation {
        reservation: settled.reservation,
        answered_model: settled.answered_model,
        usage: settled.usage,
        list_cost: whole(settled.list_cost, settled.waived),
        ruling: settled.ruling,
        delivered_list_cost: Some(settled.list_cost),
        computed_list_cost: settled.computed_list_cost,
        source: settled.source,
        master_account: settled.master_account,
        cost_rate: settled.cost_rate,
        generation_id: settled.generation_id,
        outcome: settled.outcome,
        streamed: settled.streamed,
        latencies: settled.latencies,
        at: settled.at,
    }
}

fn master_command(event: &MasterAccountEvent) -> Option<MasterAccountCommand> {
    use MasterAccountCommand as To;
    use MasterAccountEvent as From;
    Some(match event.clone() {
        From::MasterAccountRegistered { master_account, provider, label, reason } => {
            To::RegisterMasterAccount { master_account, provider, label, reason }
        }
        From::CreditsPurchased { purchase, credits, paid, fee, processor, reference } => {
            To::PurchaseCredits { purchase, credits, paid, fee, processor, reference }
        }
        From::CreditsAdjusted { adjustment, credits, value, reason, stated } => {
            To::AdjustCredits { adjustment, credits, value, reason, stated }
        }
        From::UpstreamKeyRotated { key_version, reason } => {
            To::RotateUpstreamKey { key_version, reason }
        }
        From::MasterAccountDisabled { reason } => To::DisableMasterAccount { reason },
        From::MasterAccountEnabled { reason } => To::EnableMasterAccount { reason },
    })
}

/// Publishing a list writes many events at once, so no single one answers a command: for them the
/// invariants of the fold (dense versions, the count of models) are the check.
fn price_command(event: &PriceBookEvent) -> Option<PriceBookCommand> {
    match event.clone() {
        PriceBookEvent::PricesPublished { .. }
        | PriceBookEvent::ModelPriced { .. }
        | PriceBookEvent::ModelRetired { .. } => None,
        PriceBookEvent::SaleRatioSet { scope, ratio, reason } => {
            Some(PriceBookCommand::SetSaleRatio { scope, ratio, reason })
        }
        PriceBookEvent::PlanDefined { plan, ratio, limits, reason } => {
            Some(PriceBookCommand::DefinePlan { plan, ratio, limits, reason })
        }
        PriceBookEvent::FairnessPolicySet { policy, reason, .. } => {
            Some(PriceBookCommand::SetFairnessPolicy { policy, reason })
        }
    }
}
