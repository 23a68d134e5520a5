//! Money in and out, and the statement of a month.

use axum::Json;
use axum::extract::{Path, State};
use chrono::{DateTime, Months, NaiveDate, Utc};
use serde::Serialize;
use tollgate_projections::queries::{self, MoneyMove, Range};
use utoipa::ToSchema;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use crate::http::error::both;
use crate::http::extract::{CustomerSession, Params};
use crate::http::wire::{Amount, Page, PageParams, ReadParams};
use crate::http::{ApiError, AppState, Problem};

/// Money moves in one statement at most; the list has them all.
const MOVES: i64 = 1_000;

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(top_ups)).routes(routes!(statement))
}

/// A change of the balance that is not a request.
#[derive(Serialize, ToSchema)]
struct ClientMovementItem {
    /// The position of its event.
    #[schema(examples(42))]
    position: i64,
    /// Of the top-up, refund, grant or correction.
    #[schema(examples("topup_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// `top_up`, `refund`, `grant`, `grant_expired` or `adjustment`.
    #[schema(examples("top_up"))]
    kind: String,
    /// What the balance changed by.
    #[schema(examples("10"))]
    amount_usd: Amount,
    #[schema(examples("invoice 2026-0042"))]
    reference: Option<String>,
    /// The top-up that a refund is of.
    top_up_id: Option<String>,
    /// Until when a grant may be spent.
    expires_at: Option<DateTime<Utc>>,
    at: DateTime<Utc>,
}

impl From<MoneyMove> for ClientMovementItem {
    fn from(moved: MoneyMove) -> Self {
        Self {
            position: moved.position,
            id: moved.id,
            kind: moved.kind,
            amount_usd: moved.amount.into(),
            reference: moved.reference,
            top_up_id: moved.top_up_id,
            expires_at: moved.expires_at,
            at: moved.at,
        }
    }
}

/// List top-ups
///
/// And refunds, grants, their expiry and corrections: whatever changed the balance besides
/// requests, the newest first.
#[utoipa::path(
    get,
    path = "/v1/client/top-ups",
    operation_id = "list_top_ups",
    tag = "client",
    params(PageParams),
    responses((status = 200, description = "A page of money moves", body = Page<ClientMovementItem>)),
    security(("session" = []))
)]
async fn top_ups(
    State(app): State<AppState>,
    who: CustomerSession,
    Params(params): Params<PageParams>,
) -> Result<Json<Page<ClientMovementItem>>, Problem> {
    app.visible(params.at_least).await?;
    let pool = app.database.pool();
    let page = queries::top_ups(pool, Some(who.account), &params.request()?).await?;
    Ok(Json(Page::of(page)))
}

/// A month's statement. `closing = opening + topped up − refunded + granted − expired + adjusted −
/// charged`, and the next month opens with it.
#[derive(Serialize, ToSchema)]
struct StatementResponse {
    #[schema(examples("2026-08"))]
    month: String,
    #[schema(examples("acct_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    account_id: String,
    /// The balance when the month began (UTC).
    #[schema(examples("3.50"))]
    opening_usd: Amount,
    topped_up_usd: Amount,
    refunded_usd: Amount,
    granted_usd: Amount,
    expired_usd: Amount,
    adjusted_usd: Amount,
    charged_usd: Amount,
    /// The balance when it ended, or now.
    #[schema(examples("9.25"))]
    closing_usd: Amount,
    /// Charged requests.
    requests: i64,
    /// Whatever changed the balance besides requests, the oldest first; at most 1,000.
    movements: Vec<ClientMovementItem>,
    /// What was charged, by model.
    models: Vec<ModelLine>,
    /// The position of the log that the answer reflects.
    as_of_position: i64,
}

/// A model on a statement.
#[derive(Serialize, ToSchema)]
struct ModelLine {
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    requests: i64,
    prompt_tokens: i64,
    completion_tokens: i64,
    charge_usd: Amount,
}

/// The UTC month that a text as `2026-08` means.
pub(super) fn month(text: &str) -> Option<Range> {
    let digits = text.len() == 7 && text.bytes().all(|b| b.is_ascii_digit() || b == b'-');
    let first = NaiveDate::parse_from_str(&format!("{text}-01"), "%Y-%m-%d").ok()?;
    let next = first.checked_add_months(Months::new(1))?;
    let moment = |day: NaiveDate| day.and_hms_opt(0, 0, 0).map(|time| time.and_utc());
    digits.then_some(())?;
    Some(Range { from: moment(first)?, to: moment(next)? })
}

/// What is no month.
pub(super) fn invalid_month() -> ApiError {
    let message = both!("Write a month as in 2026-08.", "Напишите месяц, например: 2026-08.");
    ApiError::invalid("month", message)
}

/// Show a month's statement
///
/// What you had, what came and went, what was charged, what you have.
#[utoipa::path(
    get,
    path = "/v1/client/statements/{month}",
    operation_id = "show_statement",
    tag = "client",
    params(
        ("month" = String, Path, description = "A UTC month", example = "2026-08"),
        ReadParams
    ),
    responses((status = 200, description = "The statement", body = StatementResponse)),
    security(("session" = []))
)]
async fn statement(
    State(app): State<AppState>,
    who: CustomerSession,
    Path(text): Path<String>,
    Params(params): Params<ReadParams>,
) -> Result<Json<StatementResponse>, Problem> {
    let range = month(&text).ok_or_else(invalid_month)?;
    app.visible(params.at_least).await?;
    let found = queries::statement(app.database.pool(), who.account, range, MOVES).await?;
    let (sums, as_of_position) = (found.data.sums, found.as_of_position);
    Ok(Json(StatementResponse {
        month: text,
        account_id: who.account.to_string(),
        opening_usd: sums.opening.into(),
        topped_up_usd: sums.topped_up.into(),
        refunded_usd: sums.refunded.into(),
        granted_usd: sums.granted.into(),
        expired_usd: sums.expired.into(),
        adjusted_usd: sums.adjusted.into(),
        charged_usd: sums.charged.into(),
        closing_usd: sums.closing.into(),
        requests: sums.requests,
        movements: found.data.moves.into_iter().map(Into::into).collect(),
        models: found.data.models.into_iter().map(Into::into).collect(),
        as_of_position,
    }))
}

impl From<queries::ModelUsage> for ModelLine {
    fn from(line: queries::ModelUsage) -> Self {
        Self {
            model: line.model,
            requests: line.usage.requests,
            prompt_tokens: line.usage.prompt_tokens,
            completion_tokens: line.usage.completion_tokens,
            charge_usd: line.usage.charge.into(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_month_is_a_year_and_a_month_and_nothing_else() {
        let range = month("2026-12").expect("a month");
        assert_eq!(range.from.to_rfc3339(), "2026-12-01T00:00:00+00:00");
        assert_eq!(range.to.to_rfc3339(), "2027-01-01T00:00:00+00:00");
        for text in ["", "2026", "2026-13", "2026-1", "2026-08-01", "+026-08", "20260-8", "août"] {
            assert!(month(text).is_none(), "{text}");
        }
    }
}
