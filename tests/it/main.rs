//! Integration tests on a real PostgreSQL: the ledger's engine, and the whole application in this
//! process with the sandbox upstream.
//!
//! Every test of the application ends with `app.audit().await`; one that forgot it fails.

mod access;
mod admin;
mod app;
mod auditor;
mod cluster;
mod complaints;
mod customer;
mod errors;
mod fate;
mod faults;
mod gate;
mod keys;
mod ledger;
mod limits;
mod money;
mod openapi;
mod ops;
mod people;
mod process;
mod race;
mod reading;
mod requests;
mod roles;
mod seeds;
mod sessions;
mod surface;
mod tidy;
mod trace;
mod wire;
