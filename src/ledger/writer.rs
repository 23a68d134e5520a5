//! The writer: collects what is waiting, appends it in one statement, acknowledges.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OwnedMutexGuard, mpsc, watch};

use super::LedgerOptions;
use super::append::{Append, Lost};
use super::error::LedgerError;
use super::snapshots::Snapshot;
use super::statement;
use super::trouble::{self, Link, Trouble};

/// How long the database may be silent before it counts as away; the longest wait for the row of
/// `ledger_head` and for a disk that is busy.
const SILENCE: Duration = Duration::from_secs(10);
/// How long callers wait for a database that is away.
const PATIENCE: Duration = Duration::from_secs(3);
/// How long a writer waits for another's statement to end.
const TURN: Duration = Duration::from_millis(50);
const AWAY: &str = "the ledger's database is away";

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

/// What all writers of a process share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    head: watch::Sender<i64>,
    snapshots: mpsc::Sender<Snapshot>,
    stats: Arc<WriterStats>,
    /// Whose statement PostgreSQL works on. Another one would only wait there for the row of
    /// `ledger_head`; here more commands join it meanwhile.
    turn: Arc<tokio::sync::Mutex<()>>,
}

impl Shared {
    pub async fn new(
        pool: &PgPool,
        snapshots: mpsc::Sender<Snapshot>,
    ) -> Result<Self, LedgerError> {
        let position =
            sqlx::query_scalar("SELECT position FROM ledger_head").fetch_one(pool).await?;
        Ok(Self {
            head: watch::Sender::new(position),
            snapshots,
            stats: Arc::default(),
            turn: Arc::default(),
        })
    }

    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    pub fn stats(&self) -> Arc<WriterStats> {
        self.stats.clone()
    }
}

/// The task that appends, for its share of the streams.
#[derive(Debug)]
pub(super) struct Writer {
    link: Link,
    rows: usize,
    bytes: usize,
    shared: Shared,
    /// Held while our statement is under way, and given on before anybody is answered.
    turn: Option<OwnedMutexGuard<()>>,
    /// Appends whose idempotency key is being written by the batch before them.
    held: VecDeque<Append>,
}

