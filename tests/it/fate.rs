//! What became of requests, read from the log itself and from nothing that is derived from it.

use std::collections::{BTreeMap, BTreeSet};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use tollgate_domain::account::{
    ChargeCorrected, FundsReserved, LateBillBooked, ReleaseReason, ReservationSettled, Waived,
};
use tollgate_domain::fairness::Ruling;
use tollgate_domain::ids::ReservationId;
use tollgate_domain::metadata::Metadata;
use tollgate_domain::pricing::Sale;
use tollgate_domain::{AccountEvent, Money};

/// How a reservation ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum End {
    /// With a charge.
    Settled(Box<ReservationSettled>),
    /// Without one.
    Released(ReleaseReason),
    /// Its time was over.
    Expired,
}

/// A reservation and its end.
#[derive(Debug, Clone)]
pub struct Fate {
    /// Whose.
    pub account: String,
    /// The request that it was made for.
    pub request: String,
    /// The process that made it.
    pub node: String,
    /// What was set aside.
    pub reserved: FundsReserved,
    /// Nothing while it is open.
    pub end: Option<End>,
    /// The actor of the end.
    pub ended_by: String,
    /// What the fairness policy said of it at its end.
    pub ruling: Option<Ruling>,
    /// What nobody was charged for, at its end or later.
    pub waived: Option<Waived>,
    /// The truth about an estimate.
    pub corrected: Option<Box<ChargeCorrected>>,
    /// A bill that came after an end without a charge.
    pub late: Option<Box<LateBillBooked>>,
}

impl Fate {
    /// The charge; zero where there was none.
    pub fn charge(&self) -> Money {
        if let Some(corrected) = &self.corrected {
            return corrected.to.charge;
        }
        if let Some(late) = &self.late {
            return late.booked.charge;
        }
        match &self.end {
            Some(End::Settled(settled)) => settled.charge,
            Some(End::Released(_) | End::Expired) | None => Money::ZERO,
        }
    }

    /// Whoever ends or corrects it says of which request that is.
    #[track_caller]
    fn assert_same_request(&self, by: &Metadata) {
        assert_eq!(by.request_id.as_deref(), Some(&*self.request), "{self:?} by {by:?}");
    }

    /// The settlement, where that is how it ended.
    #[track_caller]
    pub fn settled(&self) -> &ReservationSettled {
        match &self.end {
            Some(End::Settled(settled)) => settled,
            other => panic!("{} was not settled: {other:?}", self.request),
        }
    }
}

/// An event of an account as it is stored.
pub struct Stored {
    /// The account.
    pub account: String,
    /// What happened.
    pub event: AccountEvent,
    /// Who did it.
    pub by: Metadata,
}

/// Every event of every account, in the order of their positions.
pub async fn account_events(pool: &PgPool) -> Vec<Stored> {
    let rows: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT aggregate_id, payload::text, metadata::text FROM events
         WHERE aggregate_type = 'account' ORDER BY position",
    )
    .fetch_all(pool)
    .await
    .expect("the log can be read");
    let read = |(account, payload, metadata): (String, String, String)| Stored {
        account,
        event: serde_json::from_str(&payload).expect("an event"),
        by: serde_json::from_str(&metadata).expect("metadata"),
    };
    rows.into_iter().map(read).collect()
}

