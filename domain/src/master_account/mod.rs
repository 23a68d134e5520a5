//! `master_account`: an upstream account that we prepay.

mod decide;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decimal::Ratio;
use crate::eventful::{Eventful, cqrs_aggregate};
use crate::ids::{AdjustmentId, MasterAccountId, PurchaseId};
use crate::journal::{Entry, LedgerAccount};
use crate::money::Money;

/// An upstream account, folded from its events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MasterAccount {
    applied: u64,
    id: Option<MasterAccountId>,
    provider: String,
    label: String,
    enabled: bool,
    key_version: u32,
    credits: Money,
    paid: Money,
    purchases: BTreeMap<PurchaseId, Purchase>,
    adjustments: BTreeMap<AdjustmentId, Adjustment>,
}

/// What one purchase bought and cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Purchase {
    credits: Money,
    paid: Money,
    fee: Money,
}

/// What one reconciliation changed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
struct Adjustment {
    credits: Money,
    value: Money,
}

/// What may be asked of a master account.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)]
pub enum MasterAccountCommand {
    RegisterMasterAccount {
        master_account: MasterAccountId,
        provider: String,
        label: String,
        reason: Option<String>,
    },
    /// Buys credits: face value, what was paid for them, and the fee on top.
    PurchaseCredits {
        purchase: PurchaseId,
        credits: Money,
        paid: Money,
        fee: Money,
        processor: String,
        reference: String,
    },
    /// Reconciles the credits with the upstream's own statement; `value` is what the difference
    /// is worth to us.
    AdjustCredits {
        adjustment: AdjustmentId,
        credits: Money,
        value: Money,
        reason: String,
        /// What remains by the upstream's own statement.
        stated: Option<Money>,
    },
    RotateUpstreamKey {
        key_version: u32,
        reason: Option<String>,
    },
    DisableMasterAccount {
        reason: String,
    },
    EnableMasterAccount {
        reason: Option<String>,
    },
}

