//! The `pricing` object of an upstream's model list, as text.
//!
//! Reading never fails for one odd member: the model list arrives as one document, and a price that
//! cannot be read must cost us that model ([`CardError`]), not all of them.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::card::{PriceCard, Rates, Tier};
use crate::decimal::{self, NotADecimal, Price};

macro_rules! raw_prices {
    ($($field:ident,)+) => {
        /// `pricing` of one model: decimal strings, US dollars per unit.
        ///
        /// Source: OpenRouter's `GET /api/v1/models`.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
        pub struct RawPricing {
            $(#[serde(default, deserialize_with = "text")]
            #[doc = concat!("`", stringify!($field), "`")]
            pub $field: Option<String>,)+
            /// A share taken off every price, 0 to 1; decimal text. On the wire it is a JSON
            /// number, see [`RawPricing::with_discount`].
            #[serde(default, deserialize_with = "discount")]
            pub discount: Option<String>,
            /// Tiers.
            #[serde(default, deserialize_with = "tiers")]
            pub overrides: Vec<RawTier>,
            /// Names that we do not know. They do not stop the sale: the charge follows the
            /// upstream's own figure, and only the reservation may be short by such a price. But
            /// the operator must hear of them.
            #[serde(flatten, deserialize_with = "names")]
            pub unknown: Vec<String>,
        }

        /// One member of `overrides`.
        #[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
        pub struct RawTier {
            /// Strictly more prompt tokens than this.
            #[serde(default)]
            pub min_prompt_tokens: Option<u64>,
            /// `HHMM` in UTC.
            #[serde(default, deserialize_with = "text")]
            pub utc_start: Option<String>,
            /// `HHMM` in UTC.
            #[serde(default, deserialize_with = "text")]
            pub utc_end: Option<String>,
            $(#[serde(default, deserialize_with = "text")]
            #[doc = concat!("`", stringify!($field), "`")]
            pub $field: Option<String>,)+
            /// Names that we do not know, as in [`RawPricing::unknown`].
            #[serde(flatten, deserialize_with = "names")]
            pub unknown: Vec<String>,
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

/// What stands where a string was expected; no price and no time of day reads like this.
const NOT_TEXT: &str = "not a string";

/// A string or `null`; anything else becomes text that [`RawPricing::card`] refuses. A JSON number
/// is refused as well: it has passed through a binary fraction, and a price must be exact.
fn text<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Member {
        Text(String),
        Nothing(()),
        Other(IgnoredAny),
    }
    Ok(match Member::deserialize(from)? {
        Member::Text(text) => Some(text),
        Member::Nothing(()) => None,
        Member::Other(IgnoredAny) => Some(NOT_TEXT.to_owned()),
    })
}

/// A number, a string or `null`. The number did pass through a binary fraction, which up to
/// 15 digits survive; [`RawPricing::card`] refuses more.
fn discount<'de, D: Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Member {
        Number(Decimal),
        Nothing(()),
        Other(IgnoredAny),
    }
    Ok(match Member::deserialize(from)? {
        Member::Number(number) => Some(number.to_string()),
        Member::Nothing(()) => None,
        Member::Other(IgnoredAny) => Some(NOT_TEXT.to_owned()),
    })
}

/// The tiers; `null` is none.
fn tiers<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<RawTier>, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// The names of whatever is left.
fn names<'de, D: Deserializer<'de>>(from: D) -> Result<Vec<String>, D::Error> {
    Ok(BTreeMap::<String, IgnoredAny>::deserialize(from)?.into_keys().collect())
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
    /// The same prices with a discount given as decimal text, for a caller that kept the text of
    /// the JSON number.
    #[must_use]
    pub fn with_discount(self, text: &str) -> Self {
        Self { discount: Some(text.to_owned()), ..self }
    }

    /// Every name that we do not know, those inside the tiers included.
    pub fn unknown_names(&self) -> impl Iterator<Item = &str> {
        let tiers = self.overrides.iter().flat_map(|tier| &tier.unknown);
        self.unknown.iter().chain(tiers).map(String::as_str)
    }

    /// The price card, with a discount applied to every price.
    ///
    /// # Errors
    /// Each [`CardError`]: a model that cannot be priced exactly is not sold.
    pub fn card(&self) -> Result<PriceCard, CardError> {
        let rates = self.rates()?;
        rates.prompt.ok_or(CardError::Missing("prompt"))?;
        rates.completion.ok_or(CardError::Missing("completion"))?;
        let tiers = self.overrides.iter().map(RawTier::tier).collect::<Result<Vec<_>, _>>()?;
        let card = PriceCard { rates, tiers };
        let Some(text) = self.discount.as_deref() else { return Ok(card) };
        discounted(card, text).ok_or_else(|| CardError::Invalid {
            key: "discount",
            source: NotADecimal(text.chars().take(64).collect()),
        })
    }
}

impl RawTier {
    fn tier(&self) -> Result<Tier, CardError> {
        Ok(Tier {
            min_prompt_tokens: self.min_prompt_tokens,
            from_minute: minute(self.utc_start.as_deref())?,
            until_minute: minute(self.utc_end.as_deref())?,
            rates: self.rates()?,
        })
    }
}

/// Price × (1 − discount) for every price; nothing if the discount is none.
fn discounted(card: PriceCard, text: &str) -> Option<PriceCard> {
    let discount = decimal::parse(text).ok()?.normalize();
    let exact = discount.mantissa().unsigned_abs() < 10_u128.pow(15);
    if !exact || !(Decimal::ZERO..=Decimal::ONE).contains(&discount) {
        return None;
    }
    let factor = Decimal::ONE.checked_sub(discount)?;
    let reprice = |tier: Tier| Some(Tier { rates: tier.rates.times(factor)?, ..tier });
    Some(PriceCard {
        rates: card.rates.times(factor)?,
        tiers: card.tiers.into_iter().map(reprice).collect::<Option<_>>()?,
    })
}
