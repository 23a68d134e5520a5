//! `account_balances`: what each customer has, has set aside and has spent.

use tollgate_domain::account::AccountEvent as Event;
use tollgate_domain::ids::{AccountId, UserId};
use tollgate_domain::{Money, Timestamp};

use crate::error::FoldError;
use crate::exact::Usd;
use crate::fold::{Row, Rows};
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Json, Number, Text, Time};
use crate::table::Merge::{Key, Last, Latest, Sum};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "account_balances",
    comment: "One row per account: balance = topped_up - refunded + granted - expired + adjusted \
              - spent;               available = balance - reserved.",
    life: Life::Grouped,
    columns: &[
        col("account_id", Text, Key),
        col("balance", Number, Sum),
        col("reserved", Number, Sum),
        col("topped_up", Number, Sum),
        col("refunded", Number, Sum),
        col("granted", Number, Sum),
        col("expired", Number, Sum),
        col("adjusted", Number, Sum),
        col("spent", Number, Sum),
        col("requests", Int, Sum),
        col("status", Text, Last),
        col("owner_id", Text, Last),
        col("plan", Text, Last),
        col("limits", Json, Last),
        col("opened_at", Time, Last),
        col("last_activity_at", Time, Latest),
    ],
    indexes: &[],
};

/// One account, or the change to it.
#[derive(Debug, Default)]
pub(super) struct AccountRow {
    balance: Usd,
    reserved: Usd,
    topped_up: Usd,
    refunded: Usd,
    granted: Usd,
    expired: Usd,
    adjusted: Usd,
    spent: Usd,
    requests: i64,
    status: Option<&'static str>,
    owner: Option<UserId>,
    plan: Option<String>,
    limits: Option<String>,
    opened_at: Option<Timestamp>,
    last_activity_at: Option<Timestamp>,
}

impl AccountRow {
    fn in_(&mut self, amount: Money, of: fn(&mut Self) -> &mut Usd) -> Result<(), FoldError> {
        self.balance.add(amount.decimal())?;
        of(self).add(amount.decimal())
    }

    fn out(&mut self, amount: Money, of: fn(&mut Self) -> &mut Usd) -> Result<(), FoldError> {
        self.balance.sub(amount.decimal())?;
        of(self).add(amount.decimal())
    }
}

impl Row for AccountRow {
    type Key = AccountId;

    fn apply(rows: &mut Rows<Self>, seen: &Seen<'_>) -> Result<(), FoldError> {
        let Body::Account(account, event, _) = &seen.body else { return Ok(()) };
        let row = rows.entry(*account).or_default();
        row.last_activity_at = row.last_activity_at.max(Some(seen.recorded_at));
        match event {
            Event::AccountOpened { owner, .. } => {
                row.status = Some("active");
                row.owner = Some(*owner);
                row.limits = Some("{}".to_owned());
                row.opened_at = Some(seen.recorded_at);
            }
            Event::FundsToppedUp { amount, .. } => row.in_(*amount, |r| &mut r.topped_up)?,
            Event::FundsGranted { amount, .. } => row.in_(*amount, |r| &mut r.granted)?,
            Event::GrantExpired { amount, .. } => row.out(*amount, |r| &mut r.expired)?,
            Event::TopUpRefunded { amount, .. } => row.out(*amount, |r| &mut r.refunded)?,
            Event::AdjustmentPosted { amount, .. } => row.in_(*amount, |r| &mut r.adjusted)?,
            Event::FundsReserved(reserved) => row.reserved.add(reserved.amount.decimal())?,
            Event::ReservationSettled(settled) => {
                row.reserved.sub(settled.reserved.decimal())?;
                row.out(settled.charge, |r| &mut r.spent)?;
                row.requests += 1;
            }
            Event::ChargeCorrected(corrected) => {
                row.out(super::change(corrected)?.0, |r| &mut r.spent)?
            }
            Event::LateBillBooked(late) => {
                row.out(late.booked.charge, |r| &mut r.spent)?;
                row.requests += super::billed_requests(late);
            }
            Event::ReservationReleased { amount, .. }
            | Event::ReservationExpired { amount, .. } => row.reserved.sub(amount.decimal())?,
            Event::AccountSuspended { .. } => row.status = Some("suspended"),
            Event::AccountReinstated { .. } => row.status = Some("active"),
            Event::SpendLimitsChanged { limits, .. } => {
                row.limits = Some(super::key_usage::json(limits)?)
            }
            Event::PlanAssigned { plan, .. } => row.plan = Some(plan.clone()),
            // An empty text, because nothing would mean no change.
            Event::PlanRemoved { .. } => row.plan = Some(String::new()),
            Event::CallAbandoned(_)
            | Event::OwnLimitsChanged { .. }
            | Event::SpendWarningRaised(_)
            | Event::KeyIssued { .. }
            | Event::KeyLimitsChanged { .. }
            | Event::KeyRevoked { .. } => {}
        }
        Ok(())
    }

    fn merge(&mut self, other: Self) -> Result<(), FoldError> {
        self.balance.merge(other.balance)?;
        self.reserved.merge(other.reserved)?;
        self.topped_up.merge(other.topped_up)?;
        self.refunded.merge(other.refunded)?;
        self.granted.merge(other.granted)?;
        self.expired.merge(other.expired)?;
        self.adjusted.merge(other.adjusted)?;
        self.spent.merge(other.spent)?;
        self.requests += other.requests;
        self.status = other.status.or(self.status);
        self.owner = other.owner.or(self.owner);
        self.plan = other.plan.or(self.plan.take());
        self.limits = other.limits.or(self.limits.take());
        self.opened_at = other.opened_at.or(self.opened_at);
        self.last_activity_at = self.last_activity_at.max(other.last_activity_at);
        Ok(())
    }

    fn write(&self, account: &AccountId, sink: &mut dyn Sink) {
        sink.id(account);
        sink.number(Some(&self.balance));
        sink.number(Some(&self.reserved));
        sink.number(Some(&self.topped_up));
        sink.number(Some(&self.refunded));
        sink.number(Some(&self.granted));
        sink.number(Some(&self.expired));
        sink.number(Some(&self.adjusted));
        sink.number(Some(&self.spent));
        sink.int(Some(self.requests));
        sink.text(self.status);
        sink.text(self.owner.map(|owner| owner.to_string()).as_deref());
        sink.text(self.plan.as_deref());
        sink.text(self.limits.as_deref());
        sink.time(self.opened_at);
        sink.time(self.last_activity_at);
    }
}
