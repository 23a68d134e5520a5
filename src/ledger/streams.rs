//! Memory-resident aggregates and the way of a command to the writer.

use std::collections::{HashMap, VecDeque};
use std::fmt;
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};
use std::time::Duration;

use cqrs_es::Aggregate;
use parking_lot::Mutex;
use sqlx::PgPool;
use tokio::sync::oneshot;
use tollgate_domain::Eventful;
use tollgate_domain::chain::{StoredBytes, event_hash};

use super::Engine;
use super::append::{Append, Idempotency, Lost, Residency, Row};
use super::context::{CommandContext, now};
use super::error::{CommandError, LedgerError};
use super::load::{Loaded, load};
use super::snapshots::Snapshot;

const SHARDS: usize = 64;
/// How often a command is decided anew after other nodes were faster.
const ATTEMPTS: u32 = 12;
/// A refusal on state that was checked within this time stands without another look.
const FRESH_MICROS: i64 = 1_000_000;

/// The streams of one aggregate type.
pub struct Streams<A: Eventful>(Arc<Parts<A>>);

struct Parts<A: Eventful> {
    engine: Engine,
    shards: Box<[Mutex<Shard<A>>]>,
    hasher: RandomState,
    most_per_shard: usize,
}

struct Shard<A> {
    slots: HashMap<Arc<str>, Arc<Slot<A>>>,
    /// Clock hand order: what was not used since the hand passed is evicted first.
    ring: VecDeque<Arc<str>>,
}

/// One stream in memory.
pub(super) struct Slot<A> {
    pub id: Arc<str>,
    pub residency: Arc<Residency>,
    used: AtomicBool,
    checked_at: AtomicI64,
    /// None: not loaded yet, or a broken invariant stopped a command half-way.
    pub state: Arc<tokio::sync::Mutex<Option<Loaded<A>>>>,
}

/// A command that was decided and published in memory, and whose commit is under way.
///
/// Dropping it does not undo anything: the commit goes on.
#[must_use = "a decision that nobody awaits may turn out refused"]
pub struct Pending<A: Aggregate> {
    /// What will have happened.
    pub events: Vec<A::Event>,
    done: oneshot::Receiver<Result<i64, Lost>>,
}

/// A command whose events are durable.
#[derive(Debug)]
pub struct Committed<E> {
    /// What happened; empty when it had happened before.
    pub events: Vec<E>,
    /// The position of the last event, or of the log if there was none.
    pub position: i64,
}

impl<A: Aggregate> Pending<A> {
    /// Waits for the commit.
    ///
    /// # Errors
    /// Another node was faster, the idempotency key was used, or the database is away. Nothing
    /// was recorded then.
    pub async fn committed(self) -> Result<Committed<A::Event>, CommandError<A::Error>> {
        match self.done.await {
            Ok(Ok(position)) => Ok(Committed { events: self.events, position }),
            Ok(Err(Lost::Conflict)) => Err(CommandError::Conflict),
            Ok(Err(Lost::KeyUsed(kept))) => Err(CommandError::KeyUsed(kept)),
            Ok(Err(Lost::Unavailable(reason))) => Err(LedgerError::Unavailable(reason).into()),
            Err(_) => Err(LedgerError::Stopped.into()),
        }
    }
}

impl<A: Eventful> Clone for Streams<A> {
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl<A: Eventful> fmt::Debug for Streams<A> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Streams<{}>", A::TYPE)
    }
}

impl<A: Eventful> Streams<A>
where
    A::Command: Clone + Send,
{
    /// Carries out a command and waits until it is durable; decides anew where another node was
    /// faster.
    ///
    /// # Errors
    /// Each [`CommandError`]; nothing has changed then.
    pub async fn execute(
        &self,
        id: &str,
        command: A::Command,
        context: &CommandContext,
        idempotency: Option<Idempotency>,
    ) -> Result<Committed<A::Event>, CommandError<A::Error>> {
        let mut attempt = 0;
        loop {
            let make = |_: &A| command.clone();
            let outcome = match self.begin(id, context, idempotency.clone(), make).await {
                Ok(pending) => pending.committed().await,
                Err(error) => Err(error),
            };
            attempt += 1;
            match outcome {
                Err(CommandError::Conflict) if attempt < ATTEMPTS => {
                    // Two nodes that lost to each other must not meet again in step.
                    let spread = rand::random_range(0..(1_u64 << attempt.min(7)));
                    tokio::time::sleep(Duration::from_millis(spread)).await;
                }
                outcome => return outcome,
            }
        }
    }
}

impl<A: Eventful> Streams<A> {
    pub(super) fn new(engine: Engine, most: usize) -> Self {
        let shard = || Mutex::new(Shard { slots: HashMap::new(), ring: VecDeque::new() });
        Self(Arc::new(Parts {
            engine,
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            most_per_shard: most.div_ceil(SHARDS).max(1),
        }))
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.0.engine.0.pool
    }

