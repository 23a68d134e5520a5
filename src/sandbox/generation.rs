//! `GET /generation`: what the account was charged for one answer, told after the fact.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use parking_lot::Mutex;
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};

use super::money::Usd;
use super::plan::{Order, Plan};
use super::wire::{self, WireError};
use super::{Sandbox, seed};

/// How many generations are remembered.
const CAPACITY: usize = 20_000;

/// One record, with the members that the real upstream documents.
#[derive(Debug, Clone, Serialize)]
pub struct Generation {
    pub id: String,
    pub upstream_id: String,
    pub request_id: String,
    pub session_id: Option<String>,
    pub model: String,
    pub provider_name: String,
    pub router: Option<String>,
    pub api_type: &'static str,
    pub streamed: bool,
    pub cancelled: bool,
    pub created_at: String,
    /// Milliseconds until the first token, and from there to the end.
    pub latency: u64,
    pub generation_time: u64,
    pub moderation_latency: Option<u64>,
    pub finish_reason: Option<&'static str>,
    pub native_finish_reason: Option<&'static str>,
    pub tokens_prompt: u64,
    pub tokens_completion: u64,
    pub native_tokens_prompt: u64,
    pub native_tokens_completion: u64,
    pub native_tokens_cached: u64,
    pub native_tokens_reasoning: u64,
    pub native_tokens_completion_images: u64,
    pub num_media_prompt: u64,
    pub num_input_audio_prompt: u64,
    pub num_media_completion: u64,
    pub num_search_results: u64,
    pub total_cost: Usd,
    pub usage: Usd,
    pub upstream_inference_cost: Usd,
    pub cache_discount: Option<Usd>,
    pub is_byok: bool,
    pub origin: String,
    pub http_referer: Option<String>,
    pub user_agent: Option<String>,
    pub external_user: Option<String>,
    pub app_id: Option<u64>,
    pub service_tier: Option<String>,
    pub data_region: &'static str,
}

impl Generation {
    /// The record of a generation before it is known how it ends: the meter fills in the rest.
    pub fn begun(headers: &HeaderMap, order: &Order, plan: &Plan, streamed: bool) -> Self {
        let header = |name: &str| headers.get(name)?.to_str().ok().map(str::to_owned);
        let finish = plan.answer.finish;
        let routed = order.requested.starts_with("openrouter/");
        Self {
            id: plan.head.id.clone(),
            upstream_id: seed::random_id::<24>("chatcmpl-"),
            request_id: seed::generation_id("req", plan.head.created),
            session_id: order.request.session_id.clone(),
            model: plan.head.model.clone(),
            provider_name: plan.head.provider.clone(),
            router: routed.then(|| order.requested.clone()),
            api_type: "completions",
            streamed,
            cancelled: false,
            created_at: chrono::Utc::now().to_rfc3339_opts(chrono::SecondsFormat::Micros, false),
            latency: 0,
            generation_time: 0,
            moderation_latency: None,
            finish_reason: Some(finish.name()),
            native_finish_reason: Some(finish.native(&plan.head.author)),
            tokens_prompt: 0,
            tokens_completion: 0,
            native_tokens_prompt: 0,
            native_tokens_completion: 0,
            native_tokens_cached: 0,
            native_tokens_reasoning: 0,
            native_tokens_completion_images: 0,
            num_media_prompt: plan.images,
            num_input_audio_prompt: u64::from(plan.tally.prompt_audio > 0),
            num_media_completion: u64::from(plan.answer.image),
            num_search_results: plan.tally.web_searches * 5,
            total_cost: Usd(Decimal::ZERO),
            usage: Usd(Decimal::ZERO),
            upstream_inference_cost: Usd(Decimal::ZERO),
            cache_discount: None,
            is_byok: false,
            origin: header("http-referer").unwrap_or_default(),
            http_referer: header("http-referer"),
            user_agent: header("user-agent"),
            external_user: order.request.user.clone(),
            app_id: None,
            service_tier: None,
            data_region: "global",
        }
    }
}

/// The last generations. A record is written when an answer ends and shown a little later.
#[derive(Default)]
pub struct Store(Mutex<Records>);

#[derive(Default)]
struct Records {
    by_id: HashMap<Arc<str>, (Instant, Generation)>,
    order: VecDeque<Arc<str>>,
}

impl Store {
    pub fn insert(&self, generation: Generation, visible_after: Duration) {
        let visible_at = Instant::now() + visible_after;
        let id: Arc<str> = generation.id.as_str().into();
        let mut records = self.0.lock();
        records.by_id.insert(Arc::clone(&id), (visible_at, generation));
        records.order.push_back(id);
        if records.order.len() > CAPACITY
            && let Some(oldest) = records.order.pop_front()
        {
            records.by_id.remove(&oldest);
        }
    }

    pub fn find(&self, id: &str) -> Option<Generation> {
        let records = self.0.lock();
        let (visible_at, generation) = records.by_id.get(id)?;
        (*visible_at <= Instant::now()).then(|| generation.clone())
    }
}

#[derive(Deserialize)]
pub struct Wanted {
    id: Option<String>,
}

pub async fn generation(
    State(sandbox): State<Arc<Sandbox>>,
    Query(wanted): Query<Wanted>,
    headers: HeaderMap,
) -> Result<Response, WireError> {
    wire::authenticate(&sandbox, &headers)?;
    let id = wanted.id.ok_or_else(|| WireError::bad_request("Invalid request parameters"))?;
    match sandbox.generations.find(&id) {
        Some(generation) => Ok(wire::data(generation)),
        None => Err(WireError::new(StatusCode::NOT_FOUND, format!("Generation {id} not found"))),
    }
}
