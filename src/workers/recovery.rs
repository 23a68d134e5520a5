//! Ends what a stopped process has left open.
//!
//! The read model says where to look; the account decides. So several nodes may recover at once,
//! and an old row of the read model does no harm.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::{PgPool, Row as _};
use tokio_util::sync::CancellationToken;
use tollgate_domain::account::{
    AccountCommand, CostSource, Handle, Latencies, Outcome, ReleaseReason, ReleaseUnbilled,
    SettleReservation,
};
use tollgate_domain::decimal::ListCost;
use tollgate_domain::fairness::{Mishap, Ruling};
use tollgate_domain::ids::{InvalidId, ReservationId};
use tollgate_domain::{Account, AccountError, Timestamp};
use tollgate_projections::queries::{
    OpenFilter, OpenReservation, PageRequest, QueryError, open_reservations,
};

use crate::config::RecoveryTimes;
use crate::ledger::{Actor, CommandContext, CommandError};
use crate::proxy::Gateway;
use crate::telemetry::metrics::RecoveryDecision;
use crate::upstream::{GenerationRecord, Upstream};

/// What one pass did.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct RecoveryReport {
    /// Charged by the upstream's record.
    pub settled: usize,
    /// Given back.
    pub released: usize,
    /// Ended because their time was over.
    pub expired: usize,
    /// Waiting for the upstream's record.
    pub waiting: usize,
}

impl RecoveryReport {
    const fn of(&mut self, decision: RecoveryDecision) -> &mut usize {
        match decision {
            RecoveryDecision::Settled => &mut self.settled,
            RecoveryDecision::Released => &mut self.released,
            RecoveryDecision::Expired => &mut self.expired,
        }
    }
}

/// Why a pass ended early; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum RecoveryError {
    /// The database.
    #[error(transparent)]
    Database(#[from] sqlx::Error),
    /// The read model.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A row that nobody of us wrote.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// The ledger.
    #[error(transparent)]
    Ledger(#[from] CommandError<AccountError>),
}

/// When its process was last known to live, and what time it is, by the database: one clock for all
/// nodes, so that no node ends what another one's clock still allows.
struct Nodes {
    now: DateTime<Utc>,
    alive: Vec<String>,
    seen: HashMap<String, DateTime<Utc>>,
}

/// Every few seconds, until `stop`.
pub async fn run(
    gateway: Arc<Gateway>,
    pool: PgPool,
    times: RecoveryTimes,
    stop: CancellationToken,
) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(times.look) => {}
        }
        match recover_once(&gateway, &pool, times).await {
            Ok(report) if report == RecoveryReport::default() => {}
            Ok(report) => tracing::info!(?report, "what a stopped process left open"),
            Err(error) => tracing::warn!(%error, "recovery will try again"),
        }
    }
}

/// One pass over everything that its owner has left: a node that was not seen for as long as
/// `times.gone` has stopped.
///
/// # Errors
/// Each [`RecoveryError`].
pub async fn recover_once(
    gateway: &Gateway,
    pool: &PgPool,
    times: RecoveryTimes,
) -> Result<RecoveryReport, RecoveryError> {
    let mut report = RecoveryReport::default();
    let page = PageRequest::new(None, Some(200))?;
    let nodes = Nodes::load(pool, gateway, times.gone).await?;
    let filters = [
        OpenFilter { not_nodes: Some(nodes.alive.clone()), ..OpenFilter::default() },
        OpenFilter { expired_before: Some(nodes.now), ..OpenFilter::default() },
    ];
    for filter in filters {
        let mut left = open_reservations(pool, &filter, &page).await?.items;
        // In the order in which their time is over.
        left.sort_by(|a, b| {
            (a.expires_at, &a.reservation_id).cmp(&(b.expires_at, &b.reservation_id))
        });
        let handles = handles(pool, left.iter().map(|open| open.reservation_id.as_str())).await?;
        for open in left {
            let handle = handles.get(&open.reservation_id);
            let waits = nodes.now < nodes.patient_until(&open, times);
            // One odd reservation must not keep the others from their end.
            if let Err(error) = end(gateway, &open, handle, (nodes.now, waits), &mut report).await {
                tracing::warn!(reservation.id = open.reservation_id, %error, "not ended yet");
            }
        }
    }
    Ok(report)
}

impl Nodes {
    async fn load(pool: &PgPool, gateway: &Gateway, gone: Duration) -> Result<Self, sqlx::Error> {
        let seconds = i64::try_from(gone.as_secs()).unwrap_or(i64::MAX);
        let rows = sqlx::query(
            "SELECT clock.now, node, seen_at, seen_at > clock.now - make_interval(secs => $1::bigint)
             FROM (SELECT clock_timestamp() AS now) clock LEFT JOIN nodes ON true",
        )
        .bind(seconds)
        .fetch_all(pool)
        .await?;
        let mut nodes = Self { now: Utc::now(), alive: Vec::new(), seen: HashMap::new() };
        for row in &rows {
            nodes.now = row.get(0);
            let Some(node) = row.get::<Option<String>, _>(1) else { continue };
            if row.get(3) {
                nodes.alive.push(node.clone());
            }
            nodes.seen.insert(node, row.get(2));
        }
        nodes.alive.push(gateway.books().ledger.engine().node().to_owned());
        Ok(nodes)
    }

    /// Until then the upstream's record is waited for, because it may come late. It is counted
    /// from the owner's last sign of life: a stream may have run for long before.
    fn patient_until(&self, open: &OpenReservation, times: RecoveryTimes) -> DateTime<Utc> {
        let seen = self.seen.get(&open.node).copied();
        seen.map_or(open.reserved_at, |seen| seen.max(open.reserved_at)) + times.recovery_patience()
    }
}