    /// Decides a command in memory and hands it to the writer without waiting for the commit.
    ///
    /// `make` sees the state that the command will be decided on, under the stream's lock, so that
    /// a command can depend on it (such as an amount trimmed to what is available).
    ///
    /// # Errors
    /// The aggregate refuses, or its stream cannot be loaded.
    pub async fn begin(
        &self,
        id: &str,
        context: &CommandContext,
        idempotency: Option<Idempotency>,
        mut make: impl FnMut(&A) -> A::Command,
    ) -> Result<Pending<A>, CommandError<A::Error>> {
        // A place in the queue first: waiting for one must not keep the stream locked.
        let engine = &self.0.engine.0;
        let place = engine.queue.reserve().await.map_err(|_| LedgerError::Stopped)?;
        loop {
            let slot = self.slot(id);
            let mut state = slot.state.lock().await;
            if slot.residency.is_void() {
                continue;
            }
            let mut loaded = self.resident(&slot, &mut state).await?;
            let events = match loaded.aggregate.decide(make(&loaded.aggregate)) {
                Ok(events) => events,
                Err(refusal) => {
                    let sequence = loaded.sequence;
                    *state = Some(loaded);
                    if self.is_stale(&slot, sequence).await? {
                        slot.residency.void();
                        continue;
                    }
                    return Err(CommandError::Refused(refusal));
                }
            };
            let metadata = serde_json::to_string(&context.metadata(&engine.options.node))
                .map_err(|error| LedgerError::Unavailable(error.to_string()))?;
            let (done, receiver) = oneshot::channel();
            let append = Append {
                aggregate_type: A::TYPE,
                aggregate_id: slot.id.clone(),
                rows: evolve(&slot.id, &mut loaded, &events, &metadata)?,
                metadata: metadata.into(),
                idempotency,
                residency: slot.residency.clone(),
                snapshot: self.due_snapshot(&slot.id, &loaded, events.len()),
                done,
            };
            place.send(append);
            *state = Some(loaded);
            return Ok(Pending { events, done: receiver });
        }
    }

    /// Looks at the newest state in memory, which may be ahead of what is durable.
    ///
    /// # Errors
    /// The stream cannot be loaded.
    pub async fn peek<T>(&self, id: &str, look: impl FnOnce(&A) -> T) -> Result<T, LedgerError> {
        loop {
            let slot = self.slot(id);
            let mut state = slot.state.lock().await;
            if slot.residency.is_void() {
                continue;
            }
            let loaded = self.resident(&slot, &mut state).await?;
            let seen = look(&loaded.aggregate);
            *state = Some(loaded);
            return Ok(seen);
        }
    }

    /// Forgets the stream if another node has appended to it, so that the next look is at the
    /// newest state. For streams that are read far more often than written, such as prices.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn freshen(&self, id: &str) -> Result<bool, LedgerError> {
        let slot = self.slot(id);
        let known = slot.state.lock().await.as_ref().map(|loaded| loaded.sequence);
        let Some(known) = known else { return Ok(true) };
        slot.checked_at.store(0, Ordering::Relaxed);
        let stale = self.is_stale(&slot, known).await?;
        if stale {
            slot.residency.void();
        }
        Ok(stale)
    }

    /// Takes the state out of its slot, loading it on a miss. If the caller does not put it back
    /// (a broken invariant unwinds), the next one loads it again.
    pub(super) async fn resident(
        &self,
        slot: &Slot<A>,
        state: &mut Option<Loaded<A>>,
    ) -> Result<Loaded<A>, LedgerError> {
        match state.take() {
            Some(loaded) => Ok(loaded),
            None => {
                slot.checked_at.store(now().micros(), Ordering::Relaxed);
                load(self.pool(), &slot.id).await
            }
        }
    }

    /// Whether another node has appended to the stream since it was loaded. An acceptance finds
    /// that out by itself, because its append conflicts; a refusal appends nothing, so it looks.
    async fn is_stale(&self, slot: &Slot<A>, sequence: i64) -> Result<bool, LedgerError> {
        let at = now().micros();
        if at - slot.checked_at.load(Ordering::Relaxed) < FRESH_MICROS {
            return Ok(false);
        }
        slot.checked_at.store(at, Ordering::Relaxed);
        let newest: Option<i64> = sqlx::query_scalar(
            "SELECT max(sequence) FROM events WHERE aggregate_type = $1 AND aggregate_id = $2",
        )
        .bind(A::TYPE)
        .bind(&*slot.id)
        .fetch_one(self.pool())
        .await?;
        Ok(newest.unwrap_or(0) > sequence)
    }

    pub(super) fn due_snapshot(
        &self,
        id: &Arc<str>,
        loaded: &Loaded<A>,
        appended: usize,
    ) -> Option<Snapshot> {
        let every = self.0.engine.0.options.snapshot_every;
        let after = loaded.aggregate.applied();
        if after / every == (after - appended as u64) / every {
            return None;
        }
        let aggregate = loaded.aggregate.clone();
        Some(Snapshot {
            aggregate_type: A::TYPE,
            aggregate_id: id.clone(),
            sequence: loaded.sequence,
            payload: Box::new(move || serde_json::to_string(&aggregate)),
        })
    }

    /// The slot of a stream; makes room by evicting streams that nobody uses.
    pub(super) fn slot(&self, id: &str) -> Arc<Slot<A>> {
        let shard = (self.0.hasher.hash_one(id) as usize) % SHARDS;
        let mut shard = self.0.shards[shard].lock();
        if let Some(slot) = shard.slots.get(id)
            && !slot.residency.is_void()
        {
            slot.used.store(true, Ordering::Relaxed);
            return slot.clone();
        }
        if shard.slots.len() >= self.0.most_per_shard {
            shard.evict_one();
        }
        let id: Arc<str> = id.into();
        let slot = Arc::new(Slot {
            id: id.clone(),
            residency: Arc::default(),
            used: AtomicBool::new(true),
            checked_at: AtomicI64::new(0),
            state: Arc::default(),
        });
        if shard.slots.insert(id.clone(), slot.clone()).is_none() {
            shard.ring.push_back(id);
        }
        slot
    }

    /// Streams in memory now.
    #[must_use]
    pub fn resident_count(&self) -> usize {
        self.0.shards.iter().map(|shard| shard.lock().slots.len()).sum()
    }
}

