//! The writer: collects what is waiting, appends it in one statement, acknowledges.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Instant;

use sqlx::postgres::PgConnectOptions;
use tokio::sync::{mpsc, watch};

use super::LedgerOptions;
use super::append::{Append, Lost};
use super::error::LedgerError;
use super::snapshots::Snapshot;
use super::statement;
use super::trouble::{self, Link, Trouble};

/// Counters since the start of the process.
#[derive(Debug, Default)]
pub struct WriterStats {
    batches: AtomicU64,
    events: AtomicU64,
    conflicts: AtomicU64,
    reconnects: AtomicU64,
    commit_micros: AtomicU64,
}

/// [`WriterStats`] at one moment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct WriterStatsSnapshot {
    /// Statements committed.
    pub batches: u64,
    /// Events committed.
    pub events: u64,
    /// Statements refused because a stream or a key was taken.
    pub conflicts: u64,
    /// Connections made after the first.
    pub reconnects: u64,
    /// Time spent in committed statements.
    pub commit_micros: u64,
}

impl WriterStats {
    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> WriterStatsSnapshot {
        let read = |counter: &AtomicU64| counter.load(Ordering::Relaxed);
        WriterStatsSnapshot {
            batches: read(&self.batches),
            events: read(&self.events),
            conflicts: read(&self.conflicts),
            reconnects: read(&self.reconnects),
            commit_micros: read(&self.commit_micros),
        }
    }
}

/// The one task that appends.
#[derive(Debug)]
pub(super) struct Writer {
    link: Link,
    rows: usize,
    bytes: usize,
    head: watch::Sender<i64>,
    snapshots: mpsc::Sender<Snapshot>,
    stats: Arc<WriterStats>,
    /// Appends whose idempotency key is being written by the batch before them.
    held: VecDeque<Append>,
}

impl Writer {
    pub async fn connect(
        options: PgConnectOptions,
        bounds: &LedgerOptions,
        snapshots: mpsc::Sender<Snapshot>,
    ) -> Result<Self, LedgerError> {
        let mut link = Link::connect(options).await?;
        let position = sqlx::query_scalar("SELECT position FROM ledger_head")
            .fetch_one(&mut link.connection)
            .await?;
        Ok(Self {
            link,
            rows: bounds.batch_rows,
            bytes: bounds.batch_bytes,
            head: watch::channel(position).0,
            snapshots,
            stats: Arc::default(),
            held: VecDeque::new(),
        })
    }

    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    pub fn stats(&self) -> Arc<WriterStats> {
        self.stats.clone()
    }

    /// Until the last handle of the engine is gone.
    pub async fn run(mut self, mut queue: mpsc::Receiver<Append>) {
        loop {
            let mut batch: Vec<Append> = self.held.drain(..).collect();
            if batch.is_empty() {
                match queue.recv().await {
                    Some(first) => batch.push(first),
                    None => return,
                }
            }
            // Whoever was woken by the last acknowledgement gets to decide first: one turn of the
            // scheduler, no timer.
            tokio::task::yield_now().await;
            let (mut rows, mut bytes) = (0, 0);
            let mut count = |append: &Append| {
                rows += append.rows.len();
                bytes += append.rows.iter().map(|row| row.payload.len()).sum::<usize>();
                rows < self.rows && bytes < self.bytes
            };
            let mut room = batch.iter().fold(true, |_, append| count(append));
            while room && let Ok(next) = queue.try_recv() {
                room = count(&next);
                batch.push(next);
            }
            self.commit(batch, &mut queue).await;
        }
    }

    /// Brings every append of the batch to an answer.
    async fn commit(&mut self, mut batch: Vec<Append>, queue: &mut mpsc::Receiver<Append>) {
        loop {
            batch = self.refuse_void(batch);
            batch = self.hold_repeated_keys(batch);
            if batch.iter().all(|append| append.rows.is_empty()) {
                let position = *self.head.borrow();
                return acknowledge(batch, position, &self.snapshots);
            }
            let begun = Instant::now();
            let trouble = match statement::append(&mut self.link.connection, &batch).await {
                Ok(base) => return self.committed(batch, base, begun),
                Err(error) => Trouble::of(&error),
            };
            batch = match trouble {
                Trouble::StreamTaken => {
                    self.stats.conflicts.fetch_add(1, Ordering::Relaxed);
                    match trouble::void_losers(&mut self.link, &batch).await {
                        Ok(()) => batch,
                        Err(_) => self.reconnect(batch, queue).await,
                    }
                }
                Trouble::KeyTaken => {
                    self.stats.conflicts.fetch_add(1, Ordering::Relaxed);
                    match trouble::refuse_used_keys(&mut self.link, batch).await {
                        Ok(rest) => rest,
                        Err((_, batch)) => self.reconnect(batch, queue).await,
                    }
                }
                Trouble::Refused(reason) => {
                    tracing::error!(reason, "the ledger refused an append");
                    return fail(batch, &reason);
                }
                Trouble::Ambiguous => {
                    batch = self.reconnect(batch, queue).await;
                    match trouble::read_back(&mut self.link, &batch).await {
                        Ok(Some(base)) => return self.committed(batch, base, begun),
                        Ok(None) | Err(_) => batch,
                    }
                }
            };
        }
    }

