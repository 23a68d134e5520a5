//! The state of the business.

use axum::Json;
use axum::extract::State;
use chrono::Utc;
use serde::Serialize;
use tollgate_projections::queries::{self, Stats};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, ReadParams};
use crate::http::{ApiError, AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(stats))
}

/// The state of the business. Days are in UTC.
#[derive(Serialize, ToSchema)]
struct StatsResponse {
    accounts: i64,
    suspended_accounts: i64,
    /// What you owe all customers.
    balance_usd: Amount,
    /// Of it set aside for requests that run.
    reserved_usd: Amount,
    /// Everything ever charged.
    charge_usd: Amount,
    /// Everything that served requests ever cost you.
    cost_usd: Amount,
    /// What you paid for requests that went wrong and nobody was charged for.
    waived_usd: Amount,
    /// `charge − cost − waived`.
    margin_usd: Amount,
    /// Requests ever charged.
    requests: i64,
    charge_today_usd: Amount,
    cost_today_usd: Amount,
    waived_today_usd: Amount,
    margin_today_usd: Amount,
    requests_today: i64,
    /// Requests that run.
    open_reservations: i64,
    /// The position of the log that the answer reflects.
    as_of_position: i64,
}

impl StatsResponse {
    fn new(stats: Stats, as_of_position: i64) -> Self {
        Self {
            accounts: stats.accounts,
            suspended_accounts: stats.suspended_accounts,
            balance_usd: stats.balance.into(),
            reserved_usd: stats.reserved.into(),
            charge_usd: stats.charge.into(),
            cost_usd: stats.cost.into(),
            waived_usd: stats.waived.into(),
            margin_usd: stats.margin.into(),
            requests: stats.requests,
            charge_today_usd: stats.charge_today.into(),
            cost_today_usd: stats.cost_today.into(),
            waived_today_usd: stats.waived_today.into(),
            margin_today_usd: stats.margin_today.into(),
            requests_today: stats.requests_today,
            open_reservations: stats.open_reservations,
            as_of_position,
        }
    }
}

/// Show the state of the business
///
/// What customers have, what was charged, what it cost, in total and today.
#[utoipa::path(
    get,
    path = "/v1/admin/stats",
    operation_id = "show_stats",
    tag = "admin",
    params(ReadParams),
    responses((status = 200, description = "The figures", body = StatsResponse)),
    security(("session" = []))
)]
async fn stats(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<ReadParams>,
) -> Result<Json<StatsResponse>, Problem> {
    app.visible(params.at_least).await?;
    let found = queries::stats(app.database.pool(), Utc::now().date_naive()).await?;
    let stats = found.data.ok_or_else(|| ApiError::internal("the statistics have no row"))?;
    Ok(Json(StatsResponse::new(stats, found.as_of_position)))
}
