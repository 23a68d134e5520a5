//! The limits and the plan of an account, as the operator sees and sets them.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use tollgate_domain::account::AccountLimits;
use tollgate_domain::ids::AccountId;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{AdminSession, AuditorSession, IdempotencyKey, JsonBody, PathId};
use crate::http::limits::{Change, LimitsResponse, RatesChange, SpendChange, present};
use crate::http::wire::{Commanded, Usd};
use crate::http::{AppState, Problem};
use crate::operations::limits;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, change)).routes(routes!(assign))
}

/// Limits of one account. What is absent stays; null takes a limit away, and the plan's counts.
#[derive(Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct AccountLimitsRequest {
    /// What may be spent in a UTC day.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Usd>, examples("5"))]
    daily_limit_usd: Change<Usd>,
    /// What may be spent in a UTC month.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<Usd>, examples("100"))]
    monthly_limit_usd: Change<Usd>,
    /// How many requests may begin in a minute, over all keys. Each node of the gateway counts for
    /// itself.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000, examples(600))]
    requests_per_minute: Change<u32>,
    /// How many tokens there may be in a minute, over all keys.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u64>, minimum = 1, maximum = 1_000_000_000_000_i64,
        examples(1_000_000))]
    tokens_per_minute: Change<u64>,
    /// How many requests may run at the same time, over all keys.
    #[serde(default, deserialize_with = "present", skip_serializing_if = "Option::is_none")]
    #[schema(value_type = Option<u32>, minimum = 1, maximum = 1_000_000, examples(32))]
    concurrent_requests: Change<u32>,
    /// Why. It stands beside the books, where it can be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("asked for more"))]
    reason: Option<String>,
}

/// Another plan.
#[derive(Serialize, Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct PlanRequest {
    /// Its name; null: no plan.
    #[schema(examples("gold"))]
    #[serde(deserialize_with = "Option::deserialize")]
    plan: Option<String>,
    /// Why. It stands beside the books, where it can be erased.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    #[validate(length(min = 1, max = 2000))]
    #[schema(examples("a year in advance"))]
    reason: Option<String>,
}

/// Show an account's limits
///
/// What is set for it, what its plan allows, what its owner set, and what is used of what counts.
#[utoipa::path(
    get,
    path = "/v1/admin/clients/{account_id}/limits",
    operation_id = "show_client_limits",
    tag = "admin",
    params(("account_id" = String, Path, description = "The account", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3")),
    responses(
        (status = 200, description = "The limits", body = LimitsResponse),
        (status = 404, description = "No such account"),
    ),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    _: AuditorSession,
    PathId(account): PathId<AccountId>,
) -> Result<Json<LimitsResponse>, Problem> {
    Ok(Json(limits::standing(&app.ledger, account).await?.into()))
}

/// Set an account's limits
///
/// They go before those of its plan, up or down, and count from the next request on.
#[utoipa::path(
    patch,
    path = "/v1/admin/clients/{account_id}/limits",
    operation_id = "change_client_limits",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "The account", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one change"),
    ),
    request_body(
        content = AccountLimitsRequest,
        example = json!({ "daily_limit_usd": "5", "requests_per_minute": 600 })
    ),
    responses(
        (status = 200, description = "Changed", body = Commanded),
        (status = 404, description = "No such account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn change(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<AccountLimitsRequest>,
) -> Result<Json<Commanded>, Problem> {
    let key = key.on("admin:limits", &(account, &body))?;
    let spend = SpendChange::new(body.daily_limit_usd, body.monthly_limit_usd)?;
    let (requests, tokens) = (body.requests_per_minute, body.tokens_per_minute);
    let rates = RatesChange::new(requests, tokens, body.concurrent_requests)?;
    let change = |current: AccountLimits| {
        let spend = spend.apply(current.spend());
        let rates = rates.apply(current.rates);
        AccountLimits { daily: spend.daily, monthly: spend.monthly, rates }
    };
    let context = admin.context();
    let (desk, reason) = (app.desk(&context, key.as_ref()), body.reason.as_deref());
    Ok(Json(limits::change(desk, account, change, reason).await?.into()))
}

/// Put an account on a plan
///
/// The plan's sale ratio and limits count from the next request on. The same plan again changes
/// nothing.
#[utoipa::path(
    put,
    path = "/v1/admin/clients/{account_id}/plan",
    operation_id = "assign_plan",
    tag = "admin",
    params(
        ("account_id" = String, Path, description = "The account", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ("Idempotency-Key" = Option<String>, Header, description = "1 to 255 characters, made by you for this one change"),
    ),
    request_body = PlanRequest,
    responses(
        (status = 200, description = "Assigned", body = Commanded),
        (status = 404, description = "No such account"),
        (status = 409, description = "The Idempotency-Key was used for another request"),
    ),
    security(("session" = []))
)]
async fn assign(
    State(app): State<AppState>,
    AdminSession(admin): AdminSession,
    PathId(account): PathId<AccountId>,
    key: IdempotencyKey,
    JsonBody(body): JsonBody<PlanRequest>,
) -> Result<Json<Commanded>, Problem> {
    let key = key.on("admin:plan", &(account, &body))?;
    let context = admin.context();
    let (desk, reason) = (app.desk(&context, key.as_ref()), body.reason.as_deref());
    Ok(Json(limits::assign(desk, account, body.plan, reason).await?.into()))
}
