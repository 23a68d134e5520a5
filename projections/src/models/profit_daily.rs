//! `profit_daily`: what was sold, for what, and what it cost us.

use std::sync::Arc;

use tollgate_domain::account::{AccountEvent, CostSource};
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
    comment: "Charged requests by UTC day; margin = charge - cost; drift = list_cost minus what \
              our price list says, where the two differ.",
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
        col("estimated", Int, Sum),
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
    estimated: i64,
    drifted: i64,
    drift: ListUsd,
}

impl Row for ProfitRow {
    type Key = (i64, Arc<str>, AccountId, MasterAccountId);

    fn apply(rows: &mut Rows<Self>, seen: &Seen<'_>) -> Result<(), FoldError> {
        let Body::Account(account, AccountEvent::ReservationSettled(settled), Some(model)) =
            &seen.body
        else {
            return Ok(());
        };
        let key = (settled.at.day(), Arc::clone(model), *account, settled.master_account);
        let row = rows.entry(key).or_default();
        row.requests += 1;
        row.list_cost.add(settled.list_cost.decimal())?;
        row.charge.add(settled.charge.decimal())?;
        row.cost.add(settled.cost.decimal())?;
        row.estimated += match settled.source {
            CostSource::Estimate => 1,
            CostSource::Upstream | CostSource::GenerationRecord | CostSource::PriceList => 0,
        };
        if let Some(computed) = settled.computed_list_cost {
            row.drifted += 1;
            row.drift.add(settled.list_cost.decimal())?;
            row.drift.sub(computed.decimal())?;
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<(), FoldError> {
        self.requests += other.requests;
        self.list_cost.merge(other.list_cost)?;
        self.charge.merge(other.charge)?;
        self.cost.merge(other.cost)?;
        self.estimated += other.estimated;
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
        sink.int(Some(self.estimated));
        sink.int(Some(self.drifted));
        sink.number(Some(&self.drift));
    }
}
