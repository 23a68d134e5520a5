//! What clients of other people's making meet: paths, headers, dialects.

mod cors;
mod endpoints;
mod fallbacks;
mod idempotency;
mod openrouter;
mod own;
