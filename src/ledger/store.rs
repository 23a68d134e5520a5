//! cqrs-es's `EventStore` over the engine, so that `CqrsFramework` works with it.

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;
use std::time::Duration;

use cqrs_es::{AggregateContext, AggregateError, EventEnvelope, EventStore};
use tokio::sync::{OwnedMutexGuard, mpsc};
use tollgate_domain::Eventful;

use super::append::Append;
use super::error::CommandError;
use super::load::{Loaded, load_events};
use super::residents::Slot;
use super::streams::Streams;

/// The streams of one aggregate type as an `EventStore`.
#[derive(Debug, Clone)]
pub struct StreamStore<A: Eventful>(Streams<A>);

/// A stream that is locked for one command, with a copy of its state: a command that fails
/// half-way leaves only the copy changed.
pub struct StreamContext<A: Eventful> {
    copy: A,
    slot: Arc<Slot<A>>,
    state: OwnedMutexGuard<Option<Loaded<A>>>,
    place: mpsc::OwnedPermit<Append>,
}

impl<A: Eventful> StreamStore<A> {
    /// A store over these streams.
    #[must_use]
    pub const fn new(streams: Streams<A>) -> Self {
        Self(streams)
    }
}

impl<A: Eventful> AggregateContext<A> for StreamContext<A> {
    fn aggregate(&mut self) -> &mut A {
        &mut self.copy
    }
}

fn unexpected<E: std::error::Error>(
    error: impl Into<Box<dyn std::error::Error + Send + Sync>>,
) -> AggregateError<E> {
    AggregateError::DatabaseConnectionError(error.into())
}

fn wire<E: std::error::Error>(error: CommandError<E>) -> AggregateError<E> {
    match error {
        CommandError::Refused(refusal) => AggregateError::UserError(refusal),
        CommandError::Conflict | CommandError::KeyUsed(_) => AggregateError::AggregateConflict,
        CommandError::Ledger(error) => unexpected(error),
    }
}

impl<A: Eventful> EventStore<A> for StreamStore<A> {
    type AC = StreamContext<A>;

    async fn load_events(
        &self,
        aggregate_id: &str,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        load_events(self.0.pool(), aggregate_id).await.map_err(unexpected)
    }

    async fn load_aggregate(
        &self,
        aggregate_id: &str,
    ) -> Result<StreamContext<A>, AggregateError<A::Error>> {
        let place = self.0.place().await.map_err(unexpected)?;
        loop {
            let slot = self.0.slot(aggregate_id);
            let mut state = slot.state.clone().lock_owned().await;
            if !slot.is_usable(&state) {
                continue;
            }
            let loaded = self.0.resident(&slot, &mut state).await.map_err(unexpected)?;
            let (copy, sequence) = (loaded.aggregate.clone(), loaded.sequence);
            // The framework decides out of sight and takes a refusal for final: look before.
            if self.0.is_stale(&slot, sequence, Duration::ZERO).await.map_err(unexpected)? {
                slot.residency.void();
                continue;
            }
            return Ok(StreamContext { copy, slot, state, place });
        }
    }

    /// Publishes, unlocks the stream, and then waits for the commit.
    async fn commit(
        &self,
        events: Vec<A::Event>,
        context: StreamContext<A>,
        metadata: HashMap<String, String>,
    ) -> Result<Vec<EventEnvelope<A>>, AggregateError<A::Error>> {
        let StreamContext { slot, mut state, copy, place } = context;
        let first = state.as_ref().map_or(0, |loaded| loaded.sequence);
        // Sorted, so that the stored bytes do not depend on a map's order.
        let sorted: BTreeMap<_, _> = metadata.iter().collect();
        let text = serde_json::to_string(&sorted).map_err(unexpected)?;
        let pending = self.0.publish(place, &slot, &mut state, events, text, None);
        debug_assert!(
            state.as_ref().is_none_or(|loaded| loaded.aggregate == copy),
            "INV-6: handling a command changes state by its events alone"
        );
        drop(state);
        let pending = pending.map_err(unexpected::<A::Error>)?;
        let committed = pending.committed().await.map_err(wire)?;
        let envelopes =
            committed.events.into_iter().enumerate().map(|(place, payload)| EventEnvelope {
                aggregate_id: slot.id.to_string(),
                sequence: usize::try_from(first).unwrap_or(usize::MAX) + 1 + place,
                payload,
                metadata: metadata.clone(),
            });
        Ok(envelopes.collect())
    }
}
