//! Asks the upstream for bills that had not come when a request ended: the truth replaces what was
//! estimated, and what had ended without a charge is booked as the operator's cost.
//!
//! The read model says what to ask for; the account decides. Which bill was asked for when is kept
//! in memory only: after a restart, and on every other node, the asking begins anew.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::{Duration, Instant};

use chrono::{TimeDelta, Utc};
use futures_util::{StreamExt as _, stream};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tollgate_domain::AccountError;
use tollgate_domain::account::{AccountCommand, BookLateBill, CorrectCharge, CostSource, Handle};
use tollgate_domain::fairness::{Mishap, Ruling, Treatment};
use tollgate_domain::ids::ReservationId;
use tollgate_projections::queries::{AwaitedBill, AwaitedFilter, PageRequest, awaited_bills};

use super::recovery::{RecoveryError, answered, find_record, handles};
use crate::config::RecoveryTimes;
use crate::ledger::{Actor, CommandContext, CommandError, now};
use crate::proxy::Gateway;
use crate::upstream::{GenerationRecord, Upstream};

/// After that the upstream is not asked any more: an estimate stands, and what was not charged
/// stays without a cost.
const FOLLOWED: TimeDelta = TimeDelta::hours(24);
/// The longest pause between two looks at one bill.
const LONGEST_PAUSE: Duration = Duration::from_secs(3_600);
/// Bills that are asked for at the same time.
const AT_ONCE: usize = 8;

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct BillsReport {
    /// Estimates that were replaced.
    pub corrected: usize,
    /// Bills of what had not been charged.
    pub booked: usize,
}

/// When each bill is asked for again: the pause doubles.
#[derive(Debug, Default)]
pub struct Schedule(HashMap<String, (Instant, Duration)>);

impl Schedule {
    /// Whether it is this one's turn.
    fn is_due(&self, reservation: &str) -> bool {
        self.0.get(reservation).is_none_or(|(next, _)| *next <= Instant::now())
    }

    fn later(&mut self, reservation: &str, first: Duration) {
        let pause = match self.0.get(reservation) {
            Some((_, pause)) => (*pause * 2).min(LONGEST_PAUSE),
            None => first,
        };
        self.0.insert(reservation.to_owned(), (Instant::now() + pause, pause));
    }
}

/// Every few seconds, until `stop`.
pub async fn follow_bills(
    gateway: Arc<Gateway>,
    pool: PgPool,
    times: RecoveryTimes,
    stop: CancellationToken,
) {
    let mut schedule = Schedule::default();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(times.look) => {}
        }
        match follow_once(&gateway, &pool, times.look, &mut schedule).await {
            Ok(report) if report == BillsReport::default() => {}
            Ok(report) => tracing::info!(?report, "bills that came late"),
            Err(error) => tracing::warn!(%error, "bills will be asked for again"),
        }
    }
}

/// Asks once for every bill whose turn it is; for one that is not there yet, `first` is the pause
/// until it is asked for again, and twice as much each time after that.
///
/// # Errors
/// Each [`RecoveryError`].
pub async fn follow_once(
    gateway: &Gateway,
    pool: &PgPool,
    first: Duration,
    schedule: &mut Schedule,
) -> Result<BillsReport, RecoveryError> {
    let mut report = BillsReport::default();
    let filter = AwaitedFilter { ended_after: Some(Utc::now() - FOLLOWED) };
    let mut known = HashMap::new();
    let mut cursor = None;
    loop {
        let page = awaited_bills(pool, &filter, &PageRequest::new(cursor, Some(200))?).await?;
        for bill in &page.items {
            if let Some(turn) = schedule.0.get(&bill.reservation_id) {
                known.insert(bill.reservation_id.clone(), *turn);
            }
        }
        let mut due = page.items;
        due.retain(|bill| schedule.is_due(&bill.reservation_id));
        let noted = handles(pool, due.iter().map(|bill| bill.reservation_id.as_str())).await?;
        let mut asked =
            stream::iter(due).map(|bill| follow(gateway, bill, &noted)).buffer_unordered(AT_ONCE);
        while let Some((bill, found)) = asked.next().await {
            match found {
                Ok(true) if bill.kind == "estimate" => report.corrected += 1,
                Ok(true) => report.booked += 1,
                Ok(false) => {}
                Err(error) => {
                    tracing::warn!(reservation.id = bill.reservation_id, %error, "not booked yet");
                }
            }
            schedule.later(&bill.reservation_id, first);
            known.extend(schedule.0.remove_entry(&bill.reservation_id));
        }
        drop(asked);
        cursor = page.next_cursor;
        if cursor.is_none() {
            break;
        }
    }
    // What is not awaited any more needs no turn.
    schedule.0 = known;
    Ok(report)
}

