//! The log as a table.

use axum::body::Bytes;
use axum::extract::State;
use axum::response::Response;
use sqlx::PgPool;
use tollgate_projections::queries::{self, EventFilter, PageRequest, StoredEvent};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::events::{Cause, EventParams};
use crate::http::csv::{self, Csv};
use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::hex;
use crate::http::{ApiError, AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(download))
}

const EVENT: [&str; 13] = [
    "position",
    "recorded_at",
    "stream_type",
    "stream",
    "sequence",
    "event_type",
    "event_version",
    "actor",
    "request_id",
    "payload",
    "metadata",
    "hash",
    "previous_hash",
];

fn write(csv: &mut Csv, event: &StoredEvent) {
    let cause = Cause::of(event);
    csv.count(Some(event.position));
    csv.moment(event.recorded_at);
    csv.text(&event.aggregate_type);
    csv.text(&event.aggregate_id);
    csv.count(Some(event.sequence));
    csv.text(&event.event_type);
    csv.text(&event.event_version);
    csv.maybe(cause.actor.as_deref());
    csv.maybe(cause.request_id.as_deref());
    csv.text(&event.payload);
    csv.text(&event.metadata);
    csv.text(&hex(&event.hash));
    csv.text(&event.previous_hash.as_deref().map(hex).unwrap_or_default());
    csv.end();
}

/// Download events
///
/// What `/v1/ledger/events` lists, as CSV, the newest first, as long as it may be; `limit` and
/// `cursor` mean nothing here. Payload and metadata are the bytes that the hash covers.
#[utoipa::path(
    get,
    path = "/v1/ledger/events.csv",
    operation_id = "download_events",
    tag = "ledger",
    params(EventParams),
    responses(
        (status = 200, description = "The table", content_type = "text/csv", body = String,
            headers(("x-tollgate-as-of-position" = i64, description = "The position of the log that it reflects")),
            example = "position,recorded_at,stream_type\r\n"),
        (status = 400, description = "A filter makes no sense"),
    ),
    security(("session" = []))
)]
async fn download(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<EventParams>,
) -> Result<Response, Problem> {
    let (filter, params) = params.split()?;
    let until = app.visible(params.at_least).await?;
    let last = Some(filter.last.unwrap_or(i64::MAX).min(until));
    let (filter, pool) = (EventFilter { last, ..filter }, app.database.pool().clone());
    let header = Csv::with_header(&EVENT).take();
    Ok(csv::file("ledger.csv", until, header, Next::Newest, move |next| {
        piece(pool.clone(), filter.clone(), next)
    }))
}

/// Which events come next.
enum Next {
    /// None was read yet.
    Newest,
    /// Those of this page.
    Page(String),
    /// All were read.
    Nothing,
}

async fn piece(
    pool: PgPool,
    filter: EventFilter,
    next: Next,
) -> Result<Option<(Bytes, Next)>, ApiError> {
    let cursor = match next {
        Next::Newest => None,
        Next::Page(cursor) => Some(cursor),
        Next::Nothing => return Ok(None),
    };
    let page = PageRequest::new(cursor, Some(PageRequest::MOST))?;
    let found = queries::events(&pool, &filter, &page).await?;
    let mut csv = Csv::default();
    found.items.iter().for_each(|event| write(&mut csv, event));
    let next = found.next_cursor.map_or(Next::Nothing, Next::Page);
    Ok(Some((csv.take(), next)))
}
