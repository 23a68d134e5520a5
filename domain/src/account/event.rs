//! What happened to an account. Stored for ever: add versions, never edit.

use serde::{Deserialize, Serialize};

use super::bills::{
    Booked, CallAbandoned, ChargeCorrected, Handle, LateBillBooked, Waived, WaivedBill,
};
use super::limits::{AccountLimits, KeyLimits, SpendLimits};
use super::warning::SpendWarning;
use crate::decimal::{ListCost, Ratio};
use crate::fairness::Ruling;
use crate::ids::{
    AccountId, AdjustmentId, GrantId, KeyId, MasterAccountId, RefundId, ReservationId, TopUpId,
    UserId,
};
use crate::journal::{Entry, LedgerAccount};
use crate::money::Money;
use crate::time::Timestamp;
use crate::usage::Usage;

/// Events: noun and past participle. Members mean what those of the commands mean.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum AccountEvent {
    AccountOpened {
        account: AccountId,
        owner: UserId,
    },
    FundsToppedUp {
        top_up: TopUpId,
        amount: Money,
        processor: String,
        reference: String,
    },
    FundsGranted {
        grant: GrantId,
        amount: Money,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        expires_at: Option<Timestamp>,
    },
    /// `amount` was unspent and is taken back; `held` is unspent too, but set aside for requests
    /// that run. What these leave of it is taken back by another event.
    GrantExpired {
        grant: GrantId,
        amount: Money,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        held: Option<Money>,
        at: Timestamp,
    },
    TopUpRefunded {
        refund: RefundId,
        top_up: TopUpId,
        amount: Money,
        processor: String,
        reason: String,
    },
    AdjustmentPosted {
        adjustment: AdjustmentId,
        amount: Money,
        reason: String,
        reference: String,
    },
    KeyIssued {
        key: KeyId,
        limits: KeyLimits,
    },
    KeyLimitsChanged {
        key: KeyId,
        limits: KeyLimits,
    },
    KeyRevoked {
        key: KeyId,
    },
    FundsReserved(FundsReserved),
    ReservationSettled(Box<ReservationSettled>),
    ReservationReleased {
        reservation: ReservationId,
        key: KeyId,
        model: String,
        amount: Money,
        reason: ReleaseReason,
        /// What the fairness policy said, where the request went wrong.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        ruling: Option<Ruling>,
        /// The bill, where it is known: the operator's.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        waived: Option<Box<WaivedBill>>,
        /// Where the bill may still be had, where it is not known.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        awaits: Option<Box<Handle>>,
    },
    ReservationExpired {
        reservation: ReservationId,
        key: KeyId,
        model: String,
        amount: Money,
        at: Timestamp,
    },
    ChargeCorrected(Box<ChargeCorrected>),
    LateBillBooked(Box<LateBillBooked>),
    CallAbandoned(Box<CallAbandoned>),
    AccountSuspended {
        reason: String,
    },
    AccountReinstated {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    SpendLimitsChanged {
        limits: AccountLimits,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    PlanAssigned {
        plan: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    OwnLimitsChanged {
        limits: SpendLimits,
    },
    PlanRemoved {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    SpendWarningRaised(SpendWarning),
}

/// Money was set aside.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FundsReserved {
    /// The request's reservation.
    pub reservation: ReservationId,
    /// The key that the request came with.
    pub key: KeyId,
    /// The model that it asked for.
    pub model: String,
    /// What it may be charged at most.
    pub amount: Money,
    /// Frozen for the charge.
    pub sale_ratio: Ratio,
    /// Version of the price list.
    pub price_version: u64,
    /// From then on recovery may end it.
    pub expires_at: Timestamp,
    /// Models that may answer in its place, each with its own ratio.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Fallback>,
    /// What the account's plan allowed then.
    #[serde(default, skip_serializing_if = "SpendLimits::is_unlimited")]
    pub plan: SpendLimits,
}

/// A model that may answer in the place of the requested one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fallback {
    /// As the client named it.
    pub model: String,
    /// Frozen for the charge, if this one answers.
    pub sale_ratio: Ratio,
}

/// The request charge: everything that an auditor needs to compute it again.
///
/// `charge = round(list_cost × sale_ratio)`, `cost = round(list_cost × cost_rate)`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ReservationSettled {
    /// Which reservation ended.
    pub reservation: ReservationId,
    /// The key that the request came with.
    pub key: KeyId,
    /// The model that it asked for.
    pub model: String,
    /// The fallback that answered in its place, whose ratio is the charge's.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answered_model: Option<String>,
    /// What had been set aside and is free again.
    pub reserved: Money,
    /// What was consumed.
    pub usage: Usage,
    /// Version of the price list.
    pub price_version: u64,
    /// The upstream's public price of what is charged: of the request, less what is waived.
    pub list_cost: ListCost,
    /// What our price list says, where it differs.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub computed_list_cost: Option<ListCost>,
    /// Where `list_cost` comes from.
    pub source: CostSource,
    /// Of the model that answered; frozen when it was reserved.
    pub sale_ratio: Ratio,
    /// What the customer pays.
    pub charge: Money,
    /// What the upstream account pays for one dollar of list cost, frozen here.
    pub cost_rate: Ratio,
    /// What we paid.
    pub cost: Money,
    /// What the customer is not charged of the upstream's bill.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub waived: Option<Waived>,
    /// What the fairness policy said, where the request went wrong.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub ruling: Option<Ruling>,
    /// The upstream account that served it.
    pub master_account: MasterAccountId,
    /// The upstream's handle.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub generation_id: Option<String>,
    /// How the request ended.
    pub outcome: Outcome,
    /// Was the answer streamed?
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub streamed: bool,
    /// How long it took.
    pub latencies: Latencies,
    /// When it ended, by the clock of the process that settled it. Spending windows count by it.
    pub at: Timestamp,
}

