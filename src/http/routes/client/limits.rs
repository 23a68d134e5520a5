//! The limits of an account, as its owner sees and sets them.

use axum::Json;
use axum::extract::State;
use serde::Deserialize;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::extract::{CustomerSession, JsonBody};
use crate::http::limits::{Change, LimitsResponse, SpendChange, present};
use crate::http::wire::{Usd, Written};
use crate::http::{AppState, Problem};
use crate::operations::limits;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show, change))
}

/// Limits of one's own. What is absent stays; null takes a limit away.
#[derive(Deserialize, ToSchema, Validate)]
#[serde(deny_unknown_fields)]
struct OwnLimitsRequest {
    /// What may be spent in a UTC day.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Usd>, examples("2.50"))]
    daily_limit_usd: Change<Usd>,
    /// What may be spent in a UTC month.
    #[serde(default, deserialize_with = "present")]
    #[schema(value_type = Option<Usd>, examples("20"))]
    monthly_limit_usd: Change<Usd>,
}

/// Show the account's limits
///
/// What the operator allows, what you set yourself, and what is used of the lower of both.
#[utoipa::path(
    get,
    path = "/v1/client/limits",
    operation_id = "show_limits",
    tag = "client",
    responses((status = 200, description = "The limits", body = LimitsResponse)),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    who: CustomerSession,
) -> Result<Json<LimitsResponse>, Problem> {
    Ok(Json(limits::standing(&app.ledger, who.account).await?.into()))
}

/// Set spending limits of your own
///
/// At most what the operator allows; where that is lowered later, the lower of both counts. They
/// count from the next request on, over all keys together.
#[utoipa::path(
    patch,
    path = "/v1/client/limits",
    operation_id = "change_limits",
    tag = "client",
    request_body(
        content = OwnLimitsRequest,
        example = json!({ "daily_limit_usd": "2.50", "monthly_limit_usd": null })
    ),
    responses(
        (status = 200, description = "Changed", body = Written),
        (status = 409, description = "More than the operator allows"),
    ),
    security(("session" = []))
)]
async fn change(
    State(app): State<AppState>,
    who: CustomerSession,
    JsonBody(body): JsonBody<OwnLimitsRequest>,
) -> Result<Json<Written>, Problem> {
    let spend = SpendChange::new(body.daily_limit_usd, body.monthly_limit_usd)?;
    let change = |current| spend.apply(current);
    let position = limits::change_own(&app.ledger, who.account, change, &who.context()).await?;
    Ok(Json(Written { position }))
}
