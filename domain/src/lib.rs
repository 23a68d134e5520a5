//! What may happen to money: amounts, prices, usage, the journal and the aggregates.
//!
//! Nothing here reads a clock, rolls dice or opens a socket; `Cargo.toml` makes that impossible.
//! Every fact that a decision needs, the time included, travels in the command.

pub mod account;
pub mod chain;
pub mod decimal;
mod eventful;
pub mod fairness;
#[cfg(test)]
mod golden_files;
pub mod ids;
pub mod journal;
pub mod ledger_event;
pub mod master_account;
pub mod metadata;
pub mod money;
pub mod price_book;
pub mod pricing;
mod product;
pub mod time;
pub mod usage;

pub use account::{Account, AccountCommand, AccountError, AccountEvent};
pub use eventful::Eventful;
pub use ledger_event::LedgerEvent;
pub use master_account::{
    MasterAccount, MasterAccountCommand, MasterAccountError, MasterAccountEvent,
};
pub use money::Money;
pub use price_book::{PriceBook, PriceBookCommand, PriceBookError, PriceBookEvent};
pub use pricing::PriceCard;
pub use time::Timestamp;
pub use usage::{Usage, WireUsage};
