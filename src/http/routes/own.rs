//! What a key may know of itself, its account and its requests, in OpenRouter's shapes.

use axum::Json;
use axum::extract::{Query, State};
use chrono::{DateTime, SecondsFormat, TimeDelta, Utc};
use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tollgate_domain::Account;
use tollgate_domain::ids::KeyId;
use tollgate_domain::time::Period;
use tollgate_projections::queries::{self, KeyCharges, Request};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::error::both;
use crate::http::extract::ApiKeyAuth;
use crate::http::wire::Number;
use crate::http::{ApiError, AppState, ModelError};
use crate::identity::KeyOwner;
use crate::ledger::now;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(show_key))
        .routes(routes!(credits))
        .routes(routes!(generation))
}

/// What OpenRouter wraps its answers in.
#[derive(Serialize, ToSchema)]
struct Data<T> {
    data: T,
}

/// The key that the request came with.
#[derive(Serialize, ToSchema)]
struct OwnKey {
    /// Its ends.
    #[schema(examples("sk-tg-…UYxI"))]
    label: String,
    /// What it may spend in a period; null: as much as the account has.
    limit: Option<Number>,
    /// What is left of that, what is set aside for running requests taken off.
    limit_remaining: Option<Number>,
    /// `daily`, `weekly` or `monthly` (UTC); null: the limit is for ever.
    limit_reset: Option<&'static str>,
    /// What was charged to it.
    usage: Number,
    usage_daily: Number,
    usage_weekly: Number,
    usage_monthly: Number,
    /// Nobody brings keys of their own here: zero.
    byok_usage: Number,
    byok_usage_daily: Number,
    byok_usage_weekly: Number,
    byok_usage_monthly: Number,
    include_byok_in_limit: bool,
    /// Nothing was ever topped up.
    is_free_tier: bool,
    is_management_key: bool,
    is_provisioning_key: bool,
    expires_at: Option<DateTime<Utc>>,
    #[schema(value_type = Option<String>)]
    creator_user_id: Option<()>,
    #[schema(value_type = Option<String>)]
    organization_id: Option<()>,
    #[schema(value_type = Option<String>)]
    workspace_id: Option<()>,
    allowed_data_regions: [&'static str; 1],
    rate_limit: OwnRateLimit,
}

/// Requests of a key.
#[derive(Serialize, ToSchema)]
struct OwnRateLimit {
    /// -1: any number.
    requests: i64,
    #[schema(examples("1m"))]
    interval: &'static str,
    #[schema(examples("-1: any number"))]
    note: &'static str,
}

const ZERO: Number = Number(Decimal::ZERO);

/// Show the key
///
/// What the key that the request came with may spend and has spent, in US dollars.
#[utoipa::path(
    get,
    path = "/v1/key",
    operation_id = "show_own_key",
    tag = "models",
    responses((status = 200, description = "The key", body = Data<OwnKey>)),
    security(("api_key" = []))
)]
async fn show_key(
    State(app): State<AppState>,
    caller: ApiKeyAuth,
) -> Result<Json<Data<OwnKey>>, ModelError> {
    let owner = KeyOwner { account: caller.account, key: caller.key };
    let listed = app.keys.find(owner).await?.ok_or(ApiError::InvalidApiKey)?;
    let charges = queries::key_charges(app.database.pool(), caller.account, caller.key).await?;
    let look = |account: &Account| own_key(account, owner.key, listed.masked, charges.data);
    let own = app.ledger.accounts.peek(&caller.account.to_string(), look).await?;
    Ok(Json(Data { data: own }))
}