/// The upstream's handles of these reservations, as far as they were written down.
pub(super) async fn handles<'a>(
    pool: &PgPool,
    reservations: impl Iterator<Item = &'a str>,
) -> Result<HashMap<String, Handle>, RecoveryError> {
    let ids: Vec<&str> = reservations.collect();
    let rows = sqlx::query(
        "SELECT reservation_id, generation_id, master_account_id FROM generations
         WHERE reservation_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let master_account = row.get::<String, _>(2).parse()?;
            Ok((row.get(0), Handle { generation_id: row.get(1), master_account }))
        })
        .collect()
}

/// Ends one reservation, if its time has come.
async fn end(
    gateway: &Gateway,
    open: &OpenReservation,
    handle: Option<&Handle>,
    (at, waits): (DateTime<Utc>, bool),
    report: &mut RecoveryReport,
) -> Result<(), RecoveryError> {
    let reservation: ReservationId = open.reservation_id.parse()?;
    let expired = open.expires_at <= at;
    let at = Timestamp(at.timestamp_micros());
    let ruling = gateway.prices().current().book.fairness().rule(Mishap::GatewayStopped);
    let unbilled = |reason, awaits| {
        let ruling = Some(ruling);
        let release = ReleaseUnbilled { reservation, reason, ruling, awaits };
        AccountCommand::ReleaseUnbilled(Box::new(release))
    };
    let found = match handle {
        Some(handle) => find_record(gateway, handle).await,
        None => None,
    };
    let (command, decision) = match (found, handle) {
        // The upstream asks nothing for it: that is no charge, not a charge of zero.
        (Some((_, record)), _) if record.total_cost == ListCost::ZERO => {
            (unbilled(ReleaseReason::NothingBilled, None), RecoveryDecision::Released)
        }
        (Some((upstream, mut record)), Some(handle)) => {
            let name = record.model.take();
            record.model = answered(gateway, &open.account_id, reservation, name).await?;
            let settle = settle((reservation, ruling, at), &upstream, record, handle);
            (settle, RecoveryDecision::Settled)
        }
        (_, Some(_)) if waits && !expired => {
            report.waiting += 1;
            return Ok(());
        }
        // What its handle still brings to light is the operator's.
        (_, Some(handle)) => {
            (unbilled(ReleaseReason::Recovered, Some(handle.clone())), RecoveryDecision::Released)
        }
        (_, None) if expired => {
            (AccountCommand::ExpireReservation { reservation, at }, RecoveryDecision::Expired)
        }
        (_, None) => (unbilled(ReleaseReason::Recovered, None), RecoveryDecision::Released),
    };
    let by = CommandContext {
        request: open.request_id.as_deref().and_then(|id| id.parse().ok()),
        ..CommandContext::by(Actor::System("recovery"))
    };
    match gateway.books().ledger.accounts.execute(&open.account_id, command, &by, None).await {
        // Ended the same way before, and the read model has not seen it yet.
        Ok(committed) if committed.events.is_empty() => Ok(()),
        Ok(committed) => {
            gateway.books().count(&committed.events);
            gateway.books().metrics.books.recovered(decision);
            *report.of(decision) += 1;
            Ok(())
        }
        // Its owner, or another node, was faster; the read model has not seen it yet.
        Err(CommandError::Refused(
            AccountError::ReservationNotFound(_)
            | AccountError::AlreadySettled(_)
            | AccountError::AlreadyReleased(_)
            | AccountError::AlreadyExpired(_),
        )) => Ok(()),
        Err(error) => Err(error.into()),
    }
}

/// The upstream's record, and who keeps it; nothing while it is not there, or its account is
/// disabled.
pub(super) async fn find_record(
    gateway: &Gateway,
    handle: &Handle,
) -> Option<(Arc<Upstream>, GenerationRecord)> {
    let upstream = gateway.masters().find(handle.master_account)?;
    match gateway.client().find_generation(&upstream, &handle.generation_id).await {
        Ok(record) => record.map(|record| (upstream, record)),
        Err(error) => {
            tracing::warn!(%error, "the upstream's record cannot be read");
            None
        }
    }
}

/// The fallback that answered under this name of the upstream, as it was asked for: the charge
/// follows its ratio.
pub(super) async fn answered(
    gateway: &Gateway,
    account: &str,
    reservation: ReservationId,
    name: Option<String>,
) -> Result<Option<String>, RecoveryError> {
    let Some(name) = name else { return Ok(None) };
    let prices = gateway.prices().current();
    let look = |account: &Account| {
        let models = account.models(reservation);
        let answered = prices.answered(models.iter().copied(), &name);
        answered.filter(|model| Some(model) != models.first()).map(str::to_owned)
    };
    let answered = gateway.books().ledger.accounts.peek(account, look).await;
    Ok(answered.map_err(CommandError::from)?)
}

fn settle(
    (reservation, ruling, at): (ReservationId, Ruling, Timestamp),
    upstream: &Upstream,
    record: GenerationRecord,
    handle: &Handle,
) -> AccountCommand {
    AccountCommand::SettleReservation(Box::new(SettleReservation {
        reservation,
        answered_model: record.model,
        usage: record.usage,
        list_cost: record.total_cost,
        ruling: Some(ruling),
        // Nobody knows what the client has got.
        delivered_list_cost: None,
        computed_list_cost: None,
        source: CostSource::GenerationRecord,
        master_account: upstream.id,
        cost_rate: upstream.cost_rate,
        generation_id: Some(handle.generation_id.clone()),
        outcome: Outcome::Recovered,
        streamed: false,
        latencies: Latencies::default(),
        at,
    }))
}
