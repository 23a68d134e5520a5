//! What operators decided: about accounts, upstream accounts and prices; and grants that are due.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{FromRow, PgPool, query};

use super::page::{AsOf, Page, PageRequest, QueryError, as_of, fetch};

/// A decision of an operator.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Action {
    /// The position of its event; the list's order.
    pub position: i64,
    /// `acct_…`, `mast_…` or `price_book`.
    pub subject: String,
    /// The event, as in `AccountSuspended`.
    pub action: String,
    /// The amount, where money or credits moved.
    pub amount: Option<Decimal>,
    /// The id of the remark that says why.
    pub reason: Option<String>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
}

/// Decisions, newest first; about one subject or all, of one kind or all.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn actions(
    pool: &PgPool,
    subject: Option<&str>,
    action: Option<&str>,
    page: &PageRequest,
) -> Result<Page<Action>, QueryError> {
    let rows = "SELECT position, subject, action, amount, reason, at, actor FROM read.actions \
         WHERE position < $1 AND ($3::text IS NULL OR subject = $3) \
           AND ($4::text IS NULL OR action = $4) ORDER BY position DESC LIMIT $2";
    let sql = as_of(&["actions"], rows, "r.position DESC");
    let query = query(&sql).bind(page.before()?).bind(page.rows()).bind(subject).bind(action);
    Ok(page.page(fetch(pool, query).await?, |action: &Action| action.position.to_string()))
}

/// A change of the price book.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct PriceChange {
    /// The position of its event; the list's order.
    pub position: i64,
    /// `ratio_set`, `plan_defined`, `prices_published`, `model_priced` or `model_retired`.
    pub kind: String,
    /// `default`, `plan`, `model` or `account`.
    pub scope: Option<String>,
    /// The plan, model or account; the source of a list that was published.
    pub subject: Option<String>,
    /// The sale ratio; none in a `ratio_set`: the override was taken away.
    pub ratio: Option<Decimal>,
    /// List price of an input token.
    pub prompt: Option<Decimal>,
    /// List price of an output token.
    pub completion: Option<Decimal>,
    /// The version of a list that was published.
    pub price_version: Option<i64>,
    /// How many models it has.
    pub models: Option<i64>,
    /// The id of the remark that says why.
    pub reason: Option<String>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
}

/// Which changes of the price book are asked for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct PriceChangeFilter {
    /// Of this kind.
    pub kind: Option<String>,
    /// Of this plan, model or account.
    pub subject: Option<String>,
}

/// Changes of the price book, newest first.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn price_changes(
    pool: &PgPool,
    filter: &PriceChangeFilter,
    page: &PageRequest,
) -> Result<Page<PriceChange>, QueryError> {
    let rows = "SELECT position, kind, scope, subject, ratio, prompt, completion, price_version, \
            models, reason, at, actor FROM read.price_changes \
         WHERE position < $1 AND ($3::text IS NULL OR kind = $3) \
           AND ($4::text IS NULL OR subject = $4) ORDER BY position DESC LIMIT $2";
    let sql = as_of(&["price_changes"], rows, "r.position DESC");
    let query = query(&sql).bind(page.before()?).bind(page.rows());
    let query = query.bind(filter.kind.clone()).bind(filter.subject.clone());
    Ok(page.page(fetch(pool, query).await?, |change: &PriceChange| change.position.to_string()))
}

/// A grant.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Grant {
    /// `grant_…`
    pub grant_id: String,
    /// Whose.
    pub account_id: String,
    /// What was given.
    pub amount: Decimal,
    /// Until when it may be spent.
    pub expires_at: DateTime<Utc>,
}

/// Grants whose time was over at `at` and whose expiry is not recorded, oldest first.
///
/// # Errors
/// The database's.
pub async fn due_grants(
    pool: &PgPool,
    at: DateTime<Utc>,
    most: i64,
) -> Result<AsOf<Vec<Grant>>, QueryError> {
    let rows = "SELECT grant_id, account_id, amount, expires_at FROM read.grants \
         WHERE expires_at <= $1 AND over IS NOT TRUE AND account_id IS NOT NULL \
         ORDER BY expires_at, grant_id LIMIT $2";
    let sql = as_of(&["grants"], rows, "r.expires_at, r.grant_id");
    fetch(pool, query(&sql).bind(at).bind(most)).await
}
