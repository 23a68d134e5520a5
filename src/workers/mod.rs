//! Background loops. Each runs on the task tracker until it is cancelled.

mod bills;
mod housekeeping;
mod notes;
mod prices;
mod recovery;
mod revocations;

pub use bills::{BillsReport, Schedule, follow_bills, follow_once};
pub use housekeeping::tidy_up;
pub use notes::write_notes;
pub use prices::keep_current;
pub use recovery::{RecoveryReport, recover_once, run as recover};
pub use revocations::learn_revocations;
