//! `account`: one customer's prepaid billing account. Its keys live in the same stream, so that a
//! key's budget and the account's balance are decided together.

mod awaited;
mod bills;
mod command;
mod decide;
mod ends;
mod error;
mod event;
mod evolve;
mod grants;
mod limiting;
mod limits;
mod recent;
mod state;
#[cfg(test)]
mod tests;
mod warning;

pub use bills::{
    Booked, CallAbandoned, ChargeCorrected, Handle, LateBillBooked, Waived, WaivedBill, billed,
};
pub use command::{
    AbandonCall, AccountCommand, BookLateBill, CorrectCharge, ReleaseUnbilled, ReserveFunds,
    SettleReservation,
};
pub use error::AccountError;
pub use event::{
    AccountEvent, CostSource, Fallback, FundsReserved, Latencies, Outcome, ReleaseReason,
    ReservationSettled,
};
pub use grants::OpenGrant;
pub use limits::{AccountLimits, KeyLimits, RateLimits, SpendLimits};
pub use state::{Account, KeyState, OpenReservation, Status};
pub use warning::SpendWarning;

use crate::eventful::{Eventful, cqrs_aggregate};
use crate::journal::Entry;

cqrs_aggregate!(Account, "account", AccountCommand, AccountEvent, AccountError);

impl Eventful for Account {
    fn decide(&self, command: AccountCommand) -> Result<Vec<AccountEvent>, AccountError> {
        decide::decide(self, command)
    }

    fn evolve(&mut self, event: &AccountEvent) {
        evolve::evolve(self, event);
    }

    fn applied(&self) -> u64 {
        self.applied
    }

    fn event_name(event: &AccountEvent) -> &'static str {
        event.name()
    }

    fn event_version(event: &AccountEvent) -> &'static str {
        event.version()
    }

    fn entry(stream: &str, event: &AccountEvent) -> Option<Entry> {
        event.entry(stream.parse().ok()?)
    }
}