impl<A> Shard<A> {
    /// Two turns at most: the first takes the marks away, the second finds one without. What is
    /// in use or still being committed stays, so the bound may be exceeded by what is in flight.
    fn evict_one(&mut self) {
        for _ in 0..self.ring.len() * 2 {
            let Some(id) = self.ring.pop_front() else { return };
            let Some(slot) = self.slots.get(&id) else { continue };
            let idle = Arc::strong_count(slot) == 1
                && Arc::strong_count(&slot.residency) == 1
                && !slot.used.swap(false, Ordering::Relaxed);
            if idle {
                self.slots.remove(&id);
                return;
            }
            self.ring.push_back(id);
        }
    }
}

/// Applies the events and writes down their rows, chained by hash.
fn evolve<A: Eventful>(
    id: &str,
    loaded: &mut Loaded<A>,
    events: &[A::Event],
    metadata: &str,
) -> Result<Vec<Row>, LedgerError> {
    let recorded_at = now();
    let mut rows = Vec::with_capacity(events.len());
    for event in events {
        loaded.aggregate.evolve(event);
        loaded.sequence += 1;
        let payload = serde_json::to_string(event)
            .map_err(|error| LedgerError::Unavailable(error.to_string()))?;
        let (event_type, event_version) = (A::event_name(event), A::event_version(event));
        loaded.hash = event_hash(
            &loaded.hash,
            StoredBytes {
                aggregate_type: A::TYPE,
                aggregate_id: id,
                sequence: loaded.sequence.unsigned_abs(),
                event_type,
                event_version,
                recorded_at,
                payload: &payload,
                metadata,
            },
        );
        rows.push(Row {
            sequence: loaded.sequence,
            event_type,
            event_version,
            payload,
            recorded_at: recorded_at.micros(),
            hash: loaded.hash,
        });
    }
    Ok(rows)
}

/// As [`Streams::begin`], for events that were decided elsewhere: the `EventStore` trait's way.
pub(super) async fn publish<A: Eventful>(
    streams: &Streams<A>,
    slot: &Slot<A>,
    state: &mut Option<Loaded<A>>,
    events: Vec<A::Event>,
    metadata: String,
) -> Result<Pending<A>, CommandError<A::Error>> {
    let engine = &streams.0.engine.0;
    let place = engine.queue.reserve().await.map_err(|_| LedgerError::Stopped)?;
    let mut loaded = streams.resident(slot, state).await?;
    let (done, receiver) = oneshot::channel();
    let append = Append {
        aggregate_type: A::TYPE,
        aggregate_id: slot.id.clone(),
        rows: evolve(&slot.id, &mut loaded, &events, &metadata)?,
        metadata: metadata.into(),
        idempotency: None,
        residency: slot.residency.clone(),
        snapshot: streams.due_snapshot(&slot.id, &loaded, events.len()),
        done,
    };
    place.send(append);
    *state = Some(loaded);
    Ok(Pending { events, done: receiver })
}
