//! `requests`: one row for each reservation that ended, as the customer and the operator see it.

use tollgate_domain::Timestamp;
use tollgate_domain::account::{
    AccountEvent as Event, CostSource, Outcome, ReleaseReason, ReservationSettled,
};
use tollgate_domain::ids::{AccountId, KeyId, ReservationId};

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
    comment: "One row per ended reservation. state: settled, released or expired; outcome: how a \
              settled one ended, or why a released one was.",
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
        col("request_id", Text, Once),
        col("actor", Text, Once),
    ],
    indexes: &[("account_idx", "account_id, position DESC")],
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

/// What every end has.
struct Ended<'a> {
    reservation: ReservationId,
    account: AccountId,
    key: KeyId,
    model: &'a str,
    state: &'static str,
    outcome: &'static str,
    at: Timestamp,
    reserved: tollgate_domain::Money,
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

fn charged(settled: &ReservationSettled, sink: &mut dyn Sink) -> Result<(), FoldError> {
    let usage = &settled.usage;
    sink.int(Some(count(usage.prompt_tokens())?));
    sink.int(Some(count(usage.completion_tokens())?));
    sink.int(Some(count(cached(usage))?));
    sink.int(Some(count(usage.reasoning)?));
    sink.text(Some(&json(usage)?));
    sink.number(Some(&settled.list_cost));
    match &settled.computed_list_cost {
        Some(computed) => sink.number(Some(computed)),
        None => sink.number(None),
    }
    sink.text(Some(source(settled.source)));
    sink.number(Some(&settled.sale_ratio));
    sink.number(Some(&settled.charge));
    sink.number(Some(&settled.cost_rate));
    sink.number(Some(&settled.cost));
    sink.int(Some(count(settled.price_version)?));
    sink.id(&settled.master_account);
    sink.text(settled.generation_id.as_deref());
    sink.flag(Some(settled.streamed));
    sink.int(Some(i64::from(settled.latencies.first_byte_ms)));
    sink.int(Some(i64::from(settled.latencies.total_ms)));
    Ok(())
}

/// Nothing was charged: the cells between `reserved` and `request_id` are empty.
fn uncharged(sink: &mut dyn Sink) {
    (0..4).for_each(|_| sink.int(None));
    sink.text(None);
    (0..2).for_each(|_| sink.number(None));
    sink.text(None);
    (0..4).for_each(|_| sink.number(None));
    sink.int(None);
    (0..2).for_each(|_| sink.text(None));
    sink.flag(None);
    (0..2).for_each(|_| sink.int(None));
}

impl Line for RequestLine {
    fn write(seen: &Seen<'_>, sink: &mut dyn Sink) -> Result<bool, FoldError> {
        let Body::Account(account, event, _) = &seen.body else { return Ok(false) };
        let account = *account;
        let (ended, settled) = match event {
            Event::ReservationSettled(settled) => (
                Ended {
                    reservation: settled.reservation,
                    account,
                    key: settled.key,
                    model: &settled.model,
                    state: "settled",
                    outcome: outcome(settled.outcome),
                    at: settled.at,
                    reserved: settled.reserved,
                },
                Some(settled),
            ),
            Event::ReservationReleased { reservation, key, model, amount, reason: why } => (
                Ended {
                    reservation: *reservation,
                    account,
                    key: *key,
                    model,
                    state: "released",
                    outcome: reason(*why),
                    at: seen.recorded_at,
                    reserved: *amount,
                },
                None,
            ),
            Event::ReservationExpired { reservation, key, model, amount, at } => (
                Ended {
                    reservation: *reservation,
                    account,
                    key: *key,
                    model,
                    state: "expired",
                    outcome: "expired",
                    at: *at,
                    reserved: *amount,
                },
                None,
            ),
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
            | Event::PlanRemoved {}
            | Event::SpendWarningRaised(_) => return Ok(false),
        };
        ended.write(seen, sink);
        match settled {
            Some(settled) => charged(settled, sink)?,
            None => uncharged(sink),
        }
        sink.text(seen.meta.request_id.as_deref());
        sink.text(Some(&seen.meta.actor));
        Ok(true)
    }
}
