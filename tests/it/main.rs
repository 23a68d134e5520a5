//! Integration tests against a real PostgreSQL.

mod cluster;
mod ledger;
