//! The price card of one model.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use crate::decimal::Price;
use crate::time::Timestamp;

macro_rules! rates {
    ($($(#[$doc:meta])* $field:ident,)+) => {
        /// Prices per unit; a missing one falls back as [`Rates::or_fallbacks`] says.
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
        #[serde(deny_unknown_fields)]
        pub struct Rates {
            $($(#[$doc])* #[serde(default, skip_serializing_if = "Option::is_none")]
            pub $field: Option<Price>,)+
        }

        impl Rates {
            /// These rates where given, else `base`'s.
            #[must_use]
            pub fn over(self, base: Self) -> Self {
                Self { $($field: self.$field.or(base.$field),)+ }
            }

            /// The larger of each pair: what a request costs at most under either.
            #[must_use]
            pub fn max(self, other: Self) -> Self {
                Self { $($field: self.$field.max(other.$field),)+ }
            }

            /// Every rate with its name in the upstream's price list.
            #[must_use]
            pub fn named(&self) -> Vec<(&'static str, Option<Price>)> {
                vec![$((stringify!($field), self.$field),)+]
            }

            /// Each rate multiplied by one factor; nothing if a product does not fit.
            #[must_use]
            pub fn times(self, factor: Decimal) -> Option<Self> {
                Some(Self { $($field: match self.$field {
                    Some(price) => Some(Price::new(price.decimal().checked_mul(factor)?)?),
                    None => None,
                },)+ })
            }
        }
    };
}

rates! {
    /// An input token.
    prompt,
    /// An output token.
    completion,
    /// The request itself.
    request,
    /// An input image.
    image,
    /// An input image token.
    image_token,
    /// An output image token.
    image_output,
    /// An input audio token.
    audio,
    /// An output audio token.
    audio_output,
    /// An input audio token read from a cache.
    input_audio_cache,
    /// A web search.
    web_search,
    /// A reasoning token.
    internal_reasoning,
    /// An input token read from a cache.
    input_cache_read,
    /// An input token written to a five-minute cache.
    input_cache_write,
    /// An input token written to a one-hour cache.
    input_cache_write_1h,
}

impl Rates {
    /// Fills each gap with the nearest rate that the upstream would use itself: cache reads and
    /// writes and audio as input tokens, sound and pictures as output tokens.
    #[must_use]
    pub fn or_fallbacks(self) -> Self {
        let input_cache_write = self.input_cache_write.or(self.prompt);
        Self {
            input_cache_read: self.input_cache_read.or(self.prompt),
            input_cache_write,
            input_cache_write_1h: self.input_cache_write_1h.or(input_cache_write),
            audio: self.audio.or(self.prompt),
            input_audio_cache: self.input_audio_cache.or(self.audio).or(self.prompt),
            image_token: self.image_token.or(self.prompt),
            image_output: self.image_output.or(self.completion),
            audio_output: self.audio_output.or(self.completion),
            ..self
        }
    }
}

/// Prices that replace the card's own from a prompt size on, or at a time of day.
///
/// A tier re-prices the whole request, not the part above the threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tier {
    /// Applies when the prompt has strictly more tokens than this.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_prompt_tokens: Option<u64>,
    /// Applies from this minute of the UTC day (0–1439) …
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from_minute: Option<u16>,
    /// … until before this one; the window may wrap around midnight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub until_minute: Option<u16>,
    /// The prices it replaces.
    pub rates: Rates,
}

impl Tier {
    fn covers(&self, prompt_tokens: u64) -> bool {
        self.min_prompt_tokens.is_none_or(|threshold| prompt_tokens > threshold)
    }

    fn applies(&self, prompt_tokens: u64, at: Timestamp) -> bool {
        let minute = at.micros().div_euclid(60_000_000).rem_euclid(1_440);
        let in_window = match (self.from_minute, self.until_minute) {
            (Some(from), Some(until)) if from <= until => {
                (i64::from(from)..i64::from(until)).contains(&minute)
            }
            (Some(from), Some(until)) => minute >= i64::from(from) || minute < i64::from(until),
            (Some(from), None) => minute >= i64::from(from),
            (None, Some(until)) => minute < i64::from(until),
            (None, None) => true,
        };
        in_window && self.covers(prompt_tokens)
    }
}

/// The list prices of one model, keyed on the **requested** model id.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PriceCard {
    /// The model's base prices.
    pub rates: Rates,
    /// Replacements in order: a later one that applies wins, price by price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub tiers: Vec<Tier>,
}

impl PriceCard {
    /// The prices of a request with this many prompt tokens at this moment.
    #[must_use]
    pub fn rates_for(&self, prompt_tokens: u64, at: Timestamp) -> Rates {
        self.tiers
            .iter()
            .filter(|tier| tier.applies(prompt_tokens, at))
            .fold(self.rates, |rates, tier| tier.rates.over(rates))
            .or_fallbacks()
    }

    /// The dearest prices that a request with at most this many prompt tokens can meet, at any
    /// time of day: a reservation must cover the tier that the prompt only may reach.
    #[must_use]
    pub fn dearest_rates(&self, most_prompt_tokens: u64) -> Rates {
        self.tiers
            .iter()
            .filter(|tier| tier.covers(most_prompt_tokens))
            .fold(self.rates, |rates, tier| tier.rates.max(rates))
            .or_fallbacks()
    }

    /// Whether every price on the card is zero: `:free` models, and some whose price has no key in
    /// the list (music by the piece), so it promises nothing about the upstream's own figure.
    #[must_use]
    pub fn is_free(&self) -> bool {
        std::iter::once(&self.rates).chain(self.tiers.iter().map(|tier| &tier.rates)).all(|rates| {
            rates.named().iter().all(|(_, price)| price.is_none_or(|p| p == Price::ZERO))
        })
    }
}
