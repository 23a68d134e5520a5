//! What the upstream says about a master account's credits, beside what our books say.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use tollgate_domain::ids::MasterAccountId;
use tollgate_projections::queries;
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::error::both;
use crate::http::extract::{AuditorSession, Params, PathId};
use crate::http::wire::{Amount, ReadParams, Usd};
use crate::http::{ApiError, AppState, Problem};
use crate::upstream::UpstreamError;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// Both sides.
#[derive(Serialize, ToSchema)]
struct StatementResponse {
    #[schema(examples("mast_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    master_account_id: String,
    /// Credits ever bought, by the upstream's statement.
    #[schema(examples("1000"))]
    stated_bought_usd: Usd,
    /// Credits ever used, by the upstream's statement.
    #[schema(examples("1.37"))]
    stated_used_usd: Usd,
    /// What remains, by the upstream's statement.
    #[schema(examples("998.63"))]
    stated_remaining_usd: Usd,
    /// What remains by our books.
    #[schema(examples("999"))]
    remaining_usd: Amount,
    /// Statement minus books: what a reconciliation books as `credits_usd`. Requests that run may
    /// stand in one of the two already.
    #[schema(examples("-0.37"))]
    difference_usd: Amount,
    /// The position of the log that our side reflects.
    as_of_position: i64,
}

/// Show the upstream's statement
///
/// Asks the upstream for what it says was bought and used, and shows the difference to our books.
#[utoipa::path(
    get,
    path = "/v1/admin/master-accounts/{id}/statement",
    operation_id = "show_statement_of_credits",
    tag = "admin",
    params(
        ("id" = String, Path, description = "Whose credits", example = "mast_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ReadParams
    ),
    responses(
        (status = 200, description = "Both sides", body = StatementResponse),
        (status = 404, description = "No such master account, or it is disabled"),
        (status = 502, description = "The upstream can't be asked"),
        (status = 504, description = "The upstream did not answer in time"),
    ),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    _: AuditorSession,
    PathId(id): PathId<MasterAccountId>,
    Params(params): Params<ReadParams>,
) -> Result<Json<StatementResponse>, Problem> {
    app.visible(params.at_least).await?;
    let what = both!("enabled master account", "включённый основной счёт");
    let upstream = app.gateway.masters().find(id).ok_or(ApiError::NotFound { what })?;
    let stated = app.gateway.client().load_credits(&upstream).await.map_err(|error| {
        tracing::warn!(master_account.id = %id, %error, "the statement cannot be read");
        match error {
            UpstreamError::TimedOut => ApiError::UpstreamTimeout,
            UpstreamError::Unreachable(_)
            | UpstreamError::Broke(_)
            | UpstreamError::Unreadable(_)
            | UpstreamError::Status(_) => ApiError::UpstreamUnavailable,
        }
    })?;
    let remains = stated.remaining().ok_or(ApiError::UpstreamUnavailable)?;
    let found = queries::master_account(app.database.pool(), id).await?;
    let ours = found.data.map(|master| master.remaining).unwrap_or_default();
    Ok(Json(StatementResponse {
        master_account_id: id.to_string(),
        stated_bought_usd: stated.bought.into(),
        stated_used_usd: stated.used.into(),
        stated_remaining_usd: remains.into(),
        remaining_usd: ours.into(),
        difference_usd: (remains.decimal() - ours).into(),
        as_of_position: found.as_of_position,
    }))
}
