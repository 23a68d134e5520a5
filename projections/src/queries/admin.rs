//! What the operator watches.

use std::collections::HashMap;

use chrono::{DateTime, NaiveDate, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use sqlx::{FromRow, PgPool, query};
use tollgate_domain::ids::MasterAccountId;

use super::page::{AsOf, Page, PageRequest, QueryError, Range, as_of, fetch, first};

/// The state of the business in one row. Days are in UTC.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Stats {
    /// Accounts.
    pub accounts: i64,
    /// Of them suspended.
    pub suspended_accounts: i64,
    /// What we owe all customers.
    pub balance: Decimal,
    /// Of it set aside.
    pub reserved: Decimal,
    /// Everything ever charged.
    pub charge: Decimal,
    /// Everything that served requests ever cost us.
    pub cost: Decimal,
    /// What the upstream billed for requests that went wrong and nobody was charged for.
    pub waived: Decimal,
    /// `charge − cost − waived`.
    pub margin: Decimal,
    /// Requests ever charged.
    pub requests: i64,
    /// Charged today.
    pub charge_today: Decimal,
    /// What today's requests cost us.
    pub cost_today: Decimal,
    /// What of today's was waived.
    pub waived_today: Decimal,
    /// `charge_today − cost_today − waived_today`.
    pub margin_today: Decimal,
    /// Requests charged today.
    pub requests_today: i64,
    /// Reservations without an end.
    pub open_reservations: i64,
}

/// The state of the business; `today` is the caller's day.
///
/// # Errors
/// The database's.
pub async fn stats(pool: &PgPool, today: NaiveDate) -> Result<AsOf<Option<Stats>>, QueryError> {
    let rows = "SELECT a.*, m.cost, m.waived, a.charge - m.cost - m.waived AS margin, t.charge_today, \
          t.cost_today, t.waived_today, \
          t.charge_today - t.cost_today - t.waived_today AS margin_today, t.requests_today, \
          o.open_reservations \
        FROM (SELECT count(*) AS accounts, \
                count(*) FILTER (WHERE status = 'suspended') AS suspended_accounts, \
                trim_scale(COALESCE(sum(balance), 0)) AS balance, \
                trim_scale(COALESCE(sum(reserved), 0)) AS reserved, \
                trim_scale(COALESCE(sum(spent), 0)) AS charge, \
                COALESCE(sum(requests), 0)::bigint AS requests FROM read.account_balances) a, \
          (SELECT trim_scale(COALESCE(sum(cost), 0)) AS cost, \
                  trim_scale(COALESCE(sum(waived), 0)) AS waived FROM read.master_balances) m, \
          (SELECT trim_scale(COALESCE(sum(charge), 0)) AS charge_today, \
                  trim_scale(COALESCE(sum(cost), 0)) AS cost_today, \
                  trim_scale(COALESCE(sum(waived), 0)) AS waived_today, \
                  COALESCE(sum(requests), 0)::bigint AS requests_today \
             FROM read.profit_daily WHERE day = $1) t, \
          (SELECT count(*) AS open_reservations FROM read.open_reservations) o";
    let names = ["account_balances", "master_balances", "open_reservations", "profit_daily"];
    let sql = as_of(&names, rows, "1");
    Ok(first(fetch(pool, query(&sql).bind(today)).await?))
}

/// An upstream account that we prepay.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct MasterAccount {
    /// `mast_…`
    pub master_account_id: String,
    /// `openrouter`, `sandbox`, …
    pub provider: Option<String>,
    /// The operator's name for it.
    pub label: Option<String>,
    /// `enabled` or `disabled`.
    pub status: Option<String>,
    /// The version of its sealed key.
    pub key_version: Option<i64>,
    /// How often credits were bought.
    pub purchases: i64,
    /// Face value of the credits ever bought.
    pub bought: Decimal,
    /// What was paid for them, without fees.
    pub paid: Decimal,
    /// Fees on top.
    pub fees: Decimal,
    /// Credits adjusted to the upstream's own statement.
    pub adjusted: Decimal,
    /// Requests that it served.
    pub requests: i64,
    /// Credits that they used: their list cost.
    pub list_cost: Decimal,
    /// What these credits had cost us.
    pub cost: Decimal,
    /// Credits used by what no customer was charged for: the list cost of that.
    pub waived_list_cost: Decimal,
    /// What those credits had cost us.
    pub waived: Decimal,
    /// `bought + adjusted − list_cost − waived_list_cost`.
    pub remaining: Decimal,
    /// When it was registered.
    pub registered_at: Option<DateTime<Utc>>,
}

const MASTER: &str = "SELECT master_account_id, provider, label, status, key_version, purchases, \
    trim_scale(bought) AS bought, trim_scale(paid) AS paid, trim_scale(fees) AS fees, \
    trim_scale(adjusted) AS adjusted, requests, trim_scale(round(list_cost, 12)) AS list_cost, \
    trim_scale(cost) AS cost, trim_scale(round(waived_list_cost, 12)) AS waived_list_cost, \
    trim_scale(waived) AS waived, \
    trim_scale(round(bought + adjusted - list_cost - waived_list_cost, 12)) AS remaining, \
    registered_at FROM read.master_balances";

