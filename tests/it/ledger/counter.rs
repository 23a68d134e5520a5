//! A small aggregate that refuses nothing twice: what is stored twice is counted twice.

use std::fmt;

use cqrs_es::event_sink::EventSink;
use cqrs_es::{Aggregate, DomainEvent};
use serde::{Deserialize, Serialize};
use tollgate_domain::Eventful;
use tollgate_domain::journal::Entry;

#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Counter {
    applied: u64,
    pub sum: i64,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Count {
    /// One event; `id` finds it again in the log.
    Add { id: u64, by: i64 },
    /// So many events at once.
    AddEach { id: u64, times: usize },
    /// Refused when there is less.
    Take { id: u64, by: i64 },
    /// Nothing to do where the sum is that already.
    SetTo(i64),
    /// Its event breaks an invariant half-way.
    Break,
}

#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub enum Counted {
    Added { id: u64, by: i64 },
    Broken {},
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TooLittle(pub i64);

impl fmt::Display for TooLittle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "there is only {}", self.0)
    }
}

impl std::error::Error for TooLittle {}

impl DomainEvent for Counted {
    fn event_type(&self) -> String {
        Counter::event_name(self).to_owned()
    }

    fn event_version(&self) -> String {
        "1".to_owned()
    }
}

impl Aggregate for Counter {
    const TYPE: &'static str = "counter";
    type Command = Count;
    type Event = Counted;
    type Error = TooLittle;
    type Services = ();

    async fn handle(
        &mut self,
        command: Count,
        (): &(),
        sink: &EventSink<Self>,
    ) -> Result<(), TooLittle> {
        for event in self.decide(command)? {
            sink.write(event, self).await;
        }
        Ok(())
    }

    fn apply(&mut self, event: Counted) {
        self.evolve(&event);
    }
}

impl Eventful for Counter {
    fn decide(&self, command: Count) -> Result<Vec<Counted>, TooLittle> {
        Ok(match command {
            Count::Add { id, by } => vec![Counted::Added { id, by }],
            Count::AddEach { id, times } => vec![Counted::Added { id, by: 1 }; times],
            Count::Take { by, .. } if by > self.sum => return Err(TooLittle(self.sum)),
            Count::Take { id, by } => vec![Counted::Added { id, by: -by }],
            Count::SetTo(sum) if sum == self.sum => vec![],
            Count::SetTo(sum) => vec![Counted::Added { id: 0, by: sum - self.sum }],
            Count::Break => vec![Counted::Added { id: 0, by: 1_000 }, Counted::Broken {}],
        })
    }

    fn evolve(&mut self, event: &Counted) {
        self.applied += 1;
        match event {
            Counted::Added { by, .. } => self.sum += by,
            Counted::Broken {} => panic!("INV-0: broken on purpose"),
        }
    }

    fn applied(&self) -> u64 {
        self.applied
    }

    fn event_name(event: &Counted) -> &'static str {
        match event {
            Counted::Added { .. } => "Added",
            Counted::Broken {} => "Broken",
        }
    }

    fn event_version(_: &Counted) -> &'static str {
        "1"
    }

    fn entry(_: &str, _: &Counted) -> Option<Entry> {
        None
    }
}
