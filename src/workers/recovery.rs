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
use tollgate_domain::AccountError;
use tollgate_domain::account::{
    AccountCommand, CostSource, Latencies, Outcome, ReleaseReason, SettleReservation,
};
use tollgate_domain::decimal::ListCost;
use tollgate_domain::ids::{InvalidId, MasterAccountId, ReservationId};
use tollgate_projections::queries::{
    OpenFilter, OpenReservation, PageRequest, QueryError, open_reservations,
};

use crate::config::RecoveryTimes;
use crate::ledger::{Actor, CommandContext, CommandError, now};
use crate::proxy::Gateway;
use crate::upstream::{GenerationRecord, Upstream};

/// The upstream's record may come late: so long a reservation with a handle waits for it.
const PATIENCE: Duration = Duration::from_secs(45);

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

/// The upstream's handle of an open reservation.
struct Handle {
    generation: String,
    master: MasterAccountId,
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
        match recover_once(&gateway, &pool, times.gone).await {
            Ok(report) if report == RecoveryReport::default() => {}
            Ok(report) => tracing::info!(?report, "what a stopped process left open"),
            Err(error) => tracing::warn!(%error, "recovery will try again"),
        }
    }
}

/// One pass over everything that its owner has left: a node that was not seen for as long as `gone`
/// has stopped.
///
/// # Errors
/// Each [`RecoveryError`].
pub async fn recover_once(
    gateway: &Gateway,
    pool: &PgPool,
    gone: Duration,
) -> Result<RecoveryReport, RecoveryError> {
    let mut report = RecoveryReport::default();
    let page = PageRequest::new(None, Some(200))?;
    let filters = [
        OpenFilter { not_nodes: Some(alive(pool, gateway, gone).await?), ..OpenFilter::default() },
        OpenFilter { expired_before: Some(Utc::now()), ..OpenFilter::default() },
    ];
    for filter in filters {
        let left = open_reservations(pool, &filter, &page).await?.items;
        let handles = handles(pool, &left).await?;
        for open in left {
            let handle = handles.get(&open.reservation_id);
            // One odd reservation must not keep the others from their end.
            if let Err(error) = end(gateway, &open, handle, &mut report).await {
                tracing::warn!(reservation.id = open.reservation_id, %error, "not ended yet");
            }
        }
    }
    Ok(report)
}

async fn alive(
    pool: &PgPool,
    gateway: &Gateway,
    gone: Duration,
) -> Result<Vec<String>, sqlx::Error> {
    let seconds = i64::try_from(gone.as_secs()).unwrap_or(i64::MAX);
    let mut nodes: Vec<String> = sqlx::query_scalar(
        "SELECT node FROM nodes WHERE seen_at > now() - make_interval(secs => $1::bigint)",
    )
    .bind(seconds)
    .fetch_all(pool)
    .await?;
    nodes.push(gateway.books().ledger.engine().node().to_owned());
    Ok(nodes)
}

async fn handles(
    pool: &PgPool,
    left: &[OpenReservation],
) -> Result<HashMap<String, Handle>, RecoveryError> {
    let ids: Vec<&str> = left.iter().map(|open| open.reservation_id.as_str()).collect();
    let rows = sqlx::query(
        "SELECT reservation_id, generation_id, master_account_id FROM generations
         WHERE reservation_id = ANY($1)",
    )
    .bind(ids)
    .fetch_all(pool)
    .await?;
    rows.iter()
        .map(|row| {
            let master = row.get::<String, _>(2).parse()?;
            Ok((row.get(0), Handle { generation: row.get(1), master }))
        })
        .collect()
}

/// Ends one reservation, if its time has come.
async fn end(
    gateway: &Gateway,
    open: &OpenReservation,
    handle: Option<&Handle>,
    report: &mut RecoveryReport,
) -> Result<(), RecoveryError> {
    let reservation: ReservationId = open.reservation_id.parse()?;
    let expired = open.expires_at <= Utc::now();
    let found = match handle {
        Some(handle) => match gateway.masters().find(handle.master) {
            Some(upstream) => record(gateway, &upstream, handle).await,
            None => None,
        },
        None => None,
    };
    let (command, count) = match (found, handle) {
        // The upstream asks nothing for it: that is no charge, not a charge of zero.
        (Some((_, record)), _) if record.total_cost == ListCost::ZERO => {
            let reason = ReleaseReason::NothingBilled;
            let command = AccountCommand::ReleaseReservation { reservation, reason };
            (command, &mut report.released)
        }
        (Some((upstream, record)), Some(handle)) => {
            (settle(reservation, &upstream, record, handle), &mut report.settled)
        }
        (None, Some(_)) if !expired && age(open.reserved_at) < PATIENCE => {
            report.waiting += 1;
            return Ok(());
        }
        _ if expired => {
            let command = AccountCommand::ExpireReservation { reservation, at: now() };
            (command, &mut report.expired)
        }
        _ => {
            let reason = ReleaseReason::Recovered;
            let command = AccountCommand::ReleaseReservation { reservation, reason };
            (command, &mut report.released)
        }
    };
    let by = CommandContext {
        causation: open.request_id.clone(),
        ..CommandContext::by(Actor::System("recovery"))
    };
    match gateway.books().ledger.accounts.execute(&open.account_id, command, &by, None).await {
        Ok(_) => {
            *count += 1;
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

fn age(since: DateTime<Utc>) -> Duration {
    (Utc::now() - since).to_std().unwrap_or_default()
}

async fn record(
    gateway: &Gateway,
    upstream: &Arc<Upstream>,
    handle: &Handle,
) -> Option<(Arc<Upstream>, GenerationRecord)> {
    match gateway.client().find_generation(upstream, &handle.generation).await {
        Ok(record) => record.map(|record| (upstream.clone(), record)),
        Err(error) => {
            tracing::warn!(%error, "the upstream's record cannot be read");
            None
        }
    }
}

fn settle(
    reservation: ReservationId,
    upstream: &Upstream,
    record: GenerationRecord,
    handle: &Handle,
) -> AccountCommand {
    AccountCommand::SettleReservation(Box::new(SettleReservation {
        reservation,
        answered_model: None,
        usage: record.usage,
        list_cost: record.total_cost,
        ruling: None,
        delivered_list_cost: None,
        computed_list_cost: None,
        source: CostSource::GenerationRecord,
        master_account: upstream.id,
        cost_rate: upstream.cost_rate,
        generation_id: Some(handle.generation.clone()),
        outcome: Outcome::Recovered,
        streamed: false,
        latencies: Latencies::default(),
        at: now(),
    }))
}
