//! `grants`: money given, until when it may be spent, and what went back.

use tollgate_domain::Timestamp;
use tollgate_domain::account::AccountEvent as Event;
use tollgate_domain::ids::{AccountId, GrantId};

use crate::error::FoldError;
use crate::exact::Usd;
use crate::fold::{Row, Rows};
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Flag, Number, Text, Time};
use crate::table::Merge::{Key, Last, Sum};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "grants",
    comment: "One row per grant. over: its expiry is recorded and no reservation holds of it. What \
              is left of a grant is known to its account only.",
    life: Life::Grouped,
    columns: &[
        col("grant_id", Text, Key),
        col("account_id", Text, Last),
        col("amount", Number, Sum),
        col("taken_back", Number, Sum),
        col("given_at", Time, Last),
        col("expires_at", Time, Last),
        col("over", Flag, Last),
    ],
    indexes: &[("expires_idx", "(expires_at)")],
};

/// One grant, or the change to it.
#[derive(Debug, Default)]
pub(super) struct GrantRow {
    account: Option<AccountId>,
    amount: Usd,
    taken_back: Usd,
    given_at: Option<Timestamp>,
    expires_at: Option<Timestamp>,
    over: Option<bool>,
}

impl Row for GrantRow {
    type Key = GrantId;

    fn apply(rows: &mut Rows<Self>, seen: &Seen<'_>) -> Result<(), FoldError> {
        let Body::Account(account, event, _) = &seen.body else { return Ok(()) };
        match event {
            Event::FundsGranted { grant, amount, expires_at, .. } => {
                let row = rows.entry(*grant).or_default();
                row.account = Some(*account);
                row.amount.add(amount.decimal())?;
                row.given_at = Some(seen.recorded_at);
                row.expires_at = *expires_at;
            }
            Event::GrantExpired { grant, amount, held, .. } => {
                let row = rows.entry(*grant).or_default();
                row.taken_back.add(amount.decimal())?;
                row.over = Some(held.is_none());
            }
            Event::AccountOpened { .. }
            | Event::FundsToppedUp { .. }
            | Event::TopUpRefunded { .. }
            | Event::AdjustmentPosted { .. }
            | Event::KeyIssued { .. }
            | Event::KeyLimitsChanged { .. }
            | Event::KeyRevoked { .. }
            | Event::FundsReserved(_)
            | Event::ReservationSettled(_)
            | Event::ReservationReleased { .. }
            | Event::ReservationExpired { .. }
            | Event::AccountSuspended { .. }
            | Event::AccountReinstated { .. }
            | Event::SpendLimitsChanged { .. }
            | Event::PlanAssigned { .. }
            | Event::PlanRemoved { .. }
            | Event::OwnLimitsChanged { .. }
            | Event::SpendWarningRaised(_)
            | Event::ChargeCorrected(_)
            | Event::LateBillBooked(_)
            | Event::CallAbandoned(_) => {}
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<(), FoldError> {
        self.account = other.account.or(self.account);
        self.amount.merge(other.amount)?;
        self.taken_back.merge(other.taken_back)?;
        self.given_at = other.given_at.or(self.given_at);
        self.expires_at = other.expires_at.or(self.expires_at);
        self.over = other.over.or(self.over);
        Ok(())
    }

    fn write(&self, grant: &GrantId, sink: &mut dyn Sink) {
        sink.id(grant);
        sink.text(self.account.map(|account| account.to_string()).as_deref());
        sink.number(Some(&self.amount));
        sink.number(Some(&self.taken_back));
        sink.time(self.given_at);
        sink.time(self.expires_at);
        sink.flag(self.over);
    }
}
