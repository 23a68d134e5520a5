//! Memory-resident aggregates and the way of a command to the writer.

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use cqrs_es::Aggregate;
use sqlx::PgPool;
use tokio::sync::{mpsc, oneshot};
use tollgate_domain::chain::{StoredBytes, event_hash};
use tollgate_domain::{Eventful, Timestamp};

use super::Engine;
use super::append::{Append, Idempotency, Lost, Row, refuse_used};
use super::context::{CommandContext, now};
use super::error::{CommandError, LedgerError};
use super::load::{Loaded, load};
use super::residents::{Residents, Slot};
use super::snapshots::Snapshot;

/// How often a command is decided anew after other nodes were faster.
const ATTEMPTS: u32 = 12;
/// A refusal on state that was checked within this time stands without another look.
const FRESH: Duration = Duration::from_secs(1);

/// The streams of one aggregate type.
pub struct Streams<A: Eventful>(Arc<Parts<A>>);

struct Parts<A: Eventful> {
    engine: Engine,
    residents: Residents<A>,
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
    /// was recorded then, except that after [`LedgerError::InDoubt`] nobody knows yet.
    pub async fn committed(self) -> Result<Committed<A::Event>, CommandError<A::Error>> {
        match self.done.await {
            Ok(Ok(position)) => Ok(Committed { events: self.events, position }),
            Ok(Err(Lost::Conflict)) => Err(CommandError::Conflict),
            Ok(Err(Lost::KeyUsed(kept))) => Err(CommandError::KeyUsed(kept)),
            Ok(Err(Lost::Unavailable(reason))) => Err(LedgerError::Unavailable(reason).into()),
            // The writer went with the append in its hands.
            Ok(Err(Lost::InDoubt)) | Err(_) => Err(LedgerError::InDoubt.into()),
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
        self.execute_with(id, context, idempotency, |_| command.clone()).await
    }

    /// The same for a command that depends on the state, such as a change of some of its members:
    /// `make` sees the state that the command is decided on.
    ///
    /// # Errors
    /// As [`Streams::execute`].
    pub async fn execute_with(
        &self,
        id: &str,
        context: &CommandContext,
        idempotency: Option<Idempotency>,
        mut make: impl FnMut(&A) -> A::Command,
    ) -> Result<Committed<A::Event>, CommandError<A::Error>> {
        let mut attempt = 0;
        loop {
            let outcome = match self.begin(id, context, idempotency.clone(), &mut make).await {
                Ok(pending) => pending.committed().await,
                Err(error) => Err(error),
            };
            let Err(CommandError::Conflict) = outcome else { return outcome };
            // Whoever stands behind the same key again falls with it, and would so each time.
            refuse_used(self.pool(), idempotency.as_ref()).await?;
            attempt += 1;
            if attempt == ATTEMPTS {
                return outcome;
            }
            // Two nodes that lost to each other must not meet again in step.
            let spread = rand::random_range(0..(1_u64 << attempt.min(7)));
            tokio::time::sleep(Duration::from_millis(spread)).await;
        }
    }
}

impl<A: Eventful> Streams<A> {
    pub(super) fn new(engine: Engine, most: usize) -> Self {
        Self(Arc::new(Parts { engine, residents: Residents::new(most) }))
    }

    pub(super) fn pool(&self) -> &PgPool {
        &self.0.engine.0.pool
    }

    /// A place in the writer's queue. Whoever wants to append takes it before the stream's lock:
    /// waiting with the lock for a place that somebody holds who waits for the lock never ends.
    pub(super) async fn place(&self) -> Result<mpsc::OwnedPermit<Append>, LedgerError> {
        self.0.engine.0.queue.clone().reserve_owned().await.map_err(|_| LedgerError::Stopped)
    }

    pub(super) fn slot(&self, id: &str) -> Arc<Slot<A>> {
        self.0.residents.slot(id)
    }

    /// Streams in memory now.
    #[must_use]
    pub fn resident_count(&self) -> usize {
        self.0.residents.count()
    }

    /// Decides a command in memory and hands it to the writer without waiting for the commit.
    ///
    /// `make` sees the state that the command will be decided on, under the stream's lock, so that
    /// a command can depend on it (such as an amount trimmed to what is available). It is called
    /// again where that state turns out to be old.
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
        self.begin_keyed(id, context, |state| (make(state), idempotency.clone())).await
    }

    /// [`Streams::begin`] for a command whose idempotency key keeps something that is known only
    /// when it is decided.
    ///
    /// # Errors
    /// As there.
    pub async fn begin_keyed(
        &self,
        id: &str,
        context: &CommandContext,
        mut make: impl FnMut(&A) -> (A::Command, Option<Idempotency>),
    ) -> Result<Pending<A>, CommandError<A::Error>> {
        let place = self.place().await?;
        loop {
            let slot = self.slot(id);
            let mut state = slot.lock().await;
            if !slot.is_usable(&state) {
                continue;
            }
            let loaded = self.resident(&slot, &mut state).await?;
            let (command, idempotency) = make(&loaded.aggregate);
            let decision = loaded.aggregate.decide(command);
            // What appends nothing conflicts with nothing, so it has to look for itself whether
            // its ground still holds. A refusal may be a moment old; "nothing is left to do" may
            // not, because its caller will not ask again.
            let trusted = match &decision {
                Ok(events) if !events.is_empty() => None,
                Ok(_) => Some(Duration::ZERO),
                Err(_) => Some(FRESH),
            };
            if let Some(age) = trusted {
                let sequence = loaded.sequence;
                if self.is_stale(&slot, sequence, age).await? {
                    slot.residency.void();
                    continue;
                }
            }
            let events = decision.map_err(CommandError::Refused)?;
            let metadata = serde_json::to_string(&context.metadata(self.0.engine.node()))
                .map_err(|error| LedgerError::Unavailable(error.to_string()))?;
            return Ok(self.publish(place, &slot, &mut state, events, metadata, idempotency)?);
        }
    }

