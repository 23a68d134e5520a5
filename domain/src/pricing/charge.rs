//! From usage to list cost, and from list cost to charge and cost.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::card::PriceCard;
use crate::decimal::{ListCost, Price, Ratio};
use crate::money::{Money, MoneyError};
use crate::time::Timestamp;
use crate::usage::Usage;

/// The sum does not fit: more tokens at a higher price than any model has.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("the list cost does not fit into a decimal")]
pub struct ListCostError;

/// What the upstream's public price list asks for this usage; exact, not rounded.
/// Pages have no key in the price list: only the upstream's own figure carries them.
///
/// # Errors
/// [`ListCostError`] for absurd counts.
pub fn list_cost(
    card: &PriceCard,
    usage: &Usage,
    at: Timestamp,
) -> Result<ListCost, ListCostError> {
    let rates = card.rates_for(usage.prompt_tokens(), at);
    let parts: [(u64, Option<Price>); 12] = [
        (1, rates.request),
        (usage.input, rates.prompt),
        (usage.cache_read, rates.input_cache_read),
        (usage.cache_write, rates.input_cache_write),
        (usage.cache_write_1h, rates.input_cache_write_1h),
        (usage.audio_input, rates.audio),
        (usage.audio_cache_read, rates.input_audio_cache),
        (usage.images, rates.image),
        (usage.output, rates.completion),
        (usage.image_output, rates.image_output),
        (usage.audio_output, rates.audio_output),
        (usage.web_searches, rates.web_search),
    ];
    parts
        .iter()
        .try_fold(Decimal::ZERO, |sum, (count, price)| {
            let price = price.map_or(Decimal::ZERO, Price::decimal);
            sum.checked_add(Decimal::from(*count).checked_mul(price)?)
        })
        .and_then(ListCost::new)
        .ok_or(ListCostError)
}

/// What one request was sold for and what it cost us.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Sale {
    /// What the customer pays.
    pub charge: Money,
    /// What we paid.
    pub cost: Money,
}

impl Sale {
    /// Charge = list cost × sale ratio; cost = list cost × cost rate. Each is rounded once.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn of(list: ListCost, sale_ratio: Ratio, cost_rate: Ratio) -> Result<Self, MoneyError> {
        let times = |ratio: Ratio| Money::rounded_product(list.decimal(), ratio.decimal());
        Ok(Self { charge: times(sale_ratio)?, cost: times(cost_rate)? })
    }

    /// Charge − cost.
    #[must_use]
    pub fn margin(&self) -> Option<Money> {
        self.charge.checked_sub(self.cost)
    }
}
