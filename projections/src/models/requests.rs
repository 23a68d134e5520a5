//! `requests`: one row for each reservation that ended, as the customer and the operator see it.

use tollgate_domain::account::{
    AccountEvent as Event, CallAbandoned, ChargeCorrected, CostSource, LateBillBooked, Latencies,
    Outcome, ReleaseReason, ReservationSettled, Waived, WaivedBill,
};
use tollgate_domain::decimal::{ListCost, Ratio};
use tollgate_domain::fairness::Ruling;
use tollgate_domain::ids::{AccountId, KeyId, MasterAccountId, ReservationId};
use tollgate_domain::{Money, Timestamp, Usage};

use super::key_usage::{count, json};
use super::usage_hourly::cached;
use crate::error::FoldError;
use crate::fold::Line;
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Flag, Int, Json, Number, Text, Time};
use crate::table::Merge::{Key, Once};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "requests",
    comment: "One row per ended reservation: settled, released or expired (state); outcome: how \
              a settled one ended, or why a released one was. Rows in state corrected and \
              billed_late replace an earlier one of the same reservation; charge_before is what \
              that had. Mishap, treatment and policy_version: what the fairness policy said of \
              one that went wrong.",
    life: Life::Appended,
    columns: &[
        col("position", Int, Key),
        col("reservation_id", Text, Once),
        col("account_id", Text, Once),
        col("key_id", Text, Once),
        col("model", Text, Once),
        col("state", Text, Once),
        col("outcome", Text, Once),
        col("ended_at", Time, Once),
        col("reserved", Number, Once),
        col("prompt_tokens", Int, Once),
        col("completion_tokens", Int, Once),
        col("cached_tokens", Int, Once),
        col("reasoning_tokens", Int, Once),
        col("usage", Json, Once),
        col("list_cost", Number, Once),
        col("computed_list_cost", Number, Once),
        col("source", Text, Once),
        col("sale_ratio", Number, Once),
        col("charge", Number, Once),
        col("cost_rate", Number, Once),
        col("cost", Number, Once),
        col("price_version", Int, Once),
        col("master_account_id", Text, Once),
        col("generation_id", Text, Once),
        col("streamed", Flag, Once),
        col("first_byte_ms", Int, Once),
        col("total_ms", Int, Once),
        col("mishap", Text, Once),
        col("treatment", Text, Once),
        col("policy_version", Int, Once),
        col("waived_list_cost", Number, Once),
        col("waived", Number, Once),
        col("charge_before", Number, Once),
        col("answered_model", Text, Once),
        col("request_id", Text, Once),
        col("actor", Text, Once),
    ],
    indexes: &[
        ("account_idx", "(account_id, position DESC)"),
        ("generation_idx", "(generation_id, account_id)"),
        // Few rows replace another one.
        ("later_idx", "(reservation_id, position) WHERE state IN ('corrected', 'billed_late')"),
        // Both ids begin with their time, as the rows do: an index of ranges finds them, and costs
        // the writer next to nothing.
        (
            "ids_idx",
            "USING brin (request_id, reservation_id) \
             WITH (pages_per_range = 32, autosummarize = on)",
        ),
    ],
};

/// A row of `requests`.
#[derive(Debug, Default)]
pub(super) struct RequestLine;

const fn outcome(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Completed => "completed",
        Outcome::ClientLeft => "client_left",
        Outcome::UpstreamBroke => "upstream_broke",
        Outcome::UpstreamError => "upstream_error",
        Outcome::Recovered => "recovered",
    }
}

const fn reason(reason: ReleaseReason) -> &'static str {
    match reason {
        ReleaseReason::UpstreamError => "upstream_error",
        ReleaseReason::UpstreamUnreachable => "upstream_unreachable",
        ReleaseReason::ClientLeft => "client_left",
        ReleaseReason::NothingBilled => "nothing_billed",
        ReleaseReason::Recovered => "recovered",
        ReleaseReason::Waived => "waived",
    }
}

const fn source(source: CostSource) -> &'static str {
    match source {
        CostSource::Upstream => "upstream",
        CostSource::GenerationRecord => "generation_record",
        CostSource::PriceList => "price_list",
        CostSource::Estimate => "estimate",
    }
}

/// What every line has.
struct Ended<'a> {
    reservation: ReservationId,
    account: AccountId,
    key: KeyId,
    model: &'a str,
    state: &'static str,
    outcome: &'static str,
    at: Timestamp,
    reserved: Money,
}

