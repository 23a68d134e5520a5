//! Configuration from environment variables.

pub(crate) mod kept;
