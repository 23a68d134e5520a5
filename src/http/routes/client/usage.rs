//! What was used, in total, by day and by model.

use axum::Json;
use axum::extract::State;
use chrono::NaiveDate;
use serde::Serialize;
use tollgate_projections::queries::{self, DailyUsage, ModelUsage};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::extract::{CustomerSession, Params};
use crate::http::usage::{BreakdownParams, UsageItem, UsageLineItem};
use crate::http::wire::{Page, SpanParams};
use crate::http::{AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new()
        .routes(routes!(total))
        .routes(routes!(daily))
        .routes(routes!(by_model))
        .routes(routes!(breakdown))
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

/// Break usage down
///
/// By day, model or key, or by day and one of them: the oldest day first, then the dearest. One
/// page of at most 5,000 lines.
#[utoipa::path(
    get,
    path = "/v1/client/usage/breakdown",
    operation_id = "show_usage_breakdown",
    tag = "client",
    params(BreakdownParams),
    responses(
        (status = 200, description = "The lines", body = Page<UsageLineItem>),
        (status = 400, description = "A filter makes no sense, or there are too many lines"),
    ),
    security(("session" = []))
)]
async fn breakdown(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<BreakdownParams>,
) -> Result<Json<Page<UsageLineItem>>, Problem> {
    app.visible(params.at_least).await?;
    Ok(Json(params.lines(app.database.pool(), who.account).await?))
}
