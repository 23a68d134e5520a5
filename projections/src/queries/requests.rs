//! Ended requests: the customer's recent ones and the operator's log.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool, query};
use tollgate_domain::ids::{AccountId, KeyId, ReservationId};
use tollgate_domain::usage::Usage;

use super::page::{AsOf, Page, PageRequest, QueryError, as_of, fetch, first};

/// One ended reservation; everything from `prompt_tokens` on is empty where nothing was charged.
/// The costs and the master account are the operator's business: not for customers.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Request {
    /// The position of its last event; the list's order.
    pub position: i64,
    /// `rsv_…`
    pub reservation_id: String,
    /// Whose it is.
    pub account_id: String,
    /// The key that it came with.
    pub key_id: String,
    /// The model that it asked for.
    pub model: String,
    /// `settled`, `released` or `expired`; `corrected` or `billed_late` where the truth came after
    /// that: such a row replaces the earlier one of its reservation.
    pub state: String,
    /// How a settled one ended, why a released one was, or `expired`.
    pub outcome: String,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// What had been set aside for it.
    pub reserved: Decimal,
    /// All input tokens.
    pub prompt_tokens: Option<i64>,
    /// All output tokens.
    pub completion_tokens: Option<i64>,
    /// Input tokens read from a cache.
    pub cached_tokens: Option<i64>,
    /// Output tokens spent on reasoning.
    pub reasoning_tokens: Option<i64>,
    /// Every class.
    pub usage: Option<Json<Usage>>,
    /// The upstream's public price of it, with all its decimals.
    pub list_cost: Option<Decimal>,
    /// What our price list says, where it differs.
    pub computed_list_cost: Option<Decimal>,
    /// Where the list cost comes from.
    pub source: Option<String>,
    /// Charge = list cost × this.
    pub sale_ratio: Option<Decimal>,
    /// What the customer paid.
    pub charge: Option<Decimal>,
    /// Cost = list cost × this.
    pub cost_rate: Option<Decimal>,
    /// What we paid.
    pub cost: Option<Decimal>,
    /// Version of the price list.
    pub price_version: Option<i64>,
    /// The upstream account that served it.
    pub master_account_id: Option<String>,
    /// The upstream's handle.
    pub generation_id: Option<String>,
    /// Was the answer streamed?
    pub streamed: Option<bool>,
    /// Milliseconds until the upstream's first byte.
    pub first_byte_ms: Option<i64>,
    /// Milliseconds until the end.
    pub total_ms: Option<i64>,
    /// What went wrong, in the words of the fairness policy.
    pub mishap: Option<String>,
    /// What that policy charges then.
    pub treatment: Option<String>,
    /// Which version of it.
    pub policy_version: Option<i64>,
    /// The upstream's public price of what was not charged.
    pub waived_list_cost: Option<Decimal>,
    /// What we paid for that.
    pub waived: Option<Decimal>,
    /// What the row that this one replaces had charged.
    pub charge_before: Option<Decimal>,
    /// The fallback that answered in the place of the requested model.
    pub answered_model: Option<String>,
    /// The request as the client sees it, `req_…`
    pub request_id: Option<String>,
    /// Who caused the end.
    pub actor: String,
}

/// Which requests; empty members filter nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequestFilter {
    /// Of one account.
    pub account: Option<AccountId>,
    /// That came with one key.
    pub key: Option<KeyId>,
    /// That asked for one model.
    pub model: Option<String>,
    /// `settled`, `released` or `expired`.
    pub state: Option<String>,
    /// One of [`Request::outcome`].
    pub outcome: Option<String>,
}

pub(super) const REQUEST: &str = "SELECT position, reservation_id, account_id, key_id, model, state, outcome, \
    ended_at, reserved, prompt_tokens, completion_tokens, cached_tokens, reasoning_tokens, usage, \
    list_cost, computed_list_cost, source, sale_ratio, charge, cost_rate, cost, price_version, \
    master_account_id, generation_id, streamed, first_byte_ms, total_ms, mishap, treatment, \
    policy_version, waived_list_cost, waived, charge_before, answered_model, request_id, actor \
    FROM read.requests";

/// All requests that pass the filter, newest first.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn requests(
    pool: &PgPool,
    filter: &RequestFilter,
    page: &PageRequest,
) -> Result<Page<Request>, QueryError> {
    let filters = [
        ("account_id", filter.account.map(|id| id.to_string())),
        ("key_id", filter.key.map(|id| id.to_string())),
        ("model", filter.model.clone()),
        ("state", filter.state.clone()),
        ("outcome", filter.outcome.clone()),
    ];
    // Only the conditions that are asked for stand in the statement, so that each combination gets
    // a plan of its own.
    let mut rows = format!("{REQUEST} WHERE position < $1");
    let mut values = vec![];
    for (column, value) in filters {
        if let Some(value) = value {
            values.push(value);
            rows += &format!(" AND {column} = ${}", values.len() + 2);
        }
    }
    rows += " ORDER BY position DESC LIMIT $2";
    let sql = as_of(&["requests"], &rows, "r.position DESC");
    let query = query(&sql).bind(page.before()?).bind(page.rows());
    let query = values.into_iter().fold(query, sqlx::query::Query::bind);
    Ok(page.page(fetch(pool, query).await?, |request: &Request| request.position.to_string()))
}

/// The requests of one account, newest first.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn recent_requests(
    pool: &PgPool,
    account: AccountId,
    filter: &RequestFilter,
    page: &PageRequest,
) -> Result<Page<Request>, QueryError> {
    let filter = RequestFilter { account: Some(account), ..filter.clone() };
    requests(pool, &filter, page).await
}

/// The newest word on one reservation of an account.
///
/// # Errors
/// The database's.
pub async fn request(
    pool: &PgPool,
    account: AccountId,
    reservation: ReservationId,
) -> Result<AsOf<Option<Request>>, QueryError> {
    let rows = format!(
        "{REQUEST} WHERE account_id = $1 AND reservation_id = $2 ORDER BY position DESC LIMIT 1"
    );
    let sql = as_of(&["requests"], &rows, "1");
    let query = query(&sql).bind(account.to_string()).bind(reservation.to_string());
    Ok(first(fetch(pool, query).await?))
}

/// Everything that is known of one generation of an account, oldest first: its end, and what
/// replaced that later. Other accounts' generations are not found.
///
/// # Errors
/// The database's.
pub async fn generation(
    pool: &PgPool,
    account: AccountId,
    generation: &str,
) -> Result<AsOf<Vec<Request>>, QueryError> {
    let rows = format!("{REQUEST} WHERE generation_id = $1 AND account_id = $2 LIMIT 10");
    let sql = as_of(&["requests"], &rows, "r.position");
    fetch(pool, query(&sql).bind(generation).bind(account.to_string())).await
}
