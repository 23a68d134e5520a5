//! `awaited_bills`: ended requests whose bill is still to be asked for: estimates that stand until
//! the truth comes, and what ended without a charge although the upstream may have billed.

use std::any::Any;
use std::collections::HashMap;

use tollgate_domain::Timestamp;
use tollgate_domain::account::{AccountEvent as Event, CostSource, Handle, ReleaseReason};
use tollgate_domain::fairness::{Mishap, Ruling, Treatment};
use tollgate_domain::ids::{AccountId, ReservationId};

use crate::error::FoldError;
use crate::fold::{Fold, same};
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Text, Time};
use crate::table::Merge::{Key, Once};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "awaited_bills",
    comment: "Ended requests whose bill may still come; kind: estimate (charged) or unbilled (not \
              charged). The upstream is asked for those with a handle, for a day; the others can \
              only be told by the process that served them.",
    life: Life::Open,
    columns: &[
        col("reservation_id", Text, Key),
        col("account_id", Text, Once),
        col("kind", Text, Once),
        col("master_account_id", Text, Once),
        col("generation_id", Text, Once),
        col("mishap", Text, Once),
        col("policy_version", Int, Once),
        col("request_id", Text, Once),
        col("ended_at", Time, Once),
        col("position", Int, Once),
    ],
    indexes: &[("ended_idx", "(ended_at)")],
};

struct AwaitedRow {
    account: AccountId,
    kind: &'static str,
    handle: Option<Handle>,
    ruling: Option<Ruling>,
    request_id: Option<String>,
    ended_at: Timestamp,
    position: i64,
}

/// What came and what went.
#[derive(Default)]
pub(super) struct Awaited {
    rows: HashMap<ReservationId, AwaitedRow>,
    removed: Vec<String>,
}

impl Awaited {
    /// An empty one.
    pub(super) fn start() -> Box<dyn Fold> {
        Box::new(Self::default())
    }

    fn came(&mut self, reservation: ReservationId) {
        if self.rows.remove(&reservation).is_none() {
            self.removed.push(reservation.to_string());
        }
    }
}

impl Fold for Awaited {
    fn apply(&mut self, seen: &Seen<'_>) -> Result<(), FoldError> {
        let Body::Account(account, event, _) = &seen.body else { return Ok(()) };
        let row = |kind, handle, ruling, ended_at| AwaitedRow {
            account: *account,
            kind,
            handle,
            ruling,
            request_id: seen.meta.request_id.as_deref().map(str::to_owned),
            ended_at,
            position: seen.position,
        };
        match event {
            Event::ReservationSettled(settled) => match (settled.source, &settled.generation_id) {
                (CostSource::Estimate, Some(generation_id)) => {
                    let generation_id = generation_id.clone();
                    let handle = Handle { master_account: settled.master_account, generation_id };
                    let row = row("estimate", Some(handle), settled.ruling, settled.at);
                    self.rows.insert(settled.reservation, row);
                }
                (CostSource::Estimate, None)
                | (
                    CostSource::Upstream | CostSource::GenerationRecord | CostSource::PriceList,
                    _,
                ) => {}
            },
            Event::ReservationReleased { reservation, reason, ruling, awaits, .. }
                if *reason == ReleaseReason::Recovered || awaits.is_some() =>
            {
                let handle = awaits.as_deref().cloned();
                let row = row("unbilled", handle, *ruling, seen.recorded_at);
                self.rows.insert(*reservation, row);
            }
            Event::ReservationExpired { reservation, at, .. } => {
                self.rows.insert(*reservation, row("unbilled", None, None, *at));
            }
            Event::CallAbandoned(call) => {
                // No policy was asked: there is nothing that the customer could be charged for.
                let (mishap, treatment) = (Mishap::EndedElsewhere, Treatment::Waive);
                let ruling = Ruling { mishap, treatment, policy_version: 0 };
                let row = row("unbilled", Some(call.awaits.clone()), Some(ruling), call.at);
                self.rows.insert(call.reservation, row);
            }
            Event::ChargeCorrected(corrected) => self.came(corrected.reservation),
            Event::LateBillBooked(late) => self.came(late.reservation),
            Event::ReservationReleased { .. }
            | Event::FundsReserved(_)
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
            | Event::SpendWarningRaised(_) => {}
        }
        Ok(())
    }

    fn len(&self) -> usize {
        self.rows.len() + self.removed.len()
    }

    fn absorb(&mut self, other: Box<dyn Fold>) -> Result<(), FoldError> {
        let other: Self = same(other);
        self.rows.extend(other.rows);
        self.removed.extend(other.removed);
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn write(&self, sink: &mut dyn Sink) {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|(reservation, _)| **reservation);
        for (reservation, row) in rows {
            sink.id(reservation);
            sink.id(&row.account);
            sink.text(Some(row.kind));
            let handle = row.handle.as_ref();
            sink.text(handle.map(|handle| handle.master_account.to_string()).as_deref());
            sink.text(handle.map(|handle| handle.generation_id.as_str()));
            sink.text(row.ruling.map(|ruling| ruling.mishap.name()));
            sink.int(row.ruling.and_then(|ruling| i64::try_from(ruling.policy_version).ok()));
            sink.text(row.request_id.as_deref());
            sink.time(Some(row.ended_at));
            sink.int(Some(row.position));
            sink.end_row();
        }
    }

    fn removed(&self) -> &[String] {
        &self.removed
    }
}
