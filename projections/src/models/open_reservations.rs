//! `open_reservations`: money that is set aside right now.
//!
//! A reservation that begins and ends within one batch is never written: under load that is nearly
//! all of them.

use std::any::Any;
use std::collections::HashMap;
use std::sync::Arc;

use tollgate_domain::Timestamp;
use tollgate_domain::account::{AccountEvent as Event, FundsReserved};
use tollgate_domain::ids::{AccountId, ReservationId};

use crate::error::FoldError;
use crate::fold::{Fold, same};
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Number, Text, Time};
use crate::table::Merge::{Key, Once};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "open_reservations",
    comment: "Reservations without an end, for recovery and for the operator.",
    life: Life::Open,
    columns: &[
        col("reservation_id", Text, Key),
        col("account_id", Text, Once),
        col("key_id", Text, Once),
        col("model", Text, Once),
        col("amount", Number, Once),
        col("sale_ratio", Number, Once),
        col("price_version", Int, Once),
        col("expires_at", Time, Once),
        col("node", Text, Once),
        col("request_id", Text, Once),
        col("reserved_at", Time, Once),
        col("position", Int, Once),
    ],
    indexes: &[],
};

struct OpenRow {
    account: AccountId,
    reserved: FundsReserved,
    model: Arc<str>,
    node: String,
    request_id: Option<String>,
    at: Timestamp,
    position: i64,
}

/// What came and what went.
#[derive(Default)]
pub(super) struct Open {
    rows: HashMap<ReservationId, OpenRow>,
    removed: Vec<String>,
}

impl Open {
    /// An empty one.
    pub(super) fn start() -> Box<dyn Fold> {
        Box::new(Self::default())
    }

    fn end(&mut self, reservation: ReservationId) {
        if self.rows.remove(&reservation).is_none() {
            self.removed.push(reservation.to_string());
        }
    }
}

impl Fold for Open {
    fn apply(&mut self, seen: &Seen<'_>) -> Result<(), FoldError> {
        let Body::Account(account, event, model) = &seen.body else { return Ok(()) };
        match event {
            Event::FundsReserved(reserved) => {
                let row = OpenRow {
                    account: *account,
                    // The name is kept once for all rows.
                    reserved: FundsReserved {
                        model: String::new(),
                        fallbacks: vec![],
                        ..*reserved
                    },
                    model: model.clone().unwrap_or_default(),
                    node: seen.meta.node.clone().into_owned(),
                    request_id: seen.meta.request_id.as_deref().map(str::to_owned),
                    at: seen.recorded_at,
                    position: seen.position,
                };
                self.rows.insert(reserved.reservation, row);
            }
            Event::ReservationSettled(settled) => self.end(settled.reservation),
            Event::ReservationReleased { reservation, .. }
            | Event::ReservationExpired { reservation, .. } => self.end(*reservation),
            Event::ChargeCorrected(_)
            | Event::LateBillBooked(_)
            | Event::CallAbandoned(_)
            | Event::AccountOpened { .. }
            | Event::FundsToppedUp { .. }
            | Event::FundsGranted { .. }
            | Event::GrantExpired { .. }
            | Event::TopUpRefunded { .. }
            | Event::AdjustmentPosted { .. }
            | Event::KeyIssued { .. }
            | Event::KeyLimitsChanged { .. }
            | Event::KeyRevoked { .. }
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

    fn len(&self) -> usize {
        self.rows.len() + self.removed.len()
    }

    fn absorb(&mut self, other: Box<dyn Fold>) -> Result<(), FoldError> {
        let other: Self = same(other);
        self.rows.extend(other.rows);
        self.removed.extend(other.removed);
        Ok(())
    }

    fn into_any(self: Box<Self>) -> Box<dyn Any> {
        self
    }

    fn write(&self, sink: &mut dyn Sink) {
        let mut rows: Vec<_> = self.rows.iter().collect();
        rows.sort_unstable_by_key(|(reservation, _)| **reservation);
        for (reservation, row) in rows {
            sink.id(reservation);
            sink.id(&row.account);
            sink.id(&row.reserved.key);
            sink.text(Some(&row.model));
            sink.number(Some(&row.reserved.amount));
            sink.number(Some(&row.reserved.sale_ratio));
            sink.int(i64::try_from(row.reserved.price_version).ok());
            sink.time(Some(row.reserved.expires_at));
            sink.text(Some(&row.node));
            sink.text(row.request_id.as_deref());
            sink.time(Some(row.at));
            sink.int(Some(row.position));
            sink.end_row();
        }
    }

    fn removed(&self) -> &[String] {
        &self.removed
    }
}
