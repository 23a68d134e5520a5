//! `trial_balance`: debits and credits by ledger account. Their sums are equal at any position.

use tollgate_domain::journal::{Entry, LedgerAccount, Side};

use crate::error::FoldError;
use crate::exact::Usd;
use crate::fold::{Row, Rows};
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Number, Text};
use crate::table::Merge::{Key, Sum};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "trial_balance",
    comment: "Debits and credits by ledger account; their totals are equal.",
    life: Life::Grouped,
    columns: &[
        col("ledger_account", Text, Key),
        col("debit", Number, Sum),
        col("credit", Number, Sum),
        col("postings", Int, Sum),
    ],
    indexes: &[],
};

/// A ledger account, or the change to it.
#[derive(Debug, Default)]
pub(super) struct TrialRow {
    debit: Usd,
    credit: Usd,
    postings: i64,
}

/// The journal entry of an event whose stream is parsed already.
pub(crate) fn entry(body: &Body<'_>) -> Option<Entry> {
    match body {
        Body::Account(account, event, _) => event.entry(*account),
        Body::MasterAccount(master, event) => event.entry(*master),
        // The price book moves no money.
        Body::PriceBook(_) => None,
    }
}

impl Row for TrialRow {
    type Key = LedgerAccount;

    fn apply(rows: &mut Rows<Self>, seen: &Seen<'_>) -> Result<(), FoldError> {
        let Some(entry) = entry(&seen.body) else { return Ok(()) };
        for posting in entry.postings() {
            // Cloned only when it is new: most postings go to accounts that are known.
            let row = match rows.get_mut(&posting.account) {
                Some(row) => row,
                None => rows.entry(posting.account.clone()).or_default(),
            };
            match posting.side {
                Side::Debit => row.debit.add(posting.amount.decimal())?,
                Side::Credit => row.credit.add(posting.amount.decimal())?,
            }
            row.postings += 1;
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<(), FoldError> {
        self.debit.merge(other.debit)?;
        self.credit.merge(other.credit)?;
        self.postings += other.postings;
        Ok(())
    }

    fn write(&self, account: &LedgerAccount, sink: &mut dyn Sink) {
        sink.text(Some(&account.to_string()));
        sink.number(Some(&self.debit));
        sink.number(Some(&self.credit));
        sink.int(Some(self.postings));
    }
}
