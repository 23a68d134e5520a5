//! Read models: events in, tables out. Knows SQL, nothing of HTTP or upstreams.
//!
//! - [`Runner`] keeps the live tables up to date, exactly once per event.
//! - [`queries`] reads them; every answer says which position it reflects.
//! - [`rebuild`] fills a second copy from the first event on and switches.
//! - [`audit`] proves log and read models right, or names the place where they are not.
//!
//! Nothing here ever authorises spending: that is decided by the aggregates.

pub mod audit;
mod batch;
pub mod bench;
mod digest;
mod error;
mod exact;
mod fold;
mod log;
mod models;
mod progress;
pub mod queries;
pub mod rebuild;
mod runner;
mod schema;
mod seen;
mod shards;
mod sink;
mod table;
mod tail;

pub use error::{FoldError, ProjectionError};
pub use models::{PROJECTIONS, Projection, find};
pub use progress::{Lag, NotYet, Progress, lag};
pub use runner::{Runner, RunnerOptions};
pub use schema::{Ensured, ensure};
pub use table::{Column, Kind, Life, Merge, Table};
pub use tail::{StreamEvents, Tail};
