//! The writers: whoever has the queue collects what is waiting and appends it in one statement;
//! then the next one has it, while the first acknowledges.

use std::collections::{HashSet, VecDeque};
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::{OwnedMutexGuard, mpsc, watch};

use tollgate_projections::Tail;

use super::LedgerOptions;
use super::append::{Append, Lost};
use super::error::LedgerError;
use super::snapshots::Snapshot;
use super::statement;
use super::stats::WriterStats;
use super::trouble::{self, Link, Trouble};

/// How long the database may be silent before it counts as away; the longest wait for the row of
/// `ledger_head` and for a disk that is busy.
const SILENCE: Duration = Duration::from_secs(10);
/// How long callers wait for a database that is away.
const PATIENCE: Duration = Duration::from_secs(3);
/// How many turns of the scheduler a batch may wait while it grows: each statement costs
/// PostgreSQL as much as several rows.
const TURNS: usize = 4;
const AWAY: &str = "the ledger's database is away";

/// What all writers of a process share.
#[derive(Debug, Clone)]
pub(super) struct Shared {
    head: watch::Sender<i64>,
    snapshots: mpsc::Sender<Snapshot>,
    stats: Arc<WriterStats>,
    tail: Option<Arc<Tail>>,
    queue: Arc<tokio::sync::Mutex<Queue>>,
}

/// What waits to be appended. A writer keeps it until its batch is stored or refused: so what was
/// decided later, of any stream, is never sent before what it was decided on. Another statement
/// would only wait in PostgreSQL for the row of `ledger_head`; here more commands join it.
#[derive(Debug)]
struct Queue {
    appends: mpsc::Receiver<Append>,
    /// Appends whose idempotency key is being written by the batch before them.
    held: VecDeque<Append>,
}

type Turn = OwnedMutexGuard<Queue>;

impl Shared {
    pub async fn new(
        pool: &PgPool,
        snapshots: mpsc::Sender<Snapshot>,
        appends: mpsc::Receiver<Append>,
        tail: Option<Arc<Tail>>,
    ) -> Result<Self, LedgerError> {
        let position =
            sqlx::query_scalar("SELECT position FROM ledger_head").fetch_one(pool).await?;
        Ok(Self {
            head: watch::Sender::new(position),
            snapshots,
            stats: Arc::default(),
            tail,
            queue: Arc::new(tokio::sync::Mutex::new(Queue { appends, held: VecDeque::new() })),
        })
    }

    pub fn head(&self) -> watch::Receiver<i64> {
        self.head.subscribe()
    }

    pub fn stats(&self) -> Arc<WriterStats> {
        self.stats.clone()
    }
}

/// A task that appends, with a connection of its own.
#[derive(Debug)]
pub(super) struct Writer {
    link: Link,
    rows: usize,
    bytes: usize,
    shared: Shared,
}

/// What became of a part of a batch.
enum Stored {
    /// It stands after this position, and nobody has been told.
    At { base: i64, batch: Vec<Append>, begun: Instant },
    /// Everybody has been told.
    Answered,
    /// Something in it cannot be stored, and nothing of it was.
    Objectionable(Vec<Append>),
}

