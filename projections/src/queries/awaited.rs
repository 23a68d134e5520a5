//! Bills that may still come.

use chrono::{DateTime, Utc};
use serde::Serialize;
use sqlx::{FromRow, PgPool, query};

use super::page::{Page, PageRequest, QueryError, as_of, fetch};

/// An ended request whose bill may still come. The command that books it is decided by the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct AwaitedBill {
    /// `rsv_…`
    pub reservation_id: String,
    /// Whose request it was.
    pub account_id: String,
    /// `estimate`: charged by a guess; `unbilled`: not charged.
    pub kind: String,
    /// Who served it.
    pub master_account_id: Option<String>,
    /// The upstream's handle; none: nobody can be asked.
    pub generation_id: Option<String>,
    /// What went wrong.
    pub mishap: Option<String>,
    /// By which version of the fairness policy it was decided.
    pub policy_version: Option<i64>,
    /// The request as the client sees it.
    pub request_id: Option<String>,
    /// When it ended.
    pub ended_at: DateTime<Utc>,
    /// The position of that event.
    pub position: i64,
}

/// Which of them; empty members filter nothing.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct AwaitedFilter {
    /// That ended after this moment.
    pub ended_after: Option<DateTime<Utc>>,
}

/// The awaited bills that pass the filter, by reservation: oldest first.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn awaited_bills(
    pool: &PgPool,
    filter: &AwaitedFilter,
    page: &PageRequest,
) -> Result<Page<AwaitedBill>, QueryError> {
    let rows = "SELECT reservation_id, account_id, kind, master_account_id, generation_id, mishap, \
                  policy_version, request_id, ended_at, position \
                FROM read.awaited_bills WHERE reservation_id > $1 \
                AND ($3::timestamptz IS NULL OR ended_at > $3) \
                ORDER BY reservation_id LIMIT $2";
    let sql = as_of(&["awaited_bills"], rows, "r.reservation_id");
    let query = query(&sql).bind(page.after()?).bind(page.rows()).bind(filter.ended_after);
    Ok(page.page(fetch(pool, query).await?, |bill: &AwaitedBill| bill.reservation_id.clone()))
}
