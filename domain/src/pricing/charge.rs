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
    parts(card, usage, at)
        .iter()
        .try_fold(Decimal::ZERO, |sum, (_, count, price)| {
            let price = price.map_or(Decimal::ZERO, Price::decimal);
            sum.checked_add(Decimal::from(*count).checked_mul(price)?)
        })
        .and_then(ListCost::new)
        .ok_or(ListCostError)
}

/// The classes of a usage with their prices, the request itself first.
fn parts(
    card: &PriceCard,
    usage: &Usage,
    at: Timestamp,
) -> [(&'static str, u64, Option<Price>); 12] {
    let rates = card.rates_for(usage.prompt_tokens(), at);
    [
        ("request", 1, rates.request),
        ("input", usage.input, rates.prompt),
        ("cache_read", usage.cache_read, rates.input_cache_read),
        ("cache_write", usage.cache_write, rates.input_cache_write),
        ("cache_write_1h", usage.cache_write_1h, rates.input_cache_write_1h),
        ("audio_input", usage.audio_input, rates.audio),
        ("audio_cache_read", usage.audio_cache_read, rates.input_audio_cache),
        ("images", usage.images, rates.image),
        ("output", usage.output, rates.completion),
        ("image_output", usage.image_output, rates.image_output),
        ("audio_output", usage.audio_output, rates.audio_output),
        ("web_searches", usage.web_searches, rates.web_search),
    ]
}

/// One line of a list cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostLine {
    /// As in [`Usage`]; `request` for what is asked per request.
    pub class: &'static str,
    /// How many.
    pub count: u64,
    /// For one; none: the list asks nothing for it.
    pub price: Option<Price>,
    /// Count × price; exact.
    pub cost: ListCost,
}

/// What [`list_cost`] adds up, without classes that nothing of was used and nothing is asked for.
///
/// # Errors
/// [`ListCostError`] for absurd counts.
pub fn cost_lines(
    card: &PriceCard,
    usage: &Usage,
    at: Timestamp,
) -> Result<Vec<CostLine>, ListCostError> {
    let used = parts(card, usage, at).into_iter().filter(|(class, count, price)| {
        *count > 0 && (*class != "request" || price.is_some_and(|price| price != Price::ZERO))
    });
    used.map(|(class, count, price)| {
        let each = price.map_or(Decimal::ZERO, Price::decimal);
        let cost = Decimal::from(count).checked_mul(each).and_then(ListCost::new);
        Ok(CostLine { class, count, price, cost: cost.ok_or(ListCostError)? })
    })
    .collect()
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
