//! Background loops. Each runs on the task tracker until it is cancelled.

pub mod node;
mod notes;
mod prices;
mod recovery;
mod supervision;

pub use notes::write_notes;
pub use prices::keep_current;
pub use recovery::{RecoveryReport, recover_once, run as recover};
pub use supervision::supervise;
