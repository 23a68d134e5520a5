//! What an account ever stored must decode for ever.

use crate::account::AccountEvent;
use crate::golden_files::{check, check_folder, goldens};

goldens! {
    AccountEvent in "account":
    AccountOpened => ["v1"],
    FundsToppedUp => ["v1"],
    FundsGranted => ["v1", "v1.expiring"],
    GrantExpired => ["v1", "v1.held"],
    TopUpRefunded => ["v1"],
    AdjustmentPosted => ["v1"],
    KeyIssued => ["v1", "v1.unlimited", "v1.rates"],
    KeyLimitsChanged => ["v1", "v1.lists"],
    KeyRevoked => ["v1"],
    FundsReserved => ["v1", "v1.fallbacks", "v1.plan"],
    ReservationSettled => ["v1", "v1.fallback", "v1.sparse", "v1.divided"],
    ReservationReleased => ["v1", "v1.waived", "v1.awaits"],
    ReservationExpired => ["v1"],
    ChargeCorrected => ["v1", "v1.whole", "v1.fallback"],
    LateBillBooked => ["v1", "v1.waived"],
    CallAbandoned => ["v1"],
    AccountSuspended => ["v1"],
    AccountReinstated => ["v1", "v1.reason"],
    SpendLimitsChanged => ["v1", "v1.rates", "v1.reason"],
    PlanAssigned => ["v1", "v1.reason"],
    OwnLimitsChanged => ["v1"],
    PlanRemoved => ["v1", "v1.reason"],
    SpendWarningRaised => ["v1", "v1.account"],
}

#[test]
fn every_stored_event_decodes_and_encodes_to_the_same_json() {
    check::<AccountEvent>(GOLDENS, stem_of, |event| (event.name(), event.version()));
    check_folder(GOLDENS, "account");
}
