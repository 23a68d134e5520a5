//! The request path from a customer's call to a settled charge.
//!
//! [`gateway`] takes a request in, [`exchange`] sends it on its way, [`in_flight`] brings its
//! reservation to its one end, [`relay`] streams, [`whole`] reads an answer in one piece, [`reply`]
//! hands it on.

mod checks;
#[doc(hidden)]
pub mod doors;
mod endpoint;
mod exchange;
mod failure;
mod gateway;
mod generations;
mod in_flight;
mod once;
mod prompt;
mod relay;
mod reply;
mod request;
mod routing;
mod sse;
mod usage;
mod warning;
mod whole;

pub use endpoint::Endpoint;
pub use gateway::{Ask, Caller, Gateway, GatewayParts};
pub use generations::GenerationNotes;
pub use once::{ClientKey, KeptAnswers, Once};
