//! `key_usage`: what each API key may spend and has spent.

use serde::Serialize;
use tollgate_domain::Timestamp;
use tollgate_domain::account::AccountEvent as Event;
use tollgate_domain::ids::{AccountId, KeyId};

use crate::error::FoldError;
use crate::exact::Usd;
use crate::fold::{Row, Rows};
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Json, Number, Text, Time};
use crate::table::Merge::{Key, Last, Latest, Sum};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "key_usage",
    comment: "One row per API key. How a key is recognised and named stands in api_keys.",
    life: Life::Grouped,
    columns: &[
        col("key_id", Text, Key),
        col("account_id", Text, Last),
        col("status", Text, Last),
        col("limits", Json, Last),
        col("requests", Int, Sum),
        col("tokens", Int, Sum),
        col("charge", Number, Sum),
        col("reserved", Number, Sum),
        col("last_used_at", Time, Latest),
        col("issued_at", Time, Last),
        col("revoked_at", Time, Last),
    ],
    indexes: &[("account_idx", "(account_id, key_id)")],
};

/// One key, or the change to it.
#[derive(Debug, Default)]
pub(super) struct KeyRow {
    account: Option<AccountId>,
    status: Option<&'static str>,
    limits: Option<String>,
    requests: i64,
    tokens: i64,
    charge: Usd,
    reserved: Usd,
    last_used_at: Option<Timestamp>,
    issued_at: Option<Timestamp>,
    revoked_at: Option<Timestamp>,
}

/// The key's row; every event tells whose the key is.
fn of<'r>(rows: &'r mut Rows<KeyRow>, account: AccountId, key: &KeyId) -> &'r mut KeyRow {
    let row = rows.entry(*key).or_default();
    row.account = Some(account);
    row
}

impl Row for KeyRow {
    type Key = KeyId;

    fn apply(rows: &mut Rows<Self>, seen: &Seen<'_>) -> Result<(), FoldError> {
        let Body::Account(account, event, _) = &seen.body else { return Ok(()) };
        match event {
            Event::KeyIssued { key, limits } => {
                let row = of(rows, *account, key);
                row.status = Some("active");
                row.limits = Some(json(limits)?);
                row.issued_at = Some(seen.recorded_at);
            }
            Event::KeyLimitsChanged { key, limits } => {
                of(rows, *account, key).limits = Some(json(limits)?)
            }
            Event::KeyRevoked { key } => {
                let row = of(rows, *account, key);
                row.status = Some("revoked");
                row.revoked_at = Some(seen.recorded_at);
            }
            Event::FundsReserved(reserved) => {
                let row = of(rows, *account, &reserved.key);
                row.reserved.add(reserved.amount.decimal())?;
                row.last_used_at = row.last_used_at.max(Some(seen.recorded_at));
            }
            Event::ReservationSettled(settled) => {
                let row = of(rows, *account, &settled.key);
                row.reserved.sub(settled.reserved.decimal())?;
                row.charge.add(settled.charge.decimal())?;
                row.requests += 1;
                row.tokens += count(settled.usage.total_tokens())?;
            }
            Event::ChargeCorrected(corrected) => {
                let row = of(rows, *account, &corrected.key);
                row.charge.add(super::change(corrected)?.0.decimal())?;
                row.tokens += count(corrected.to.usage.total_tokens())?;
                row.tokens -= count(corrected.from.usage.total_tokens())?;
            }
            Event::LateBillBooked(late) if super::billed_requests(late) > 0 => {
                let row = of(rows, *account, &late.key);
                row.charge.add(late.booked.charge.decimal())?;
                row.requests += 1;
                row.tokens += count(late.booked.usage.total_tokens())?;
            }
            Event::LateBillBooked(_) | Event::CallAbandoned(_) => {}
            Event::ReservationReleased { key, amount, .. }
            | Event::ReservationExpired { key, amount, .. } => {
                of(rows, *account, key).reserved.sub(amount.decimal())?;
            }
            Event::AccountOpened { .. }
            | Event::FundsToppedUp { .. }
            | Event::FundsGranted { .. }
            | Event::GrantExpired { .. }
            | Event::TopUpRefunded { .. }
            | Event::AdjustmentPosted { .. }
            | Event::AccountSuspended { .. }
            | Event::AccountReinstated { .. }
            | Event::SpendLimitsChanged { .. }
            | Event::PlanAssigned { .. }
            | Event::OwnLimitsChanged { .. }
            | Event::PlanRemoved { .. }
            | Event::SpendWarningRaised(_) => {}
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<(), FoldError> {
        self.account = other.account.or(self.account);
        self.status = other.status.or(self.status);
        self.limits = other.limits.or(self.limits.take());
        self.requests += other.requests;
        self.tokens += other.tokens;
        self.charge.merge(other.charge)?;
        self.reserved.merge(other.reserved)?;
        self.last_used_at = self.last_used_at.max(other.last_used_at);
        self.issued_at = other.issued_at.or(self.issued_at);
        self.revoked_at = other.revoked_at.or(self.revoked_at);
        Ok(())
    }

    fn write(&self, key: &KeyId, sink: &mut dyn Sink) {
        sink.id(key);
        sink.text(self.account.map(|account| account.to_string()).as_deref());
        sink.text(self.status);
        sink.text(self.limits.as_deref());
        sink.int(Some(self.requests));
        sink.int(Some(self.tokens));
        sink.number(Some(&self.charge));
        sink.number(Some(&self.reserved));
        sink.time(self.last_used_at);
        sink.time(self.issued_at);
        sink.time(self.revoked_at);
    }
}

/// A count as SQL keeps it.
pub(super) fn count(value: u64) -> Result<i64, FoldError> {
    i64::try_from(value).map_err(|_| FoldError::DoesNotFit)
}

/// A value as JSON text.
pub(super) fn json(value: &impl Serialize) -> Result<String, FoldError> {
    serde_json::to_string(value).map_err(|error| FoldError::Undecodable(error.to_string()))
}
