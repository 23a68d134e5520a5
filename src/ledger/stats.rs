//! What the writers count.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

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

    pub(super) fn batch(&self, events: u64, took: Duration) {
        self.batches.fetch_add(1, Ordering::Relaxed);
        self.events.fetch_add(events, Ordering::Relaxed);
        let micros = u64::try_from(took.as_micros()).unwrap_or(u64::MAX);
        self.commit_micros.fetch_add(micros, Ordering::Relaxed);
    }

    pub(super) fn conflict(&self) {
        self.conflicts.fetch_add(1, Ordering::Relaxed);
    }

    pub(super) fn reconnect(&self) {
        self.reconnects.fetch_add(1, Ordering::Relaxed);
    }
}
