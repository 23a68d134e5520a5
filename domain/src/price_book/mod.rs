//! `price_book`: all prices as versions, and what we ask on top.

mod error;
mod event;
#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

pub use error::PriceBookError;
use error::{sellable, text};
pub use event::PriceBookEvent;

use crate::account::AccountLimits;
use crate::decimal::Ratio;
use crate::eventful::{Eventful, cqrs_aggregate};
use crate::fairness::{FairnessInForce, FairnessPolicy};
use crate::ids::AccountId;
use crate::journal::Entry;
use crate::pricing::PriceCard;

/// The one stream of the price book.
pub const PRICE_BOOK: &str = "price_book";

/// What the sale ratio applies to; the most specific one wins: account, model, plan, default.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum RatioScope {
    /// Everything without a more specific ratio.
    Default,
    /// Accounts of a plan.
    Plan(String),
    /// A requested model id.
    Model(String),
    /// One account.
    Account(AccountId),
}

/// The price book, folded from its events.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct PriceBook {
    applied: u64,
    version: u64,
    models: BTreeMap<String, PriceCard>,
    default_ratio: Option<Ratio>,
    plan_ratios: BTreeMap<String, Ratio>,
    #[serde(default)]
    plan_limits: BTreeMap<String, AccountLimits>,
    model_ratios: BTreeMap<String, Ratio>,
    account_ratios: BTreeMap<AccountId, Ratio>,
    #[serde(default)]
    fairness: FairnessInForce,
}

/// What accounts of a plan get.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Plan {
    /// Charge = list cost × this; none: the default ratio.
    pub ratio: Option<Ratio>,
    /// For accounts that have none of their own.
    pub limits: AccountLimits,
}

/// How many ratios are more specific than the default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverrideCounts {
    /// Plans with a ratio.
    pub plans: usize,
    /// Models with a ratio.
    pub models: usize,
    /// Accounts with a ratio.
    pub accounts: usize,
}

/// What may be asked of the price book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PriceBookCommand {
    /// The upstream's list as it is now; what is missing from it is retired.
    PublishPrices {
        /// Where the list comes from.
        source: String,
        /// Every priced model, by requested id.
        models: BTreeMap<String, PriceCard>,
    },
    /// Another sale ratio; none takes an override away (never the default).
    SetSaleRatio {
        /// For what.
        scope: RatioScope,
        /// The ratio.
        ratio: Option<Ratio>,
        /// Why.
        reason: Option<String>,
    },
    /// A plan: a name with a ratio and limits.
    DefinePlan {
        /// Its name.
        plan: String,
        /// Its ratio.
        ratio: Ratio,
        /// For accounts that have none of their own.
        limits: AccountLimits,
        /// Why.
        reason: Option<String>,
    },
    /// What happens to requests that go wrong from now on.
    SetFairnessPolicy {
        /// From now on.
        policy: FairnessPolicy,
        /// Why.
        reason: Option<String>,
    },
}

cqrs_aggregate!(PriceBook, "price_book", PriceBookCommand, PriceBookEvent, PriceBookError);

impl PriceBook {
    /// How often prices were published.
    #[must_use]
    pub const fn version(&self) -> u64 {
        self.version
    }

    /// The list prices of a requested model id; none: it is not sold.
    #[must_use]
    pub fn find_card(&self, model: &str) -> Option<&PriceCard> {
        self.models.get(model)
    }

    /// All priced models.
    pub fn models(&self) -> impl Iterator<Item = (&str, &PriceCard)> {
        self.models.iter().map(|(model, card)| (model.as_str(), card))
    }

    /// A plan that was defined, or that has a ratio.
    #[must_use]
    pub fn find_plan(&self, plan: &str) -> Option<Plan> {
        let (ratio, limits) = (self.plan_ratios.get(plan), self.plan_limits.get(plan));
        (ratio.is_some() || limits.is_some())
            .then(|| Plan { ratio: ratio.copied(), limits: limits.copied().unwrap_or_default() })
    }

