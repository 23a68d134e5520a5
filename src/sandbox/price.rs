//! What a generation costs, computed from the catalogue alone.
//!
//! Written apart from the gateway's pricing on purpose: two computations that agree say something.

use rust_decimal::Decimal;
use serde::Deserialize;

/// The prices of one model in US dollars per unit, as the catalogue lists them.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct PriceList {
    #[serde(flatten)]
    base: Keys,
    #[serde(default)]
    overrides: Vec<Tier>,
}

#[derive(Debug, Clone, Copy, Default, Deserialize)]
struct Keys {
    prompt: Option<Decimal>,
    completion: Option<Decimal>,
    input_cache_read: Option<Decimal>,
    input_cache_write: Option<Decimal>,
    input_cache_write_1h: Option<Decimal>,
    input_audio_cache: Option<Decimal>,
    audio: Option<Decimal>,
    image: Option<Decimal>,
    internal_reasoning: Option<Decimal>,
    image_output: Option<Decimal>,
    audio_output: Option<Decimal>,
    web_search: Option<Decimal>,
}

#[derive(Debug, Clone, Deserialize)]
struct Tier {
    min_prompt_tokens: u64,
    #[serde(flatten)]
    keys: Keys,
}

/// The prices that hold for one prompt size: tiers applied, absent keys filled in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prices {
    pub prompt: Decimal,
    pub completion: Decimal,
    cache_read: Decimal,
    cache_write: Decimal,
    cache_write_1h: Decimal,
    pub audio: Decimal,
    pub image: Decimal,
    reasoning: Decimal,
    image_output: Decimal,
    audio_output: Decimal,
    web_search: Decimal,
}

/// What one generation consumed. `prompt` and `completion` are totals; the others are parts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Tally {
    pub prompt: u64,
    pub cached: u64,
    pub cache_write: u64,
    /// The cache writes live for an hour instead of five minutes, at another price.
    pub write_for_an_hour: bool,
    pub prompt_audio: u64,
    pub prompt_media: u64,
    pub completion: u64,
    pub reasoning: u64,
    pub completion_images: u64,
    pub completion_audio: u64,
    pub web_searches: u64,
}

impl Tally {
    /// The same prompt with fewer or more completion tokens; parts never exceed the whole.
    pub fn with_completion(mut self, completion: u64) -> Self {
        self.completion = completion;
        self.reasoning = self.reasoning.min(completion);
        let rest = completion - self.reasoning;
        self.completion_images = self.completion_images.min(rest);
        self.completion_audio = self.completion_audio.min(rest - self.completion_images);
        self
    }
}

/// A cost and its parts in US dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cost {
    pub prompt: Decimal,
    pub completion: Decimal,
    /// Web searches, which the real upstream adds beside the inference.
    pub extras: Decimal,
}

impl Cost {
    pub fn inference(&self) -> Decimal {
        self.prompt.saturating_add(self.completion)
    }

    pub fn total(&self) -> Decimal {
        self.inference().saturating_add(self.extras)
    }
}

impl PriceList {
    pub fn flat(prompt: Decimal) -> Self {
        let base = Keys { prompt: Some(prompt), ..Keys::default() };
        Self { base, overrides: Vec::new() }
    }

    /// Router models carry the price -1: whoever answers sets the price.
    pub fn is_router(&self) -> bool {
        [self.base.prompt, self.base.completion].iter().flatten().any(Decimal::is_sign_negative)
    }

    pub fn caches_reads(&self) -> bool {
        self.base.input_cache_read.is_some()
    }

    /// Models that charge for cache writes cache only where the request marks a breakpoint.
    pub fn charges_cache_writes(&self) -> bool {
        self.base.input_cache_write.is_some()
    }

    /// The prices for a prompt of this many tokens. A tier holds for the whole request; where two
    /// match, the later one wins key by key.
    pub fn at(&self, prompt_tokens: u64) -> Prices {
        let tiers = self.overrides.iter().filter(|tier| prompt_tokens > tier.min_prompt_tokens);
        tiers.fold(self.base, |keys, tier| keys.overridden(&tier.keys)).filled()
    }

    /// The prices without any tier.
    pub fn base(&self) -> Prices {
        self.base.filled()
    }
}

impl Keys {
    fn overridden(self, by: &Self) -> Self {
        Self {
            prompt: by.prompt.or(self.prompt),
            completion: by.completion.or(self.completion),
            input_cache_read: by.input_cache_read.or(self.input_cache_read),
            input_cache_write: by.input_cache_write.or(self.input_cache_write),
            input_cache_write_1h: by.input_cache_write_1h.or(self.input_cache_write_1h),
            input_audio_cache: by.input_audio_cache.or(self.input_audio_cache),
            audio: by.audio.or(self.audio),
            image: by.image.or(self.image),
            internal_reasoning: by.internal_reasoning.or(self.internal_reasoning),
            image_output: by.image_output.or(self.image_output),
            audio_output: by.audio_output.or(self.audio_output),
            web_search: by.web_search.or(self.web_search),
        }
    }

    fn filled(self) -> Prices {
        let prompt = self.prompt.unwrap_or_default();
        let completion = self.completion.unwrap_or_default();
        let cache_write = self.input_cache_write.unwrap_or(prompt);
        Prices {
            prompt,
            completion,
            cache_read: self.input_cache_read.unwrap_or(prompt),
            cache_write,
            cache_write_1h: self.input_cache_write_1h.unwrap_or(cache_write),
            audio: self.audio.unwrap_or(prompt),
            image: self.image.unwrap_or(prompt),
            reasoning: self.internal_reasoning.unwrap_or(completion),
            image_output: self.image_output.unwrap_or(completion),
            audio_output: self.audio_output.unwrap_or(completion),
            web_search: self.web_search.unwrap_or(DEFAULT_WEB_SEARCH),
        }
    }
}

/// One search where the model lists no price of its own: 0.007 US dollars.
const DEFAULT_WEB_SEARCH: Decimal = Decimal::from_parts(7, 0, 0, false, 3);

impl Prices {
    /// Prices every token exactly once.
    pub fn cost(&self, tally: &Tally) -> Cost {
        let prompt_parts =
            [tally.cached, tally.cache_write, tally.prompt_audio, tally.prompt_media];
        let plain = prompt_parts.iter().fold(tally.prompt, |rest, part| rest.saturating_sub(*part));
        let write = if tally.write_for_an_hour { self.cache_write_1h } else { self.cache_write };
        let completion_parts = [tally.reasoning, tally.completion_images, tally.completion_audio];
        let text =
            completion_parts.iter().fold(tally.completion, |rest, part| rest.saturating_sub(*part));
        Cost {
            prompt: sum(&[
                (plain, self.prompt),
                (tally.cached, self.cache_read),
                (tally.cache_write, write),
                (tally.prompt_audio, self.audio),
                (tally.prompt_media, self.image),
            ]),
            completion: sum(&[
                (text, self.completion),
                (tally.reasoning, self.reasoning),
                (tally.completion_images, self.image_output),
                (tally.completion_audio, self.audio_output),
            ]),
            extras: sum(&[(tally.web_searches, self.web_search)]),
        }
    }
}

fn sum(items: &[(u64, Decimal)]) -> Decimal {
    items.iter().fold(Decimal::ZERO, |sum, (count, price)| {
        sum.saturating_add(Decimal::from(*count).saturating_mul(*price))
    })
}
