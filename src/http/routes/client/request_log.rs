//! The customer's own requests: searched, and each explained.

use axum::Json;
use axum::extract::{Path, State};
use tollgate_projections::queries;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::requests::ClientRequestItem;
use crate::http::explained::{self, RequestExplanation};
use crate::http::extract::{CustomerSession, Params};
use crate::http::search::RequestParams;
use crate::http::wire::{Page, ReadParams};
use crate::http::{AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// Search requests
///
/// The newest first, one entry each: a request that was corrected later shows the newest figures
/// in its place.
#[utoipa::path(
    get,
    path = "/v1/client/requests",
    operation_id = "list_requests",
    tag = "client",
    params(RequestParams),
    responses((status = 200, description = "A page of requests", body = Page<ClientRequestItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<RequestParams>,
) -> Result<Json<Page<ClientRequestItem>>, Problem> {
    let (search, params) = params.split()?;
    app.visible(params.at_least).await?;
    let page = params.request()?;
    let found = queries::search_requests(app.database.pool(), who.account, &search, &page);
    Ok(Json(Page::of(found.await?)))
}

/// Explain a request
///
/// Token classes × list prices, sale ratio, one rounding; what was set aside and what became of
/// it; where the figure comes from; and the events that hold all this, with their hashes. The
/// prices are those that were in force when the request began.
#[utoipa::path(
    get,
    path = "/v1/client/requests/{id}",
    operation_id = "show_request",
    tag = "client",
    params(
        ("id" = String, Path, description = "`req_…` as in `x-request-id`, or `rsv_…`",
            example = "req_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        ReadParams
    ),
    responses(
        (status = 200, description = "The request", body = RequestExplanation),
        (status = 404, description = "Not yours, or it has not ended yet"),
    ),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    who: CustomerSession,
    Path(id): Path<String>,
    Params(params): Params<ReadParams>,
) -> Result<Json<RequestExplanation>, Problem> {
    let (explained, position) =
        explained::find(&app, Some(who.account), &id, params.at_least).await?;
    Ok(Json(RequestExplanation::new(&explained, position)?))
}