/// What happened to a master account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum MasterAccountEvent {
    MasterAccountRegistered {
        master_account: MasterAccountId,
        provider: String,
        label: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    CreditsPurchased {
        purchase: PurchaseId,
        credits: Money,
        paid: Money,
        fee: Money,
        processor: String,
        reference: String,
    },
    CreditsAdjusted {
        adjustment: AdjustmentId,
        credits: Money,
        value: Money,
        reason: String,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        stated: Option<Money>,
    },
    UpstreamKeyRotated {
        key_version: u32,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    MasterAccountDisabled {
        reason: String,
    },
    MasterAccountEnabled {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

/// Why a master account refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MasterAccountError {
    /// No such master account.
    #[error("the master account is not registered")]
    NotRegistered,
    /// The stream belongs to another one.
    #[error("master account {0} is registered already")]
    AlreadyRegistered(MasterAccountId),
    /// Credits must be above zero, paid and fee at least zero.
    #[error("credits must be above zero; what was paid and the fee must not be negative")]
    InvalidPurchase,
    /// An adjustment that changes nothing.
    #[error("the adjustment must not be zero")]
    EmptyAdjustment,
    /// A sum that does not fit.
    #[error("the amount does not fit into the account")]
    AmountTooLarge,
    /// A text member is longer than events may carry.
    #[error("`{0}` is longer than 200 characters")]
    TextTooLong(&'static str),
    /// The same id with other content.
    #[error("{0} was used before with different content")]
    IdReused(String),
    /// Versions of a key only grow.
    #[error("the key is at version {0} already")]
    KeyVersionNotNewer(u32),
}

cqrs_aggregate!(
    MasterAccount,
    "master_account",
    MasterAccountCommand,
    MasterAccountEvent,
    MasterAccountError
);

impl MasterAccount {
    /// The id once it is registered.
    #[must_use]
    pub const fn id(&self) -> Option<MasterAccountId> {
        self.id
    }

    /// May requests be routed to it?
    #[must_use]
    pub const fn is_enabled(&self) -> bool {
        self.enabled
    }

    /// `openrouter`, `sandbox`, …
    #[must_use]
    pub fn provider(&self) -> &str {
        &self.provider
    }

    /// The operator's name for it.
    #[must_use]
    pub fn label(&self) -> &str {
        &self.label
    }

    /// Face value of all credits ever bought, adjustments included.
    #[must_use]
    pub const fn credits(&self) -> Money {
        self.credits
    }

    /// The version of the sealed key that is in use.
    #[must_use]
    pub const fn key_version(&self) -> u32 {
        self.key_version
    }

    /// What one dollar of list cost costs us: everything paid, fees included, over everything
    /// bought; kept to 12 decimals, half-even. Without a purchase it is 1: unknown credits count
    /// in full, so that the profit report errs on the side of caution.
    #[must_use]
    pub fn cost_rate(&self) -> Ratio {
        let bought = self
            .purchases
            .values()
            .try_fold(Money::ZERO, |sum, purchase| sum.checked_add(purchase.credits));
        match bought {
            Some(credits) if credits.is_positive() => self
                .paid
                .decimal()
                .checked_div(credits.decimal())
                .and_then(|rate| Ratio::new(rate.round_dp(Money::DECIMALS)))
                .unwrap_or(Ratio::ONE),
            _ => Ratio::ONE,
        }
    }
}

impl Eventful for MasterAccount {
    fn decide(
        &self,
        command: MasterAccountCommand,
    ) -> Result<Vec<MasterAccountEvent>, MasterAccountError> {
        decide::decide(self, command)
    }

    fn evolve(&mut self, event: &MasterAccountEvent) {
        use MasterAccountEvent as Event;
        self.applied += 1;
        let plus = |sum: Money, amount: Money| {
            sum.checked_add(amount).expect("INV-2: the sum fits in Money")
        };
        match event {
            Event::MasterAccountRegistered { master_account, provider, label, .. } => {
                assert!(self.id.is_none(), "INV-3: {master_account} was registered twice");
                self.id = Some(*master_account);
                self.provider.clone_from(provider);
                self.label.clone_from(label);
                self.enabled = true;
                self.key_version = 1;
            }
            Event::CreditsPurchased { purchase, credits, paid, fee, .. } => {
                let entry = Purchase { credits: *credits, paid: *paid, fee: *fee };
                let known = self.purchases.insert(*purchase, entry);
                assert!(known.is_none(), "INV-3: {purchase} was booked twice");
                self.credits = plus(self.credits, *credits);
                self.paid = plus(plus(self.paid, *paid), *fee);
            }
            Event::CreditsAdjusted { adjustment, credits, value, .. } => {
                let entry = Adjustment { credits: *credits, value: *value };
                let known = self.adjustments.insert(*adjustment, entry);
                assert!(known.is_none(), "INV-3: {adjustment} was booked twice");
                self.credits = plus(self.credits, *credits);
            }
            Event::UpstreamKeyRotated { key_version, .. } => {
                assert!(*key_version > self.key_version, "INV-7: key versions grow");
                self.key_version = *key_version;
            }
            Event::MasterAccountDisabled { .. } => self.enabled = false,
            Event::MasterAccountEnabled { .. } => self.enabled = true,
        }
    }

    fn applied(&self) -> u64 {
        self.applied
    }

    fn event_name(event: &MasterAccountEvent) -> &'static str {
        event.name()
    }

    fn event_version(_: &MasterAccountEvent) -> &'static str {
        "1"
    }

    fn entry(stream: &str, event: &MasterAccountEvent) -> Option<Entry> {
        event.entry(stream.parse().ok()?)
    }
}

impl MasterAccountEvent {
    /// The name as stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::MasterAccountRegistered { .. } => "MasterAccountRegistered",
            Self::CreditsPurchased { .. } => "CreditsPurchased",
            Self::CreditsAdjusted { .. } => "CreditsAdjusted",
            Self::UpstreamKeyRotated { .. } => "UpstreamKeyRotated",
            Self::MasterAccountDisabled { .. } => "MasterAccountDisabled",
            Self::MasterAccountEnabled { .. } => "MasterAccountEnabled",
        }
    }

    /// INV-5: what the event means in debits and credits.
    ///
    /// A purchase's fee is part of what the credits cost, as the cost rate has it, so it becomes
    /// part of the asset and reaches the profit with each request that uses the credits.
    #[must_use]
    pub fn entry(&self, master: MasterAccountId) -> Option<Entry> {
        let upstream = LedgerAccount::Upstream(master);
        match self {
            Self::CreditsPurchased { paid, fee, processor, .. } => {
                let cash = || LedgerAccount::Cash(processor.clone());
                Some(Entry::new().transfer(upstream.clone(), cash(), *paid).transfer(
                    upstream,
                    cash(),
                    *fee,
                ))
            }
            Self::CreditsAdjusted { value, .. } => {
                Some(Entry::new().transfer(upstream, LedgerAccount::Adjustments, *value))
            }
            Self::MasterAccountRegistered { .. }
            | Self::UpstreamKeyRotated { .. }
            | Self::MasterAccountDisabled { .. }
            | Self::MasterAccountEnabled { .. } => None,
        }
    }
}