    /// The names of all plans.
    pub fn plans(&self) -> impl Iterator<Item = &str> {
        let names: BTreeSet<&String> =
            self.plan_ratios.keys().chain(self.plan_limits.keys()).collect();
        names.into_iter().map(String::as_str)
    }

    /// The ratio for everything without a more specific one; none before it was first set.
    #[must_use]
    pub const fn default_ratio(&self) -> Option<Ratio> {
        self.default_ratio
    }

    /// What happens to requests that go wrong.
    #[must_use]
    pub const fn fairness(&self) -> &FairnessInForce {
        &self.fairness
    }

    /// How many ratios are more specific than the default.
    #[must_use]
    pub fn override_counts(&self) -> OverrideCounts {
        OverrideCounts {
            plans: self.plan_ratios.len(),
            models: self.model_ratios.len(),
            accounts: self.account_ratios.len(),
        }
    }

    /// The ratios that are more specific than the default, in the order of their names.
    pub fn overrides(&self) -> impl Iterator<Item = (RatioScope, Ratio)> {
        let plans = self.plan_ratios.iter().map(|(plan, r)| (RatioScope::Plan(plan.clone()), *r));
        let models =
            self.model_ratios.iter().map(|(model, r)| (RatioScope::Model(model.clone()), *r));
        let accounts = self.account_ratios.iter().map(|(id, r)| (RatioScope::Account(*id), *r));
        accounts.chain(models).chain(plans)
    }

    /// The sale ratio of one request: account before model before plan before default. Nothing
    /// before a default was set: without it nothing is sold.
    #[must_use]
    pub fn sale_ratio(&self, account: AccountId, plan: Option<&str>, model: &str) -> Option<Ratio> {
        self.account_ratios
            .get(&account)
            .or_else(|| self.model_ratios.get(model))
            .or_else(|| self.plan_ratios.get(plan?))
            .copied()
            .or(self.default_ratio)
    }
}

impl Eventful for PriceBook {
    fn decide(&self, command: PriceBookCommand) -> Result<Vec<PriceBookEvent>, PriceBookError> {
        match command {
            PriceBookCommand::PublishPrices { source, models } => self.publish(source, models),
            PriceBookCommand::SetSaleRatio { scope, ratio, reason } => {
                reason.as_deref().map_or(Ok(()), |reason| text("reason", reason))?;
                ratio.map_or(Ok(()), sellable)?;
                match &scope {
                    RatioScope::Default if ratio.is_none() => {
                        return Err(PriceBookError::DefaultNeeded);
                    }
                    RatioScope::Plan(name) => text("plan", name)?,
                    RatioScope::Model(name) => text("model", name)?,
                    RatioScope::Default | RatioScope::Account(_) => {}
                }
                match self.ratio_of(&scope) == ratio {
                    true => Ok(vec![]),
                    false => Ok(vec![PriceBookEvent::SaleRatioSet { scope, ratio, reason }]),
                }
            }
            PriceBookCommand::DefinePlan { plan, ratio, limits, reason } => {
                reason.as_deref().map_or(Ok(()), |reason| text("reason", reason))?;
                text("plan", &plan)?;
                sellable(ratio)?;
                if [limits.daily, limits.monthly].iter().flatten().any(|most| most.is_negative()) {
                    return Err(PriceBookError::NegativeLimit);
                }
                match self.find_plan(&plan) == Some(Plan { ratio: Some(ratio), limits }) {
                    true => Ok(vec![]),
                    false => Ok(vec![PriceBookEvent::PlanDefined { plan, ratio, limits, reason }]),
                }
            }
            PriceBookCommand::SetFairnessPolicy { policy, reason } => {
                reason.as_deref().map_or(Ok(()), |reason| text("reason", reason))?;
                let (version, policy) = (self.fairness.version + 1, policy.normal());
                match self.fairness.version > 0 && self.fairness.policy == policy {
                    true => Ok(vec![]),
                    false => {
                        Ok(vec![PriceBookEvent::FairnessPolicySet { version, policy, reason }])
                    }
                }
            }
        }
    }

