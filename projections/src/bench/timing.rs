//! How long it takes.

use std::time::{Duration, Instant};

use sqlx::PgPool;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

use crate::audit::{self, Report};
use crate::error::ProjectionError;
use crate::progress::lag;
use crate::rebuild::{self, RebuildOptions, RebuildReport};
use crate::runner::Runner;

/// So many events took so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// Events that were applied or checked.
    pub events: i64,
    /// Wall clock.
    pub took: Duration,
}

impl Timing {
    /// Whole events per second.
    #[must_use]
    pub fn per_second(&self) -> i64 {
        let micros = i64::try_from(self.took.as_micros()).unwrap_or(i64::MAX).max(1);
        self.events.saturating_mul(1_000_000) / micros
    }
}

/// Runs the live projections until they have reached the head of the log.
///
/// # Errors
/// The runner's.
pub async fn catch_up(pool: &PgPool) -> Result<Timing, ProjectionError> {
    let start = Instant::now();
    let runner = Runner::new(pool.clone());
    let before = lag(pool).await?;
    let progress = runner.progress();
    let shutdown = CancellationToken::new();
    let (_writer, head) = watch::channel(before.head);
    let stop = shutdown.clone();
    let (ran, waited) = tokio::join!(runner.run(head, shutdown), async {
        let waited = progress.wait_for(before.head, Duration::from_secs(600)).await;
        stop.cancel();
        waited
    });
    ran?;
    waited.map_err(|error| ProjectionError::Worker(error.to_string()))?;
    Ok(Timing { events: before.behind, took: start.elapsed() })
}

/// Rebuilds every read model beside the live one and switches.
///
/// # Errors
/// The rebuild's.
pub async fn rebuild(pool: &PgPool) -> Result<(Timing, RebuildReport), ProjectionError> {
    let start = Instant::now();
    let report = rebuild::rebuild(pool, &[], RebuildOptions::default(), |_| {}).await?;
    Ok((Timing { events: report.position, took: start.elapsed() }, report))
}

/// Audits everything.
///
/// # Errors
/// The audit's.
pub async fn verify(pool: &PgPool) -> Result<(Timing, Report), ProjectionError> {
    let start = Instant::now();
    let report = audit::verify(pool, &audit::Options::default(), |_| {}).await?;
    Ok((Timing { events: report.events, took: start.elapsed() }, report))
}
