//! What may be asked of an account.

use super::bills::Handle;
use super::event::{CostSource, Fallback, Latencies, Outcome, ReleaseReason};
use super::limits::{AccountLimits, KeyLimits, SpendLimits};
use crate::decimal::{ListCost, Ratio};
use crate::fairness::Ruling;
use crate::ids::{
    AccountId, AdjustmentId, GrantId, KeyId, MasterAccountId, RefundId, ReservationId, TopUpId,
    UserId,
};
use crate::money::Money;
use crate::time::Timestamp;
use crate::usage::Usage;

/// Commands: verb and noun.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum AccountCommand {
    /// Opens the account for its owner.
    OpenAccount {
        /// The new account.
        account: AccountId,
        /// Whose it is.
        owner: UserId,
    },
    /// Money in.
    TopUpFunds {
        /// The top-up's own id: the same one twice is one top-up.
        top_up: TopUpId,
        /// Above zero.
        amount: Money,
        /// Who took the money: `manual`, `stripe`, …
        processor: String,
        /// The processor's or the operator's reference.
        reference: String,
    },
    /// Money given.
    GrantFunds {
        /// The grant's own id.
        grant: GrantId,
        /// Above zero.
        amount: Money,
        /// Why.
        reason: String,
        /// From then on what is unspent is taken back; none: never.
        expires_at: Option<Timestamp>,
    },
    /// Takes back what is unspent of a grant whose time is over.
    ExpireGrant {
        /// Which.
        grant: GrantId,
        /// The clock of the process that says so.
        at: Timestamp,
    },
    /// Money back.
    RefundTopUp {
        /// The refund's own id.
        refund: RefundId,
        /// Which top-up.
        top_up: TopUpId,
        /// Above zero, at most what is left of the top-up.
        amount: Money,
        /// Why.
        reason: String,
    },
    /// An operator's correction, up or down.
    PostAdjustment {
        /// The adjustment's own id.
        adjustment: AdjustmentId,
        /// Not zero.
        amount: Money,
        /// Why.
        reason: String,
        /// What it refers to.
        reference: String,
    },
    /// A new key.
    IssueKey {
        /// The key.
        key: KeyId,
        /// What it may spend.
        limits: KeyLimits,
    },
    /// Other limits for a key.
    ChangeKeyLimits {
        /// The key.
        key: KeyId,
        /// What it may spend from now on.
        limits: KeyLimits,
    },
    /// The key must not be used again.
    RevokeKey {
        /// The key.
        key: KeyId,
    },
    /// Sets money aside for one request.
    ReserveFunds(ReserveFunds),
    /// Ends a reservation with a charge.
    SettleReservation(Box<SettleReservation>),
    /// Ends a reservation without a charge.
    ReleaseReservation {
        /// Which.
        reservation: ReservationId,
        /// Why nothing is charged.
        reason: ReleaseReason,
    },
    /// The same for a request that went wrong and whose bill nobody knows.
    ReleaseUnbilled(Box<ReleaseUnbilled>),
    /// Replaces an estimate by the truth.
    CorrectCharge(Box<CorrectCharge>),
    /// Books the bill of what had ended without a charge.
    BookLateBill(Box<BookLateBill>),
    /// Takes note of a call whose reservation was refused after it had begun.
    AbandonCall(Box<AbandonCall>),
    /// Ends a reservation whose time is over.
    ExpireReservation {
        /// Which.
        reservation: ReservationId,
        /// The clock of the process that says so.
        at: Timestamp,
    },
    /// Stops the account.
    SuspendAccount {
        /// Why.
        reason: String,
    },
    /// Lets it go on.
    ReinstateAccount {
        /// Why.
        reason: Option<String>,
    },
    /// Other limits for the account, from the operator.
    ChangeSpendLimits {
        /// From now on.
        limits: AccountLimits,
        /// Why.
        reason: Option<String>,
    },
    /// Other limits for the account, from its owner: within what the operator allows.
    ChangeOwnLimits {
        /// From now on.
        limits: SpendLimits,
        /// What the account's plan allows.
        plan: SpendLimits,
    },
    /// Another plan.
    AssignPlan {
        /// The plan's name in the price book.
        plan: String,
        /// Why.
        reason: Option<String>,
    },
    /// No plan any more.
    RemovePlan {
        /// Why.
        reason: Option<String>,
    },
}

