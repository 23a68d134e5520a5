//! The `usage` object, in the order and with the members of the recordings.

use rust_decimal::Decimal;
use serde::Serialize;
use serde_json::value::{RawValue, to_raw_value};

use super::fault::CostFault;
use super::money::Usd;
use super::price::{Cost, Tally};

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    completion_tokens: u64,
    total_tokens: u64,
    #[serde(skip_serializing_if = "Option::is_none")]
    cost: Option<CostField>,
    is_byok: bool,
    prompt_tokens_details: PromptDetails,
    cost_details: CostDetails,
    completion_tokens_details: CompletionDetails,
    #[serde(skip_serializing_if = "Option::is_none")]
    server_tool_use_details: Option<ServerTools>,
}

#[derive(Serialize)]
#[serde(untagged)]
enum CostField {
    Number(Usd),
    Text(String),
    Null,
}

#[derive(Serialize)]
struct PromptDetails {
    cached_tokens: u64,
    cache_write_tokens: u64,
    audio_tokens: u64,
    video_tokens: u64,
}

#[derive(Serialize)]
struct CostDetails {
    upstream_inference_cost: Usd,
    upstream_inference_prompt_cost: Usd,
    upstream_inference_completions_cost: Usd,
}

#[derive(Serialize)]
struct CompletionDetails {
    reasoning_tokens: u64,
    image_tokens: u64,
    audio_tokens: u64,
}

#[derive(Serialize)]
struct ServerTools {
    web_search_requests: u64,
}

/// Writes `usage` as JSON text.
pub fn json(tally: &Tally, cost: &Cost, fault: Option<CostFault>) -> Box<RawValue> {
    let charged = cost.total();
    let cost_field = match fault {
        None => Some(CostField::Number(Usd(charged))),
        Some(CostFault::Is(other)) => Some(CostField::Number(Usd(other))),
        Some(CostFault::Missing) => None,
        Some(CostFault::Null) => Some(CostField::Null),
        Some(CostFault::Text) => Some(CostField::Text(charged.normalize().to_string())),
    };
    let searches = tally.web_searches;
    raw(&Usage {
        prompt_tokens: tally.prompt,
        completion_tokens: tally.completion,
        total_tokens: tally.prompt + tally.completion,
        cost: cost_field,
        is_byok: false,
        prompt_tokens_details: PromptDetails {
            cached_tokens: tally.cached,
            cache_write_tokens: tally.cache_write,
            audio_tokens: tally.prompt_audio,
            video_tokens: 0,
        },
        cost_details: CostDetails {
            upstream_inference_cost: Usd(cost.inference()),
            upstream_inference_prompt_cost: Usd(cost.prompt),
            upstream_inference_completions_cost: Usd(cost.completion),
        },
        completion_tokens_details: CompletionDetails {
            reasoning_tokens: tally.reasoning,
            image_tokens: tally.completion_images,
            audio_tokens: tally.completion_audio,
        },
        server_tool_use_details: (searches > 0)
            .then_some(ServerTools { web_search_requests: searches }),
    })
}

/// What an answer reports that failed half-way: tokens, but nothing charged.
pub fn free_of_charge(tally: &Tally) -> Box<RawValue> {
    json(tally, &Cost::default(), None)
}

/// The amount that the account pays under a fault.
pub fn charged(cost: &Cost, fault: Option<CostFault>) -> Decimal {
    match fault {
        Some(CostFault::Is(other)) => other,
        _ => cost.total(),
    }
}

/// `Usage` holds numbers and text only, so that writing it cannot fail.
pub fn raw<T: Serialize>(value: &T) -> Box<RawValue> {
    to_raw_value(value).unwrap_or_else(|_| RawValue::NULL.to_owned())
}