    fn committed(&mut self, batch: Vec<Append>, base: i64, begun: Instant) {
        let rows = batch.iter().map(|append| append.rows.len() as u64).sum::<u64>();
        self.stats.batches.fetch_add(1, Ordering::Relaxed);
        self.stats.events.fetch_add(rows, Ordering::Relaxed);
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.stats.commit_micros.fetch_add(micros, Ordering::Relaxed);
        let last = acknowledge_from(batch, base, &self.snapshots);
        self.head.send_replace(last);
    }

    /// What was decided on state that turned out wrong goes no further.
    fn refuse_void(&self, batch: Vec<Append>) -> Vec<Append> {
        if !batch.iter().any(|append| append.residency.is_void()) {
            return batch;
        }
        let (void, valid): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|append| append.residency.is_void());
        for append in void {
            answer(append, Err(Lost::Conflict));
        }
        valid
    }

    /// Two commands under one key in one statement would fail together: the second waits and then
    /// meets the stored key. What follows it on its stream waits with it, to keep the order.
    fn hold_repeated_keys(&mut self, batch: Vec<Append>) -> Vec<Append> {
        if batch.iter().filter(|append| append.idempotency.is_some()).count() < 2 {
            return batch;
        }
        let mut seen: HashSet<(String, String)> = HashSet::new();
        let mut waiting: HashSet<(&'static str, Arc<str>)> = HashSet::new();
        let (mut now, mut later) = (Vec::with_capacity(batch.len()), VecDeque::new());
        for append in batch {
            let stream = (append.aggregate_type, append.aggregate_id.clone());
            let repeated = append
                .idempotency
                .as_ref()
                .is_some_and(|key| !seen.insert((key.scope.clone(), key.key.clone())));
            if repeated || waiting.contains(&stream) {
                waiting.insert(stream);
                later.push_back(append);
            } else {
                now.push(append);
            }
        }
        later.append(&mut self.held);
        self.held = later;
        now
    }

    /// A new connection, and the certainty that the old one can do nothing any more. While the
    /// database is away nobody waits in the queue: commands fail, and their streams are forgotten.
    async fn reconnect(
        &mut self,
        batch: Vec<Append>,
        queue: &mut mpsc::Receiver<Append>,
    ) -> Vec<Append> {
        let mut attempt = 0_u32;
        while let Err(error) = self.link.replace().await {
            attempt += 1;
            tracing::warn!(attempt, %error, "the ledger's database is away, trying again");
            if attempt > 2 {
                let mut waiting: Vec<Append> = self.held.drain(..).collect();
                while let Ok(append) = queue.try_recv() {
                    waiting.push(append);
                }
                fail(waiting, "the ledger's database is away");
            }
            let pause = std::time::Duration::from_millis(100 << attempt.min(4));
            tokio::time::sleep(pause).await;
        }
        self.stats.reconnects.fetch_add(1, Ordering::Relaxed);
        batch
    }
}

/// Answers one append; nobody may be waiting for it any more.
pub(super) fn answer(append: Append, outcome: Result<i64, Lost>) {
    if append.done.send(outcome).is_err() {
        tracing::trace!(aggregate.id = %append.aggregate_id, "nobody waited for this append");
    }
}

fn acknowledge(batch: Vec<Append>, position: i64, snapshots: &mpsc::Sender<Snapshot>) {
    for append in batch {
        acknowledge_one(append, position, snapshots);
    }
}

fn acknowledge_from(batch: Vec<Append>, base: i64, snapshots: &mpsc::Sender<Snapshot>) -> i64 {
    let mut position = base;
    for append in batch {
        position += i64::try_from(append.rows.len()).unwrap_or(i64::MAX);
        acknowledge_one(append, position, snapshots);
    }
    position
}

fn acknowledge_one(mut append: Append, position: i64, snapshots: &mpsc::Sender<Snapshot>) {
    if let Some(snapshot) = append.snapshot.take()
        && snapshots.try_send(snapshot).is_err()
    {
        tracing::debug!(aggregate.id = %append.aggregate_id, "snapshot skipped: many wait");
    }
    answer(append, Ok(position));
}

/// Nothing of the batch was stored, and the states that it was decided on are forgotten.
fn fail(batch: Vec<Append>, reason: &str) {
    for append in &batch {
        append.residency.void();
    }
    for append in batch {
        answer(append, Err(Lost::Unavailable(reason.to_owned())));
    }
}
