//! The account proved: scenarios, golden files, random command sequences.

mod books;
mod fairness;
mod glue;
mod golden;
mod grants;
mod history;
mod limits;
mod properties;
mod refusals;
mod rules;
mod script;
mod windows;
