//! Bills that may still come, in bounded memory.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::bills::Booked;
use super::event::Fallback;
use super::state::OpenReservation;
use crate::decimal::{ListCost, Ratio};
use crate::fairness::Ruling;
use crate::ids::{KeyId, MasterAccountId, ReservationId};
use crate::time::Timestamp;

/// An ended reservation whose bill may still come.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AwaitedBill {
    pub(super) key: KeyId,
    pub(super) model: String,
    pub(super) sale_ratio: Ratio,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub(super) fallbacks: Vec<Fallback>,
    /// What was charged in the meantime; none: it ended without a charge.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) estimate: Option<Box<Estimate>>,
    /// The bill, once it came.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) came: Option<ListCost>,
}

impl AwaitedBill {
    /// What waits of a reservation that ended; it is charged by this ratio.
    pub(super) fn of(open: OpenReservation, sale_ratio: Ratio, estimate: Option<Estimate>) -> Self {
        let OpenReservation { key, model, fallbacks, .. } = open;
        let estimate = estimate.map(Box::new);
        Self { key, model, sale_ratio, fallbacks, estimate, came: None }
    }

    /// What waits of a call for which nothing was reserved. Its ratio makes every charge nothing.
    pub(super) const fn of_nothing_reserved(key: KeyId, model: String) -> Self {
        let sale_ratio = Ratio::ZERO;
        Self { key, model, sale_ratio, fallbacks: Vec::new(), estimate: None, came: None }
    }

    /// Who answered, if it was a fallback, and the ratio that this is charged by.
    pub(super) fn answered(&self, model: Option<&str>) -> (Option<String>, Ratio) {
        let named = |other: &&Fallback| Some(&*other.model) == model && other.model != self.model;
        match self.fallbacks.iter().find(named) {
            Some(other) => (Some(other.model.clone()), other.sale_ratio),
            None => (None, self.sale_ratio),
        }
    }

    /// The models that were asked for, the requested one first.
    pub(super) fn models(&self) -> Vec<&str> {
        models(&self.model, &self.fallbacks)
    }
}

/// The requested model first, then its fallbacks.
pub(super) fn models<'a>(requested: &'a str, fallbacks: &'a [Fallback]) -> Vec<&'a str> {
    let others = fallbacks.iter().map(|other| other.model.as_str());
    std::iter::once(requested).chain(others).collect()
}

/// A charge that was estimated.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Estimate {
    pub(super) booked: Booked,
    pub(super) ruling: Option<Ruling>,
    pub(super) cost_rate: Ratio,
    pub(super) master_account: MasterAccountId,
    pub(super) generation_id: String,
    pub(super) at: Timestamp,
}

/// The newest of them, by reservation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct AwaitedBills(BTreeMap<ReservationId, AwaitedBill>);

impl AwaitedBills {
    /// As many as break within the day that is waited for a bill, on an account that has bad luck;
    /// some 300 bytes each. An older one keeps its estimate, or stays without a charge.
    pub const REMEMBERED: usize = 512;

    /// What is known of this one.
    pub fn find(&self, reservation: ReservationId) -> Option<&AwaitedBill> {
        self.0.get(&reservation)
    }

    /// Nothing is awaited.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Waits for a bill, and for the oldest one no longer where there are too many.
    pub(super) fn wait(&mut self, reservation: ReservationId, bill: AwaitedBill) {
        if self.0.len() == Self::REMEMBERED {
            self.0.pop_first();
        }
        self.0.insert(reservation, bill);
    }

    /// The bill came. It is kept, so that the same one again is told from another.
    pub(super) fn came(&mut self, reservation: ReservationId, billed: ListCost) {
        let bill = self.0.get_mut(&reservation).expect("INV-11: a bill that was awaited");
        assert!(bill.came.is_none(), "INV-11: {reservation} is billed once");
        bill.came = Some(billed);
    }
}