    /// Looks at the newest state in memory, which may be ahead of what is durable.
    ///
    /// # Errors
    /// The stream cannot be loaded.
    pub async fn peek<T>(&self, id: &str, look: impl FnOnce(&A) -> T) -> Result<T, LedgerError> {
        loop {
            let slot = self.slot(id);
            let mut state = slot.lock().await;
            if slot.is_usable(&state) {
                let loaded = self.resident(&slot, &mut state).await?;
                return Ok(look(&loaded.aggregate));
            }
        }
    }

    /// [`Streams::peek`] for who would rather not know than wait: nothing where the stream is not
    /// in memory, or busy.
    pub fn glance<T>(&self, id: &str, look: impl FnOnce(&A) -> T) -> Option<T> {
        let slot = self.slot(id);
        let state = slot.state.try_lock().ok()?;
        state.as_ref().filter(|_| slot.is_usable(&state)).map(|loaded| look(&loaded.aggregate))
    }

    /// Forgets the stream if another node has appended to it, so that the next look is at the
    /// newest state. For streams that are read far more often than written, such as prices.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn freshen(&self, id: &str) -> Result<bool, LedgerError> {
        self.freshen_after(id, Duration::ZERO).await
    }

    /// The same, unless the stream was compared with the log within `age`.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn freshen_after(&self, id: &str, age: Duration) -> Result<bool, LedgerError> {
        let slot = self.slot(id);
        let known = slot.lock().await.as_ref().map(|loaded| loaded.sequence);
        let Some(known) = known else { return Ok(true) };
        let stale = self.is_stale(&slot, known, age).await?;
        if stale {
            slot.residency.void();
        }
        Ok(stale)
    }

    /// The state in a slot, loaded on a miss.
    pub(super) async fn resident<'a>(
        &self,
        slot: &Slot<A>,
        state: &'a mut Option<Loaded<A>>,
    ) -> Result<&'a mut Loaded<A>, LedgerError> {
        let loaded = match state.take() {
            Some(loaded) => loaded,
            None => {
                // Before the read, so that what is appended during it counts as unseen.
                slot.checked_at.store(now().micros(), Ordering::Relaxed);
                let loaded = load(self.pool(), &slot.id).await?;
                slot.loaded.store(true, Ordering::Relaxed);
                loaded
            }
        };
        Ok(state.insert(loaded))
    }

    /// Whether another node has appended to the stream since it was loaded; not looked up again
    /// where that was done within `age`. What appends finds that out by itself: it conflicts.
    pub(super) async fn is_stale(
        &self,
        slot: &Slot<A>,
        sequence: i64,
        age: Duration,
    ) -> Result<bool, LedgerError> {
        let at = now().micros();
        let checked = at.saturating_sub(slot.checked_at.load(Ordering::Relaxed));
        if u128::from(checked.unsigned_abs()) < age.as_micros() {
            return Ok(false);
        }
        let newest: Option<i64> = sqlx::query_scalar(
            "SELECT max(sequence) FROM events WHERE aggregate_type = $1 AND aggregate_id = $2",
        )
        .bind(A::TYPE)
        .bind(&*slot.id)
        .fetch_one(self.pool())
        .await?;
        slot.checked_at.store(at, Ordering::Relaxed);
        Ok(newest.unwrap_or(0) > sequence)
    }

    /// Applies decided events, chains them and hands them to the writer.
    ///
    /// Nothing is awaited here, so a cancelled task cannot stop half-way; a panic leaves the slot
    /// empty, which [`Slot::is_usable`] notices.
    pub(super) fn publish(
        &self,
        place: mpsc::OwnedPermit<Append>,
        slot: &Slot<A>,
        state: &mut Option<Loaded<A>>,
        events: Vec<A::Event>,
        metadata: String,
        idempotency: Option<Idempotency>,
    ) -> Result<Pending<A>, LedgerError> {
        let Some(mut loaded) = state.take() else {
            return Err(LedgerError::Unavailable("the stream's state was lost".into()));
        };
        let recorded_at = now();
        let rows = evolve(&slot.id, &mut loaded, &events, &metadata, recorded_at)?;
        let (done, receiver) = oneshot::channel();
        place.send(Append {
            aggregate_type: A::TYPE,
            aggregate_id: slot.id.clone(),
            metadata: metadata.into(),
            recorded_at: recorded_at.micros(),
            rows,
            idempotency,
            residency: slot.residency.clone(),
            snapshot: self.due_snapshot(&slot.id, &loaded, events.len()),
            done: Some(done),
        });
        *state = Some(loaded);
        Ok(Pending { events, done: receiver })
    }

    fn due_snapshot(&self, id: &Arc<str>, loaded: &Loaded<A>, appended: usize) -> Option<Snapshot> {
        let every = self.0.engine.0.options.snapshot_every.max(1);
        let after = loaded.aggregate.applied();
        if after / every == after.saturating_sub(appended as u64) / every {
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
}

/// Applies the events and writes down their rows, chained by hash.
fn evolve<A: Eventful>(
    id: &str,
    loaded: &mut Loaded<A>,
    events: &[A::Event],
    metadata: &str,
    recorded_at: Timestamp,
) -> Result<Vec<Row>, LedgerError> {
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
            hash: loaded.hash,
        });
    }
    Ok(rows)
}
