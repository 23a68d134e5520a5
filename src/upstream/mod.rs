//! HTTP client for upstreams that speak OpenRouter's wire format.

mod client;
mod credits;
mod generation;
mod models;

pub use client::{PassedOn, Rest, Upstream, UpstreamClient, UpstreamError};
pub use credits::CreditsStatement;
pub use generation::GenerationRecord;
pub use models::{Listing, ModelInfo, read_listing, read_listings};
