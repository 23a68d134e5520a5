//! What the HTTP layer reads: no SQL outside of this crate.
//!
//! Every answer carries the position that it reflects, read by the same statement as its rows and
//! therefore in the same snapshot. Amounts are exact decimals without trailing zeros, in US
//! dollars; sums of list costs are rounded to 12 decimals here, the tables keep them all.

mod accounts;
mod admin;
mod awaited;
mod breakdown;
mod events;
mod explain;
mod history;
mod money;
mod page;
mod request_log;
mod requests;
mod reservations;
mod statements;
mod streams;
mod usage;

pub use accounts::{
    Account, Key, account, accounts, accounts_by_id, accounts_from, balance, key, keys, keys_by_id,
};
pub use admin::{
    MasterAccount, Profit, ProfitGroup, Stats, master_account, master_accounts, profit,
    profit_lines, stats, used_since,
};
pub use awaited::{AwaitedBill, AwaitedFilter, awaited_bills};
pub use breakdown::{Breakdown, UsageFilter, UsageLine, breakdown, count_breakdown};
pub use events::{EventFilter, StoredEvent, event, events};
pub use explain::{Explained, Priced, explain};
pub use history::{
    Action, Grant, PriceChange, PriceChangeFilter, actions, due_grants, price_changes,
};
pub use money::{MoneyMove, TrialBalance, TrialRow, top_ups, top_ups_by_id, trial_balance};
pub use page::{AsOf, Page, PageRequest, QueryError, Range};
pub use request_log::{RequestSearch, count_requests, request_rows, search_requests};
pub use requests::{Request, RequestFilter, generation, recent_requests, request, requests};
pub use reservations::{OpenFilter, OpenReservation, OpenSummary, open_reservations, open_summary};
pub use statements::{Statement, StatementLines, StatementSums, statement, statement_lines};
pub use streams::{HistoryLine, history};
pub use usage::{
    DailyUsage, HourlyUsage, KeyCharges, ModelUsage, Usage, by_model, daily, hourly, key_charges,
    totals,
};
