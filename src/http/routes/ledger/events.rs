//! The event stream.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use tollgate_domain::journal::{Posting, Side};
use tollgate_projections::queries::{self, EventFilter, StoredEvent};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::error::both;
use crate::http::extract::{AuditorSession, Params};
use crate::http::wire::{Amount, Page, PageParams, ReadParams, hex, plain, sane_times};
use crate::http::{ApiError, AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(list)).routes(routes!(show))
}

/// Which events; absent members filter nothing.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
pub(super) struct EventParams {
    /// Of one stream: the id of an account (`acct_…`) or a master account (`mast_…`), or
    /// `price_book`.
    #[validate(length(max = 64))]
    stream: Option<String>,
    /// As in `ReservationSettled`.
    #[validate(length(max = 64))]
    event_type: Option<String>,
    /// From this position on.
    from_position: Option<i64>,
    /// Up to this position.
    to_position: Option<i64>,
    /// Recorded from here on.
    from: Option<DateTime<Utc>>,
    /// Recorded before this.
    to: Option<DateTime<Utc>>,
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

/// An event as it is stored.
#[derive(Serialize, ToSchema)]
struct EventItem {
    /// Order of all events, from 1, without gaps.
    #[schema(examples(42))]
    position: i64,
    /// `account`, `master_account` or `price_book`.
    #[schema(examples("account"))]
    stream_type: String,
    /// The stream's id.
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    stream: String,
    /// Order within the stream, from 1, without gaps.
    #[schema(examples(7))]
    sequence: i64,
    #[schema(examples("ReservationSettled"))]
    event_type: String,
    #[schema(examples("1"))]
    event_version: String,
    /// By the clock of the process that wrote it.
    recorded_at: DateTime<Utc>,
    /// Who caused it: a user, a key or a part of the system.
    #[schema(examples("usr_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    actor: Option<String>,
    /// With which request.
    #[schema(examples("req_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    request_id: Option<String>,
    /// The event itself, byte for byte as its hash covers it.
    #[schema(value_type = Object)]
    payload: Box<RawValue>,
    /// SHA-256, hexadecimal, of the previous hash of the stream and of everything above.
    #[schema(examples("0628525ad25b78fb0d177f98787215299b57ece7341e7beaa96dd4c081157442"))]
    hash: String,
    /// Of the event before it in its stream; null: it is the first.
    #[schema(examples("fffc7847dac42671dc3232574351209afa8e413a4e9662f24cc514ce73a18394"))]
    previous_hash: Option<String>,
}

/// An event with what it means in the books.
#[derive(Serialize, ToSchema)]
struct EventDetail {
    #[serde(flatten)]
    event: EventItem,
    /// Who caused it and how, byte for byte as the hash covers it.
    #[schema(value_type = Object)]
    metadata: Box<RawValue>,
    /// Its journal entry: debits equal credits. Empty where no money moves.
    entry: Vec<EntryLine>,
    /// Is the hash that of the bytes that are stored, chained to the event before?
    verifies: bool,
    /// The position of the log that the answer reflects.
    as_of_position: i64,
}

/// A line of a journal entry.
#[derive(Serialize, ToSchema)]
pub(super) struct EntryLine {
    #[schema(examples("income:usage"))]
    account: String,
    debit_usd: Option<Amount>,
    #[schema(examples("0.008"))]
    credit_usd: Option<Amount>,
}

/// Who caused an event.
#[derive(Default, Deserialize)]
pub(super) struct Cause {
    pub(super) actor: Option<String>,
    pub(super) request_id: Option<String>,
}

impl Cause {
    /// As its metadata say.
    pub(super) fn of(event: &StoredEvent) -> Self {
        serde_json::from_str(&event.metadata).unwrap_or_default()
    }
}

fn raw(json: &str) -> Result<Box<RawValue>, ApiError> {
    RawValue::from_string(json.to_owned()).map_err(ApiError::internal)
}

impl EventItem {
    fn new(event: &StoredEvent) -> Result<Self, ApiError> {
        let cause = Cause::of(event);
        Ok(Self {
            position: event.position,
            stream_type: event.aggregate_type.clone(),
            stream: event.aggregate_id.clone(),
            sequence: event.sequence,
            event_type: event.event_type.clone(),
            event_version: event.event_version.clone(),
            recorded_at: event.recorded_at,
            actor: cause.actor,
            request_id: cause.request_id,
            payload: raw(&event.payload)?,
            hash: hex(&event.hash),
            previous_hash: event.previous_hash.as_deref().map(hex),
        })
    }
}

impl From<&Posting> for EntryLine {
    fn from(posting: &Posting) -> Self {
        let amount = Some(Amount(posting.amount.decimal()));
        let (debit_usd, credit_usd) = match posting.side {
            Side::Debit => (amount, None),
            Side::Credit => (None, amount),
        };
        Self { account: posting.account.to_string(), debit_usd, credit_usd }
    }
}

impl EventDetail {
    fn new(event: &StoredEvent, as_of_position: i64) -> Result<Self, ApiError> {
        // An event that was tampered with may not be one any more: it is shown all the same.
        let entry = event.entry().ok().flatten();
        Ok(Self {
            event: EventItem::new(event)?,
            metadata: raw(&event.metadata)?,
            entry: entry.iter().flat_map(|entry| entry.postings()).map(Into::into).collect(),
            verifies: event.verifies(),
            as_of_position,
        })
    }
}

impl EventParams {
    pub(super) fn split(self) -> Result<(EventFilter, PageParams), ApiError> {
        sane_times(self.from, self.to)?;
        let filter = EventFilter {
            stream: plain("stream", self.stream)?,
            event_type: plain("event_type", self.event_type)?,
            first: self.from_position,
            last: self.to_position,
            from: self.from,
            to: self.to,
        };
        let page = PageParams { limit: self.limit, cursor: self.cursor, at_least: self.at_least };
        Ok((filter, page))
    }
}

/// List events
///
/// The newest first. A page may be short, or empty, and have a `next_cursor` all the same: where
/// what is asked for is rare, the events after it have not been looked through.
#[utoipa::path(
    get,
    path = "/v1/ledger/events",
    operation_id = "list_events",
    tag = "ledger",
    params(EventParams),
    responses((status = 200, description = "A page of events", body = Page<EventItem>)),
    security(("session" = []))
)]
async fn list(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<EventParams>,
) -> Result<Json<Page<EventItem>>, Problem> {
    let (filter, params) = params.split()?;
    app.visible(params.at_least).await?;
    let found = queries::events(app.database.pool(), &filter, &params.request()?).await?;
    let data = found.items.iter().map(EventItem::new).collect::<Result<_, _>>()?;
    let (next_cursor, as_of_position) = (found.next_cursor, found.as_of_position);
    Ok(Json(Page { data, next_cursor, as_of_position }))
}

/// Show an event
///
/// With its journal entry, its hash, and whether the hash is right.
#[utoipa::path(
    get,
    path = "/v1/ledger/events/{position}",
    operation_id = "show_event",
    tag = "ledger",
    params(
        ("position" = i64, Path, description = "Which", example = 42),
        ReadParams
    ),
    responses(
        (status = 200, description = "The event", body = EventDetail),
        (status = 404, description = "No event has this position"),
    ),
    security(("session" = []))
)]
async fn show(
    State(app): State<AppState>,
    _: AuditorSession,
    Path(position): Path<String>,
    Params(params): Params<ReadParams>,
) -> Result<Json<EventDetail>, Problem> {
    let not_found = || ApiError::NotFound { what: both!("event", "событие") };
    let position: i64 = position.parse().map_err(|_| not_found())?;
    app.visible(params.at_least).await?;
    let found = queries::event(app.database.pool(), position).await?;
    let event = found.data.ok_or_else(not_found)?;
    Ok(Json(EventDetail::new(&event, found.as_of_position)?))
}
