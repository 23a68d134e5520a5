//! What people do to the books: each a command, its idempotency, and the rows that stand beside it.

pub mod fairness;
pub mod keys;
pub mod master_accounts;
pub mod once;
pub mod prices;
pub mod top_ups;

pub use once::{Outcome, RequestKey};
