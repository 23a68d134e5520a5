//! What clients of other people's making meet: paths, headers, dialects.

mod cors;
mod fallbacks;
mod openrouter;
