//! Endpoints, one module per part of the API. They never import one another.

pub mod admin;
pub mod api_keys;
pub mod ask;
pub mod auth;
pub mod client;
pub mod health;
pub mod ledger;
pub mod models;
pub mod own;
pub mod page;
