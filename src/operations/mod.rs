//! What people do to the books: each a command, its idempotency, and the rows that stand beside it.
//! And what operators do to people.

pub mod fairness;
pub mod invitations;
pub mod keys;
pub mod mails;
pub mod master_accounts;
pub mod once;
pub mod people;
pub mod prices;
pub mod top_ups;

pub use once::{Outcome, RequestKey};
