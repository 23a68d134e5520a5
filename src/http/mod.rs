//! What people and programs reach over HTTP.
//!
//! To add an endpoint: a function with `#[utoipa::path]` in a module of [`routes`], its `routes!` line in that module's
//! `router()`, and `tollgate openapi > openapi/openapi.json`. Its arguments are its access rule (see [`extract`]).

pub mod error;
pub mod extract;
pub mod routes;
mod state;
pub mod wire;

pub use error::{ApiError, ErrorShape, ModelError, Problem};
pub use state::{App, AppState, Changes};