/// The upstream accounts, by id.
///
/// # Errors
/// [`QueryError::InvalidCursor`], the database's.
pub async fn master_accounts(
    pool: &PgPool,
    page: &PageRequest,
) -> Result<Page<MasterAccount>, QueryError> {
    let rows = format!("{MASTER} WHERE master_account_id > $1 ORDER BY master_account_id LIMIT $2");
    let sql = as_of(&["master_balances"], &rows, "r.master_account_id");
    let found = fetch(pool, query(&sql).bind(page.after()?).bind(page.rows())).await?;
    Ok(page.page(found, |master: &MasterAccount| master.master_account_id.clone()))
}

/// One upstream account.
///
/// # Errors
/// The database's.
pub async fn master_account(
    pool: &PgPool,
    id: MasterAccountId,
) -> Result<AsOf<Option<MasterAccount>>, QueryError> {
    let sql = as_of(&["master_balances"], &format!("{MASTER} WHERE master_account_id = $1"), "1");
    Ok(first(fetch(pool, query(&sql).bind(id.to_string())).await?))
}

/// Face value of the credits that each upstream account used on this UTC day and after it, by id.
///
/// # Errors
/// The database's.
pub async fn used_since(
    pool: &PgPool,
    day: NaiveDate,
) -> Result<HashMap<String, Decimal>, QueryError> {
    let used: Vec<(String, Decimal)> = sqlx::query_as(
        "SELECT master_account_id, trim_scale(round(sum(list_cost + waived_list_cost), 12)) \
         FROM read.profit_daily WHERE day >= $1 GROUP BY master_account_id",
    )
    .bind(day)
    .fetch_all(pool)
    .await?;
    Ok(used.into_iter().collect())
}

/// What a line of the profit report stands for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProfitGroup {
    /// A UTC day.
    Day,
    /// A requested model.
    Model,
    /// A customer's account.
    Account,
    /// An upstream account.
    MasterAccount,
}

impl ProfitGroup {
    const fn column(self) -> &'static str {
        match self {
            Self::Day => "day::text",
            Self::Model => "model",
            Self::Account => "account_id",
            Self::MasterAccount => "master_account_id",
        }
    }

    const fn order(self) -> &'static str {
        match self {
            Self::Day => "r.name",
            // The largest loss or gain is what one looks for.
            Self::Model | Self::Account | Self::MasterAccount => "abs(r.margin) DESC, r.name",
        }
    }
}

/// One line of the profit report.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, FromRow)]
pub struct Profit {
    /// The day (`2026-08-08`), model or id.
    pub name: String,
    /// Charged requests.
    pub requests: i64,
    /// The upstream's public price of them.
    pub list_cost: Decimal,
    /// What the customers paid.
    pub charge: Decimal,
    /// What we paid.
    pub cost: Decimal,
    /// Requests that went wrong and were not charged, or only in part.
    pub waived_requests: i64,
    /// The upstream's public price of what was not charged.
    pub waived_list_cost: Decimal,
    /// What we paid for that.
    pub waived: Decimal,
    /// `charge − cost − waived`.
    pub margin: Decimal,
    /// Requests whose tokens we had to estimate, and the truth has not come.
    pub estimated: i64,
    /// Estimates that were replaced by the truth.
    pub corrected: i64,
    /// Requests whose list cost differs from our price list.
    pub drifted: i64,
    /// By how much, in total.
    pub drift: Decimal,
}

/// The profit of the UTC days in a span of time, at most 1,000 lines.
///
/// # Errors
/// The database's.
pub async fn profit(
    pool: &PgPool,
    range: Range,
    group: ProfitGroup,
) -> Result<AsOf<Vec<Profit>>, QueryError> {
    profit_lines(pool, range, group, 1_000).await
}

/// The same with at most so many lines.
///
/// # Errors
/// The database's.
pub async fn profit_lines(
    pool: &PgPool,
    range: Range,
    group: ProfitGroup,
    most: i64,
) -> Result<AsOf<Vec<Profit>>, QueryError> {
    let (name, order) = (group.column(), group.order());
    let rows = format!(
        "SELECT {name} AS name, sum(requests)::bigint AS requests, \
           trim_scale(round(sum(list_cost), 12)) AS list_cost, trim_scale(sum(charge)) AS charge, \
           trim_scale(sum(cost)) AS cost, sum(waived_requests)::bigint AS waived_requests, \
           trim_scale(round(sum(waived_list_cost), 12)) AS waived_list_cost, \
           trim_scale(sum(waived)) AS waived, \
           trim_scale(sum(charge) - sum(cost) - sum(waived)) AS margin, \
           sum(estimated)::bigint AS estimated, sum(corrected)::bigint AS corrected, \
           sum(drifted)::bigint AS drifted, \
           trim_scale(round(sum(drift), 12)) AS drift FROM read.profit_daily \
         WHERE day >= ($1::timestamptz AT TIME ZONE 'UTC')::date \
           AND day <= (($2::timestamptz - interval '1 microsecond') AT TIME ZONE 'UTC')::date \
         GROUP BY 1 ORDER BY {} LIMIT $3",
        match group {
            ProfitGroup::Day => "1",
            ProfitGroup::Model | ProfitGroup::Account | ProfitGroup::MasterAccount => {
                "abs(sum(charge) - sum(cost) - sum(waived)) DESC, 1"
            }
        }
    );
    let sql = as_of(&["profit_daily"], &rows, order);
    fetch(pool, query(&sql).bind(range.from).bind(range.to).bind(most)).await
}
