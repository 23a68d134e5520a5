//! Measures, and the events to measure with. Called by `tollgate bench` and by this crate's tests.
//!
//! [`Writer`] appends as the engine does, without its concurrency: numbered from `ledger_head`,
//! chained, one statement per batch. [`generate`] fills an empty log with what customers do.

mod load;
mod timing;
mod writer;

pub use load::{Load, generate};
pub use timing::{Timing, catch_up, rebuild, verify};
pub use writer::{Writer, metadata};
