//! One request, with what it cost.

use axum::Json;
use axum::extract::{Path, State};
use rust_decimal::Decimal;
use serde::Serialize;
use tollgate_projections::queries::{Explained, Request};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::explained::{self, RequestExplanation};
use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, ReadParams};
use crate::http::{ApiError, AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(show))
}

/// What the customer is told, and what only the operator is.
#[derive(Serialize, ToSchema)]
struct AdminRequest {
    #[serde(flatten)]
    request: RequestExplanation,
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    /// The upstream account that served it. Null where none did, as is all below.
    #[schema(examples("mast_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    master_account_id: Option<String>,
    /// What one dollar of list cost cost you then.
    #[schema(value_type = Option<String>, examples("0.3"))]
    cost_rate: Option<Amount>,
    /// List cost × cost rate, rounded once.
    #[schema(examples("0.003"))]
    cost_usd: Option<Amount>,
    /// The upstream's public price of what nobody was charged for.
    waived_list_cost_usd: Option<Amount>,
    /// What you paid for that.
    waived_usd: Option<Amount>,
    /// `charge − cost − waived`; below zero is a loss.
    #[schema(examples("0.005"))]
    margin_usd: Option<Amount>,
    /// Who caused the end.
    #[schema(examples("key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    actor: String,
}

/// Each word on a request adds to what was waived of it.
fn waived(explained: &Explained, part: fn(&Request) -> Option<Decimal>) -> Option<Decimal> {
    let rows = std::iter::once(&explained.end).chain(&explained.later);
    rows.filter_map(part).reduce(|sum, more| sum + more)
}

impl AdminRequest {
    fn new(explained: &Explained, as_of_position: i64) -> Result<Self, ApiError> {
        let (end, last) = (&explained.end, explained.last());
        let waived_usd = waived(explained, |row| row.waived);
        let spent = last.cost.into_iter().chain(waived_usd).reduce(|sum, more| sum + more);
        let margin = match (last.charge, spent) {
            (None, None) => None,
            (charge, spent) => Some(charge.unwrap_or_default() - spent.unwrap_or_default()),
        };
        let master = last.master_account_id.clone().or_else(|| end.master_account_id.clone());
        Ok(Self {
            request: RequestExplanation::new(explained, as_of_position)?,
            account_id: end.account_id.clone(),
            master_account_id: master,
            cost_rate: last.cost_rate.map(Amount),
            cost_usd: last.cost.map(Amount),
            waived_list_cost_usd: waived(explained, |row| row.waived_list_cost).map(Amount),
            waived_usd: waived_usd.map(Amount),
            margin_usd: margin.map(Amount),
            actor: end.actor.clone(),
        })
    }
}

/// Explain a request of a customer
///
/// Everything that the customer is told about it, and what it cost, where, and what remains.
#[utoipa::path(
    get,
    path = "/v1/admin/requests/{id}",
    operation_id = "show_client_request",
    tag = "admin",
    params(
        ("id" = String, Path, description = "`req_…` as in `x-request-id`, or `rsv_…`",
            example = "req_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ReadParams
    ),
    responses(
        (status = 200, description = "The request", body = AdminRequest),
        (status = 404, description = "No such request, or it has not ended yet"),
    ),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    _: AuditorSession,
    Path(id): Path<String>,
    Params(params): Params<ReadParams>,
) -> Result<Json<AdminRequest>, Problem> {
    let (explained, position) = explained::find(&app, None, &id, params.at_least).await?;
    Ok(Json(AdminRequest::new(&explained, position)?))
}
