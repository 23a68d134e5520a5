//! The customer's own tables as CSV.

use axum::body::Bytes;
use axum::extract::{Path, State};
use axum::response::Response;
use chrono::{DateTime, NaiveDate, TimeDelta, Utc};
use rust_decimal::Decimal;
use tollgate_domain::ids::AccountId;
use tollgate_projections::queries::{
    self, Breakdown, MoneyMove, Range, Request, RequestSearch, UsageFilter,
};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::statements::{invalid_month, month};
use crate::http::csv::{self, Csv, MOST_ROWS};
use crate::http::extract::{CustomerSession, Params};
use crate::http::search::RequestParams;
use crate::http::wire::{ReadParams, SpanParams};
use crate::http::{ApiError, AppState, Problem};

/// Rows that are read at once.
const PIECE: i64 = 1_000;
/// The most movements of a statement, which are read at once.
const MOST_MOVES: i64 = 10_000;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(requests)).routes(routes!(usage)).routes(routes!(statement))
}

const REQUEST: [&str; 20] = [
    "ended_at",
    "request_id",
    "id",
    "api_key_id",
    "model",
    "answered_model",
    "state",
    "outcome",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "reasoning_tokens",
    "list_cost_usd",
    "sale_ratio",
    "charge_usd",
    "reserved_usd",
    "source",
    "mishap",
    "total_ms",
    "position",
];

fn request(csv: &mut Csv, request: &Request) {
    csv.moment(request.ended_at);
    csv.maybe(request.request_id.as_deref());
    csv.text(&request.reservation_id);
    csv.text(&request.key_id);
    csv.text(&request.model);
    csv.maybe(request.answered_model.as_deref());
    csv.text(&request.state);
    csv.text(&request.outcome);
    csv.count(request.prompt_tokens);
    csv.count(request.completion_tokens);
    csv.count(request.cached_tokens);
    csv.count(request.reasoning_tokens);
    csv.amount(request.list_cost);
    csv.amount(request.sale_ratio);
    csv.amount(request.charge);
    csv.amount(Some(request.reserved));
    csv.maybe(request.source.as_deref());
    csv.maybe(request.mishap.as_deref());
    csv.count(request.total_ms);
    csv.count(Some(request.position));
    csv.end();
}

/// Download requests
///
/// What `/v1/client/requests` lists, as CSV, the newest first: at most 100,000 rows; `limit` and
/// `cursor` mean nothing here. A cell that a spreadsheet would compute begins with an apostrophe.
#[utoipa::path(
    get,
    path = "/v1/client/requests.csv",
    operation_id = "download_requests",
    tag = "client",
    params(RequestParams),
    responses(
        (status = 200, description = "The table", content_type = "text/csv", body = String,
            headers(("x-tollgate-as-of-position" = i64, description = "The position of the log that it reflects")),
            example = "ended_at,request_id,id\r\n"),
        (status = 400, description = "A filter makes no sense, or there are too many rows"),
    ),
    security(("session" = []))
)]
async fn requests(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<RequestParams>,
) -> Result<Response, Problem> {
    let (search, page) = params.split()?;
    let until = app.visible(page.at_least).await?;
    let pool = app.database.pool().clone();
    let account = who.account;
    let rows = queries::count_requests(&pool, account, &search, until, MOST_ROWS + 1).await?;
    csv::check_rows(rows, MOST_ROWS)?;
    let header = Csv::with_header(&REQUEST).take();
    Ok(csv::file("requests.csv", until, header, i64::MAX, move |before| {
        requests_before(pool.clone(), account, search.clone(), before, until)
    }))
}

async fn requests_before(
    pool: sqlx::PgPool,
    account: AccountId,
    search: RequestSearch,
    before: i64,
    until: i64,
) -> Result<Option<(Bytes, i64)>, ApiError> {
    let found = queries::request_rows(&pool, account, &search, before, until, PIECE).await?;
    let Some(last) = found.data.last() else { return Ok(None) };
    let mut csv = Csv::default();
    found.data.iter().for_each(|row| request(&mut csv, row));
    Ok(Some((csv.take(), last.position)))
}

const USAGE: [&str; 13] = [
    "day",
    "model",
    "api_key_id",
    "requests",
    "unbilled_requests",
    "prompt_tokens",
    "completion_tokens",
    "cached_tokens",
    "cache_write_tokens",
    "reasoning_tokens",
    "audio_tokens",
    "list_cost_usd",
    "charge_usd",
];

/// Download usage
///
/// By UTC day, model and key, as CSV, the oldest day first: at most 100,000 rows.
#[utoipa::path(
    get,
    path = "/v1/client/usage.csv",
    operation_id = "download_usage",
    tag = "client",
    params(SpanParams),
    responses(
        (status = 200, description = "The table", content_type = "text/csv", body = String,
            headers(("x-tollgate-as-of-position" = i64, description = "The position of the log that it reflects")),
            example = "day,model,api_key_id\r\n"),
        (status = 400, description = "The span makes no sense, or there are too many rows"),
    ),
    security(("session" = []))
)]
async fn usage(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<SpanParams>,
) -> Result<Response, Problem> {
    let as_of = app.visible(params.at_least).await?;
    let (pool, range, account) = (app.database.pool().clone(), params.range()?, who.account);
    let (by, all) = (Breakdown { day: true, model: true, key: true }, UsageFilter::default());
    let most = MOST_ROWS + 1;
    let rows = queries::count_breakdown(&pool, account, range, by, &all, most).await?;
    csv::check_rows(rows, MOST_ROWS)?;
    let days = queries::daily(&pool, account, range).await?.data;
    let days = days.into_iter().map(|daily| daily.day).collect::<Vec<_>>().into_iter();
    let header = Csv::with_header(&USAGE).take();
    Ok(csv::file("usage.csv", as_of, header, days, move |days| {
        usage_of_next(pool.clone(), account, range, days)
    }))
}

