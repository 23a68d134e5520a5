//! Money in and out, and the trial balance.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{FromRow, PgPool, query};
use tollgate_domain::ids::AccountId;

use super::page::{AsOf, Page, PageRequest, QueryError, as_of, fetch};

/// A change of a balance that is not a request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct MoneyMove {
    /// The position of its event; the list's order.
    pub position: i64,
    /// `topup_…`, `grant_…`, `rfnd_…` or `adj_…`
    pub id: String,
    /// Whose balance changed.
    pub account_id: String,
    /// `top_up`, `grant`, `grant_expired`, `refund` or `adjustment`.
    pub kind: String,
    /// What the balance changed by; a refund is negative.
    pub amount: Decimal,
    /// Who took or gave the money.
    pub processor: Option<String>,
    /// The processor's or the operator's reference.
    pub reference: Option<String>,
    /// Why.
    pub reason: Option<String>,
    /// The top-up itself, or the one that a refund is of.
    pub top_up_id: Option<String>,
    /// Until when a grant may be spent; none: for ever.
    pub expires_at: Option<DateTime<Utc>>,
    /// When it was recorded.
    pub at: DateTime<Utc>,
    /// Who did it.
    pub actor: String,
}

pub(super) const MONEY_MOVE: &str = "SELECT position, id, account_id, kind, amount, processor, \
    reference, reason, top_up_id, expires_at, at, actor FROM read.top_ups";

/// Money moves, newest first; of one account or of all.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn top_ups(
    pool: &PgPool,
    account: Option<AccountId>,
    page: &PageRequest,
) -> Result<Page<MoneyMove>, QueryError> {
    let filter = if account.is_some() { "AND account_id = $3" } else { "" };
    let rows = format!("{MONEY_MOVE} WHERE position < $1 {filter} ORDER BY position DESC LIMIT $2");
    let sql = as_of(&["top_ups"], &rows, "r.position DESC");
    let mut query = query(&sql).bind(page.before()?).bind(page.rows());
    if let Some(account) = account {
        query = query.bind(account.to_string());
    }
    Ok(page.page(fetch(pool, query).await?, |moved: &MoneyMove| moved.position.to_string()))
}

/// The money moves of an account with these ids.
///
/// # Errors
/// The database's.
pub async fn top_ups_by_id(
    pool: &PgPool,
    account: AccountId,
    ids: &[String],
) -> Result<AsOf<Vec<MoneyMove>>, QueryError> {
    let rows = format!("{MONEY_MOVE} WHERE account_id = $1 AND id = ANY($2)");
    let sql = as_of(&["top_ups"], &rows, "r.position");
    fetch(pool, query(&sql).bind(account.to_string()).bind(ids)).await
}

/// One ledger account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct TrialRow {
    /// Such as `income:usage`; customers are one line here.
    pub ledger_account: String,
    /// Everything debited.
    pub debit: Decimal,
    /// Everything credited.
    pub credit: Decimal,
    /// `debit − credit`.
    pub balance: Decimal,
    /// Lines of the journal.
    pub postings: i64,
}

/// Debits and credits by ledger account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct TrialBalance {
    /// By name.
    pub accounts: Vec<TrialRow>,
    /// Everything debited.
    pub debit: Decimal,
    /// Everything credited: equal to what was debited, or the books are wrong.
    pub credit: Decimal,
}

/// The trial balance. With thousands of customers their lines would hide the others, so unless
/// `by_customer` they are one line, `liabilities:customers`.
///
/// # Errors
/// The database's.
pub async fn trial_balance(
    pool: &PgPool,
    by_customer: bool,
) -> Result<AsOf<TrialBalance>, QueryError> {
    let name = match by_customer {
        true => "ledger_account",
        false => {
            "CASE WHEN ledger_account LIKE 'liabilities:customers:%' \
             THEN 'liabilities:customers' ELSE ledger_account END"
        }
    };
    let rows = format!(
        "SELECT {name} AS ledger_account, trim_scale(sum(debit)) AS debit, \
         trim_scale(sum(credit)) AS credit, trim_scale(sum(debit - credit)) AS balance, \
         sum(postings)::bigint AS postings FROM read.trial_balance GROUP BY 1"
    );
    let sql = as_of(&["trial_balance"], &rows, "r.ledger_account");
    let found: AsOf<Vec<TrialRow>> = fetch(pool, query(&sql)).await?;
    let accounts = found.data;
    let debit = accounts.iter().map(|row| row.debit).sum();
    let credit = accounts.iter().map(|row| row.credit).sum();
    let data = TrialBalance { accounts, debit, credit };
    Ok(AsOf { as_of_position: found.as_of_position, data })
}
