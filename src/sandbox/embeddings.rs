//! `POST /embeddings`: vectors that depend on the text alone.

use std::sync::Arc;

use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::HeaderMap;
use axum::response::Response;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::catalogue::{Model, catalogue};
use super::chat;
use super::controls::{self, Controls};
use super::money::Usd;
use super::price::Tally;
use super::request::SandboxField;
use super::seed::{self, Dice};
use super::wire::{self, WireError};
use super::{Sandbox, plan, render, tokens};

const MOST_INPUTS: usize = 2_048;
const MOST_DIMENSIONS: usize = 3_072;

#[derive(Deserialize)]
struct Request {
    model: String,
    input: Value,
    #[serde(default)]
    dimensions: Option<usize>,
    #[serde(default)]
    encoding_format: Option<String>,
    #[serde(default)]
    sandbox: Option<SandboxField>,
}

#[derive(Serialize)]
struct Answer<'a> {
    object: &'a str,
    data: Vec<Embedding>,
    model: &'a str,
    usage: Usage,
    provider: &'a str,
    id: &'a str,
}

#[derive(Serialize)]
struct Embedding {
    object: &'static str,
    embedding: Vector,
    index: usize,
}

#[derive(Serialize)]
#[serde(untagged)]
enum Vector {
    Floats(Vec<f32>),
    Base64(String),
}

#[derive(Serialize)]
struct Usage {
    prompt_tokens: u64,
    total_tokens: u64,
    cost: Usd,
    is_byok: bool,
    cost_details: CostDetails,
}

#[derive(Serialize)]
struct CostDetails {
    upstream_inference_cost: Usd,
    upstream_inference_prompt_cost: Usd,
    upstream_inference_completions_cost: u8,
}

pub async fn embeddings(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, WireError> {
    wire::authenticate(&sandbox, &headers)?;
    let body = chat::whole_body(body)?;
    let request: Request = serde_json::from_slice(&body)
        .map_err(|error| WireError::bad_request(format!("Invalid request parameters: {error}")))?;
    let (name, suffix) = controls::split_model(&request.model);
    let model = catalogue().find_embedding(name).ok_or_else(|| plan::not_a_model(name))?;
    let controls = Controls::gather(&headers, request.sandbox.as_ref(), suffix)?;
    if let Some(delay) = controls.delay {
        tokio::time::sleep(delay).await;
    }
    if let Some(refusal) = controls.faults.refusal(name, model.provider()) {
        return Err(refusal);
    }
    let inputs = inputs(&request.input)?;
    let counted = inputs.iter().map(|input| input.tokens).sum();
    let prompt = controls.tokens.map_or(counted, |forced| forced.prompt);
    let tally = Tally { prompt, ..Tally::default() };
    let cost = model.pricing.at(prompt).cost(&tally).total();
    sandbox.spend(cost);
    let id = seed::generation_id("gen-emb", chrono::Utc::now().timestamp());
    let json = write(&request, model, &inputs, &id, prompt, Usd(cost));
    let padded = [render::PADDING, json.as_bytes()].concat();
    Ok(chat::answer_with(Some(&id), false, Body::from(padded)))
}

/// One text, known by its hash.
struct Input {
    hash: u64,
    tokens: u64,
}

/// Reads the four forms of `input`: a text, texts, token ids, lists of token ids.
fn inputs(input: &Value) -> Result<Vec<Input>, WireError> {
    let bad = || WireError::bad_request("Invalid request parameters: input");
    let one = |value: &Value| match value {
        Value::String(text) => {
            Some(Input { hash: seed::hash(&[text.as_bytes()]), tokens: tokens::count(text) })
        }
        Value::Array(ids) if ids.iter().all(Value::is_u64) => Some(Input {
            hash: seed::hash(&[value.to_string().as_bytes()]),
            tokens: ids.len() as u64,
        }),
        _ => None,
    };
    let many: Option<Vec<Input>> = match input {
        Value::Array(items) if !items.iter().all(Value::is_u64) => items.iter().map(one).collect(),
        other => one(other).map(|input| vec![input]),
    };
    many.filter(|inputs| (1..=MOST_INPUTS).contains(&inputs.len())).ok_or_else(bad)
}

fn write(
    request: &Request,
    model: &Model,
    inputs: &[Input],
    id: &str,
    prompt: u64,
    cost: Usd,
) -> String {
    let usual = if model.id.ends_with("-large") { 3_072 } else { 1_536 };
    let dimensions = request.dimensions.unwrap_or(usual).clamp(1, MOST_DIMENSIONS);
    let base64 = request.encoding_format.as_deref() == Some("base64");
    let embedding = |(index, input): (usize, &Input)| {
        let vector = vector(input.hash, dimensions);
        let embedding = match base64 {
            true => Vector::Base64(STANDARD.encode(little_endian(&vector))),
            false => Vector::Floats(vector),
        };
        Embedding { object: "embedding", embedding, index }
    };
    let answer = Answer {
        object: "list",
        data: inputs.iter().enumerate().map(embedding).collect(),
        model: model.id.split('/').next_back().unwrap_or_default(),
        usage: Usage {
            prompt_tokens: prompt,
            total_tokens: prompt,
            cost,
            is_byok: false,
            cost_details: CostDetails {
                upstream_inference_cost: cost,
                upstream_inference_prompt_cost: cost,
                upstream_inference_completions_cost: 0,
            },
        },
        provider: model.provider(),
        id,
    };
    serde_json::to_string(&answer).unwrap_or_default()
}

/// A direction of length one.
fn vector(hash: u64, dimensions: usize) -> Vec<f32> {
    let mut dice = Dice::new(hash);
    let raw: Vec<f32> =
        (0..dimensions).map(|_| dice.below(20_001) as f32 / 10_000.0 - 1.0).collect();
    let length = raw.iter().map(|x| x * x).sum::<f32>().sqrt().max(f32::MIN_POSITIVE);
    raw.into_iter().map(|x| x / length).collect()
}

fn little_endian(vector: &[f32]) -> Vec<u8> {
    vector.iter().flat_map(|number| number.to_le_bytes()).collect()
}