/// Where the list cost of a charge comes from, best first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CostSource {
    /// `usage.cost` in the answer.
    Upstream,
    /// The upstream's record of the generation.
    GenerationRecord,
    /// The upstream's token counts and our price list.
    PriceList,
    /// Tokens counted by us: bounded, to be corrected.
    Estimate,
}

/// How a charged request ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Outcome {
    /// Whole.
    Completed,
    /// The client went before the end.
    ClientLeft,
    /// The upstream's answer broke off.
    UpstreamBroke,
    /// The upstream reported an error after it had begun.
    UpstreamError,
    /// Ended by recovery after its process had stopped.
    Recovered,
}

/// Why a reservation ended without a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ReleaseReason {
    /// The upstream refused the request.
    UpstreamError,
    /// No answer came at all.
    UpstreamUnreachable,
    /// The client went before the upstream had begun.
    ClientLeft,
    /// The upstream billed nothing for what it delivered.
    NothingBilled,
    /// Its process stopped, and the upstream knows of no generation.
    Recovered,
    /// The fairness policy charges nothing for what went wrong.
    Waived,
}

/// Milliseconds since the request came in.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Latencies {
    /// Until the upstream's first byte.
    pub first_byte_ms: u32,
    /// Until the end.
    pub total_ms: u32,
}

impl AccountEvent {
    /// The name as stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AccountOpened { .. } => "AccountOpened",
            Self::FundsToppedUp { .. } => "FundsToppedUp",
            Self::FundsGranted { .. } => "FundsGranted",
            Self::GrantExpired { .. } => "GrantExpired",
            Self::TopUpRefunded { .. } => "TopUpRefunded",
            Self::AdjustmentPosted { .. } => "AdjustmentPosted",
            Self::KeyIssued { .. } => "KeyIssued",
            Self::KeyLimitsChanged { .. } => "KeyLimitsChanged",
            Self::KeyRevoked { .. } => "KeyRevoked",
            Self::FundsReserved(_) => "FundsReserved",
            Self::ReservationSettled(_) => "ReservationSettled",
            Self::ReservationReleased { .. } => "ReservationReleased",
            Self::ReservationExpired { .. } => "ReservationExpired",
            Self::ChargeCorrected(_) => "ChargeCorrected",
            Self::LateBillBooked(_) => "LateBillBooked",
            Self::CallAbandoned(_) => "CallAbandoned",
            Self::AccountSuspended { .. } => "AccountSuspended",
            Self::AccountReinstated { .. } => "AccountReinstated",
            Self::SpendLimitsChanged { .. } => "SpendLimitsChanged",
            Self::PlanAssigned { .. } => "PlanAssigned",
            Self::OwnLimitsChanged { .. } => "OwnLimitsChanged",
            Self::PlanRemoved { .. } => "PlanRemoved",
            Self::SpendWarningRaised(_) => "SpendWarningRaised",
        }
    }

    /// The payload's version; all are the first.
    #[must_use]
    pub const fn version(&self) -> &'static str {
        "1"
    }

    /// INV-5: what the event means in debits and credits; none where no money moves.
    #[must_use]
    pub fn entry(&self, account: AccountId) -> Option<Entry> {
        use LedgerAccount::{Adjustments, Cash, Customer, Grants};
        let customer = Customer(account);
        let entry = Entry::new();
        Some(match self {
            Self::FundsToppedUp { amount, processor, .. } => {
                entry.transfer(Cash(processor.clone()), customer, *amount)
            }
            Self::FundsGranted { amount, .. } => entry.transfer(Grants, customer, *amount),
            Self::GrantExpired { amount, .. } => entry.transfer(customer, Grants, *amount),
            Self::TopUpRefunded { amount, processor, .. } => {
                entry.transfer(customer, Cash(processor.clone()), *amount)
            }
            Self::AdjustmentPosted { amount, .. } => entry.transfer(Adjustments, customer, *amount),
            Self::ReservationSettled(settled) => {
                let master = settled.master_account;
                let entry = Booked::post(entry, customer, master, settled.charge, settled.cost);
                Waived::post(settled.waived, entry, master)
            }
            Self::ReservationReleased { waived: Some(bill), .. } => {
                let waived = Waived { list_cost: bill.list_cost, cost: bill.cost };
                Waived::post(Some(waived), entry, bill.master_account)
            }
            Self::ChargeCorrected(corrected) => {
                let (master, (charge, cost)) = (corrected.master_account, corrected.change()?);
                let entry = Booked::post(entry, customer, master, charge, cost);
                Waived::post(corrected.waived, entry, master)
            }
            Self::LateBillBooked(late) => {
                let (master, booked) = (late.master_account, late.booked);
                let entry = Booked::post(entry, customer, master, booked.charge, booked.cost);
                Waived::post(late.waived, entry, master)
            }
            // A reservation is not money moved: it is a promise inside the customer's own balance.
            Self::FundsReserved(_)
            | Self::ReservationReleased { .. }
            | Self::ReservationExpired { .. }
            | Self::CallAbandoned(_)
            | Self::AccountOpened { .. }
            | Self::KeyIssued { .. }
            | Self::KeyLimitsChanged { .. }
            | Self::KeyRevoked { .. }
            | Self::AccountSuspended { .. }
            | Self::AccountReinstated { .. }
            | Self::SpendLimitsChanged { .. }
            | Self::PlanAssigned { .. }
            | Self::OwnLimitsChanged { .. }
            | Self::PlanRemoved { .. }
            | Self::SpendWarningRaised(_) => return None,
        })
    }
}
