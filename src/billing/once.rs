//! The idempotency key of a request: written by the statement that reserves.

use serde::{Deserialize, Serialize};
use tollgate_domain::Account;
use tollgate_domain::Eventful;
use tollgate_domain::ids::{RequestId, ReservationId};

use super::reservation::ReservationOrder;
use crate::ledger::Idempotency;

/// A key under which money may be reserved once.
#[derive(Debug, Clone)]
pub struct OnceKey {
    /// Whose keys: those of one account.
    pub scope: String,
    /// The client's key, and which attempt under it.
    pub key: String,
    /// SHA-256 of what is asked for.
    pub fingerprint: [u8; 32],
}

/// What is kept under a [`OnceKey`] for ever: how to find what became of the reservation.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Begun {
    /// The reservation.
    pub reservation: ReservationId,
    /// The request that made it, as its client knows it.
    pub request: RequestId,
    /// Events of the account before it: its end comes later than that.
    pub after: u64,
}

impl OnceKey {
    fn keeps(&self, begun: &Begun) -> Idempotency {
        // Three plain members: writing them cannot fail.
        let result = serde_json::to_string(begun).unwrap_or_default();
        Idempotency {
            scope: self.scope.clone(),
            key: self.key.clone(),
            fingerprint: self.fingerprint,
            result,
        }
    }
}

impl ReservationOrder {
    pub(super) fn keeps(
        &self,
        reservation: ReservationId,
        account: &Account,
    ) -> Option<Idempotency> {
        let key = self.once.as_ref()?;
        Some(key.keeps(&Begun { reservation, request: self.request, after: account.applied() }))
    }
}
