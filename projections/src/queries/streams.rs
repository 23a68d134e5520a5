//! An account's stream with its balance after every event.

use rust_decimal::Decimal;
use sqlx::{PgPool, query, query_scalar};
use tollgate_domain::ids::AccountId;
use tollgate_domain::journal::{LedgerAccount, Side};

use super::events::{EVENT, StoredEvent};
use super::page::{Page, PageRequest, QueryError, as_of, fetch};

/// Events that change a balance.
const MOVING: &str = "('FundsToppedUp', 'FundsGranted', 'GrantExpired', 'TopUpRefunded', \
    'AdjustmentPosted', 'ReservationSettled', 'ChargeCorrected', 'LateBillBooked')";

/// An event of an account.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct HistoryLine {
    /// The event.
    pub event: StoredEvent,
    /// What it changed the balance by.
    pub change: Decimal,
    /// The balance after it.
    pub balance: Decimal,
}

/// The events of an account, newest first, with the balance after each; of them only those that
/// changed it, if `moving`. As far as the read models are.
///
/// # Errors
/// [`QueryError::InvalidCursor`], [`QueryError::Event`], the database's.
pub async fn history(
    pool: &PgPool,
    account: AccountId,
    moving: bool,
    page: &PageRequest,
) -> Result<Page<HistoryLine>, QueryError> {
    let id = account.to_string();
    let only = if moving { format!("AND e.event_type IN {MOVING}") } else { String::new() };
    let names = ["requests", "top_ups"];
    let rows = format!(
        "{EVENT} WHERE e.aggregate_type = 'account' AND e.aggregate_id = $1 AND e.position < $2 \
           AND e.position <= (SELECT min(position) FROM projection_checkpoints \
              WHERE copy = 'live' AND name IN ('requests', 'top_ups')) {only} \
         ORDER BY e.sequence DESC LIMIT $3"
    );
    let sql = as_of(&names, &rows, "r.position DESC");
    let found = fetch(pool, query(&sql).bind(&id).bind(page.before()?).bind(page.rows())).await?;
    let page = page.page(found, |event: &StoredEvent| event.position.to_string());
    let oldest = page.items.last().map_or(0, |event| event.position);
    let mut balance = balance_before(pool, &id, oldest).await?;
    let mut lines = Vec::with_capacity(page.items.len());
    for event in page.items.into_iter().rev() {
        let change = change(&event, account)?;
        balance += change;
        lines.push(HistoryLine { event, change, balance });
    }
    lines.reverse();
    Ok(Page { as_of_position: page.as_of_position, items: lines, next_cursor: page.next_cursor })
}

/// What the event's journal entry does to the customer's account: a credit is the customer's.
fn change(event: &StoredEvent, account: AccountId) -> Result<Decimal, QueryError> {
    let Some(entry) = event.entry()? else { return Ok(Decimal::ZERO) };
    let customer = LedgerAccount::Customer(account);
    let own = entry.postings().iter().filter(|posting| posting.account == customer);
    Ok(own
        .map(|posting| match posting.side {
            Side::Credit => posting.amount.decimal(),
            Side::Debit => -posting.amount.decimal(),
        })
        .sum())
}

/// The balance before the event at a position; the rows of both tables never change.
async fn balance_before(pool: &PgPool, id: &str, position: i64) -> Result<Decimal, QueryError> {
    let balance = query_scalar(
        "SELECT (SELECT COALESCE(sum(amount), 0) FROM read.top_ups \
                 WHERE account_id = $1 AND position < $2) \
              - (SELECT COALESCE(sum(charge - COALESCE(charge_before, 0)), 0) FROM read.requests \
                 WHERE account_id = $1 AND position < $2 AND charge IS NOT NULL)",
    );
    Ok(balance.bind(id).bind(position).fetch_one(pool).await?)
}
