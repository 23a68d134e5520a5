//! Integration tests: the whole application in this process, on a real PostgreSQL, with the sandbox upstream.
//!
//! Every test ends with `app.audit().await`; one that forgot it fails.

mod app;
mod errors;
mod keys;
mod money;
mod openapi;
mod reading;
mod requests;
mod roles;
mod sessions;
mod tidy;
