//! What the dashboard's customer pages ask for.

mod explanations;
mod search;
mod tables;
mod usage;
