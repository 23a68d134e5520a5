//! An account's history, and the trial balance.

use axum::Json;
use axum::extract::State;
use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::ids::AccountId;
use tollgate_projections::queries::{self, HistoryLine, TrialRow};
use utoipa::{IntoParams, ToSchema};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;
use validator::Validate;

use crate::http::error::both;
use crate::http::extract::{AuditorSession, Params, PathId};
use crate::http::wire::{Amount, Page, PageParams, ReadParams};
use crate::http::{ApiError, AppState, Problem};

/// The endpoints of this module.
pub fn router() -> OpenApiRouter<AppState> {
    OpenApiRouter::new().routes(routes!(history)).routes(routes!(trial_balance))
}

/// Which events of an account.
#[derive(Debug, Clone, Deserialize, IntoParams, Validate)]
#[into_params(parameter_in = Query)]
struct HistoryParams {
    /// Only those that changed the balance.
    #[serde(default)]
    #[param(default = false)]
    money_only: bool,
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

/// An event of an account with the balance after it.
#[derive(Serialize, ToSchema)]
struct HistoryItem {
    /// Of the event; `/v1/ledger/events/{position}` shows it whole.
    #[schema(examples(42))]
    position: i64,
    /// Order within the account's stream.
    #[schema(examples(7))]
    sequence: i64,
    #[schema(examples("ReservationSettled"))]
    event_type: String,
    recorded_at: DateTime<Utc>,
    /// What it changed the balance by.
    #[schema(examples("-0.008"))]
    change_usd: Amount,
    /// The balance after it.
    #[schema(examples("9.992"))]
    balance_usd: Amount,
}

impl From<HistoryLine> for HistoryItem {
    fn from(line: HistoryLine) -> Self {
        Self {
            position: line.event.position,
            sequence: line.event.sequence,
            event_type: line.event.event_type,
            recorded_at: line.event.recorded_at,
            change_usd: line.change.into(),
            balance_usd: line.balance.into(),
        }
    }
}

/// Show an account's history
///
/// Every event of the account, the newest first, with the balance after it.
#[utoipa::path(
    get,
    path = "/v1/ledger/accounts/{account_id}/history",
    operation_id = "show_account_history",
    tag = "ledger",
    params(
        ("account_id" = String, Path, description = "Whose", example = "acct_01k2h3j4k5m6n7p8q9r0s1t2v3"),
        HistoryParams
    ),
    responses(
        (status = 200, description = "A page of events", body = Page<HistoryItem>),
        (status = 404, description = "No such account"),
    ),
    security(("session" = []))
)]
async fn history(
    State(app): State<AppState>,
    _: AuditorSession,
    PathId(account): PathId<AccountId>,
    Params(params): Params<HistoryParams>,
) -> Result<Json<Page<HistoryItem>>, Problem> {
    app.visible(params.at_least).await?;
    let pool = app.database.pool();
    if queries::account(pool, account).await?.data.is_none() {
        return Err(ApiError::NotFound { what: both!("account", "счёт") }.into());
    }
    let HistoryParams { money_only, limit, cursor, at_least } = params;
    let page = PageParams { limit, cursor, at_least }.request()?;
    Ok(Json(Page::of(queries::history(pool, account, money_only, &page).await?)))
}

/// A ledger account.
#[derive(Serialize, ToSchema)]
struct TrialBalanceLine {
    /// All customers are one line.
    #[schema(examples("income:usage"))]
    account: String,
    debit_usd: Amount,
    credit_usd: Amount,
    /// Debit − credit.
    balance_usd: Amount,
    /// Lines of the journal.
    postings: i64,
}

/// Debits and credits by ledger account.
#[derive(Serialize, ToSchema)]
struct TrialBalanceResponse {
    /// By name.
    data: Vec<TrialBalanceLine>,
    /// Everything debited.
    debit_usd: Amount,
    /// Everything credited.
    credit_usd: Amount,
    /// Debit − credit: zero, or the books are wrong.
    #[schema(examples("0"))]
    difference_usd: Amount,
    /// The position of the log that the answer reflects.
    as_of_position: i64,
}

impl From<TrialRow> for TrialBalanceLine {
    fn from(row: TrialRow) -> Self {
        Self {
            account: row.ledger_account,
            debit_usd: row.debit.into(),
            credit_usd: row.credit.into(),
            balance_usd: row.balance.into(),
            postings: row.postings,
        }
    }
}

/// Show the trial balance
///
/// Everything debited and credited, by ledger account. The difference is zero.
#[utoipa::path(
    get,
    path = "/v1/ledger/trial-balance",
    operation_id = "show_trial_balance",
    tag = "ledger",
    params(ReadParams),
    responses((status = 200, description = "The trial balance", body = TrialBalanceResponse)),
    security(("session" = []))
)]
async fn trial_balance(
    State(app): State<AppState>,
    _: AuditorSession,
    Params(params): Params<ReadParams>,
) -> Result<Json<TrialBalanceResponse>, Problem> {
    app.visible(params.at_least).await?;
    let found = queries::trial_balance(app.database.pool(), false).await?;
    let sums = found.data;
    Ok(Json(TrialBalanceResponse {
        difference_usd: (sums.debit - sums.credit).into(),
        debit_usd: sums.debit.into(),
        credit_usd: sums.credit.into(),
        data: sums.accounts.into_iter().map(Into::into).collect(),
        as_of_position: found.as_of_position,
    }))
}
