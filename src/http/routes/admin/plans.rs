//! Plans: a name with a sale ratio and limits.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tollgate_domain::account::{AccountLimits, RateLimits, SpendLimits};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::price_book::Plan;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::error::both;
use crate::http::extract::{AdminSession, AuditorSession, IdempotencyKey, JsonBody, PathId};
use crate::http::limits::{LimitsItem, RatesChange, SpendChange};
use crate::http::wire::{Commanded, Usd};
use crate::http::{ApiError, AppState, Problem};
use crate::operations::limits;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show, define))
}

/// What accounts of a plan get.
#[derive(Serialize, ToSchema)]
struct PlanItem {
    #[schema(examples("gold"))]
    name: String,
    /// Charge = list cost × this, unless the account or the model has a ratio of its own; null: the
    /// default ratio.
    #[schema(examples("0.75"))]
    sale_ratio: Option<String>,
    /// For accounts that have none of their own.
    limits: LimitsItem,
}

/// All plans.
#[derive(Serialize, ToSchema)]
struct PlansResponse {
    data: Vec<PlanItem>,
}

/// A plan as it shall be. What is absent or null is not limited.
#[derive(Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct DefinePlanRequest {
    /// Above 0 and up to 100, as a decimal string.
    #[schema(examples("0.75"))]
    sale_ratio: String,
    /// What an account may spend in a UTC day.
    #[serde(default)]
    #[schema(examples("5"))]
    daily_limit_usd: Option<Usd>,
    /// What an account may spend in a UTC month.
    #[serde(default)]
    #[schema(examples("100"))]
    monthly_limit_usd: Option<Usd>,
    /// How many requests an account may begin in a minute. Each node of the gateway counts for
    /// itself.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000, examples(600))]
    requests_per_minute: Option<u32>,
    /// How many tokens an account may use in a minute.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000_000_000_i64, examples(1_000_000))]
    tokens_per_minute: Option<u64>,
    /// How many requests of an account may run at the same time.
    #[serde(default)]
    #[schema(minimum = 1, maximum = 1_000_000, examples(32))]
    concurrent_requests: Option<u32>,
    /// Why. It stands beside the books, where it can be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("for the autumn offer"))]
    reason: Option<String>,
}

impl PlanItem {
    fn new(name: String, plan: Plan) -> Self {
        let sale_ratio = plan.ratio.map(|ratio| ratio.to_string());
        Self { name, sale_ratio, limits: plan.limits.into() }
    }
}

impl DefinePlanRequest {
    fn limits(&self) -> Result<AccountLimits, ApiError> {
        let spend = SpendChange::new(Some(self.daily_limit_usd), Some(self.monthly_limit_usd))?;
        let rates = RatesChange::new(
            Some(self.requests_per_minute),
            Some(self.tokens_per_minute),
            Some(self.concurrent_requests),
        )?;
        let SpendLimits { daily, monthly } = spend.apply(SpendLimits::default());
        Ok(AccountLimits { daily, monthly, rates: rates.apply(RateLimits::default()) })
    }
}

/// List plans
///
/// All of them, by name.
#[utoipa::path(
    get,
    path = "/v1/admin/plans",
    operation_id = "list_plans",
    tag = "admin",
    responses((status = 200, description = "The plans", body = PlansResponse)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    _: AuditorSession,
) -> Result<Json<PlansResponse>, Problem> {
    let plans = limits::plans(&app.ledger).await?;
    let data = plans.into_iter().map(|(name, plan)| PlanItem::new(name, plan)).collect();
    Ok(Json(PlansResponse { data }))
}

/// Show a plan
///
/// Its sale ratio and its limits.
#[utoipa::path(
    get,
    path = "/v1/admin/plans/{name}",
    operation_id = "show_plan",
    tag = "admin",
    params(("name" = String, Path, description = "The plan's name", example = "gold")),
    responses(
        (status = 200, description = "The plan", body = PlanItem),
        (status = 404, description = "No such plan"),
    ),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    _: AuditorSession,
    PathId(name): PathId<String>,
) -> Result<Json<PlanItem>, Problem> {
    let plan = limits::find_plan(&app.ledger, &name).await?;
    let plan = plan.ok_or_else(|| ApiError::NotFound { what: both!("plan", "тариф") })?;
    Ok(Json(PlanItem::new(name, plan)))
}

/// Define a plan
///
/// It counts for the next request of every account on it. The same content again changes nothing.
#[utoipa::path(
    put,
    path = "/v1/admin/plans/{name}",
    operation_id = "define_plan",
    tag = "admin",
    params(
        ("name" = String, Path, description = "The plan's name: 1 to 64 letters, digits, `-`, `_` and `.`", example = "gold"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one change"),
    ),
    request_body(
        content = DefinePlanRequest,
        example = json!({ "sale_ratio": "0.75", "daily_limit_usd": "5", "requests_per_minute": 600 })
    ),
    responses(
        (status = 200, description = "Defined", body = Commanded),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn define(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(name): PathId<String>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<DefinePlanRequest>,
) -> Result<Json<Commanded>, Problem> {
    let key = key.on("admin:plans", &(&name, &body))?;
    let plain = |c: char| c.is_ascii_alphanumeric() || "-_.".contains(c);
    if name.is_empty() || name.len() > 64 || !name.chars().all(plain) {
        let message = both!(
            "Use 1 to 64 letters, digits, `-`, `_` and `.`.",
            "Используйте от 1 до 64 букв, цифр, `-`, `_` и `.`."
        );
        return Err(ApiError::invalid("name", message).into());
    }
    let ratio = Ratio::parse(&body.sale_ratio).map_err(|_| {
        let message =
            both!("Use a decimal as in 0.75.", "Укажите десятичное число, например 0.75.");
        ApiError::invalid("sale_ratio", message)
    })?;
    let (limits, context) = (body.limits()?, admin.context());
    let (desk, reason) = (app.desk(&context, key.as_ref()), body.reason.as_deref());
    let done = limits::define_plan(desk, name, ratio, limits, reason).await?;
    // Not when the request path next looks: the next request shall be served by it.
    app.gateway.prices().refresh(&app.ledger, app.database.pool()).await?;
    Ok(Json(done.into()))
}