fn own_key(account: &Account, key: KeyId, label: String, charges: KeyCharges) -> OwnKey {
    let at = now();
    let key = account.find_key(key);
    let limits = key.map(|key| key.limits());
    let period = limits.and_then(|limits| limits.period).and_then(|period| match period {
        Period::Day => Some("daily"),
        Period::Week => Some("weekly"),
        Period::Month => Some("monthly"),
        Period::Total => None,
    });
    let requests = limits.and_then(|limits| limits.rates.requests_per_minute);
    let expires_at = limits.and_then(|limits| limits.expires_at);
    OwnKey {
        label,
        limit: limits.and_then(|limits| limits.limit).map(|limit| Number(limit.decimal())),
        limit_remaining: key.and_then(|key| key.left(at)).map(|left| Number(left.decimal())),
        limit_reset: period,
        usage: Number(charges.total),
        usage_daily: Number(charges.daily),
        usage_weekly: Number(charges.weekly),
        usage_monthly: Number(charges.monthly),
        byok_usage: ZERO,
        byok_usage_daily: ZERO,
        byok_usage_weekly: ZERO,
        byok_usage_monthly: ZERO,
        include_byok_in_limit: false,
        is_free_tier: account.topped_up().is_zero(),
        is_management_key: false,
        is_provisioning_key: false,
        expires_at: expires_at.and_then(|at| DateTime::from_timestamp_micros(at.micros())),
        creator_user_id: None,
        organization_id: None,
        workspace_id: None,
        allowed_data_regions: ["global"],
        rate_limit: OwnRateLimit {
            requests: requests.map_or(-1, |requests| i64::from(requests.get())),
            interval: "1m",
            note: "-1: any number",
        },
    }
}

/// The account's money.
#[derive(Serialize, ToSchema)]
struct Credits {
    /// Everything that came in: topped up, granted and adjusted, refunds taken off.
    total_credits: Number,
    /// Everything that was charged.
    total_usage: Number,
}

/// Show the credits
///
/// What came into the account and what was charged, in US dollars: the difference is the balance.
#[utoipa::path(
    get,
    path = "/v1/credits",
    operation_id = "show_credits",
    tag = "models",
    responses((status = 200, description = "The credits", body = Data<Credits>)),
    security(("api_key" = []))
)]
async fn credits(
    State(app): State<AppState>,
    caller: ApiKeyAuth,
) -> Result<Json<Data<Credits>>, ModelError> {
    let look = |account: &Account| {
        let came_in = account.balance().checked_add(account.spent());
        (came_in.unwrap_or(account.balance()), account.spent())
    };
    let (total, spent) = app.ledger.accounts.peek(&caller.account.to_string(), look).await?;
    let (total_credits, total_usage) = (Number(total.decimal()), Number(spent.decimal()));
    Ok(Json(Data { data: Credits { total_credits, total_usage } }))
}

/// Which generation.
#[derive(Deserialize, IntoParams)]
#[into_params(parameter_in = Query)]
struct GenerationParams {
    /// The `id` of an answer, or its `x-generation-id`.
    #[param(example = "gen-1780944464-aVi4x8Mw2aEBGnCL6z99")]
    id: String,
}

/// A request of this account that has ended. What only the upstream knows is null.
#[derive(Serialize, ToSchema)]
struct Generation {
    #[schema(examples("gen-1780944464-aVi4x8Mw2aEBGnCL6z99"))]
    id: String,
    /// `x-request-id` of the answer.
    request_id: Option<String>,
    /// The model that answered.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    #[schema(examples("2026-11-20T05:54:16.930+00:00"))]
    created_at: String,
    /// What you paid.
    total_cost: Number,
    /// The same.
    usage: Number,
    tokens_prompt: Option<i64>,
    tokens_completion: Option<i64>,
    native_tokens_prompt: Option<i64>,
    native_tokens_completion: Option<i64>,
    native_tokens_cached: Option<i64>,
    native_tokens_reasoning: Option<i64>,
    native_tokens_completion_images: Option<i64>,
    num_media_prompt: Option<i64>,
    num_search_results: Option<i64>,
    streamed: Option<bool>,
    cancelled: bool,
    /// Milliseconds until the first byte.
    latency: Option<i64>,
    /// Milliseconds from there to the end.
    generation_time: Option<i64>,
    is_byok: bool,
    #[schema(examples(""))]
    origin: &'static str,
    #[schema(examples("global"))]
    data_region: &'static str,
    #[serde(flatten)]
    #[schema(value_type = Object)]
    unknown: Unknown,
}

