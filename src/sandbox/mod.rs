//! A sandbox upstream that speaks OpenRouter's wire format.
//!
//! It answers with the real catalogue and real prices, so that a gateway in front of it can be
//! tried, tested and measured without an account. It shares no code with the gateway: an upstream
//! that priced with the gateway's own library would agree with it even where both are wrong.
//! Faults on demand and the headers that steer it are listed in `README.md` beside this file.

mod account;
mod answer;
mod cache;
mod catalogue;
mod chat;
mod controls;
mod embeddings;
mod fault;
mod fill;
mod generation;
mod instant;
mod meter;
mod models;
mod money;
mod pace;
mod plan;
mod price;
mod prompt;
mod prose;
mod render;
mod request;
mod script;
mod seed;
mod serve;
mod staging;
mod tokens;
mod tools;
mod usage;
mod wire;

#[cfg(test)]
mod tests;

use std::collections::HashSet;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use parking_lot::Mutex;
use rust_decimal::Decimal;

pub use serve::serve;

/// The largest request body that is read: 32 MiB.
const BODY_LIMIT: usize = 32 * 1024 * 1024;

/// How a sandbox behaves.
#[derive(Debug, Clone)]
pub struct SandboxConfig {
    /// Canned answers, no delays and no generation records: for benches.
    pub instant: bool,
    /// A fixed delay before the first byte of every model answer.
    pub latency: Duration,
    /// The bearer keys that are accepted; `None` accepts any non-empty key.
    pub api_keys: Option<Vec<String>>,
    /// What the account has bought, in US dollars. Used up, it answers 402, unless `instant`.
    pub credits_usd: Decimal,
}

impl Default for SandboxConfig {
    fn default() -> Self {
        Self {
            instant: false,
            latency: Duration::ZERO,
            api_keys: None,
            credits_usd: Decimal::from(1_000),
        }
    }
}

/// What the handlers share.
struct Sandbox {
    config: SandboxConfig,
    keys: Option<HashSet<String>>,
    generations: generation::Store,
    prompts: cache::PromptMemory,
    templates: instant::Templates,
    used: Mutex<Decimal>,
}

impl Sandbox {
    fn new(config: SandboxConfig) -> Self {
        Self {
            keys: config.api_keys.clone().map(|keys| keys.into_iter().collect()),
            generations: generation::Store::default(),
            prompts: cache::PromptMemory::default(),
            templates: instant::Templates::default(),
            used: Mutex::new(Decimal::ZERO),
            config,
        }
    }

    fn spend(&self, cost: Decimal) {
        let mut used = self.used.lock();
        *used = used.saturating_add(cost);
    }

    fn used(&self) -> Decimal {
        *self.used.lock()
    }
}

/// The sandbox as a router that serves under `/api/v1/…`.
pub fn router(config: SandboxConfig) -> Router {
    let api = Router::new()
        .route("/chat/completions", post(chat::chat_completions))
        .route("/completions", post(chat::completions))
        .route("/embeddings", post(embeddings::embeddings))
        .route("/embeddings/models", get(models::embedding_models))
        .route("/models", get(models::models))
        .route("/models/{author}/{slug}/endpoints", get(models::endpoints))
        .route("/generation", get(generation::generation))
        .route("/credits", get(account::credits))
        .route("/key", get(account::key));
    Router::new()
        .nest("/api/v1", api)
        .fallback(wire::no_such_route)
        .method_not_allowed_fallback(wire::no_such_method)
        .layer(DefaultBodyLimit::max(BODY_LIMIT))
        .with_state(Arc::new(Sandbox::new(config)))
}
