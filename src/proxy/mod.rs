//! The request path from a customer's call to a settled charge.
//!
//! [`gateway`] takes a request in, [`in_flight`] brings its reservation to its one end,
//! [`relay`] streams, [`whole`] answers in one piece.

mod ask;
mod checks;
#[doc(hidden)]
pub mod doors;
mod endpoint;
mod failure;
mod gateway;
mod generations;
mod in_flight;
mod once;
mod prompt;
mod relay;
mod request;
mod sse;
mod usage;
mod whole;

pub use ask::Ask;
pub use endpoint::Endpoint;
pub use gateway::{Caller, Gateway, GatewayParts};
pub use generations::GenerationNotes;
pub use once::{ClientKey, KeptAnswers, Once};
