//! Tollgate: an OpenAI-compatible LLM gateway for resellers whose books always balance.
//!
//! Dependencies point one way: `http → proxy → billing → ledger / upstream → domain`.

pub mod bench;
pub mod billing;
pub mod cli;
pub mod config;
pub mod database;
pub mod http;
pub mod identity;
pub mod ledger;
pub mod limits;
pub mod mail;
pub mod members;
pub mod operations;
pub mod proxy;
pub mod sandbox;
pub mod serve;
pub mod telemetry;
pub mod upstream;
pub mod workers;

#[cfg(test)]
mod test_directory;
