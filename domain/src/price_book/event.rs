//! What happened to the price book.

use serde::{Deserialize, Serialize};

use super::RatioScope;
use crate::account::AccountLimits;
use crate::decimal::Ratio;
use crate::fairness::FairnessPolicy;
use crate::pricing::PriceCard;

/// What happened to the price book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[allow(missing_docs)]
pub enum PriceBookEvent {
    /// A new version of the list begins; the changes before it belong to it.
    PricesPublished { version: u64, source: String, models: u64 },
    /// A model came or changed its price.
    ModelPriced { model: String, card: Box<PriceCard> },
    /// A model went.
    ModelRetired { model: String },
    SaleRatioSet {
        scope: RatioScope,
        ratio: Option<Ratio>,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    PlanDefined {
        plan: String,
        ratio: Ratio,
        #[serde(default, skip_serializing_if = "AccountLimits::is_unlimited")]
        limits: AccountLimits,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
    FairnessPolicySet {
        version: u64,
        policy: FairnessPolicy,
        #[serde(default, skip_serializing_if = "Option::is_none")]
        reason: Option<String>,
    },
}

impl PriceBookEvent {
    /// The name as stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::PricesPublished { .. } => "PricesPublished",
            Self::ModelPriced { .. } => "ModelPriced",
            Self::ModelRetired { .. } => "ModelRetired",
            Self::SaleRatioSet { .. } => "SaleRatioSet",
            Self::PlanDefined { .. } => "PlanDefined",
            Self::FairnessPolicySet { .. } => "FairnessPolicySet",
        }
    }
}
