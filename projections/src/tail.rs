//! The newest part of the log, kept by the process that has just written it: its runner then need
//! not ask the database for what passed through its own hands a moment ago.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex, PoisonError};

use tollgate_domain::Timestamp;

use crate::log::LogRow;

/// Events of one stream that were committed together, at consecutive positions.
#[derive(Debug)]
pub struct StreamEvents {
    /// The kind of stream.
    pub aggregate_type: &'static str,
    /// The stream.
    pub aggregate_id: Arc<str>,
    /// Microseconds since 1970.
    pub recorded_at: i64,
    /// JSON text, the same for all.
    pub metadata: Arc<str>,
    /// JSON text of each event.
    pub payloads: Vec<String>,
}

/// What one statement committed: positions without a gap after `base`.
#[derive(Debug)]
pub(crate) struct Stretch {
    base: i64,
    last: i64,
    bytes: usize,
    written: Vec<StreamEvents>,
}

impl Stretch {
    fn new(base: i64, written: Vec<StreamEvents>) -> Self {
        let events: usize = written.iter().map(|written| written.payloads.len()).sum();
        let bytes = written.iter().map(StreamEvents::bytes).sum();
        let last = base.saturating_add(i64::try_from(events).unwrap_or(i64::MAX));
        Self { base, last, bytes, written }
    }

    /// Its rows after a position, as the log would show them.
    pub(crate) fn rows(&self, after: i64) -> impl Iterator<Item = LogRow<'_>> {
        let events = self.written.iter().flat_map(|written| {
            written.payloads.iter().map(move |payload| (written, payload.as_str()))
        });
        (self.base + 1..).zip(events).skip_while(move |(position, _)| *position <= after).map(
            |(position, (written, payload))| LogRow {
                position,
                recorded_at: Timestamp(written.recorded_at),
                aggregate_type: written.aggregate_type,
                aggregate_id: &written.aggregate_id,
                payload,
                metadata: &written.metadata,
                sealed: None,
            },
        )
    }
}

impl StreamEvents {
    fn bytes(&self) -> usize {
        let payloads: usize = self.payloads.iter().map(|payload| payload.capacity() + 24).sum();
        payloads + self.metadata.len() + size_of::<Self>()
    }
}

#[derive(Debug, Default)]
struct Kept {
    stretches: VecDeque<Arc<Stretch>>,
    bytes: usize,
}

impl Kept {
    fn drop_first(&mut self) {
        if let Some(gone) = self.stretches.pop_front() {
            self.bytes -= gone.bytes;
        }
    }
}

/// What this process has committed lately. Bounded: what no runner takes in time is forgotten, and
/// stands in the log as everything does.
#[derive(Debug)]
pub struct Tail {
    most_bytes: usize,
    kept: Mutex<Kept>,
}

impl Tail {
    /// Keeps so many bytes at most.
    #[must_use]
    pub fn new(most_bytes: usize) -> Self {
        Self { most_bytes, kept: Mutex::default() }
    }

    /// Takes what a statement has committed after position `base`. Only what is durable may come
    /// here: read models are made of it.
    pub fn push(&self, base: i64, written: Vec<StreamEvents>) {
        let stretch = Arc::new(Stretch::new(base, written));
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        kept.bytes += stretch.bytes;
        // Two writers may tell of their commits in the other order.
        let place = kept.stretches.partition_point(|other| other.base < base);
        kept.stretches.insert(place, stretch);
        while kept.bytes > self.most_bytes {
            kept.drop_first();
        }
    }

    /// What was committed after `after`, up to about `most` events, if all of that is here: where
    /// other processes wrote in between, or the reader is far behind, only the log has it.
    ///
    /// What came before is forgotten.
    pub(crate) fn since(&self, after: i64, most: i64) -> Option<Vec<Arc<Stretch>>> {
        let mut kept = self.kept.lock().unwrap_or_else(PoisonError::into_inner);
        while kept.stretches.front().is_some_and(|first| first.last <= after) {
            kept.drop_first();
        }
        let mut reached = after;
        let mut found = Vec::new();
        for stretch in &kept.stretches {
            if stretch.base > reached {
                return None;
            }
            if stretch.last > after.saturating_add(most) {
                break;
            }
            reached = stretch.last;
            found.push(Arc::clone(stretch));
        }
        (!found.is_empty()).then_some(found)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn events(payloads: &[&str]) -> Vec<StreamEvents> {
        vec![StreamEvents {
            aggregate_type: "account",
            aggregate_id: "a".into(),
            recorded_at: 1,
            metadata: "{}".into(),
            payloads: payloads.iter().map(|&payload| payload.to_owned()).collect(),
        }]
    }

    fn positions(tail: &Tail, after: i64, most: i64) -> Option<Vec<(i64, String)>> {
        let found = tail.since(after, most)?;
        let rows = found.iter().flat_map(|stretch| stretch.rows(after));
        Some(rows.map(|row| (row.position, row.payload.to_owned())).collect())
    }

    fn rows(rows: &[(i64, &str)]) -> Option<Vec<(i64, String)>> {
        Some(rows.iter().map(|(position, payload)| (*position, (*payload).to_owned())).collect())
    }

    #[test]
    fn shows_what_follows_a_position_without_a_gap() {
        let tail = Tail::new(1_000_000);
        tail.push(12, events(&["c"]));
        tail.push(10, events(&["a", "b"]));
        assert_eq!(positions(&tail, 10, 100), rows(&[(11, "a"), (12, "b"), (13, "c")]));
        assert_eq!(positions(&tail, 11, 100), rows(&[(12, "b"), (13, "c")]));
        assert_eq!(positions(&tail, 12, 100), rows(&[(13, "c")]));
        assert_eq!(positions(&tail, 13, 100), None, "nothing newer");
    }

    #[test]
    fn shows_nothing_where_another_process_wrote_in_between() {
        let tail = Tail::new(1_000_000);
        tail.push(10, events(&["a"]));
        tail.push(12, events(&["c"]));
        assert_eq!(positions(&tail, 9, 100), None, "10 is not here");
        assert_eq!(positions(&tail, 10, 100), None, "12 is not here");
        assert_eq!(positions(&tail, 12, 100), rows(&[(13, "c")]));
    }

    #[test]
    fn ends_at_a_stretch_s_end_when_more_is_here_than_asked_for() {
        let tail = Tail::new(1_000_000);
        tail.push(0, events(&["a", "b"]));
        tail.push(2, events(&["c", "d"]));
        assert_eq!(positions(&tail, 0, 3), rows(&[(1, "a"), (2, "b")]));
        assert_eq!(positions(&tail, 0, 1), None, "one event of two cannot be had here");
    }

    #[test]
    fn forgets_the_oldest_when_nobody_takes_it() {
        let tail = Tail::new(300);
        for base in 0..100 {
            tail.push(base, events(&["0123456789"]));
        }
        assert_eq!(positions(&tail, 0, 1_000), None);
        assert_eq!(positions(&tail, 99, 1_000), rows(&[(100, "0123456789")]));
        assert!(tail.kept.lock().unwrap().bytes <= 300);
    }
}
