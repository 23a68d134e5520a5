//! The customer's own requests: searched, and each explained.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::Deserialize;
use tollgate_domain::ids::{RequestId, ReservationId};
use tollgate_projections::queries::{self, RequestSearch};
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use super::requests::ClientRequestItem;
use crate::http::error::both;
use crate::http::explained::RequestExplanation;
use crate::http::extract::{CustomerSession, Params};
use crate::http::wire::{Page, PageParams, ReadParams, id};
use crate::http::{ApiError, AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// Which requests; absent members filter nothing.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(super) struct RequestParams {
    /// Ended from here on.
    from: Option<DateTime<Utc>>,
    /// Ended before this.
    to: Option<DateTime<Utc>>,
    /// That asked for one model.
    #[validate(length(max = 200))]
    model: Option<String>,
    /// That came with one key.
    key_id: Option<String>,
    /// As they are now: `settled`, `released`, `expired`, `corrected` or `billed_late`.
    #[validate(length(max = 40))]
    status: Option<String>,
    /// How they ended, as in `completed`.
    #[validate(length(max = 40))]
    outcome: Option<String>,
    /// A request (`req_…`), a reservation (`rsv_…`) or an answer (`gen-…`) by its whole id; else a
    /// part of the model's name.
    #[validate(length(max = 200))]
    search: Option<String>,
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

/// What a search for text in the database cannot hold.
pub(super) fn plain(param: &str, text: Option<String>) -> Result<Option<String>, ApiError> {
    match text {
        Some(text) if text.contains('\0') => {
            let message = both!("Text has no NUL.", "В тексте не может быть NUL.");
            Err(ApiError::invalid(param, message))
        }
        text => Ok(text),
    }
}

impl RequestParams {
    pub(super) fn split(self) -> Result<(RequestSearch, PageParams), ApiError> {
        let search = RequestSearch {
            from: self.from,
            to: self.to,
            model: plain("model", self.model)?,
            key: id("key_id", self.key_id.as_deref())?,
            state: plain("status", self.status)?,
            outcome: plain("outcome", self.outcome)?,
            text: plain("search", self.search)?,
        };
        let page = PageParams { limit: self.limit, cursor: self.cursor, at_least: self.at_least };
        Ok((search, page))
    }
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
    let not_found = || ApiError::NotFound { what: both!("request", "запрос") };
    if id.parse::<RequestId>().is_err() && id.parse::<ReservationId>().is_err() {
        return Err(not_found().into());
    }
    app.visible(params.at_least).await?;
    let found = queries::explain(app.database.pool(), Some(who.account), &id).await?;
    let explained = found.data.ok_or_else(not_found)?;
    Ok(Json(RequestExplanation::new(&explained, found.as_of_position)?))
}