impl Ended<'_> {
    fn write(&self, seen: &Seen<'_>, sink: &mut dyn Sink) {
        sink.int(Some(seen.position));
        sink.id(&self.reservation);
        sink.id(&self.account);
        sink.id(&self.key);
        sink.text(Some(self.model));
        sink.text(Some(self.state));
        sink.text(Some(self.outcome));
        sink.time(Some(self.at));
        sink.number(Some(&self.reserved));
    }
}

/// What is known of the bill; the cells of the rest are empty.
#[derive(Default)]
struct Bill<'a> {
    usage: Option<&'a Usage>,
    list_cost: Option<ListCost>,
    computed: Option<ListCost>,
    source: Option<CostSource>,
    sale_ratio: Option<Ratio>,
    charge: Option<Money>,
    cost_rate: Option<Ratio>,
    cost: Option<Money>,
    price_version: Option<u64>,
    master: Option<MasterAccountId>,
    generation: Option<&'a str>,
    streamed: Option<bool>,
    latencies: Option<Latencies>,
    ruling: Option<Ruling>,
    waived: Option<Waived>,
    before: Option<Money>,
    answered: Option<&'a str>,
}

fn number<T: std::fmt::Display>(sink: &mut dyn Sink, value: Option<T>) {
    match value {
        Some(value) => sink.number(Some(&value)),
        None => sink.number(None),
    }
}

impl Bill<'_> {
    fn write(&self, sink: &mut dyn Sink) -> Result<(), FoldError> {
        let tokens = |of: fn(&Usage) -> u64| self.usage.map(|usage| count(of(usage))).transpose();
        sink.int(tokens(Usage::prompt_tokens)?);
        sink.int(tokens(Usage::completion_tokens)?);
        sink.int(tokens(cached)?);
        sink.int(tokens(|usage| usage.reasoning)?);
        sink.text(self.usage.map(json).transpose()?.as_deref());
        number(sink, self.list_cost);
        number(sink, self.computed);
        sink.text(self.source.map(source));
        number(sink, self.sale_ratio);
        number(sink, self.charge);
        number(sink, self.cost_rate);
        number(sink, self.cost);
        sink.int(self.price_version.map(count).transpose()?);
        sink.text(self.master.map(|master| master.to_string()).as_deref());
        sink.text(self.generation);
        sink.flag(self.streamed);
        sink.int(self.latencies.map(|latencies| i64::from(latencies.first_byte_ms)));
        sink.int(self.latencies.map(|latencies| i64::from(latencies.total_ms)));
        sink.text(self.ruling.map(|ruling| ruling.mishap.name()));
        sink.text(self.ruling.map(|ruling| ruling.treatment.name()));
        sink.int(self.ruling.map(|ruling| count(ruling.policy_version)).transpose()?);
        number(sink, self.waived.map(|waived| waived.list_cost));
        number(sink, self.waived.map(|waived| waived.cost));
        number(sink, self.before);
        sink.text(self.answered);
        Ok(())
    }

    fn settled(settled: &ReservationSettled) -> Bill<'_> {
        Bill {
            usage: Some(&settled.usage),
            list_cost: Some(settled.list_cost),
            computed: settled.computed_list_cost,
            source: Some(settled.source),
            sale_ratio: Some(settled.sale_ratio),
            charge: Some(settled.charge),
            cost_rate: Some(settled.cost_rate),
            cost: Some(settled.cost),
            price_version: Some(settled.price_version),
            master: Some(settled.master_account),
            generation: settled.generation_id.as_deref(),
            streamed: Some(settled.streamed),
            latencies: Some(settled.latencies),
            ruling: settled.ruling,
            waived: settled.waived,
            before: None,
            answered: settled.answered_model.as_deref(),
        }
    }

    fn waived(bill: &WaivedBill, ruling: Option<Ruling>) -> Bill<'_> {
        Bill {
            usage: Some(&bill.usage),
            source: Some(bill.source),
            cost_rate: Some(bill.cost_rate),
            master: Some(bill.master_account),
            generation: bill.generation_id.as_deref(),
            ruling,
            waived: Some(Waived { list_cost: bill.list_cost, cost: bill.cost }),
            ..Bill::default()
        }
    }

    fn corrected(corrected: &ChargeCorrected) -> Bill<'_> {
        Bill {
            usage: Some(&corrected.to.usage),
            list_cost: Some(corrected.to.list_cost),
            source: Some(corrected.source),
            sale_ratio: Some(corrected.sale_ratio),
            charge: Some(corrected.to.charge),
            cost_rate: Some(corrected.cost_rate),
            cost: Some(corrected.to.cost),
            master: Some(corrected.master_account),
            generation: Some(&corrected.generation_id),
            ruling: corrected.ruling,
            waived: corrected.waived,
            before: Some(corrected.from.charge),
            answered: corrected.answered_model.as_deref(),
            ..Bill::default()
        }
    }

    fn late(late: &LateBillBooked) -> Bill<'_> {
        Bill {
            usage: Some(&late.booked.usage),
            list_cost: Some(late.booked.list_cost),
            source: Some(late.source),
            sale_ratio: Some(late.sale_ratio),
            charge: Some(late.booked.charge),
            cost_rate: Some(late.cost_rate),
            cost: Some(late.booked.cost),
            master: Some(late.master_account),
            generation: late.generation_id.as_deref(),
            ruling: Some(late.ruling),
            waived: late.waived,
            answered: late.answered_model.as_deref(),
            before: Some(Money::ZERO),
            ..Bill::default()
        }
    }
}

