//! `top_ups`: every change of a balance that is not a request: money in, given, back, corrected.

use tollgate_domain::account::AccountEvent as Event;
use tollgate_domain::{Money, Timestamp};

use crate::error::FoldError;
use crate::fold::Line;
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Number, Text, Time};
use crate::table::Merge::{Key, Once};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "top_ups",
    comment: "Money in and out by hand or by a processor. amount is what the balance changed by.",
    life: Life::Appended,
    columns: &[
        col("position", Int, Key),
        col("id", Text, Once),
        col("account_id", Text, Once),
        col("kind", Text, Once),
        col("amount", Number, Once),
        col("processor", Text, Once),
        col("reference", Text, Once),
        col("reason", Text, Once),
        col("top_up_id", Text, Once),
        col("expires_at", Time, Once),
        col("at", Time, Once),
        col("actor", Text, Once),
    ],
    indexes: &[("account_idx", "(account_id, position DESC)")],
};

/// A row of `top_ups`.
#[derive(Debug, Default)]
pub(super) struct MoneyLine;

#[derive(Default)]
struct Moved<'a> {
    id: String,
    kind: &'static str,
    amount: Money,
    processor: Option<&'a str>,
    reference: Option<&'a str>,
    reason: Option<&'a str>,
    top_up: Option<String>,
    expires_at: Option<Timestamp>,
}

impl Moved<'_> {
    /// A change of a balance about which nothing else is known.
    const fn plain(id: String, kind: &'static str, amount: Money) -> Self {
        let (processor, reference, reason) = (None, None, None);
        let (top_up, expires_at) = (None, None);
        Self { id, kind, amount, processor, reference, reason, top_up, expires_at }
    }
}

fn moved(event: &Event) -> Option<Moved<'_>> {
    Some(match event {
        Event::FundsToppedUp { top_up, amount, processor, reference } => Moved {
            processor: Some(processor),
            reference: Some(reference),
            top_up: Some(top_up.to_string()),
            ..Moved::plain(top_up.to_string(), "top_up", *amount)
        },
        Event::FundsGranted { grant, amount, reason, expires_at } => Moved {
            reason: Some(reason),
            expires_at: *expires_at,
            ..Moved::plain(grant.to_string(), "grant", *amount)
        },
        Event::GrantExpired { grant, amount, .. } if !amount.is_zero() => {
            Moved::plain(grant.to_string(), "grant_expired", amount.negated())
        }
        // All of it was spent: nothing moved.
        Event::GrantExpired { .. } => return None,
        Event::TopUpRefunded { refund, top_up, amount, processor, reason } => Moved {
            processor: Some(processor),
            reason: Some(reason),
            top_up: Some(top_up.to_string()),
            ..Moved::plain(refund.to_string(), "refund", amount.negated())
        },
        Event::AdjustmentPosted { adjustment, amount, reason, reference } => Moved {
            reference: Some(reference),
            reason: Some(reason),
            ..Moved::plain(adjustment.to_string(), "adjustment", *amount)
        },
        Event::AccountOpened { .. }
        | Event::KeyIssued { .. }
        | Event::KeyLimitsChanged { .. }
        | Event::KeyRevoked { .. }
        | Event::FundsReserved(_)
        | Event::ReservationSettled(_)
        | Event::ReservationReleased { .. }
        | Event::ReservationExpired { .. }
        | Event::ChargeCorrected(_)
        | Event::LateBillBooked(_)
        | Event::CallAbandoned(_)
        | Event::AccountSuspended { .. }
        | Event::AccountReinstated { .. }
        | Event::SpendLimitsChanged { .. }
        | Event::PlanAssigned { .. }
        | Event::OwnLimitsChanged { .. }
        | Event::PlanRemoved { .. }
        | Event::SpendWarningRaised(_) => return None,
    })
}

impl Line for MoneyLine {
    fn write(seen: &Seen<'_>, sink: &mut dyn Sink) -> Result<bool, FoldError> {
        let Body::Account(account, event, _) = &seen.body else { return Ok(false) };
        let Some(moved) = moved(event) else { return Ok(false) };
        sink.int(Some(seen.position));
        sink.text(Some(&moved.id));
        sink.id(account);
        sink.text(Some(moved.kind));
        sink.number(Some(&moved.amount));
        sink.text(moved.processor);
        sink.text(moved.reference);
        sink.text(moved.reason);
        sink.text(moved.top_up.as_deref());
        sink.time(moved.expires_at);
        sink.time(Some(seen.recorded_at));
        sink.text(Some(&seen.meta.actor));
        Ok(true)
    }
}
