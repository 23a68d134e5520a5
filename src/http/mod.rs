//! What people and programs reach over HTTP.

pub mod error;

pub use error::{ApiError, ModelError, Problem};
