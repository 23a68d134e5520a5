//! `master_balances`: what is left of the credits that we bought.

use tollgate_domain::account::{AccountEvent, Waived};
use tollgate_domain::ids::MasterAccountId;
use tollgate_domain::master_account::MasterAccountEvent as Event;

use crate::error::FoldError;
use crate::exact::{ListUsd, Usd};
use crate::fold::{Row, Rows};
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Number, Text, Time};
use crate::table::Merge::{Key, Last, Sum};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "master_balances",
    comment: "One row per upstream account: remaining credits = bought + adjusted - list_cost - \
              waived_list_cost. Waived is what was billed and no customer was charged for.",
    life: Life::Grouped,
    columns: &[
        col("master_account_id", Text, Key),
        col("provider", Text, Last),
        col("label", Text, Last),
        col("status", Text, Last),
        col("key_version", Int, Last),
        col("purchases", Int, Sum),
        col("bought", Number, Sum),
        col("paid", Number, Sum),
        col("fees", Number, Sum),
        col("adjusted", Number, Sum),
        col("adjusted_value", Number, Sum),
        col("requests", Int, Sum),
        col("list_cost", Number, Sum),
        col("cost", Number, Sum),
        col("waived_list_cost", Number, Sum),
        col("waived", Number, Sum),
        col("registered_at", Time, Last),
    ],
    indexes: &[],
};

/// One upstream account, or the change to it.
#[derive(Debug, Default)]
pub(super) struct MasterRow {
    provider: Option<String>,
    label: Option<String>,
    status: Option<&'static str>,
    key_version: Option<i64>,
    purchases: i64,
    bought: Usd,
    paid: Usd,
    fees: Usd,
    adjusted: Usd,
    adjusted_value: Usd,
    requests: i64,
    list_cost: ListUsd,
    cost: Usd,
    waived_list_cost: ListUsd,
    waived: Usd,
    registered_at: Option<tollgate_domain::Timestamp>,
}

impl MasterRow {
    fn take(&mut self, event: &Event, seen: &Seen<'_>) -> Result<(), FoldError> {
        match event {
            Event::MasterAccountRegistered { provider, label, .. } => {
                self.provider = Some(provider.clone());
                self.label = Some(label.clone());
                self.status = Some("enabled");
                self.key_version = Some(1);
                self.registered_at = Some(seen.recorded_at);
            }
            Event::CreditsPurchased { credits, paid, fee, .. } => {
                self.purchases += 1;
                self.bought.add(credits.decimal())?;
                self.paid.add(paid.decimal())?;
                self.fees.add(fee.decimal())?;
            }
            Event::CreditsAdjusted { credits, value, .. } => {
                self.adjusted.add(credits.decimal())?;
                self.adjusted_value.add(value.decimal())?;
            }
            Event::UpstreamKeyRotated { key_version, .. } => {
                self.key_version = Some(i64::from(*key_version));
            }
            Event::MasterAccountDisabled { .. } => self.status = Some("disabled"),
            Event::MasterAccountEnabled { .. } => self.status = Some("enabled"),
        }
        Ok(())
    }

    fn waive(&mut self, waived: Option<Waived>) -> Result<(), FoldError> {
        let Some(waived) = waived else { return Ok(()) };
        self.waived_list_cost.add(waived.list_cost.decimal())?;
        self.waived.add(waived.cost.decimal())
    }
}

impl Row for MasterRow {
    type Key = MasterAccountId;

    fn apply(rows: &mut Rows<Self>, seen: &Seen<'_>) -> Result<(), FoldError> {
        match &seen.body {
            Body::MasterAccount(master, event) => {
                rows.entry(*master).or_default().take(event, seen)
            }
            Body::Account(_, AccountEvent::ReservationSettled(settled), _) => {
                let row = rows.entry(settled.master_account).or_default();
                row.requests += 1;
                row.list_cost.add(settled.list_cost.decimal())?;
                row.cost.add(settled.cost.decimal())?;
                row.waive(settled.waived)
            }
            Body::Account(_, AccountEvent::ReservationReleased { waived: Some(bill), .. }, _) => {
                let row = rows.entry(bill.master_account).or_default();
                row.waive(Some(Waived { list_cost: bill.list_cost, cost: bill.cost }))
            }
            Body::Account(_, AccountEvent::ChargeCorrected(corrected), _) => {
                let row = rows.entry(corrected.master_account).or_default();
                row.list_cost.add(corrected.to.list_cost.decimal())?;
                row.list_cost.sub(corrected.from.list_cost.decimal())?;
                row.cost.add(super::change(corrected)?.1.decimal())?;
                row.waive(corrected.waived)
            }
            Body::Account(_, AccountEvent::LateBillBooked(late), _) => {
                let row = rows.entry(late.master_account).or_default();
                row.requests += super::billed_requests(late);
                row.list_cost.add(late.booked.list_cost.decimal())?;
                row.cost.add(late.booked.cost.decimal())?;
                row.waive(late.waived)
            }
            Body::Account(..) | Body::PriceBook(_) => Ok(()),
        }
    }

    fn merge(&mut self, other: Self) -> Result<(), FoldError> {
        self.provider = other.provider.or(self.provider.take());
        self.label = other.label.or(self.label.take());
        self.status = other.status.or(self.status);
        self.key_version = other.key_version.or(self.key_version);
        self.purchases += other.purchases;
        self.bought.merge(other.bought)?;
        self.paid.merge(other.paid)?;
        self.fees.merge(other.fees)?;
        self.adjusted.merge(other.adjusted)?;
        self.adjusted_value.merge(other.adjusted_value)?;
        self.requests += other.requests;
        self.list_cost.merge(other.list_cost)?;
        self.cost.merge(other.cost)?;
        self.waived_list_cost.merge(other.waived_list_cost)?;
        self.waived.merge(other.waived)?;
        self.registered_at = other.registered_at.or(self.registered_at);
        Ok(())
    }

    fn write(&self, master: &MasterAccountId, sink: &mut dyn Sink) {
        sink.id(master);
        sink.text(self.provider.as_deref());
        sink.text(self.label.as_deref());
        sink.text(self.status);
        sink.int(self.key_version);
        sink.int(Some(self.purchases));
        sink.number(Some(&self.bought));
        sink.number(Some(&self.paid));
        sink.number(Some(&self.fees));
        sink.number(Some(&self.adjusted));
        sink.number(Some(&self.adjusted_value));
        sink.int(Some(self.requests));
        sink.number(Some(&self.list_cost));
        sink.number(Some(&self.cost));
        sink.number(Some(&self.waived_list_cost));
        sink.number(Some(&self.waived));
        sink.time(self.registered_at);
    }
}
