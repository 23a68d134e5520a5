//! The read models, one file each: its table, and what an event does to its rows.

mod account_balances;
mod actions;
mod grants;
mod key_usage;
mod master_balances;
mod open_reservations;
mod price_changes;
mod profit_daily;
mod requests;
mod top_ups;
mod trial_balance;
mod usage_hourly;

pub(crate) use trial_balance::entry as entry_of;

use crate::fold::{Appended, Fold, Grouped};
use crate::table::Table;

/// A projection: a fold with a name and a version, and the table it writes.
#[derive(Debug)]
pub struct Projection {
    /// Its name, and that of its table.
    pub name: &'static str,
    /// To be increased with every change of the table or of what an event means for it; the next
    /// start then rebuilds it beside the old one.
    pub version: i32,
    /// Its read model.
    pub table: &'static Table,
    pub(crate) start: fn() -> Box<dyn Fold>,
}

/// Every projection, by name. The order is that in which locks are taken.
pub static PROJECTIONS: [Projection; 12] = [
    projection(&account_balances::TABLE, 2, Grouped::<account_balances::AccountRow>::start),
    projection(&actions::TABLE, 1, Appended::<actions::ActionLine>::start),
    projection(&grants::TABLE, 1, Grouped::<grants::GrantRow>::start),
    projection(&key_usage::TABLE, 1, Grouped::<key_usage::KeyRow>::start),
    projection(&master_balances::TABLE, 1, Grouped::<master_balances::MasterRow>::start),
    projection(&open_reservations::TABLE, 1, open_reservations::Open::start),
    projection(&price_changes::TABLE, 1, Appended::<price_changes::PriceLine>::start),
    projection(&profit_daily::TABLE, 1, Grouped::<profit_daily::ProfitRow>::start),
    projection(&requests::TABLE, 1, Appended::<requests::RequestLine>::start),
    projection(&top_ups::TABLE, 2, Appended::<top_ups::MoneyLine>::start),
    projection(&trial_balance::TABLE, 1, Grouped::<trial_balance::TrialRow>::start),
    projection(&usage_hourly::TABLE, 1, Grouped::<usage_hourly::UsageRow>::start),
];

const fn projection(
    table: &'static Table,
    version: i32,
    start: fn() -> Box<dyn Fold>,
) -> Projection {
    Projection { name: table.name, version, table, start }
}

/// An empty trial balance.
pub(crate) fn journal() -> Box<dyn Fold> {
    Grouped::<trial_balance::TrialRow>::start()
}

/// The projection with this name.
#[must_use]
pub fn find(name: &str) -> Option<&'static Projection> {
    PROJECTIONS.iter().find(|projection| projection.name == name)
}
