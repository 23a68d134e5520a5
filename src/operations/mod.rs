//! What people do to the books: each a command, its idempotency, and the rows that stand beside it.
//! And what operators do to people.

pub mod clients;
pub mod desk;
pub mod fairness;
pub mod invitations;
pub mod keys;
pub mod limits;
pub mod mails;
pub mod master_accounts;
pub mod master_changes;
pub mod offers;
pub mod once;
pub mod people;
pub mod prices;
pub mod rotation;
pub mod top_ups;
pub mod verification;

pub use desk::Desk;
pub use once::{Outcome, RequestKey};
