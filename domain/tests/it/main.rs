//! The domain against real inputs and random ones, from outside.

mod bound;
mod catalogue;
mod charge;
mod ids;
mod ledger;
mod money;
mod support;
mod tidy;
mod usage_cases;