impl Queue {
    /// What is held back and what is waiting, within the bounds. None: the last handle of the
    /// engine is gone, and all is written.
    async fn collect(&mut self, most_rows: usize, most_bytes: usize) -> Option<Vec<Append>> {
        let mut batch: Vec<Append> = self.held.drain(..).collect();
        if batch.is_empty() {
            batch.push(self.appends.recv().await?);
        }
        // Whoever was woken by the last acknowledgement gets to decide first: a few turns of the
        // scheduler while more come, no timer.
        for _ in 0..TURNS {
            let waiting = self.appends.len();
            tokio::task::yield_now().await;
            if self.appends.len() == waiting {
                break;
            }
        }
        let (mut rows, mut bytes) = (0, 0);
        let mut count = |append: &Append| {
            // An append without events takes its place too, or there would be no bound.
            rows += append.rows.len().max(1);
            bytes += append.rows.iter().map(|row| row.payload.len()).sum::<usize>();
            rows < most_rows && bytes < most_bytes
        };
        let mut room = batch.iter().fold(true, |_, append| count(append));
        while room && let Ok(next) = self.appends.try_recv() {
            room = count(&next);
            batch.push(next);
        }
        Some(batch)
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
        })
    }

    /// Until the last handle of the engine is gone.
    pub async fn run(mut self) {
        loop {
            let mut turn = self.shared.queue.clone().lock_owned().await;
            let Some(batch) = turn.collect(self.rows, self.bytes).await else { return };
            self.commit(batch, turn).await;
        }
    }

    /// Brings every append of the batch to an answer. Where PostgreSQL objects to something in it
    /// the batch is halved, until what it objects to stands alone and fails alone.
    async fn commit(&mut self, batch: Vec<Append>, mut turn: Turn) {
        let mut parts = vec![batch];
        while let Some(part) = parts.pop() {
            match self.store(part, &mut turn).await {
                Stored::At { base, batch, begun } if parts.is_empty() => {
                    drop(turn);
                    return self.committed(batch, base, begun);
                }
                Stored::At { base, batch, begun } => self.committed(batch, base, begun),
                Stored::Answered => {}
                Stored::Objectionable(mut left) => {
                    let right = left.split_off(left.len() / 2);
                    parts.push(right);
                    parts.push(left);
                }
            }
        }
    }

    /// Stores the part, or answers it, or hands it back.
    async fn store(&mut self, mut batch: Vec<Append>, queue: &mut Queue) -> Stored {
        loop {
            batch = self.refuse_void(batch);
            batch = queue.hold_repeated_keys(batch);
            let begun = Instant::now();
            if batch.iter().all(|append| append.rows.is_empty() && append.idempotency.is_none()) {
                let position = *self.shared.head.borrow();
                acknowledge(batch, position, &self.shared.snapshots);
                return Stored::Answered;
            }
            let sent = within(SILENCE, statement::append(&mut self.link.connection, &batch)).await;
            // None: nobody knows yet.
            let outcome = match sent.map_err(|error| Trouble::of(&error)) {
                Ok(base) => Some(Some(base)),
                Err(Trouble::StreamTaken) => {
                    self.shared.stats.conflict();
                    let voided = trouble::void_losers(&mut self.link, &batch);
                    within(SILENCE, voided).await.ok().map(|()| None)
                }
                Err(Trouble::KeyTaken) => {
                    self.shared.stats.conflict();
                    match within(SILENCE, trouble::find_used_keys(&mut self.link, &batch)).await {
                        Ok(used) => {
                            batch = trouble::refuse_used_keys(used, batch);
                            Some(None)
                        }
                        Err(_) => None,
                    }
                }
                Err(Trouble::Objection(_)) if batch.len() > 1 => {
                    return Stored::Objectionable(batch);
                }
                Err(Trouble::Objection(reason) | Trouble::Refused(reason)) => {
                    tracing::error!(reason, "the ledger refused an append");
                    fail(batch, &reason);
                    return Stored::Answered;
                }
                Err(Trouble::Ambiguous) => None,
            };
            let stored = match outcome {
                Some(stored) => stored,
                None => match self.resolve(&mut batch, queue).await {
                    Some(stored) => stored,
                    None => return Stored::Answered,
                },
            };
            if let Some(base) = stored {
                return Stored::At { base, batch, begun };
            }
        }
    }

    fn committed(&mut self, batch: Vec<Append>, base: i64, begun: Instant) {
        let rows = batch.iter().map(|append| append.rows.len() as u64).sum::<u64>();
        self.shared.stats.batch(rows, begun.elapsed());
        let last = self.acknowledge_from(batch, base);
        // Positions are handed out under one lock that lasts until the commit: what is before a
        // committed one is committed, whoever wrote it.
        self.shared.head.send_if_modified(|head| {
            let newer = last > *head;
            *head = last.max(*head);
            newer
        });
    }

    /// Answers each append with its position, and keeps the events for the projections. The
    /// answers come first: somebody waits for them.
    fn acknowledge_from(&self, mut batch: Vec<Append>, base: i64) -> i64 {
        let mut position = base;
        for append in &mut batch {
            position += i64::try_from(append.rows.len()).unwrap_or(i64::MAX);
            acknowledge_one(append, position, &self.shared.snapshots);
        }
        if let Some(tail) = &self.shared.tail {
            tail.push(base, batch.into_iter().map(Append::into_events).collect());
        }
        position
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

    /// A new connection, the certainty that the old one can do nothing any more, and then a look
    /// at what it did: the position before the batch, if that was stored. Nothing is sent again
    /// before this look has succeeded.
    ///
    /// While the database is away nobody waits for it longer than [`PATIENCE`]: the batch is told
    /// that it is in doubt (and resolved nevertheless), all others fail. None: nobody is left who
    /// could ask, so the process need not wait for the database to end.
    async fn resolve(&mut self, batch: &mut [Append], queue: &mut Queue) -> Option<Option<i64>> {
        let begun = Instant::now();
        let mut attempt = 0_u32;
        loop {
            attempt += 1;
            let look = within(PATIENCE, trouble::replace_and_read_back(&mut self.link, batch));
            let patient = begun.elapsed() < PATIENCE;
            let error = match patient {
                true => look.await,
                false => refusing(&mut queue.appends, look).await,
            };
            let error = match error {
                Ok(stored) => {
                    self.shared.stats.reconnect();
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
            fail(queue.held.drain(..).collect(), AWAY);
            refusing(&mut queue.appends, pause).await;
            if queue.appends.is_closed() && queue.appends.is_empty() {
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
    for mut append in batch {
        acknowledge_one(&mut append, position, snapshots);
    }
}

fn acknowledge_one(append: &mut Append, position: i64, snapshots: &mpsc::Sender<Snapshot>) {
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
    for mut append in batch {
        answer(&mut append, Err(Lost::Unavailable(reason.to_owned())));
    }
}
