//! How much a request can cost at most, and how much output an amount can pay.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;

use super::card::{PriceCard, Rates};
use crate::decimal::{Price, Ratio};
use crate::money::Money;

/// The most that a request may consume, before anybody knows what it will.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Demand {
    /// Prompt tokens at most.
    pub prompt_tokens: u64,
    /// Output tokens at most.
    pub output_tokens: u64,
    /// Images in the prompt.
    pub images: u64,
    /// Web searches that plugins may make.
    pub web_searches: u64,
    /// The prompt asks for a one-hour cache.
    pub long_cache: bool,
    /// The prompt contains sound.
    pub audio_input: bool,
    /// The answer may contain pictures.
    pub image_output: bool,
    /// The answer may contain sound.
    pub audio_output: bool,
}

fn number(price: Option<Price>) -> Decimal {
    price.map_or(Decimal::ZERO, Price::decimal)
}

impl Demand {
    /// The dearest class that a prompt token may fall into.
    fn prompt_price(&self, rates: &Rates) -> Decimal {
        let mut dearest = number(rates.prompt)
            .max(number(rates.input_cache_read))
            .max(number(rates.input_cache_write));
        if self.long_cache {
            dearest = dearest.max(number(rates.input_cache_write_1h));
        }
        if self.audio_input {
            dearest = dearest.max(number(rates.audio)).max(number(rates.input_audio_cache));
        }
        dearest
    }

    /// The dearest class that an output token may fall into.
    fn output_price(&self, rates: &Rates) -> Decimal {
        let mut dearest = number(rates.completion).max(number(rates.internal_reasoning));
        if self.image_output {
            dearest = dearest.max(number(rates.image_output));
        }
        if self.audio_output {
            dearest = dearest.max(number(rates.audio_output));
        }
        dearest
    }

    /// List cost of everything but the output.
    fn fixed(&self, rates: &Rates) -> Option<Decimal> {
        [
            (self.prompt_tokens, self.prompt_price(rates)),
            (self.images, number(rates.image)),
            (self.web_searches, number(rates.web_search)),
            (1, number(rates.request)),
        ]
        .iter()
        .try_fold(Decimal::ZERO, |sum, (count, price)| {
            sum.checked_add(Decimal::from(*count).checked_mul(*price)?)
        })
    }

    /// The amount to reserve: the dearest sale price of the whole demand, rounded up.
    /// Nothing if it does not fit into [`Money`].
    #[must_use]
    pub fn amount(&self, card: &PriceCard, sale_ratio: Ratio) -> Option<Money> {
        let rates = card.dearest_rates(self.prompt_tokens);
        let output = Decimal::from(self.output_tokens).checked_mul(self.output_price(&rates))?;
        let list = self.fixed(&rates)?.checked_add(output)?;
        Money::rounded_up(list.checked_mul(sale_ratio.decimal())?).ok()
    }
}

/// The output tokens that `available` can pay for, after the rest of the demand; nothing if it
/// cannot even pay the prompt. Output that costs nothing is bounded by the demand alone.
#[must_use]
pub fn afford(
    demand: &Demand,
    card: &PriceCard,
    sale_ratio: Ratio,
    available: Money,
) -> Option<u64> {
    let rates = card.dearest_rates(demand.prompt_tokens);
    let fixed = demand.fixed(&rates)?.checked_mul(sale_ratio.decimal())?;
    let left = available.decimal().checked_sub(fixed)?;
    if left.is_sign_negative() && !left.is_zero() {
        return None;
    }
    let paid = |tokens: &u64| {
        let demand = Demand { output_tokens: *tokens, ..*demand };
        demand.amount(card, sale_ratio).is_some_and(|amount| amount <= available)
    };
    let price = demand.output_price(&rates).checked_mul(sale_ratio.decimal())?;
    if price.is_zero() {
        return Some(demand.output_tokens).filter(paid);
    }
    // A quotient beyond any count is no bound at all.
    let quotient = left.checked_div(price).and_then(|tokens| tokens.floor().to_u64());
    let tokens = quotient.unwrap_or(u64::MAX).min(demand.output_tokens);
    // What is left and the quotient are rounded to 28 digits, and the amount to a pico-dollar: the
    // true count can be one beside.
    let more = tokens.saturating_add(1).min(demand.output_tokens);
    [Some(more), Some(tokens), tokens.checked_sub(1)].into_iter().flatten().find(paid)
}
