//! What was used, in total, by day and by model.

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use serde::Serialize;
use tollgate_projections::queries::{self, DailyUsage, ModelUsage, Usage};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::extract::{CustomerSession, Params};
use crate::http::wire::{Amount, Page, SpanParams};
use crate::http::{AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(total)).routes(routes!(daily)).routes(routes!(by_model))
}

/// What was used. Cached, cache-write, audio and reasoning tokens are parts of the others.
#[derive(Serialize, ToSchema)]
struct UsageItem {
    /// Charged requests.
    #[schema(examples(120))]
    requests: i64,
    /// Requests that ended without a charge.
    #[schema(examples(2))]
    unbilled_requests: i64,
    #[schema(examples(1_200_000))]
    prompt_tokens: i64,
    #[schema(examples(48_000))]
    completion_tokens: i64,
    /// Input tokens read from a cache.
    #[schema(examples(800_000))]
    cached_tokens: i64,
    /// Input tokens written to a cache.
    #[schema(examples(20_000))]
    cache_write_tokens: i64,
    /// Output tokens spent on reasoning.
    #[schema(examples(9_000))]
    reasoning_tokens: i64,
    #[schema(examples(0))]
    audio_tokens: i64,
    /// What the public price list asks.
    #[schema(examples("1.25"))]
    list_cost_usd: Amount,
    /// What you paid.
    #[schema(examples("1"))]
    charge_usd: Amount,
}

/// Usage in a span of time.
#[derive(Serialize, ToSchema)]
struct UsageResponse {
    #[serde(flatten)]
    usage: UsageItem,
    /// The position of the log that the answer reflects.
    as_of_position: i64,
}

/// Usage of one UTC day.
#[derive(Serialize, ToSchema)]
struct DailyUsageItem {
    day: NaiveDate,
    #[serde(flatten)]
    usage: UsageItem,
}

/// Usage of one model.
#[derive(Serialize, ToSchema)]
struct ModelUsageItem {
    /// As it was requested.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    #[serde(flatten)]
    usage: UsageItem,
}

impl From<Usage> for UsageItem {
    fn from(usage: Usage) -> Self {
        Self {
            requests: usage.requests,
            unbilled_requests: usage.unbilled,
            prompt_tokens: usage.prompt_tokens,
            completion_tokens: usage.completion_tokens,
            cached_tokens: usage.cached_tokens,
            cache_write_tokens: usage.cache_write_tokens,
            reasoning_tokens: usage.reasoning_tokens,
            audio_tokens: usage.audio_tokens,
            list_cost_usd: usage.list_cost.into(),
            charge_usd: usage.charge.into(),
        }
    }
}

impl From<DailyUsage> for DailyUsageItem {
    fn from(DailyUsage { day, usage }: DailyUsage) -> Self {
        Self { day, usage: usage.into() }
    }
}

impl From<ModelUsage> for ModelUsageItem {
    fn from(ModelUsage { model, usage }: ModelUsage) -> Self {
        Self { model, usage: usage.into() }
    }
}

/// Show usage
///
/// Requests, tokens and charges in a span of time; without one, in the last 30 days.
#[utoipa::path(
    get,
    path = "/v1/client/usage",
    operation_id = "show_usage",
    tag = "client",
    params(SpanParams),
    responses((status = 200, description = "The sums", body = UsageResponse)),
    security(("session" = []))
)]
async fn total(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<SpanParams>,
) -> Result<Json<UsageResponse>, Problem> {
    app.visible(params.at_least).await?;
    let found = queries::totals(app.database.pool(), who.account, params.range()?).await?;
    let (usage, as_of_position) = (found.data.into(), found.as_of_position);
    Ok(Json(UsageResponse { usage, as_of_position }))
}

/// Show usage by day
///
/// One entry for each UTC day with requests, the oldest first, on one page.
#[utoipa::path(
    get,
    path = "/v1/client/usage/daily",
    operation_id = "show_daily_usage",
    tag = "client",
    params(SpanParams),
    responses((status = 200, description = "The days", body = Page<DailyUsageItem>)),
    security(("session" = []))
)]
async fn daily(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<SpanParams>,
) -> Result<Json<Page<DailyUsageItem>>, Problem> {
    app.visible(params.at_least).await?;
    let found = queries::daily(app.database.pool(), who.account, params.range()?).await?;
    Ok(Json(Page::whole(found)))
}

/// Show usage by model
///
/// One entry for each requested model, the dearest first, on one page.
#[utoipa::path(
    get,
    path = "/v1/client/models/usage",
    operation_id = "show_model_usage",
    tag = "client",
    params(SpanParams),
    responses((status = 200, description = "The models", body = Page<ModelUsageItem>)),
    security(("session" = []))
)]
async fn by_model(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<SpanParams>,
) -> Result<Json<Page<ModelUsageItem>>, Problem> {
    app.visible(params.at_least).await?;
    let found = queries::by_model(app.database.pool(), who.account, params.range()?).await?;
    Ok(Json(Page::whole(found)))
}
