//! The `pricing` object of an upstream's model list, as text.

use rust_decimal::Decimal;
use serde::Deserialize;

use super::card::{PriceCard, Rates, Tier};
use crate::decimal::{self, NotADecimal, Price};

macro_rules! raw_prices {
    ($($field:ident,)+) => {
        /// `pricing` of one model: decimal strings, US dollars per unit.
        ///
        /// Source: OpenRouter's `GET /api/v1/models`.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
        pub struct RawPricing {
            $(#[serde(default)] #[doc = concat!("`", stringify!($field), "`")]
            pub $field: Option<String>,)+
            /// A share taken off every price, 0 to 1; decimal text.
            #[serde(skip)]
            pub discount: Option<String>,
            /// Tiers.
            #[serde(default)]
            pub overrides: Vec<RawTier>,
        }

        /// One member of `overrides`.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
        pub struct RawTier {
            /// Strictly more prompt tokens than this.
            #[serde(default)]
            pub min_prompt_tokens: Option<u64>,
            /// `HHMM` in UTC.
            #[serde(default)]
            pub utc_start: Option<String>,
            /// `HHMM` in UTC.
            #[serde(default)]
            pub utc_end: Option<String>,
            $(#[serde(default)] #[doc = concat!("`", stringify!($field), "`")]
            pub $field: Option<String>,)+
        }

        impl RawPricing {
            fn rates(&self) -> Result<Rates, CardError> {
                Ok(Rates { $($field: price(stringify!($field), self.$field.as_deref())?,)+ })
            }
        }

        impl RawTier {
            fn rates(&self) -> Result<Rates, CardError> {
                Ok(Rates { $($field: price(stringify!($field), self.$field.as_deref())?,)+ })
            }
        }
    };
}

raw_prices! {
    prompt, completion, request, image, image_token, image_output, audio, audio_output,
    input_audio_cache, web_search, internal_reasoning, input_cache_read, input_cache_write,
    input_cache_write_1h,
}

/// Why a model cannot be priced. Such a model is refused, never served for nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CardError {
    /// `-1`: a router, whose price is that of the model it will pick. Never multiplied.
    #[error("the price is decided by the model that the router picks")]
    Router,
    /// Input or output tokens have no price.
    #[error("`{0}` has no price")]
    Missing(&'static str),
    /// Not a decimal, or negative.
    #[error("`{key}`: {source}")]
    Invalid {
        /// The price's name.
        key: &'static str,
        /// What is wrong with it.
        source: NotADecimal,
    },
    /// Not a time of day `HHMM`.
    #[error("`{0}` is not a time of day (HHMM)")]
    InvalidTime(String),
}

fn price(key: &'static str, text: Option<&str>) -> Result<Option<Price>, CardError> {
    let Some(text) = text else { return Ok(None) };
    let value = decimal::parse(text).map_err(|source| CardError::Invalid { key, source })?;
    if value == Decimal::NEGATIVE_ONE {
        return Err(CardError::Router);
    }
    match Price::new(value) {
        Some(price) => Ok(Some(price)),
        None => Err(CardError::Invalid { key, source: NotADecimal(text.to_owned()) }),
    }
}

/// `HHMM` → minute of the day.
fn minute(text: Option<&str>) -> Result<Option<u16>, CardError> {
    let Some(text) = text else { return Ok(None) };
    let refuse = || CardError::InvalidTime(text.chars().take(16).collect());
    let digits: u16 = text.replace(':', "").parse().map_err(|_| refuse())?;
    match (digits / 100, digits % 100) {
        (hour @ 0..=23, minute @ 0..=59) => Ok(Some(hour * 60 + minute)),
        (24, 0) => Ok(Some(1_440)),
        _ => Err(refuse()),
    }
}

impl RawPricing {
    /// The price card, with a discount applied to every price.
    ///
    /// # Errors
    /// Each [`CardError`]: a model that cannot be priced exactly is not sold.
    pub fn card(&self) -> Result<PriceCard, CardError> {
        let mut rates = self.rates()?;
        rates.prompt.ok_or(CardError::Missing("prompt"))?;
        rates.completion.ok_or(CardError::Missing("completion"))?;
        let mut tiers = self
            .overrides
            .iter()
            .map(|raw| {
                Ok(Tier {
                    min_prompt_tokens: raw.min_prompt_tokens,
                    from_minute: minute(raw.utc_start.as_deref())?,
                    until_minute: minute(raw.utc_end.as_deref())?,
                    rates: raw.rates()?,
                })
            })
            .collect::<Result<Vec<_>, CardError>>()?;
        if let Some(text) = self.discount.as_deref() {
            let invalid = || CardError::Invalid {
                key: "discount",
                source: NotADecimal(text.chars().take(64).collect()),
            };
            let discount = decimal::parse(text).map_err(|_| invalid())?;
            let factor = Decimal::ONE - discount;
            if !(Decimal::ZERO..=Decimal::ONE).contains(&factor) {
                return Err(invalid());
            }
            rates = rates.times(factor).ok_or_else(invalid)?;
            for tier in &mut tiers {
                tier.rates = tier.rates.times(factor).ok_or_else(invalid)?;
            }
        }
        Ok(PriceCard { rates, tiers })
    }
}
