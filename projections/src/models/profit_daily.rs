//! `profit_daily`: what was sold, for what, and what it cost us.

use std::sync::Arc;

use tollgate_domain::Timestamp;
use tollgate_domain::account::{
    AccountEvent as Event, ChargeCorrected, CostSource, ReservationSettled, Waived,
};
use tollgate_domain::ids::{AccountId, MasterAccountId};

use crate::error::FoldError;
use crate::exact::{ListUsd, Usd};
use crate::fold::{Row, Rows};
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Day, Int, Number, Text};
use crate::table::Merge::{Key, Sum};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "profit_daily",
    comment: "Charged requests by UTC day; margin = charge - cost - waived. Waived is what the \
              upstream billed for requests that went wrong and no customer was charged for; \
              estimated are those whose truth has not come. A correction counts on the day of its \
              charge. drift = list_cost minus what our price list says, where the two differ.",
    life: Life::Grouped,
    columns: &[
        col("day", Day, Key),
        col("model", Text, Key),
        col("account_id", Text, Key),
        col("master_account_id", Text, Key),
        col("requests", Int, Sum),
        col("list_cost", Number, Sum),
        col("charge", Number, Sum),
        col("cost", Number, Sum),
        col("waived_requests", Int, Sum),
        col("waived_list_cost", Number, Sum),
        col("waived", Number, Sum),
        col("estimated", Int, Sum),
        col("corrected", Int, Sum),
        col("drifted", Int, Sum),
        col("drift", Number, Sum),
    ],
    indexes: &[],
};

/// A day's sales, or the change to them.
#[derive(Debug, Default)]
pub(super) struct ProfitRow {
    requests: i64,
    list_cost: ListUsd,
    charge: Usd,
    cost: Usd,
    waived_requests: i64,
    waived_list_cost: ListUsd,
    waived: Usd,
    estimated: i64,
    corrected: i64,
    drifted: i64,
    drift: ListUsd,
}

impl ProfitRow {
    fn settle(&mut self, settled: &ReservationSettled) -> Result<(), FoldError> {
        self.requests += 1;
        self.list_cost.add(settled.list_cost.decimal())?;
        self.charge.add(settled.charge.decimal())?;
        self.cost.add(settled.cost.decimal())?;
        self.estimated += match settled.source {
            CostSource::Estimate => 1,
            CostSource::Upstream | CostSource::GenerationRecord | CostSource::PriceList => 0,
        };
        if let Some(computed) = settled.computed_list_cost {
            self.drifted += 1;
            self.drift.add(settled.list_cost.decimal())?;
            self.drift.sub(computed.decimal())?;
        }
        self.waive(settled.waived)
    }

    fn waive(&mut self, waived: Option<Waived>) -> Result<(), FoldError> {
        let Some(waived) = waived else { return Ok(()) };
        self.waived_requests += 1;
        self.waived_list_cost.add(waived.list_cost.decimal())?;
        self.waived.add(waived.cost.decimal())
    }

    fn correct(&mut self, corrected: &ChargeCorrected) -> Result<(), FoldError> {
        let (charge, cost) = super::change(corrected)?;
        self.estimated -= 1;
        self.corrected += 1;
        self.list_cost.add(corrected.to.list_cost.decimal())?;
        self.list_cost.sub(corrected.from.list_cost.decimal())?;
        self.charge.add(charge.decimal())?;
        self.cost.add(cost.decimal())?;
        self.waive(corrected.waived)
    }
}

impl Row for ProfitRow {
    type Key = (i64, Arc<str>, AccountId, MasterAccountId);

    fn apply(rows: &mut Rows<Self>, seen: &Seen<'_>) -> Result<(), FoldError> {
        let Body::Account(account, event, Some(model)) = &seen.body else { return Ok(()) };
        let key = |at: Timestamp, master: MasterAccountId| {
            (at.day(), Arc::clone(model), *account, master)
        };
        match event {
            Event::ReservationSettled(settled) => {
                let key = key(settled.at, settled.master_account);
                rows.entry(key).or_default().settle(settled)
            }
            Event::ReservationReleased { waived: Some(bill), .. } => {
                let waived = Waived { list_cost: bill.list_cost, cost: bill.cost };
                let key = key(seen.recorded_at, bill.master_account);
                rows.entry(key).or_default().waive(Some(waived))
            }
            Event::ChargeCorrected(corrected) => {
                let key = key(corrected.charged_at, corrected.master_account);
                rows.entry(key).or_default().correct(corrected)
            }
            Event::LateBillBooked(late) => {
                let row = rows.entry(key(late.at, late.master_account)).or_default();
                row.requests += super::billed_requests(late);
                row.list_cost.add(late.booked.list_cost.decimal())?;
                row.charge.add(late.booked.charge.decimal())?;
                row.cost.add(late.booked.cost.decimal())?;
                row.waive(late.waived)
            }
            Event::ReservationReleased { waived: None, .. }
            | Event::ReservationExpired { .. }
            | Event::FundsReserved(_)
            | Event::CallAbandoned(_)
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
            | Event::SpendWarningRaised(_) => Ok(()),
        }
    }

    fn merge(&mut self, other: Self) -> Result<(), FoldError> {
        self.requests += other.requests;
        self.list_cost.merge(other.list_cost)?;
        self.charge.merge(other.charge)?;
        self.cost.merge(other.cost)?;
        self.waived_requests += other.waived_requests;
        self.waived_list_cost.merge(other.waived_list_cost)?;
        self.waived.merge(other.waived)?;
        self.estimated += other.estimated;
        self.corrected += other.corrected;
        self.drifted += other.drifted;
        self.drift.merge(other.drift)
    }

    fn write(&self, (day, model, account, master): &Self::Key, sink: &mut dyn Sink) {
        sink.day(*day);
        sink.text(Some(model));
        sink.id(account);
        sink.id(master);
        sink.int(Some(self.requests));
        sink.number(Some(&self.list_cost));
        sink.number(Some(&self.charge));
        sink.number(Some(&self.cost));
        sink.int(Some(self.waived_requests));
        sink.number(Some(&self.waived_list_cost));
        sink.number(Some(&self.waived));
        sink.int(Some(self.estimated));
        sink.int(Some(self.corrected));
        sink.int(Some(self.drifted));
        sink.number(Some(&self.drift));
    }
}
