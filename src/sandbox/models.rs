//! `GET /models` and the lists beside it. They are public, as upstream.

use std::sync::LazyLock;

use axum::extract::{Path, Query};
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde::{Deserialize, Serialize};
use serde_json::Value;
use serde_json::value::RawValue;

use super::catalogue::{Model, catalogue};
use super::usage;
use super::wire::{self, WireError};

#[derive(Serialize)]
struct List<'a> {
    data: &'a [&'a RawValue],
    total_count: usize,
    links: Links,
}

#[derive(Serialize)]
struct Links {
    next: Option<String>,
}

#[derive(Deserialize)]
pub struct Page {
    offset: Option<usize>,
    limit: Option<usize>,
    output_modalities: Option<String>,
}

/// The whole list never changes, so it is written once.
static ALL: LazyLock<String> = LazyLock::new(|| list(catalogue().raw(), 0, None));

fn list(models: &[&RawValue], offset: usize, limit: Option<usize>) -> String {
    let rest = models.get(offset..).unwrap_or_default();
    let count = limit.unwrap_or(rest.len()).min(rest.len());
    let next = offset + count;
    let link = || format!("/api/v1/models?offset={next}&limit={count}");
    let links = Links { next: (count > 0 && next < models.len()).then(link) };
    let list = List { data: &rest[..count], total_count: models.len(), links };
    serde_json::to_string(&list).unwrap_or_default()
}

pub async fn models(Query(page): Query<Page>) -> Response {
    if page.output_modalities.as_deref() == Some("embeddings") {
        return embedding_models().await;
    }
    match (page.offset, page.limit) {
        (None, None) => json(ALL.as_str()),
        (offset, limit) => json(list(catalogue().raw(), offset.unwrap_or(0), limit)),
    }
}

pub async fn embedding_models() -> Response {
    #[derive(Serialize)]
    struct Embedding<'a> {
        id: &'a str,
        canonical_slug: &'a str,
        name: &'a str,
        created: i64,
        description: &'a str,
        hugging_face_id: Option<&'a str>,
        context_length: Option<u64>,
        architecture: Value,
        pricing: Value,
        top_provider: Value,
        per_request_limits: Option<Value>,
        supported_parameters: &'a [String],
        default_parameters: Option<Value>,
        supported_voices: Option<Value>,
        links: Value,
    }
    let models: Vec<Box<RawValue>> = catalogue()
        .embeddings()
        .iter()
        .map(|model| {
            usage::raw(&Embedding {
                id: &model.id,
                canonical_slug: &model.canonical_slug,
                name: &model.name,
                created: model.created,
                description: "Turns texts into vectors.",
                hugging_face_id: None,
                context_length: model.context_length,
                architecture: serde_json::json!({
                    "modality": "text->embeddings", "input_modalities": ["text"],
                    "output_modalities": ["embeddings"], "tokenizer": "GPT",
                    "instruct_type": null,
                }),
                pricing: serde_json::json!({
                    "prompt": model.pricing.base().prompt.to_string(), "completion": "0",
                }),
                top_provider: serde_json::json!({
                    "context_length": model.context_length, "max_completion_tokens": null,
                    "is_moderated": false,
                }),
                per_request_limits: None,
                supported_parameters: &model.supported_parameters,
                default_parameters: None,
                supported_voices: None,
                links: serde_json::json!({
                    "details": format!("/api/v1/models/{}/endpoints", model.canonical_slug),
                }),
            })
        })
        .collect();
    let models: Vec<&RawValue> = models.iter().map(AsRef::as_ref).collect();
    json(list(&models, 0, None))
}

fn json(text: impl IntoResponse) -> Response {
    let kind = HeaderValue::from_static("application/json");
    let cache = HeaderValue::from_static("public, max-age=300");
    ([(header::CONTENT_TYPE, kind), (header::CACHE_CONTROL, cache)], text).into_response()
}

#[derive(Serialize)]
struct Endpoints<'a> {
    id: &'a str,
    name: &'a str,
    created: i64,
    endpoints: Vec<Endpoint<'a>>,
}

#[derive(Serialize)]
struct Endpoint<'a> {
    name: String,
    model_name: &'a str,
    context_length: Option<u64>,
    /// As the catalogue spells them: the model has one endpoint, at its list price.
    pricing: &'a RawValue,
    provider_name: &'a str,
    max_completion_tokens: Option<u64>,
    supported_parameters: &'a [String],
    status: i8,
    uptime_last_30m: u8,
}

pub async fn endpoints(
    Path((author, slug)): Path<(String, String)>,
) -> Result<Response, WireError> {
    #[derive(Deserialize)]
    struct Pricing<'a> {
        #[serde(borrow)]
        pricing: &'a RawValue,
    }
    let not_found = || WireError::new(StatusCode::NOT_FOUND, "Resource not found");
    let wanted = format!("{author}/{slug}");
    let named = |model: &Model| model.id == wanted || model.canonical_slug == wanted;
    let position = catalogue().models().iter().position(named).ok_or_else(not_found)?;
    let model = catalogue().models().get(position).ok_or_else(not_found)?;
    let raw = catalogue().raw().get(position).ok_or_else(not_found)?;
    let pricing = serde_json::from_str::<Pricing<'_>>(raw.get()).map_err(|_| not_found())?.pricing;
    Ok(wire::data(Endpoints {
        id: &model.id,
        name: &model.name,
        created: model.created,
        endpoints: vec![Endpoint {
            name: format!("{} | {}", model.provider(), model.id),
            model_name: &model.name,
            context_length: model.context_length,
            pricing,
            provider_name: model.provider(),
            max_completion_tokens: model.top_provider.max_completion_tokens,
            supported_parameters: &model.supported_parameters,
            status: 0,
            uptime_last_30m: 100,
        }],
    }))
}
