//! Accounts and their keys.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool, query};
use tollgate_domain::account::{AccountLimits, KeyLimits};
use tollgate_domain::ids::{AccountId, KeyId};

use super::page::{AsOf, Page, PageRequest, QueryError, as_of, fetch, first};

/// A customer's account.
/// `balance = topped_up − refunded + granted − expired + adjusted − spent`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Account {
    /// `acct_…`
    pub account_id: String,
    /// `usr_…`
    pub owner_id: Option<String>,
    /// `active` or `suspended`.
    pub status: String,
    /// The plan that an operator assigned.
    pub plan: Option<String>,
    /// What the operator allows all keys together.
    pub limits: Json<AccountLimits>,
    /// All the customer's money.
    pub balance: Decimal,
    /// Set aside by open reservations.
    pub reserved: Decimal,
    /// `balance − reserved`.
    pub available: Decimal,
    /// Everything ever topped up; refunds are not taken off.
    pub topped_up: Decimal,
    /// Everything ever paid back.
    pub refunded: Decimal,
    /// Everything ever given.
    pub granted: Decimal,
    /// Of it taken back unspent.
    pub expired: Decimal,
    /// Corrections, up and down.
    pub adjusted: Decimal,
    /// Everything ever charged.
    pub spent: Decimal,
    /// Charged requests.
    pub requests: i64,
    /// When it was opened.
    pub opened_at: Option<DateTime<Utc>>,
    /// Its newest event.
    pub last_activity_at: Option<DateTime<Utc>>,
}

const ACCOUNT: &str = "SELECT account_id, owner_id, COALESCE(status, 'active') AS status, \
    NULLIF(plan, '') AS plan, \
    COALESCE(limits, '{}') AS limits, trim_scale(balance) AS balance, \
    trim_scale(reserved) AS reserved, trim_scale(balance - reserved) AS available, \
    trim_scale(topped_up) AS topped_up, trim_scale(refunded) AS refunded, \
    trim_scale(granted) AS granted, trim_scale(expired) AS expired, \
    trim_scale(adjusted) AS adjusted, \
    trim_scale(spent) AS spent, requests, opened_at, last_activity_at FROM read.account_balances";

/// One account; none: nothing of it is applied yet.
///
/// # Errors
/// The database's.
pub async fn account(pool: &PgPool, id: AccountId) -> Result<AsOf<Option<Account>>, QueryError> {
    let rows = format!("{ACCOUNT} WHERE account_id = $1");
    let sql = as_of(&["account_balances"], &rows, "1");
    Ok(first(fetch(pool, query(&sql).bind(id.to_string())).await?))
}

/// The same as [`account`]: balance, reserved, available and the lifetime sums.
///
/// # Errors
/// The database's.
pub async fn balance(pool: &PgPool, id: AccountId) -> Result<AsOf<Option<Account>>, QueryError> {
    account(pool, id).await
}

/// All accounts, by id: that is, in the order in which they were made.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn accounts(pool: &PgPool, page: &PageRequest) -> Result<Page<Account>, QueryError> {
    let rows = format!("{ACCOUNT} WHERE account_id > $1 ORDER BY account_id LIMIT $2");
    let sql = as_of(&["account_balances"], &rows, "r.account_id");
    let found = fetch(pool, query(&sql).bind(page.after()?).bind(page.rows())).await?;
    Ok(page.page(found, |account: &Account| account.account_id.clone()))
}

/// Accounts whose id begins with this text, by id.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn accounts_from(
    pool: &PgPool,
    beginning: &str,
    page: &PageRequest,
) -> Result<Page<Account>, QueryError> {
    // The first condition is what the index can do.
    let rows = format!(
        "{ACCOUNT} WHERE account_id >= $3 AND account_id > $1 AND starts_with(account_id, $3) \
         ORDER BY account_id LIMIT $2"
    );
    let sql = as_of(&["account_balances"], &rows, "r.account_id");
    let query = query(&sql).bind(page.after()?).bind(page.rows()).bind(beginning);
    Ok(page.page(fetch(pool, query).await?, |account: &Account| account.account_id.clone()))
}

/// These accounts, by id.
///
/// # Errors
/// The database's.
pub async fn accounts_by_id(
    pool: &PgPool,
    ids: &[AccountId],
) -> Result<AsOf<Vec<Account>>, QueryError> {
    let rows = format!("{ACCOUNT} WHERE account_id = ANY($1)");
    let sql = as_of(&["account_balances"], &rows, "r.account_id");
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    fetch(pool, query(&sql).bind(ids)).await
}

/// An API key's limits and use. Its name and masked text stand in the table `api_keys`.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Key {
    /// `key_…`
    pub key_id: String,
    /// Whose it is.
    pub account_id: Option<String>,
    /// `active` or `revoked`.
    pub status: String,
    /// What it may spend.
    pub limits: Json<KeyLimits>,
    /// Charged requests.
    pub requests: i64,
    /// Input and output tokens of them.
    pub tokens: i64,
    /// Everything ever charged to it.
    pub charge: Decimal,
    /// Set aside by its open reservations.
    pub reserved: Decimal,
    /// Its newest reservation.
    pub last_used_at: Option<DateTime<Utc>>,
    /// When it was issued.
    pub issued_at: Option<DateTime<Utc>>,
    /// When it was revoked.
    pub revoked_at: Option<DateTime<Utc>>,
}

const KEY: &str = "SELECT key_id, account_id, COALESCE(status, 'active') AS status, \
    COALESCE(limits, '{}') AS limits, requests, tokens, trim_scale(charge) AS charge, \
    trim_scale(reserved) AS reserved, last_used_at, issued_at, revoked_at FROM read.key_usage";

/// The keys of an account, by id.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn keys(
    pool: &PgPool,
    account: AccountId,
    page: &PageRequest,
) -> Result<Page<Key>, QueryError> {
    let rows = format!("{KEY} WHERE account_id = $1 AND key_id > $2 ORDER BY key_id LIMIT $3");
    let sql = as_of(&["key_usage"], &rows, "r.key_id");
    let query = query(&sql).bind(account.to_string()).bind(page.after()?).bind(page.rows());
    Ok(page.page(fetch(pool, query).await?, |key: &Key| key.key_id.clone()))
}

/// These keys of an account, by id.
///
/// # Errors
/// The database's.
pub async fn keys_by_id(
    pool: &PgPool,
    account: AccountId,
    ids: &[KeyId],
) -> Result<AsOf<Vec<Key>>, QueryError> {
    let rows = format!("{KEY} WHERE account_id = $1 AND key_id = ANY($2)");
    let sql = as_of(&["key_usage"], &rows, "r.key_id");
    let ids: Vec<String> = ids.iter().map(ToString::to_string).collect();
    fetch(pool, query(&sql).bind(account.to_string()).bind(ids)).await
}

/// One key.
///
/// # Errors
/// The database's.
pub async fn key(pool: &PgPool, id: KeyId) -> Result<AsOf<Option<Key>>, QueryError> {
    let sql = as_of(&["key_usage"], &format!("{KEY} WHERE key_id = $1"), "1");
    Ok(first(fetch(pool, query(&sql).bind(id.to_string())).await?))
}
