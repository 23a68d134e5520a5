//! Background loops. Each runs on the task tracker until it is cancelled.

mod bills;
mod chores;
mod grants;
mod housekeeping;
mod mails;
mod notes;
mod prices;
mod recovery;
mod revocations;

pub use bills::{BillsReport, Schedule, follow_bills, follow_once};
pub use chores::{do_chores, sweep};
pub use grants::{expire_grants, expire_grants_once};
pub use housekeeping::tidy_up;
pub use mails::send_mails;
pub use notes::write_notes;
pub use prices::keep_current;
pub use recovery::{RecoveryReport, recover_once, run as recover};
pub use revocations::learn_revocations;