    fn evolve(&mut self, event: &PriceBookEvent) {
        self.applied += 1;
        match event {
            PriceBookEvent::PricesPublished { version, models, .. } => {
                assert_eq!(*version, self.version + 1, "INV-8: price versions are dense");
                assert_eq!(*models, self.models.len() as u64, "INV-8: the changes make the list");
                self.version = *version;
            }
            PriceBookEvent::ModelPriced { model, card } => {
                self.models.insert(model.clone(), PriceCard::clone(card));
            }
            PriceBookEvent::ModelRetired { model } => {
                let known = self.models.remove(model);
                assert!(known.is_some(), "INV-8: {model} is retired once");
            }
            PriceBookEvent::SaleRatioSet { scope, ratio, .. } => self.set_ratio(scope, *ratio),
            PriceBookEvent::PlanDefined { plan, ratio, limits, .. } => {
                self.plan_ratios.insert(plan.clone(), *ratio);
                self.plan_limits.insert(plan.clone(), *limits);
            }
            PriceBookEvent::FairnessPolicySet { version, policy, .. } => {
                let next = self.fairness.version + 1;
                assert_eq!(*version, next, "INV-8: versions of the fairness policy are dense");
                self.fairness = FairnessInForce { version: *version, policy: policy.clone() };
            }
        }
    }

    fn applied(&self) -> u64 {
        self.applied
    }

    fn event_name(event: &PriceBookEvent) -> &'static str {
        event.name()
    }

    fn event_version(_: &PriceBookEvent) -> &'static str {
        "1"
    }

    fn entry(_: &str, event: &PriceBookEvent) -> Option<Entry> {
        match event {
            PriceBookEvent::PricesPublished { .. }
            | PriceBookEvent::ModelPriced { .. }
            | PriceBookEvent::ModelRetired { .. }
            | PriceBookEvent::SaleRatioSet { .. }
            | PriceBookEvent::PlanDefined { .. }
            | PriceBookEvent::FairnessPolicySet { .. } => None,
        }
    }
}

impl PriceBook {
    fn publish(
        &self,
        source: String,
        models: BTreeMap<String, PriceCard>,
    ) -> Result<Vec<PriceBookEvent>, PriceBookError> {
        text("source", &source)?;
        if models.is_empty() {
            return Err(PriceBookError::EmptyList);
        }
        for model in models.keys() {
            text("model", model)?;
        }
        let count = models.len() as u64;
        let retired = self.models.keys().filter(|model| !models.contains_key(*model));
        let mut events: Vec<_> =
            retired.map(|model| PriceBookEvent::ModelRetired { model: model.clone() }).collect();
        for (model, card) in models {
            if self.models.get(&model) != Some(&card) {
                events.push(PriceBookEvent::ModelPriced { model, card: Box::new(card) });
            }
        }
        if events.is_empty() {
            return Ok(vec![]);
        }
        let version = self.version + 1;
        events.push(PriceBookEvent::PricesPublished { version, source, models: count });
        Ok(events)
    }

    fn ratio_of(&self, scope: &RatioScope) -> Option<Ratio> {
        match scope {
            RatioScope::Default => self.default_ratio,
            RatioScope::Plan(plan) => self.plan_ratios.get(plan).copied(),
            RatioScope::Model(model) => self.model_ratios.get(model).copied(),
            RatioScope::Account(account) => self.account_ratios.get(account).copied(),
        }
    }

    fn set_ratio(&mut self, scope: &RatioScope, ratio: Option<Ratio>) {
        fn put<K: Ord + Clone>(map: &mut BTreeMap<K, Ratio>, key: &K, ratio: Option<Ratio>) {
            match ratio {
                Some(ratio) => map.insert(key.clone(), ratio),
                None => map.remove(key),
            };
        }
        match scope {
            RatioScope::Default => self.default_ratio = ratio,
            RatioScope::Plan(plan) => put(&mut self.plan_ratios, plan, ratio),
            RatioScope::Model(model) => put(&mut self.model_ratios, model, ratio),
            RatioScope::Account(account) => put(&mut self.account_ratios, account, ratio),
        }
    }
}
