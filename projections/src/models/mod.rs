//! The read models, one file each: its table, and what an event does to its rows.

mod account_balances;
mod actions;
mod awaited_bills;
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

use tollgate_domain::Money;
use tollgate_domain::account::{ChargeCorrected, LateBillBooked};
use tollgate_domain::decimal::ListCost;

use crate::error::FoldError;
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
pub static PROJECTIONS: [Projection; 13] = [
    projection(&account_balances::TABLE, 3, Grouped::<account_balances::AccountRow>::start),
    projection(&actions::TABLE, 1, Appended::<actions::ActionLine>::start),
    projection(&awaited_bills::TABLE, 1, awaited_bills::Awaited::start),
    projection(&grants::TABLE, 1, Grouped::<grants::GrantRow>::start),
    projection(&key_usage::TABLE, 2, Grouped::<key_usage::KeyRow>::start),
    projection(&master_balances::TABLE, 2, Grouped::<master_balances::MasterRow>::start),
    projection(&open_reservations::TABLE, 1, open_reservations::Open::start),
    projection(&price_changes::TABLE, 1, Appended::<price_changes::PriceLine>::start),
    projection(&profit_daily::TABLE, 2, Grouped::<profit_daily::ProfitRow>::start),
    projection(&requests::TABLE, 4, Appended::<requests::RequestLine>::start),
    projection(&top_ups::TABLE, 2, Appended::<top_ups::MoneyLine>::start),
    projection(&trial_balance::TABLE, 2, Grouped::<trial_balance::TrialRow>::start),
    projection(&usage_hourly::TABLE, 2, Grouped::<usage_hourly::UsageRow>::start),
];

const fn projection(
    table: &'static Table,
    version: i32,
    start: fn() -> Box<dyn Fold>,
) -> Projection {
    Projection { name: table.name, version, table, start }
}

/// What a correction changes the charge and the cost by.
fn change(corrected: &ChargeCorrected) -> Result<(Money, Money), FoldError> {
    corrected.change().ok_or(FoldError::DoesNotFit)
}

/// A bill that came after the end makes the request a charged one, unless all of it is waived.
fn billed_requests(late: &LateBillBooked) -> i64 {
    i64::from(late.booked.list_cost != ListCost::ZERO)
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