/// What became of each reservation, in the order in which they were made. Two ends, an end without
/// a beginning, and a charge that is not what its own event makes of it end the test.
pub async fn fates(pool: &PgPool) -> Vec<Fate> {
    let (mut order, mut abandoned) = (Vec::new(), BTreeSet::new());
    let mut fates: BTreeMap<ReservationId, Fate> = BTreeMap::new();
    for stored in account_events(pool).await {
        let (mut ruling, mut waived) = (None, None);
        let (id, end) = match stored.event {
            AccountEvent::FundsReserved(reserved) => {
                let (id, account) = (reserved.reservation, stored.account);
                let request = stored.by.request_id.expect("a reservation belongs to a request");
                let (node, ended_by) = (stored.by.node, String::new());
                let fate = Fate {
                    account,
                    request,
                    node,
                    reserved,
                    end: None,
                    ended_by,
                    ruling,
                    waived,
                    corrected: None,
                    late: None,
                };
                assert!(fates.insert(id, fate).is_none(), "{id} was reserved twice");
                order.push(id);
                continue;
            }
            AccountEvent::ReservationSettled(settled) => {
                assert_recomputes(&settled);
                (ruling, waived) = (settled.ruling, settled.waived);
                (settled.reservation, End::Settled(settled))
            }
            AccountEvent::ReservationReleased {
                reservation,
                reason,
                ruling: ruled,
                waived: bill,
                ..
            } => {
                ruling = ruled;
                waived = bill.map(|bill| Waived { list_cost: bill.list_cost, cost: bill.cost });
                (reservation, End::Released(reason))
            }
            AccountEvent::ChargeCorrected(corrected) => {
                let fate = ended(&mut fates, corrected.reservation);
                fate.assert_same_request(&stored.by);
                assert!(fate.corrected.is_none() && fate.waived.is_none(), "{fate:?}");
                fate.waived = corrected.waived;
                fate.corrected = Some(corrected);
                continue;
            }
            AccountEvent::CallAbandoned(call) => {
                assert!(abandoned.insert(call.reservation), "{call:?} again");
                assert!(stored.by.request_id.is_some(), "a call belongs to a request");
                continue;
            }
            AccountEvent::LateBillBooked(late) if abandoned.contains(&late.reservation) => {
                assert_eq!(late.booked.charge, Money::ZERO, "nobody had agreed to pay it");
                continue;
            }
            AccountEvent::LateBillBooked(late) => {
                let fate = ended(&mut fates, late.reservation);
                fate.assert_same_request(&stored.by);
                assert!(fate.late.is_none() && fate.waived.is_none(), "{fate:?}");
                fate.waived = late.waived;
                fate.late = Some(late);
                continue;
            }
            AccountEvent::ReservationExpired { reservation, .. } => (reservation, End::Expired),
            _ => continue,
        };
        let fate = fates.get_mut(&id).unwrap_or_else(|| panic!("{id} ended before it began"));
        if let Some(before) = &fate.end {
            panic!("{id} ended twice: {before:?}, then {end:?}");
        }
        assert_eq!(fate.account, stored.account);
        fate.assert_same_request(&stored.by);
        fate.end = Some(end);
        (fate.ruling, fate.waived) = (ruling, waived);
        fate.ended_by = stored.by.actor;
    }
    order.into_iter().filter_map(|id| fates.remove(&id)).collect()
}

/// What is known of a reservation that has ended.
#[track_caller]
fn ended(fates: &mut BTreeMap<ReservationId, Fate>, id: ReservationId) -> &mut Fate {
    let fate = fates.get_mut(&id).unwrap_or_else(|| panic!("{id} is billed before it began"));
    assert!(fate.end.is_some(), "{id} is billed before its end");
    fate
}

/// The charge and the cost follow from what stands beside them in the event.
#[track_caller]
fn assert_recomputes(settled: &ReservationSettled) {
    let sale = Sale::of(settled.list_cost, settled.sale_ratio, settled.cost_rate);
    let sale = sale.expect("it was computed before");
    assert_eq!((settled.charge, settled.cost), (sale.charge, sale.cost), "{settled:?}");
}

/// Waits until every reservation has its end.
pub async fn all_ended(pool: &PgPool, within: Duration) -> Vec<Fate> {
    let deadline = Instant::now() + within;
    loop {
        let fates = fates(pool).await;
        let open = fates.iter().filter(|fate| fate.end.is_none()).count();
        if open == 0 {
            return fates;
        }
        assert!(Instant::now() < deadline, "{open} reservations are open after {within:?}");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

/// The sum of amounts.
#[track_caller]
pub fn sum(amounts: impl IntoIterator<Item = Money>) -> Money {
    amounts
        .into_iter()
        .try_fold(Money::ZERO, Money::checked_add)
        .expect("the sum of test amounts is small")
}

/// The lowest that the available money of an account ever was, from event to event.
pub async fn lowest_available(pool: &PgPool, account: &str) -> Money {
    let mut available = Money::ZERO;
    let mut lowest = Money::ZERO;
    for stored in account_events(pool).await.into_iter().filter(|s| s.account == account) {
        let change = match stored.event {
            AccountEvent::FundsToppedUp { amount, .. }
            | AccountEvent::ReservationReleased { amount, .. }
            | AccountEvent::ReservationExpired { amount, .. } => amount,
            AccountEvent::FundsReserved(reserved) => reserved.amount.negated(),
            AccountEvent::ReservationSettled(settled) => {
                settled.reserved.checked_sub(settled.charge).expect("small amounts")
            }
            AccountEvent::ChargeCorrected(corrected) => {
                corrected.change().expect("small amounts").0.negated()
            }
            AccountEvent::LateBillBooked(late) => late.booked.charge.negated(),
            _ => continue,
        };
        available = available.checked_add(change).expect("small amounts");
        if available < lowest {
            lowest = available;
        }
    }
    lowest
}