/// Members that clients look for and that only the upstream could fill.
#[derive(Default, Serialize)]
struct Unknown {
    api_type: Option<()>,
    app_id: Option<()>,
    cache_discount: Option<()>,
    external_user: Option<()>,
    finish_reason: Option<()>,
    http_referer: Option<()>,
    moderation_latency: Option<()>,
    native_finish_reason: Option<()>,
    num_fetches: Option<()>,
    num_input_audio_prompt: Option<()>,
    num_media_completion: Option<()>,
    preset_id: Option<()>,
    provider_name: Option<()>,
    provider_responses: Option<()>,
    router: Option<()>,
    service_tier: Option<()>,
    session_id: Option<()>,
    upstream_id: Option<()>,
    upstream_inference_cost: Option<()>,
    user_agent: Option<()>,
    web_search_engine: Option<()>,
    workspace_id: Option<()>,
}

impl Generation {
    /// The end of a request, with the figures of what replaced it later.
    fn new(id: String, first: Request, last: Option<Request>) -> Self {
        let cancelled = first.outcome == "client_left";
        let last = last.as_ref().unwrap_or(&first);
        let charge = Number(last.charge.unwrap_or_default());
        let usage = last.usage.as_ref().map(|usage| usage.0);
        let whole = |count: u64| i64::try_from(count).unwrap_or(i64::MAX);
        let began = first.ended_at - TimeDelta::milliseconds(first.total_ms.unwrap_or(0));
        let (prompt, completion) = (last.prompt_tokens, last.completion_tokens);
        Self {
            id,
            model: first.answered_model.clone().unwrap_or_else(|| first.model.clone()),
            created_at: began.to_rfc3339_opts(SecondsFormat::Millis, false),
            total_cost: charge,
            usage: charge,
            tokens_prompt: prompt,
            tokens_completion: completion,
            native_tokens_prompt: prompt,
            native_tokens_completion: completion,
            native_tokens_cached: last.cached_tokens,
            native_tokens_reasoning: last.reasoning_tokens,
            native_tokens_completion_images: usage.map(|usage| whole(usage.image_output)),
            num_media_prompt: usage.map(|usage| whole(usage.images)),
            num_search_results: usage.map(|usage| whole(usage.web_searches)),
            streamed: first.streamed,
            cancelled,
            latency: first.first_byte_ms,
            generation_time: first.total_ms.zip(first.first_byte_ms).map(|(all, one)| all - one),
            is_byok: false,
            origin: "",
            data_region: "global",
            unknown: Unknown::default(),
            request_id: first.request_id,
        }
    }
}

/// Show a generation
///
/// One of the account's own requests, by the id of its answer, a moment after it has ended. Costs
/// are what you paid.
#[utoipa::path(
    get,
    path = "/v1/generation",
    operation_id = "show_generation",
    tag = "models",
    params(GenerationParams),
    responses(
        (status = 200, description = "The generation", body = Data<Generation>),
        (status = 404, description = "Not yours, or not known yet"),
    ),
    security(("api_key" = []))
)]
async fn generation(
    State(app): State<AppState>,
    caller: ApiKeyAuth,
    params: Result<Query<GenerationParams>, axum::extract::rejection::QueryRejection>,
) -> Result<Json<Data<Generation>>, ModelError> {
    let Query(GenerationParams { id }) = params
        .map_err(|_| ApiError::invalid("id", both!("`id` is missing.", "Не указан `id`.")))?;
    let found = queries::generation(app.database.pool(), caller.account, &id).await?;
    let mut rows = found.data.into_iter();
    let nothing = ApiError::NotFound { what: both!("generation", "генерация") };
    let first = rows.next().ok_or(nothing)?;
    Ok(Json(Data { data: Generation::new(id, first, rows.next_back()) }))
}
