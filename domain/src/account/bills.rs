//! What a bill of the upstream comes to: the customer's part, the operator's, and bills that come
//! after a reservation has ended.

use serde::{Deserialize, Serialize};

use super::event::CostSource;
use crate::decimal::{ListCost, Ratio};
use crate::fairness::Ruling;
use crate::ids::{KeyId, MasterAccountId, ReservationId};
use crate::journal::{Entry, LedgerAccount};
use crate::money::Money;
use crate::time::Timestamp;
use crate::usage::Usage;

/// What the upstream billed and the customer is not charged: the operator's cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Waived {
    /// The upstream's public price of it.
    pub list_cost: ListCost,
    /// What we paid for it: list cost × cost rate, rounded once.
    pub cost: Money,
}

/// A bill that the customer is charged nothing of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct WaivedBill {
    /// What was consumed.
    pub usage: Usage,
    /// The upstream's public price of it.
    pub list_cost: ListCost,
    /// Where it comes from.
    pub source: CostSource,
    /// What the upstream account pays for one dollar of list cost, frozen here.
    pub cost_rate: Ratio,
    /// What we paid.
    pub cost: Money,
    /// The upstream account that served it.
    pub master_account: MasterAccountId,
    /// The upstream's handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<String>,
}

/// Where the bill of an ended reservation is still to be had.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Handle {
    /// The upstream account that served it.
    pub master_account: MasterAccountId,
    /// Its handle there.
    pub generation_id: String,
}

/// What was booked for a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Booked {
    /// What was consumed.
    pub usage: Usage,
    /// What the charge was computed from.
    pub list_cost: ListCost,
    /// What the customer paid.
    pub charge: Money,
    /// What it cost us.
    pub cost: Money,
}

/// The truth about a request whose charge had been estimated: what was booked is replaced.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ChargeCorrected {
    /// Which reservation it was.
    pub reservation: ReservationId,
    /// The key that the request came with.
    pub key: KeyId,
    /// The model that it asked for.
    pub model: String,
    /// The fallback that answered in its place, where the truth names it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_model: Option<String>,
    /// The estimate.
    pub from: Booked,
    /// What it truly is, as far as the customer is charged.
    pub to: Booked,
    /// What the customer is not charged of the bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Waived>,
    /// The policy's word on the request, if it had one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// Where the truth comes from.
    pub source: CostSource,
    /// Frozen when it was reserved: of the fallback that answered, else as the estimate's.
    pub sale_ratio: Ratio,
    /// As the estimate's.
    pub cost_rate: Ratio,
    /// As the estimate's.
    pub master_account: MasterAccountId,
    /// The upstream's handle.
    pub generation_id: String,
    /// When the estimate was charged: its spending windows are corrected while they last.
    pub charged_at: Timestamp,
    /// When the truth came, by the clock of the process that booked it.
    pub at: Timestamp,
}

/// The bill of a reservation that had ended without a charge.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct LateBillBooked {
    /// Which reservation it was.
    pub reservation: ReservationId,
    /// The key that the request came with.
    pub key: KeyId,
    /// The model that it asked for.
    pub model: String,
    /// The fallback that answered in its place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_model: Option<String>,
    /// What is charged of it now; nothing where the customer got no answer.
    pub booked: Booked,
    /// What the customer is not charged of it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Waived>,
    /// Why it is charged or not.
    pub ruling: Ruling,
    /// Where the list cost comes from.
    pub source: CostSource,
    /// Frozen when it was reserved.
    pub sale_ratio: Ratio,
    /// What the upstream account pays for one dollar of list cost, frozen here.
    pub cost_rate: Ratio,
    /// The upstream account that served it.
    pub master_account: MasterAccountId,
    /// The upstream's handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<String>,
    /// When it was booked, by the clock of the process that booked it.
    pub at: Timestamp,
}

/// A call of the upstream for a reservation that was refused after the call had begun. The customer
/// got nothing, and what the upstream bills for it is the operator's.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct CallAbandoned {
    /// The refused one.
    pub reservation: ReservationId,
    /// The key that the request came with.
    pub key: KeyId,
    /// The model that it asked for.
    pub model: String,
    /// Where the bill may be had.
    pub awaits: Handle,
    /// When it was abandoned, by the clock of the process that did.
    pub at: Timestamp,
}

impl Waived {
    /// The postings of an upstream account's credits that nobody was charged for.
    pub(super) fn post(waived: Option<Self>, entry: Entry, master: MasterAccountId) -> Entry {
        let cost = waived.map_or(Money::ZERO, |waived| waived.cost);
        entry.transfer(LedgerAccount::Waived, LedgerAccount::Upstream(master), cost)
    }
}

impl Booked {
    /// The postings of what was booked, or of the difference to what had been.
    pub(super) fn post(
        entry: Entry,
        customer: LedgerAccount,
        master: MasterAccountId,
        charge: Money,
        cost: Money,
    ) -> Entry {
        let upstream = LedgerAccount::Upstream(master);
        entry.transfer(customer, LedgerAccount::UsageIncome, charge).transfer(
            LedgerAccount::UpstreamExpense,
            upstream,
            cost,
        )
    }
}

impl ChargeCorrected {
    /// What the balance, the income and the cost change by; nothing where that does not fit.
    #[must_use]
    pub fn change(&self) -> Option<(Money, Money)> {
        let charge = self.to.charge.checked_sub(self.from.charge)?;
        Some((charge, self.to.cost.checked_sub(self.from.cost)?))
    }
}

/// The whole bill out of the customer's part and the operator's.
#[must_use]
pub fn billed(list_cost: ListCost, waived: Option<Waived>) -> Option<ListCost> {
    match waived {
        Some(waived) => list_cost.checked_add(waived.list_cost),
        None => Some(list_cost),
    }
}
