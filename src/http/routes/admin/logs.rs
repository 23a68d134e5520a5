//! Every request, with what it cost.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::ids::{AccountId, KeyId};
use tollgate_projections::queries::{self, Request, RequestFilter};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, Page, PageParams, id};
use crate::http::{ApiError, AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(logs))
}

/// Which requests; absent members filter nothing.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct LogParams {
    /// Of one account.
    account_id: Option<String>,
    /// That came with one key.
    api_key_id: Option<String>,
    /// That asked for one model.
    model: Option<String>,
    /// `settled`, `released`, `expired`, `corrected` or `billed_late`.
    state: Option<String>,
    /// How they ended, as in `completed`.
    outcome: Option<String>,
    /// How many at most.
    #[serde(default = "default_limit")]
    #[validate(range(min = 1, max = 200))]
    #[param(default = 50, minimum = 1, maximum = 200)]
    limit: u16,
    /// `next_cursor` of the page before; absent for the first page.
    cursor: Option<String>,
    /// As for every read: wait until the answer reflects at least this position of the log.
    at_least: Option<i64>,
}

const fn default_limit() -> u16 {
    50
}

/// A request that has ended, with everything that its charge and its cost follow from.
#[derive(Serialize, ToSchema)]
pub(super) struct LogItem {
    /// The position of the event that ended it.
    #[schema(examples(42))]
    position: i64,
    /// The `x-request-id` of the answer.
    request_id: Option<String>,
    #[schema(examples("rsv_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    reservation_id: String,
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    #[schema(examples("key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    api_key_id: String,
    /// As it was requested.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    /// `settled`, `released` or `expired`; `corrected` or `billed_late` where the truth came after
    /// that: such a row replaces the earlier one of its reservation.
    #[schema(examples("settled"))]
    state: String,
    /// How it ended.
    #[schema(examples("completed"))]
    outcome: String,
    ended_at: DateTime<Utc>,
    /// Who caused the end.
    #[schema(examples("key:key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    actor: String,
    reserved_usd: Amount,
    /// The upstream's public price of what is charged. Null where nothing was, as is most below.
    list_cost_usd: Option<Amount>,
    /// What the price list says, where it differs.
    computed_list_cost_usd: Option<Amount>,
    /// Where the list cost comes from: `upstream`, `generation_record`, `price_list` or `estimate`.
    #[schema(examples("upstream"))]
    source: Option<String>,
    #[schema(value_type = Option<String>, examples("0.8"))]
    sale_ratio: Option<Amount>,
    charge_usd: Option<Amount>,
    #[schema(value_type = Option<String>, examples("0.3"))]
    cost_rate: Option<Amount>,
    cost_usd: Option<Amount>,
    master_account_id: Option<String>,
    /// The upstream's handle.
    generation_id: Option<String>,
    price_version: Option<i64>,
    prompt_tokens: Option<i64>,
    completion_tokens: Option<i64>,
    cached_tokens: Option<i64>,
    reasoning_tokens: Option<i64>,
    streamed: Option<bool>,
    first_byte_ms: Option<i64>,
    total_ms: Option<i64>,
    /// What went wrong, in the words of the fairness policy. Null where nothing did.
    #[schema(examples("client_left"))]
    mishap: Option<String>,
    /// What that policy charges then.
    #[schema(examples("charge_billed"))]
    treatment: Option<String>,
    /// Which version of it.
    policy_version: Option<i64>,
    /// The upstream's public price of what was not charged.
    waived_list_cost_usd: Option<Amount>,
    /// What you paid for that.
    waived_usd: Option<Amount>,
    /// What the row that this one replaces had charged.
    charge_before_usd: Option<Amount>,
}

impl From<Request> for LogItem {
    fn from(request: Request) -> Self {
        Self {
            position: request.position,
            request_id: request.request_id,
            reservation_id: request.reservation_id,
            account_id: request.account_id,
            api_key_id: request.key_id,
            model: request.model,
            state: request.state,
            outcome: request.outcome,
            ended_at: request.ended_at,
            actor: request.actor,
            reserved_usd: request.reserved.into(),
            list_cost_usd: request.list_cost.map(Amount),
            computed_list_cost_usd: request.computed_list_cost.map(Amount),
            source: request.source,
            sale_ratio: request.sale_ratio.map(Amount),
            charge_usd: request.charge.map(Amount),
            cost_rate: request.cost_rate.map(Amount),
            cost_usd: request.cost.map(Amount),
            master_account_id: request.master_account_id,
            generation_id: request.generation_id,
            price_version: request.price_version,
            prompt_tokens: request.prompt_tokens,
            completion_tokens: request.completion_tokens,
            cached_tokens: request.cached_tokens,
            reasoning_tokens: request.reasoning_tokens,
            streamed: request.streamed,
            first_byte_ms: request.first_byte_ms,
            total_ms: request.total_ms,
            mishap: request.mishap,
            treatment: request.treatment,
            policy_version: request.policy_version,
            waived_list_cost_usd: request.waived_list_cost.map(Amount),
            waived_usd: request.waived.map(Amount),
            charge_before_usd: request.charge_before.map(Amount),
        }
    }
}

impl LogParams {
    fn split(self) -> Result<(RequestFilter, PageParams), ApiError> {
        let account: Option<AccountId> = id("account_id", self.account_id.as_deref())?;
        let key: Option<KeyId> = id("api_key_id", self.api_key_id.as_deref())?;
        let (model, state, outcome) = (self.model, self.state, self.outcome);
        let page = PageParams { limit: self.limit, cursor: self.cursor, at_least: self.at_least };
        Ok((RequestFilter { account, key, model, state, outcome }, page))
    }
}

/// List all requests
///
/// The newest first, of all customers, with tokens, list cost, charge and cost.
#[utoipa::path(
    get,
    path = "/v1/admin/logs",
    operation_id = "list_logs",
    tag = "admin",
    params(LogParams),
    responses((status = 200, description = "A page of requests", body = Page<LogItem>)),
    security(("session" = []))
)]
async fn logs(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<LogParams>,
) -> Result<Json<Page<LogItem>>, Problem> {
    let (filter, params) = params.split()?;
    app.visible(params.at_least).await?;
    let page = queries::requests(app.database.pool(), &filter, &params.request()?).await?;
    Ok(Json(Page::of(page)))
}
