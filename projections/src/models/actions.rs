//! `actions`: what operators decided, one row per decision.

use tollgate_domain::account::AccountEvent;
use tollgate_domain::{MasterAccountEvent, Money, PriceBookEvent};

use crate::error::FoldError;
use crate::fold::Line;
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Number, Text, Time};
use crate::table::Merge::{Key, Once};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "actions",
    comment: "What operators decided about an account, an upstream account or the price book \
              (subject). reason is the id of a remark, where the decision has one.",
    life: Life::Appended,
    columns: &[
        col("position", Int, Key),
        col("subject", Text, Once),
        col("action", Text, Once),
        col("amount", Number, Once),
        col("reason", Text, Once),
        col("at", Time, Once),
        col("actor", Text, Once),
    ],
    indexes: &[("subject_idx", "(subject, position DESC)")],
};

/// A row of `actions`.
#[derive(Debug, Default)]
pub(super) struct ActionLine;

/// The amount and the reason.
type Said<'a> = (Option<Money>, Option<&'a str>);

fn of_account(event: &AccountEvent) -> Option<Said<'_>> {
    use AccountEvent as Event;
    Some(match event {
        Event::FundsToppedUp { amount, .. } => (Some(*amount), None),
        Event::FundsGranted { amount, reason, .. } => (Some(*amount), Some(reason)),
        Event::TopUpRefunded { amount, reason, .. } => (Some(amount.negated()), Some(reason)),
        Event::AdjustmentPosted { amount, reason, .. } => (Some(*amount), Some(reason)),
        Event::AccountSuspended { reason } => (None, Some(reason)),
        Event::AccountReinstated { reason } => (None, reason.as_deref()),
        Event::SpendLimitsChanged { reason, .. }
        | Event::PlanAssigned { reason, .. }
        | Event::PlanRemoved { reason } => (None, reason.as_deref()),
        // What time, customers and requests do.
        Event::AccountOpened { .. }
        | Event::GrantExpired { .. }
        | Event::KeyIssued { .. }
        | Event::KeyLimitsChanged { .. }
        | Event::KeyRevoked { .. }
        | Event::FundsReserved(_)
        | Event::ReservationSettled(_)
        | Event::ReservationReleased { .. }
        | Event::ReservationExpired { .. }
        | Event::OwnLimitsChanged { .. }
        | Event::SpendWarningRaised(_)
        | Event::ChargeCorrected(_)
        | Event::LateBillBooked(_)
        | Event::CallAbandoned(_) => return None,
    })
}

fn of_master_account(event: &MasterAccountEvent) -> Said<'_> {
    use MasterAccountEvent as Event;
    match event {
        Event::CreditsPurchased { credits, .. } => (Some(*credits), None),
        Event::CreditsAdjusted { credits, reason, .. } => (Some(*credits), Some(reason)),
        Event::MasterAccountRegistered { reason, .. }
        | Event::UpstreamKeyRotated { reason, .. }
        | Event::MasterAccountEnabled { reason } => (None, reason.as_deref()),
        Event::MasterAccountDisabled { reason } => (None, Some(reason)),
    }
}

fn of_price_book(event: &PriceBookEvent) -> Option<Said<'_>> {
    use PriceBookEvent as Event;
    match event {
        Event::SaleRatioSet { reason, .. }
        | Event::PlanDefined { reason, .. }
        | Event::FairnessPolicySet { reason, .. } => Some((None, reason.as_deref())),
        Event::PricesPublished { .. } | Event::ModelPriced { .. } | Event::ModelRetired { .. } => {
            None
        }
    }
}

impl Line for ActionLine {
    fn write(seen: &Seen<'_>, sink: &mut dyn Sink) -> Result<bool, FoldError> {
        let (subject, action, said) = match &seen.body {
            Body::Account(account, event, _) => {
                let Some(said) = of_account(event) else { return Ok(false) };
                (account.to_string(), event.name(), said)
            }
            Body::MasterAccount(master, event) => {
                (master.to_string(), event.name(), of_master_account(event))
            }
            Body::PriceBook(event) => {
                let Some(said) = of_price_book(event) else { return Ok(false) };
                ("price_book".to_owned(), event.name(), said)
            }
        };
        let (amount, reason) = said;
        sink.int(Some(seen.position));
        sink.text(Some(&subject));
        sink.text(Some(action));
        sink.number(amount.as_ref().map(|amount| amount as &dyn std::fmt::Display));
        sink.text(reason);
        sink.time(Some(seen.recorded_at));
        sink.text(Some(&seen.meta.actor));
        Ok(true)
    }
}
