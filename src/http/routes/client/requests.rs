//! The newest requests, with what explains each charge.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::Serialize;
use tollgate_projections::queries::{self, Request, RequestFilter};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::extract::{CustomerSession, Params};
use crate::http::wire::{Amount, Page, PageParams};
use crate::http::{AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(recent))
}

/// A request that has ended. What it cost the operator, and where, is not the customer's business.
#[derive(Serialize, ToSchema)]
pub(super) struct ClientRequestItem {
    /// Of its reservation; names it in `/v1/client/requests/{id}`.
    #[schema(examples("rsv_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// The position of the event that ended it.
    #[schema(examples(42))]
    position: i64,
    /// The `x-request-id` of the answer.
    #[schema(examples("req_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    request_id: Option<String>,
    #[schema(examples("key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    api_key_id: String,
    /// As it was requested.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    /// `settled` (charged), `released` or `expired` (not charged); `corrected` or `billed_late`
    /// where the truth came later: such a row replaces the earlier one of the same request.
    #[schema(examples("settled"))]
    state: String,
    /// How it ended.
    #[schema(examples("completed"))]
    outcome: String,
    ended_at: DateTime<Utc>,
    /// What had been set aside for it.
    reserved_usd: Amount,
    /// What you paid: list cost × sale ratio. Null where nothing was charged, as is all below.
    charge_usd: Option<Amount>,
    /// The public price of it.
    list_cost_usd: Option<Amount>,
    /// The ratio that was agreed when it began.
    #[schema(value_type = Option<String>, examples("0.8"))]
    sale_ratio: Option<Amount>,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    cached_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    streamed: Option<bool>,
    /// Milliseconds until the first byte.
    first_byte_ms: Option<i64>,
    /// Milliseconds until the end.
    total_ms: Option<i64>,
    /// What went wrong. Null where nothing did.
    #[schema(examples("client_left"))]
    mishap: Option<String>,
    /// What is charged then: `charge_billed`, `charge_delivered` or `waive`.
    #[schema(examples("charge_billed"))]
    treatment: Option<String>,
    /// What the row that this one replaces had charged.
    charge_before_usd: Option<Amount>,
    /// Is the charge an estimate, to be corrected when the upstream tells the truth?
    estimated: bool,
}

impl From<Request> for ClientRequestItem {
    fn from(request: Request) -> Self {
        Self {
            id: request.reservation_id,
            position: request.position,
            request_id: request.request_id,
            api_key_id: request.key_id,
            model: request.model,
            state: request.state,
            outcome: request.outcome,
            ended_at: request.ended_at,
            reserved_usd: request.reserved.into(),
            charge_usd: request.charge.map(Amount),
            list_cost_usd: request.list_cost.map(Amount),
            sale_ratio: request.sale_ratio.map(Amount),
            prompt_tokens: request.prompt_tokens,
            completion_tokens: request.completion_tokens,
            cached_tokens: request.cached_tokens,
            reasoning_tokens: request.reasoning_tokens,
            streamed: request.streamed,
            first_byte_ms: request.first_byte_ms,
            total_ms: request.total_ms,
            mishap: request.mishap,
            treatment: request.treatment,
            charge_before_usd: request.charge_before.map(Amount),
            estimated: request.source.as_deref() == Some("estimate"),
        }
    }
}

/// List requests
///
/// The newest first, with tokens, list cost and charge.
#[utoipa::path(
    get,
    path = "/v1/client/recent-requests",
    operation_id = "list_recent_requests",
    tag = "client",
    params(PageParams),
    responses((status = 200, description = "A page of requests", body = Page<ClientRequestItem>)),
    security(("session" = []))
)]
async fn recent(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<ClientRequestItem>>, Problem> {
    app.visible(params.at_least).await?;
    let (pool, all) = (app.database.pool(), RequestFilter::default());
    let page = queries::recent_requests(pool, who.account, &all, &params.request()?).await?;
    Ok(Json(Page::of(page)))
}
