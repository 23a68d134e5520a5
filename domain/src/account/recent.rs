//! Which reservations ended lately: what makes "exactly one end" hold in bounded memory.

use std::collections::VecDeque;

use serde::{Deserialize, Serialize};

use crate::decimal::ListCost;
use crate::ids::ReservationId;

/// How a reservation ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum End {
    /// Charged.
    Settled {
        /// By which a retry is told from another settlement.
        list_cost: ListCost,
    },
    /// Given back, and the bill is the operator's.
    Waived {
        /// By which a retry is told from another settlement.
        list_cost: ListCost,
    },
    /// Given back.
    Released,
    /// Ran out.
    Expired,
}

/// The last ends, and a watermark under which no reservation may begin.
///
/// Reservation ids are made in order of time. An id at or below the newest forgotten one may have
/// ended already, so it is refused instead of being reserved a second time; its owner makes a
/// fresh id. So the answer is exact although the memory is not endless.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct RecentEnds {
    ends: VecDeque<(ReservationId, End)>,
    forgotten: Option<ReservationId>,
}

impl RecentEnds {
    /// Enough for the retries of one request among many others; 64 bytes each.
    pub const REMEMBERED: usize = 128;

    /// How `reservation` ended, if that is still remembered.
    pub fn find(&self, reservation: ReservationId) -> Option<End> {
        self.ends.iter().rev().find(|(id, _)| *id == reservation).map(|(_, end)| *end)
    }

    /// The newest id that was forgotten.
    pub const fn newest_forgotten(&self) -> Option<ReservationId> {
        self.forgotten
    }

    /// Whether `reservation` may have ended before what is remembered.
    pub fn may_be_forgotten(&self, reservation: ReservationId) -> bool {
        self.forgotten.is_some_and(|newest| reservation <= newest)
    }

    /// Remembers an end and forgets the oldest beyond the bound.
    pub fn push(&mut self, reservation: ReservationId, end: End) {
        if self.ends.len() == Self::REMEMBERED
            && let Some((id, _)) = self.ends.pop_front()
        {
            self.forgotten = self.forgotten.max(Some(id));
        }
        self.ends.push_back((reservation, end));
    }
}