impl Writer {
    pub async fn connect(
        options: PgConnectOptions,
        bounds: &LedgerOptions,
        shared: Shared,
    ) -> Result<Self, LedgerError> {
        Ok(Self {
            link: Link::connect(options).await?,
            rows: bounds.batch_rows,
            bytes: bounds.batch_bytes,
            shared,
            turn: None,
            held: VecDeque::new(),
        })
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
            // A writer in trouble must not stop the others: after a moment we go without a turn.
            let turn = self.shared.turn.clone().lock_owned();
            self.turn = tokio::time::timeout(TURN, turn).await.ok();
            // Whoever was woken by the last acknowledgement gets to decide first: one turn of the
            // scheduler, no timer.
            tokio::task::yield_now().await;
            let (mut rows, mut bytes) = (0, 0);
            let mut count = |append: &Append| {
                // An append without events takes its place too, or there would be no bound.
                rows += append.rows.len().max(1);
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

    /// Brings every append of the batch to an answer. Where PostgreSQL objects to something in it
    /// the batch is halved, until what it objects to stands alone and fails alone.
    async fn commit(&mut self, batch: Vec<Append>, queue: &mut mpsc::Receiver<Append>) {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            let Some(mut left) = self.commit_part(part, queue).await else { continue };
            let right = left.split_off(left.len() / 2);
            parts.push(right);
            parts.push(left);
        }
    }

    /// Answers the whole part, or hands it back because it holds something objectionable.
    async fn commit_part(
        &mut self,
        mut batch: Vec<Append>,
        queue: &mut mpsc::Receiver<Append>,
    ) -> Option<Vec<Append>> {
        loop {
            batch = self.refuse_void(batch);
            batch = self.hold_repeated_keys(batch);
            if batch.iter().all(|append| append.rows.is_empty() && append.idempotency.is_none()) {
                let position = *self.shared.head.borrow();
                self.turn = None;
                acknowledge(batch, position, &self.shared.snapshots);
                return None;
            }
            let begun = Instant::now();
            let sent = within(SILENCE, statement::append(&mut self.link.connection, &batch)).await;
            self.turn = None;
            let stored = match sent.map_err(|error| Trouble::of(&error)) {
                Ok(base) => Some(base),
                Err(Trouble::StreamTaken) => {
                    self.shared.stats.conflicts.fetch_add(1, Ordering::Relaxed);
                    match within(SILENCE, trouble::void_losers(&mut self.link, &batch)).await {
                        Ok(()) => None,
                        Err(_) => self.resolve(&mut batch, queue).await?,
                    }
                }
                Err(Trouble::KeyTaken) => {
                    self.shared.stats.conflicts.fetch_add(1, Ordering::Relaxed);
                    match within(SILENCE, trouble::find_used_keys(&mut self.link, &batch)).await {
                        Ok(used) => {
                            batch = trouble::refuse_used_keys(used, batch);
                            None
                        }
                        Err(_) => self.resolve(&mut batch, queue).await?,
                    }
                }
                Err(Trouble::Objection(_)) if batch.len() > 1 => return Some(batch),
                Err(Trouble::Objection(reason) | Trouble::Refused(reason)) => {
                    tracing::error!(reason, "the ledger refused an append");
                    fail(batch, &reason);
                    return None;
                }
                Err(Trouble::Ambiguous) => self.resolve(&mut batch, queue).await?,
            };
            if let Some(base) = stored {
                self.committed(batch, base, begun);
                return None;
            }
        }
    }

    fn committed(&mut self, batch: Vec<Append>, base: i64, begun: Instant) {
        let rows = batch.iter().map(|append| append.rows.len() as u64).sum::<u64>();
        self.shared.stats.batches.fetch_add(1, Ordering::Relaxed);
        self.shared.stats.events.fetch_add(rows, Ordering::Relaxed);
        let micros = u64::try_from(begun.elapsed().as_micros()).unwrap_or(u64::MAX);
        self.shared.stats.commit_micros.fetch_add(micros, Ordering::Relaxed);
        let last = acknowledge_from(batch, base, &self.shared.snapshots);
        // Positions are handed out under one lock that lasts until the commit: what is before a
        // committed one is committed, whoever wrote it.
        self.shared.head.send_if_modified(|head| {
            let newer = last > *head;
            *head = last.max(*head);
            newer
        });
    }

    /// What was decided on state that turned out wrong goes no further.
    fn refuse_void(&self, batch: Vec<Append>) -> Vec<Append> {
        if !batch.iter().any(|append| append.residency.is_void()) {
            return batch;
        }
        let (void, valid): (Vec<_>, Vec<_>) =
            batch.into_iter().partition(|append| append.residency.is_void());
        for mut append in void {
            answer(&mut append, Err(Lost::Conflict));
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

    /// A new connection, the certainty that the old one can do nothing any more, and then a look
    /// at what it did: the position before the batch, if that was stored. Nothing is sent again
    /// before this look has succeeded.
    ///
    /// While the database is away nobody waits for it longer than [`PATIENCE`]: the batch is told
    /// that it is in doubt (and resolved nevertheless), all others fail. None: nobody is left who
    /// could ask, so the process need not wait for the database to end.
    async fn resolve(
        &mut self,
        batch: &mut [Append],
        queue: &mut mpsc::Receiver<Append>,
    ) -> Option<Option<i64>> {
        let begun = Instant::now();
        let mut attempt = 0_u32;
        loop {
            attempt += 1;
            let look = within(PATIENCE, trouble::replace_and_read_back(&mut self.link, batch));
            let patient = begun.elapsed() < PATIENCE;
            let error = match patient {
                true => look.await,
                false => refusing(queue, look).await,
            };
            let error = match error {
                Ok(stored) => {
                    self.shared.stats.reconnects.fetch_add(1, Ordering::Relaxed);
                    return Some(stored);
                }
                Err(error) => error,
            };
            tracing::warn!(attempt, %error, "the ledger's database is away, trying again");
            let pause = tokio::time::sleep(Duration::from_millis(50 << attempt.min(4)));
            if begun.elapsed() < PATIENCE {
                pause.await;
                continue;
            }
            for append in batch.iter_mut() {
                answer(append, Err(Lost::InDoubt));
            }
            fail(self.held.drain(..).collect(), AWAY);
            refusing(queue, pause).await;
            if queue.is_closed() && queue.is_empty() {
                tracing::error!(appends = batch.len(), "the ledger ends without its database");
                return None;
            }
        }
    }
}

/// Works while whoever comes to the queue is told that the database is away.
async fn refusing<T>(queue: &mut mpsc::Receiver<Append>, work: impl Future<Output = T>) -> T {
    tokio::pin!(work);
    loop {
        tokio::select! {
            biased;
            done = &mut work => return done,
            Some(append) = queue.recv() => fail(vec![append], AWAY),
        }
    }
}

/// An answer from the database in bounded time; a server that is silent is one that is away.
async fn within<T>(
    limit: Duration,
    work: impl Future<Output = Result<T, sqlx::Error>>,
) -> Result<T, sqlx::Error> {
    tokio::time::timeout(limit, work).await.unwrap_or(Err(sqlx::Error::PoolTimedOut))
}

/// Answers one append, once; nobody may be waiting for it any more.
pub(super) fn answer(append: &mut Append, outcome: Result<i64, Lost>) {
    if append.done.take().is_some_and(|done| done.send(outcome).is_err()) {
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
    answer(&mut append, Ok(position));
}

/// Nothing of the batch was stored, and the states that it was decided on are forgotten.
fn fail(batch: Vec<Append>, reason: &str) {
    for append in &batch {
        append.residency.void();
    }
    for mut append in batch {
        answer(&mut append, Err(Lost::Unavailable(reason.to_owned())));
    }
}
