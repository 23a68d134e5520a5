//! What goes on now: a picture each second, made once for everybody who watches.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use serde::Serialize;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, watch};
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;
use tollgate_projections::queries;
use utoipa::ToSchema;

use super::metrics::{Distribution, Snapshot};
use crate::http::AppState;

/// How often.
const TICK: Duration = Duration::from_secs(1);
/// Seconds whose requests make the times that are shown: of one second there are too few.
const WINDOW: usize = 10;
/// Who may watch at once.
const WATCHERS: usize = 32;
/// A database that takes longer is away.
const PATIENCE: Duration = Duration::from_millis(800);

/// Times of requests to models in the last ten seconds, in milliseconds; null: there was none.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Times {
    /// Half of them took no longer.
    #[schema(examples(320.5))]
    p50_ms: Option<f64>,
    /// Nine of ten took no longer.
    #[schema(examples(910.0))]
    p90_ms: Option<f64>,
    /// 99 of 100 took no longer.
    #[schema(examples(2400.0))]
    p99_ms: Option<f64>,
}

/// Errors of the last second.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Errors {
    /// What they are about, as in `insufficient_quota`.
    #[schema(examples("rate_limit_exceeded"))]
    code: &'static str,
    /// How many.
    #[schema(examples(3))]
    count: u64,
}

/// What is in the database; null where that did not answer in time.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Books {
    /// Open reservations of all nodes.
    #[schema(examples(12))]
    open_reservations: i64,
    /// The age of the oldest.
    #[schema(examples(4.2))]
    oldest_reservation_seconds: f64,
    /// The newest position of the log.
    #[schema(examples(405))]
    head: i64,
    /// Events that are not in every read model yet.
    #[schema(examples(0))]
    projection_lag_events: i64,
    /// The age of the oldest of them.
    #[schema(examples(0.0))]
    projection_lag_seconds: f64,
}

/// What goes on on this node, and in the books of all.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Picture {
    /// When.
    at: DateTime<Utc>,
    /// Requests to all endpoints that were answered in the last second.
    #[schema(examples(120.0))]
    requests_per_second: f64,
    /// Of them refused: 4xx.
    #[schema(examples(1.0))]
    refused_per_second: f64,
    /// Of them failed: 5xx.
    #[schema(examples(0.0))]
    failed_per_second: f64,
    /// By what they are about.
    errors: Vec<Errors>,
    /// Until the first byte of the answer.
    first_byte: Times,
    /// Until its last byte.
    duration: Times,
    /// What this gateway adds to the upstream's time.
    overhead: Times,
    /// Requests that are being answered now, to the last byte.
    #[schema(examples(17))]
    in_flight: usize,
    /// Streams from upstreams that are open now.
    #[schema(examples(9))]
    open_streams: i64,
    /// Appends that wait for the ledger's writer.
    #[schema(examples(0))]
    ledger_queue: usize,
    books: Option<Books>,
}

/// Where the pictures are to be had.
#[derive(Debug)]
pub struct Live {
    newest: watch::Sender<Arc<str>>,
    places: Arc<Semaphore>,
}

/// A place among those who watch.
#[derive(Debug)]
pub struct Watcher {
    pictures: watch::Receiver<Arc<str>>,
    _place: OwnedSemaphorePermit,
}

impl Default for Live {
    fn default() -> Self {
        let places = Arc::new(Semaphore::new(WATCHERS));
        Self { newest: watch::Sender::new(Arc::from("")), places }
    }
}

impl Live {
    /// A place, if one is free.
    pub fn watch(&self) -> Option<Watcher> {
        let place = Arc::clone(&self.places).try_acquire_owned().ok()?;
        let mut pictures = self.newest.subscribe();
        // The picture of when somebody watched last is old.
        pictures.mark_unchanged();
        Some(Watcher { pictures, _place: place })
    }
}

impl Watcher {
    /// The next picture, as JSON; one that came while nobody asked is left out. None: no more come.
    pub async fn next(&mut self) -> Option<Arc<str>> {
        self.pictures.changed().await.ok()?;
        Some(Arc::clone(&self.pictures.borrow_and_update()))
    }
}

impl Times {
    fn of(times: &Distribution) -> Self {
        let part = |part| times.quantile(part).map(|time| time.as_secs_f64() * 1e3);
        Self { p50_ms: part(0.5), p90_ms: part(0.9), p99_ms: part(0.99) }
    }
}

/// Makes pictures until `stop`. While nobody watches only the counters are looked at.
pub async fn make_pictures(app: AppState, stop: CancellationToken) {
    let mut seconds: VecDeque<Snapshot> = VecDeque::with_capacity(WINDOW + 1);
    let mut tick = tokio::time::interval(TICK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        let now = app.metrics.snapshot();
        if app.live.newest.receiver_count() > 0
            && let (Some(oldest), Some(last)) = (seconds.front(), seconds.back())
        {
            let picture = picture(&app, &now, last, oldest).await;
            match serde_json::to_string(&picture) {
                Ok(json) => {
                    app.live.newest.send_replace(Arc::from(json));
                }
                Err(error) => tracing::error!(%error, "a picture cannot be written"),
            }
        }
        seconds.push_back(now);
        if seconds.len() > WINDOW {
            seconds.pop_front();
        }
    }
}

async fn picture(app: &AppState, now: &Snapshot, last: &Snapshot, oldest: &Snapshot) -> Picture {
    let elapsed = now.at.saturating_duration_since(last.at).as_secs_f64().max(0.001);
    let (second, window) = (now.since(last), now.since(oldest));
    let per_second = |count: u64| ((count as f64 / elapsed) * 10.0).round() / 10.0;
    let errors = second.errors.iter().filter(|(_, count)| *count > 0);
    Picture {
        at: Utc::now(),
        requests_per_second: per_second(second.requests),
        refused_per_second: per_second(second.refused),
        failed_per_second: per_second(second.failed),
        errors: errors.map(|(code, count)| Errors { code, count: *count }).collect(),
        first_byte: Times::of(&window.first_byte),
        duration: Times::of(&window.model_duration),
        overhead: Times::of(&window.overhead),
        in_flight: app
            .config
            .max_concurrent_requests
            .saturating_sub(app.in_flight.available_permits()),
        open_streams: now.open_streams,
        ledger_queue: app.ledger.engine().waiting(),
        books: tokio::time::timeout(PATIENCE, books(app)).await.ok().flatten(),
    }
}

async fn books(app: &AppState) -> Option<Books> {
    let open = queries::open_summary(app.database.pool()).await.ok()?;
    let lag = app.progress.lag().await.ok()?;
    Some(Books {
        open_reservations: open.count,
        oldest_reservation_seconds: open.oldest_seconds,
        head: lag.head,
        projection_lag_events: lag.behind,
        projection_lag_seconds: lag.seconds,
    })
}