/// A call that was dropped: nothing was ever set aside for it.
fn abandoned(account: AccountId, call: &CallAbandoned) -> (Ended<'_>, Bill<'_>) {
    let CallAbandoned { reservation, key, model, awaits, at } = call;
    let ended = Ended {
        reservation: *reservation,
        account,
        key: *key,
        model,
        state: "released",
        outcome: "not_reserved",
        at: *at,
        reserved: Money::ZERO,
    };
    let generation = Some(awaits.generation_id.as_str());
    (ended, Bill { master: Some(awaits.master_account), generation, ..Bill::default() })
}

/// The line of an event, if it has one.
fn line<'a>(
    account: AccountId,
    event: &'a Event,
    seen: &Seen<'_>,
) -> Option<(Ended<'a>, Bill<'a>)> {
    let ended = |reservation, key, model, state, outcome, at| {
        let reserved = Money::ZERO;
        Ended { reservation, account, key, model, state, outcome, at, reserved }
    };
    Some(match event {
        Event::ReservationSettled(it) => {
            let (id, how) = (it.reservation, outcome(it.outcome));
            let ended = ended(id, it.key, it.model.as_str(), "settled", how, it.at);
            (Ended { reserved: it.reserved, ..ended }, Bill::settled(it))
        }
        Event::ReservationReleased {
            reservation,
            key,
            model,
            amount,
            reason: why,
            ruling,
            waived,
            awaits,
        } => {
            let at = seen.recorded_at;
            let ended = ended(*reservation, *key, model.as_str(), "released", reason(*why), at);
            let bill = match waived {
                Some(bill) => Bill::waived(bill, *ruling),
                None => Bill {
                    master: awaits.as_ref().map(|handle| handle.master_account),
                    generation: awaits.as_ref().map(|handle| handle.generation_id.as_str()),
                    ruling: *ruling,
                    ..Bill::default()
                },
            };
            (Ended { reserved: *amount, ..ended }, bill)
        }
        Event::ReservationExpired { reservation, key, model, amount, at } => {
            let ended = ended(*reservation, *key, model.as_str(), "expired", "expired", *at);
            (Ended { reserved: *amount, ..ended }, Bill::default())
        }
        Event::ChargeCorrected(it) => (
            ended(it.reservation, it.key, it.model.as_str(), "corrected", "corrected", it.at),
            Bill::corrected(it),
        ),
        Event::LateBillBooked(it) => (
            ended(it.reservation, it.key, it.model.as_str(), "billed_late", "billed_late", it.at),
            Bill::late(it),
        ),
        Event::CallAbandoned(it) => abandoned(account, it),
        Event::FundsReserved(_)
        | Event::AccountOpened { .. }
        | Event::FundsToppedUp { .. }
        | Event::FundsGranted { .. }
        | Event::GrantExpired { .. }
        | Event::TopUpRefunded { .. }
        | Event::AdjustmentPosted { .. }
        | Event::KeyIssued { .. }
        | Event::KeyLimitsChanged { .. }
        | Event::KeyRevoked { .. }
        | Event::AccountSuspended { .. }
        | Event::AccountReinstated { .. }
        | Event::SpendLimitsChanged { .. }
        | Event::PlanAssigned { .. }
        | Event::OwnLimitsChanged { .. }
        | Event::PlanRemoved { .. }
        | Event::SpendWarningRaised(_) => return None,
    })
}

impl Line for RequestLine {
    fn write(seen: &Seen<'_>, sink: &mut dyn Sink) -> Result<bool, FoldError> {
        let Body::Account(account, event, _) = &seen.body else { return Ok(false) };
        let Some((ended, bill)) = line(*account, event, seen) else { return Ok(false) };
        ended.write(seen, sink);
        bill.write(sink)?;
        sink.text(seen.meta.request_id.as_deref());
        sink.text(Some(&seen.meta.actor));
        Ok(true)
    }
}