type Days = std::vec::IntoIter<NaiveDate>;

async fn usage_of_next(
    pool: sqlx::PgPool,
    account: AccountId,
    range: Range,
    mut days: Days,
) -> Result<Option<(Bytes, Days)>, ApiError> {
    let Some(day) = days.next() else { return Ok(None) };
    let begins = day.and_time(chrono::NaiveTime::MIN).and_utc();
    let ends = begins + TimeDelta::days(1);
    let range = Range { from: begins.max(range.from), to: ends.min(range.to) };
    let (by, all) = (Breakdown { day: true, model: true, key: true }, UsageFilter::default());
    let found = queries::breakdown(&pool, account, range, by, &all, MOST_ROWS).await?;
    let mut csv = Csv::default();
    for line in found.data {
        csv.maybe(line.day.map(|day| day.to_string()).as_deref());
        csv.maybe(line.model.as_deref());
        csv.maybe(line.key_id.as_deref());
        let usage = line.usage;
        for count in [
            usage.requests,
            usage.unbilled,
            usage.prompt_tokens,
            usage.completion_tokens,
            usage.cached_tokens,
            usage.cache_write_tokens,
            usage.reasoning_tokens,
            usage.audio_tokens,
        ] {
            csv.count(Some(count));
        }
        csv.amount(Some(usage.list_cost));
        csv.amount(Some(usage.charge));
        csv.end();
    }
    Ok(Some((csv.take(), days)))
}

const STATEMENT: [&str; 7] =
    ["at", "kind", "id", "reference", "requests", "amount_usd", "balance_usd"];

/// Download a month's statement
///
/// As CSV: the opening balance, every movement, what was charged by UTC day, the closing balance;
/// the last column is the balance after each line. At most 10,000 movements.
#[utoipa::path(
    get,
    path = "/v1/client/statements/{month}/csv",
    operation_id = "download_statement",
    tag = "client",
    params(
        ("month" = String, Path, description = "A UTC month", example = "2026-08"),
        ReadParams
    ),
    responses(
        (status = 200, description = "The table", content_type = "text/csv", body = String,
            headers(("x-tollgate-as-of-position" = i64, description = "The position of the log that it reflects")),
            example = "at,kind,id\r\n"),
        (status = 400, description = "That is no month, or there are too many rows"),
    ),
    security(("session" = []))
)]
async fn statement(
    State(app): State<AppState>,
    who: CustomerSession,
    Path(text): Path<String>,
    Params(params): Params<ReadParams>,
) -> Result<Response, Problem> {
    let range = month(&text).ok_or_else(invalid_month)?;
    app.visible(params.at_least).await?;
    let (pool, account) = (app.database.pool(), who.account);
    let found = queries::statement_lines(pool, account, range, MOST_MOVES).await?;
    let (as_of, found) = (found.as_of_position, found.data);
    csv::check_rows(i64::try_from(found.moves.len()).unwrap_or(i64::MAX), MOST_MOVES)?;
    let mut csv = Csv::with_header(&STATEMENT);
    let mut balance = found.sums.opening;
    line(&mut csv, Line { at: range.from, ..Line::plain("opening") }, balance);
    let mut days = found.days.into_iter().peekable();
    for moved in &found.moves {
        while let Some(day) = days.next_if(|day| ends(day.day) <= moved.at) {
            balance -= day.usage.charge;
            line(&mut csv, Line::usage(&day), balance);
        }
        balance += moved.amount;
        line(&mut csv, Line::moved(moved), balance);
    }
    for day in days {
        balance -= day.usage.charge;
        line(&mut csv, Line::usage(&day), balance);
    }
    line(&mut csv, Line { at: range.to, ..Line::plain("closing") }, found.sums.closing);
    Ok(csv::file(&format!("statement-{text}.csv"), as_of, csv.take(), (), |()| async { Ok(None) }))
}

/// A line of a statement.
struct Line<'a> {
    at: DateTime<Utc>,
    kind: &'a str,
    id: Option<&'a str>,
    reference: Option<&'a str>,
    requests: Option<i64>,
    amount: Option<Decimal>,
}

impl<'a> Line<'a> {
    const fn plain(kind: &'a str) -> Self {
        let at = DateTime::<Utc>::UNIX_EPOCH;
        Self { at, kind, id: None, reference: None, requests: None, amount: None }
    }

    fn moved(moved: &'a MoneyMove) -> Self {
        Self {
            at: moved.at,
            id: Some(&moved.id),
            reference: moved.reference.as_deref(),
            amount: Some(moved.amount),
            ..Self::plain(&moved.kind)
        }
    }

    /// A day's charges stand at its end.
    fn usage(day: &queries::DailyUsage) -> Self {
        Self {
            at: ends(day.day),
            requests: Some(day.usage.requests),
            amount: Some(-day.usage.charge),
            ..Self::plain("usage")
        }
    }
}

fn ends(day: NaiveDate) -> DateTime<Utc> {
    day.and_time(chrono::NaiveTime::MIN).and_utc() + TimeDelta::days(1)
}

fn line(csv: &mut Csv, line: Line<'_>, balance: Decimal) {
    csv.moment(line.at);
    csv.text(line.kind);
    csv.maybe(line.id);
    csv.maybe(line.reference);
    csv.count(line.requests);
    csv.amount(line.amount);
    csv.amount(Some(balance));
    csv.end();
}
