//! The upstream's `usage` object, as it comes over the wire.

use rust_decimal::Decimal;
use rust_decimal::prelude::ToPrimitive;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};

use super::Usage;

/// `usage` of `/chat/completions`, `/completions`, `/embeddings` (`prompt_tokens`, …) and of
/// `/responses` (`input_tokens`, …).
///
/// Source: OpenRouter's API reference and recorded answers. Everything is optional: embeddings
/// have no completion, old recordings have no details, some providers send `null`. `cost` is not
/// read here: a number passes through binary fractions in a JSON parser, so the caller takes its
/// text and gives it to [`crate::decimal::ListCost::parse`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct WireUsage {
    /// All input tokens, cached ones included.
    #[serde(deserialize_with = "count")]
    pub prompt_tokens: Option<u64>,
    /// The same, as `/responses` names it.
    #[serde(deserialize_with = "count")]
    pub input_tokens: Option<u64>,
    /// All output tokens, reasoning included.
    #[serde(deserialize_with = "count")]
    pub completion_tokens: Option<u64>,
    /// The same, as `/responses` names it.
    #[serde(deserialize_with = "count")]
    pub output_tokens: Option<u64>,
    /// Input and output.
    #[serde(deserialize_with = "count")]
    pub total_tokens: Option<u64>,
    /// What the input consists of.
    pub prompt_tokens_details: Option<InputDetails>,
    /// The same, as `/responses` names it.
    pub input_tokens_details: Option<InputDetails>,
    /// What the output consists of.
    pub completion_tokens_details: Option<OutputDetails>,
    /// The same, as `/responses` names it.
    pub output_tokens_details: Option<OutputDetails>,
    /// Tools that the upstream ran itself.
    pub server_tool_use_details: Option<ServerToolUse>,
    /// The same under its older name.
    pub server_tool_use: Option<ServerToolUse>,
    /// Served with a key of our own at the provider, so that the upstream charged nothing.
    pub is_byok: Option<bool>,
}

/// Parts of the input tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct InputDetails {
    /// Read from a cache.
    #[serde(deserialize_with = "count")]
    pub cached_tokens: Option<u64>,
    /// Written to a cache.
    #[serde(deserialize_with = "count")]
    pub cache_write_tokens: Option<u64>,
    /// Sound.
    #[serde(deserialize_with = "count")]
    pub audio_tokens: Option<u64>,
    /// Film; priced as text.
    #[serde(deserialize_with = "count")]
    pub video_tokens: Option<u64>,
}

/// Parts of the output tokens.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct OutputDetails {
    /// Reasoning.
    #[serde(deserialize_with = "count")]
    pub reasoning_tokens: Option<u64>,
    /// Pictures.
    #[serde(deserialize_with = "count")]
    pub image_tokens: Option<u64>,
    /// Sound.
    #[serde(deserialize_with = "count")]
    pub audio_tokens: Option<u64>,
}

/// What the upstream's own tools did; their cost is in `cost` and in no token count.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Deserialize)]
#[serde(default)]
pub struct ServerToolUse {
    /// Web searches.
    #[serde(deserialize_with = "count")]
    pub web_search_requests: Option<u64>,
    /// Calls that the model asked for.
    #[serde(deserialize_with = "count")]
    pub tool_calls_requested: Option<u64>,
    /// Calls that were run.
    #[serde(deserialize_with = "count")]
    pub tool_calls_executed: Option<u64>,
}

/// A count that tolerates what serialisers make of one: `12`, `12.0`, `"12"`, `null`.
///
/// Below zero counts as zero, a fraction counts up, anything else as absent: one odd member must
/// not lose the whole object, and with it the settlement.
fn count<'de, D: Deserializer<'de>>(from: D) -> Result<Option<u64>, D::Error> {
    #[derive(Deserialize)]
    #[serde(untagged)]
    enum Member {
        Number(Decimal),
        Other(IgnoredAny),
    }
    Ok(match Member::deserialize(from)? {
        Member::Number(number) if number.is_sign_negative() => Some(0),
        Member::Number(number) => number.ceil().to_u64(),
        Member::Other(IgnoredAny) => None,
    })
}

/// Takes parts from a whole until nothing is left of it.
struct Whole(u64);

impl Whole {
    fn take(&mut self, part: u64) -> u64 {
        let taken = part.min(self.0);
        self.0 -= taken;
        taken
    }
}

impl WireUsage {
    /// All input tokens; where the count is missing, what the total leaves beside the output.
    #[must_use]
    pub fn input(&self) -> u64 {
        let output = self.completion_tokens.or(self.output_tokens).unwrap_or(0);
        let rest = || self.total_tokens.map(|total| total.saturating_sub(output));
        self.prompt_tokens.or(self.input_tokens).or_else(rest).unwrap_or(0)
    }

    /// All output tokens; where the count is missing, what the total leaves beside the input.
    #[must_use]
    pub fn output(&self) -> u64 {
        let rest = || self.total_tokens.map(|total| total.saturating_sub(self.input()));
        self.completion_tokens.or(self.output_tokens).or_else(rest).unwrap_or(0)
    }

    /// The classes, disjoint: their sums are the wire's own totals, whatever the details say.
    ///
    /// Reads and writes that together exceed the input are the same tokens counted twice, so the
    /// written ones are not read as well: a recorded answer says 2161 read and 2161 written of
    /// 2168, and bills both. A token has one class here, so our figure is short by the reads then;
    /// the upstream's own is not. Other details are cut where nothing is left of the whole.
    #[must_use]
    pub fn classes(&self) -> Usage {
        let details = self.prompt_tokens_details.or(self.input_tokens_details).unwrap_or_default();
        let mut input = Whole(self.input());
        let written = details.cache_write_tokens.unwrap_or(0);
        let read = details.cached_tokens.unwrap_or(0);
        let twice = read.saturating_add(written) > input.0;
        let cache_write = input.take(written);
        let cache_read = input.take(if twice { read.saturating_sub(written) } else { read });
        let audio_input = input.take(details.audio_tokens.unwrap_or(0));

        let parts =
            self.completion_tokens_details.or(self.output_tokens_details).unwrap_or_default();
        let mut output = Whole(self.output());
        let image_output = output.take(parts.image_tokens.unwrap_or(0));
        let audio_output = output.take(parts.audio_tokens.unwrap_or(0));

        let tools = self.server_tool_use_details.or(self.server_tool_use).unwrap_or_default();
        Usage {
            input: input.0,
            cache_read,
            cache_write,
            audio_input,
            output: output.0,
            image_output,
            audio_output,
            web_searches: tools.web_search_requests.unwrap_or(0),
            // Inside the output; a recorded answer claimed eleven of ten.
            reasoning: parts.reasoning_tokens.unwrap_or(0).min(output.0),
            ..Usage::default()
        }
    }
}