/// Sets money aside for one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReserveFunds {
    /// Made for this request; ids are made in order of time.
    pub reservation: ReservationId,
    /// The key that the request came with.
    pub key: KeyId,
    /// The model that it asked for.
    pub model: String,
    /// What it may be charged at most; zero for a free model.
    pub amount: Money,
    /// Frozen for the charge.
    pub sale_ratio: Ratio,
    /// The version of the price list that `amount` was computed with.
    pub price_version: u64,
    /// From then on recovery may end it.
    pub expires_at: Timestamp,
    /// Models that may answer in its place, each with its own ratio.
    pub fallbacks: Vec<Fallback>,
    /// What the account's plan allows, which the price book knows.
    pub plan: SpendLimits,
    /// Now.
    pub at: Timestamp,
}

/// The true cost of one request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SettleReservation {
    /// Which.
    pub reservation: ReservationId,
    /// The model that answered, by the name under which it was asked for; absent where nobody
    /// knows. What is not among the reservation's own counts as the requested one.
    pub answered_model: Option<String>,
    /// What was consumed.
    pub usage: Usage,
    /// The upstream's figure where it gave one, else the computed one: the whole bill.
    pub list_cost: ListCost,
    /// What the fairness policy says, where the request went wrong.
    pub ruling: Option<Ruling>,
    /// What was delivered at list price, where the policy may charge only that.
    pub delivered_list_cost: Option<ListCost>,
    /// What our price list says, where it differs from the upstream's figure.
    pub computed_list_cost: Option<ListCost>,
    /// Where `list_cost` comes from.
    pub source: CostSource,
    /// The upstream account that served it.
    pub master_account: MasterAccountId,
    /// What that account pays for one dollar of list cost.
    pub cost_rate: Ratio,
    /// The upstream's handle, cut to 200 characters.
    pub generation_id: Option<String>,
    /// How the request ended.
    pub outcome: Outcome,
    /// Was the answer streamed?
    pub streamed: bool,
    /// How long it took.
    pub latencies: Latencies,
    /// Now.
    pub at: Timestamp,
}

/// A request that went wrong ends without a charge, because nobody knows its bill (yet).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ReleaseUnbilled {
    /// Which.
    pub reservation: ReservationId,
    /// Why nothing is charged.
    pub reason: ReleaseReason,
    /// What the fairness policy says.
    pub ruling: Option<Ruling>,
    /// Where the bill may still be had; it is the operator's then.
    pub awaits: Option<Handle>,
}

/// The truth about a charge that was estimated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CorrectCharge {
    /// Which.
    pub reservation: ReservationId,
    /// The model that answered, as for a settlement; absent: as the estimate had it.
    pub answered_model: Option<String>,
    /// What was consumed.
    pub usage: Usage,
    /// What the upstream billed.
    pub list_cost: ListCost,
    /// Where it says so.
    pub source: CostSource,
    /// Now.
    pub at: Timestamp,
}

/// The upstream was called while the reservation was on its way to the disk, and the reservation
/// was refused there: what the upstream bills for the call is the operator's.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AbandonCall {
    /// The refused one.
    pub reservation: ReservationId,
    /// The key that the request came with.
    pub key: KeyId,
    /// The model that it asked for.
    pub model: String,
    /// Where the bill may be had.
    pub awaits: Handle,
    /// Now.
    pub at: Timestamp,
}

/// The bill of a reservation that had ended without a charge.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BookLateBill {
    /// Which.
    pub reservation: ReservationId,
    /// The model that answered, as for a settlement.
    pub answered_model: Option<String>,
    /// What was consumed.
    pub usage: Usage,
    /// What the upstream billed.
    pub list_cost: ListCost,
    /// What is charged of it, and why.
    pub ruling: Ruling,
    /// What was delivered at list price, where the policy may charge only that.
    pub delivered_list_cost: Option<ListCost>,
    /// Where the list cost comes from.
    pub source: CostSource,
    /// The upstream account that served it.
    pub master_account: MasterAccountId,
    /// What that account pays for one dollar of list cost.
    pub cost_rate: Ratio,
    /// The upstream's handle, cut to 200 characters.
    pub generation_id: Option<String>,
    /// Now.
    pub at: Timestamp,
}
