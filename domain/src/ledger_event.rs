//! Any event of the ledger, for whoever reads all streams: projections, audit, exports.

use serde::Deserialize;
use serde::de::DeserializeSeed;

use crate::account::{Account, AccountEvent};
use crate::eventful::Eventful;
use crate::journal::Entry;
use crate::master_account::{MasterAccount, MasterAccountEvent};
use crate::price_book::{PriceBook, PriceBookEvent};

/// An event of one of the aggregates.
#[derive(Debug, Clone, PartialEq)]
pub enum LedgerEvent {
    /// `account`
    Account(AccountEvent),
    /// `master_account`
    MasterAccount(MasterAccountEvent),
    /// `price_book`
    PriceBook(PriceBookEvent),
}

/// Which aggregate a payload belongs to: how serde is told what to read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum AggregateType {
    /// `account`
    Account,
    /// `master_account`
    MasterAccount,
    /// `price_book`
    PriceBook,
}

impl AggregateType {
    /// The aggregate with this name.
    #[must_use]
    pub fn find(name: &str) -> Option<Self> {
        use cqrs_es::Aggregate;
        match name {
            Account::TYPE => Some(Self::Account),
            MasterAccount::TYPE => Some(Self::MasterAccount),
            PriceBook::TYPE => Some(Self::PriceBook),
            _ => None,
        }
    }
}

impl<'de> DeserializeSeed<'de> for AggregateType {
    type Value = LedgerEvent;

    fn deserialize<D: serde::Deserializer<'de>>(self, from: D) -> Result<LedgerEvent, D::Error> {
        Ok(match self {
            Self::Account => LedgerEvent::Account(Deserialize::deserialize(from)?),
            Self::MasterAccount => LedgerEvent::MasterAccount(Deserialize::deserialize(from)?),
            Self::PriceBook => LedgerEvent::PriceBook(Deserialize::deserialize(from)?),
        })
    }
}

impl LedgerEvent {
    /// The name as stored.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Account(event) => event.name(),
            Self::MasterAccount(event) => event.name(),
            Self::PriceBook(event) => event.name(),
        }
    }

    /// INV-5: the journal entry, where money moves; `stream` is the aggregate's id.
    #[must_use]
    pub fn entry(&self, stream: &str) -> Option<Entry> {
        match self {
            Self::Account(event) => Account::entry(stream, event),
            Self::MasterAccount(event) => MasterAccount::entry(stream, event),
            Self::PriceBook(event) => PriceBook::entry(stream, event),
        }
    }
}
