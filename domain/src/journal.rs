//! Double-entry bookkeeping: what an event means in debits and credits.
//!
//! INV-5: in every entry the debits equal the credits, so they do in total at any position.

use std::fmt;

use crate::ids::{AccountId, MasterAccountId};
use crate::money::Money;

/// Sides of a posting.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Side {
    /// Left.
    Debit,
    /// Right.
    Credit,
}

/// The chart of accounts.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LedgerAccount {
    /// Credits that we hold at an upstream, valued at what we paid, fees included.
    Upstream(MasterAccountId),
    /// Money that came in or went out through a payment processor.
    Cash(String),
    /// What we owe a customer: their balance.
    Customer(AccountId),
    /// Charges.
    UsageIncome,
    /// What the requests cost us.
    UpstreamExpense,
    /// What the upstream billed for requests that went wrong and nobody was charged for.
    Waived,
    /// Fees that are not part of a purchase's value.
    Fees,
    /// Money given to customers.
    Grants,
    /// Corrections.
    Adjustments,
}

impl fmt::Display for LedgerAccount {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Upstream(master) => write!(f, "assets:upstream:{master}"),
            Self::Cash(processor) => write!(f, "assets:cash:{processor}"),
            Self::Customer(account) => write!(f, "liabilities:customers:{account}"),
            Self::UsageIncome => f.write_str("income:usage"),
            Self::UpstreamExpense => f.write_str("expenses:upstream"),
            Self::Waived => f.write_str("expenses:waived"),
            Self::Fees => f.write_str("expenses:fees"),
            Self::Grants => f.write_str("expenses:grants"),
            Self::Adjustments => f.write_str("equity:adjustments"),
        }
    }
}

/// One line of an entry; the amount is never negative.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Posting {
    /// Where.
    pub account: LedgerAccount,
    /// Which side.
    pub side: Side,
    /// How much.
    pub amount: Money,
}

/// The balanced postings of one event.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Entry {
    postings: Vec<Posting>,
}

impl Entry {
    /// An entry without postings.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Adds a debit and a credit of the same amount; a negative amount swaps the sides and zero
    /// adds nothing. There is no way to add one side alone.
    #[must_use]
    pub fn transfer(mut self, debit: LedgerAccount, credit: LedgerAccount, amount: Money) -> Self {
        let (debit, credit, amount) = match amount.is_negative() {
            true => (credit, debit, amount.negated()),
            false => (debit, credit, amount),
        };
        if !amount.is_zero() {
            self.postings.push(Posting { account: debit, side: Side::Debit, amount });
            self.postings.push(Posting { account: credit, side: Side::Credit, amount });
        }
        self
    }

    /// The lines, each debit before its credit.
    #[must_use]
    pub fn postings(&self) -> &[Posting] {
        &self.postings
    }

    /// The sum of one side, or nothing if it does not fit.
    #[must_use]
    pub fn total(&self, side: Side) -> Option<Money> {
        self.postings
            .iter()
            .filter(|posting| posting.side == side)
            .try_fold(Money::ZERO, |sum, posting| sum.checked_add(posting.amount))
    }
}