fn handle(bill: &AwaitedBill) -> Option<Handle> {
    let master_account = bill.master_account_id.as_deref()?.parse().ok()?;
    Some(Handle { master_account, generation_id: bill.generation_id.clone()? })
}

/// Asks for one bill; its handle stands with it, or was noted when its process could not say.
async fn follow(
    gateway: &Gateway,
    bill: AwaitedBill,
    noted: &HashMap<String, Handle>,
) -> (AwaitedBill, Result<bool, RecoveryError>) {
    let handle = handle(&bill).or_else(|| noted.get(&bill.reservation_id).cloned());
    let booked = match handle {
        Some(handle) => book(gateway, &bill, handle).await,
        None => Ok(false),
    };
    (bill, booked)
}

/// Whether the bill is there now, and booked.
async fn book(
    gateway: &Gateway,
    bill: &AwaitedBill,
    handle: Handle,
) -> Result<bool, RecoveryError> {
    let Some((upstream, mut record)) = find_record(gateway, &handle).await else {
        return Ok(false);
    };
    let reservation: ReservationId = bill.reservation_id.parse()?;
    let name = record.model.take();
    let answered_model = answered(gateway, &bill.account_id, reservation, name).await?;
    let command = match bill.kind.as_str() {
        "estimate" => AccountCommand::CorrectCharge(Box::new(CorrectCharge {
            reservation,
            answered_model,
            usage: record.usage,
            list_cost: record.total_cost,
            source: CostSource::GenerationRecord,
            at: now(),
        })),
        _ => {
            let mut late = late(bill, reservation, &upstream, record, handle);
            late.answered_model = answered_model;
            AccountCommand::BookLateBill(Box::new(late))
        }
    };
    let by = CommandContext {
        request: bill.request_id.as_deref().and_then(|id| id.parse().ok()),
        ..CommandContext::by(Actor::System("bills"))
    };
    match gateway.books().ledger.accounts.execute(&bill.account_id, command, &by, None).await {
        Ok(committed) => {
            gateway.books().count(&committed.events);
            Ok(!committed.events.is_empty())
        }
        // Another node was faster, or the account awaits it no longer.
        Err(CommandError::Refused(
            AccountError::NothingToCorrect(_)
            | AccountError::AlreadyCorrected(_)
            | AccountError::AlreadySettled(_),
        )) => Ok(false),
        Err(error) => Err(error.into()),
    }
}

/// What ended without a charge stays without one: its bill is the operator's.
fn late(
    bill: &AwaitedBill,
    reservation: ReservationId,
    upstream: &Upstream,
    record: GenerationRecord,
    handle: Handle,
) -> BookLateBill {
    let named = |mishap: &&Mishap| Some(mishap.name()) == bill.mishap.as_deref();
    let mishap = Mishap::ALL.iter().find(named).copied().unwrap_or(Mishap::GatewayStopped);
    let version = bill.policy_version.and_then(|version| u64::try_from(version).ok());
    let policy_version = version.unwrap_or(0);
    BookLateBill {
        reservation,
        answered_model: None,
        usage: record.usage,
        list_cost: record.total_cost,
        ruling: Ruling { mishap, treatment: Treatment::Waive, policy_version },
        delivered_list_cost: None,
        source: CostSource::GenerationRecord,
        master_account: upstream.id,
        cost_rate: upstream.cost_rate,
        generation_id: Some(handle.generation_id),
        at: now(),
    }
}
