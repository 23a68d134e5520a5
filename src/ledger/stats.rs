//! What the writers count.

use std::time::Duration;

use prometheus::core::Collector;
use prometheus::{Histogram, IntCounter};

use crate::telemetry::metrics::{counter, histogram};

const EVENTS: [f64; 11] = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0, 512.0, 1024.0];
const SECONDS: [f64; 13] =
    [0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 1.0, 4.0];

/// Counters since the start of the process.
#[derive(Debug)]
pub struct WriterStats {
    events: IntCounter,
    conflicts: IntCounter,
    reconnects: IntCounter,
    sizes: Histogram,
    commits: Histogram,
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

impl Default for WriterStats {
    fn default() -> Self {
        Self {
            events: counter("tollgate_ledger_events_total", "Events that this node appended."),
            conflicts: counter(
                "tollgate_ledger_conflicts_total",
                "Appends refused because another node had taken a stream's place or a key.",
            ),
            reconnects: counter(
                "tollgate_ledger_reconnects_total",
                "Connections of the ledger's writers that had to be replaced.",
            ),
            sizes: histogram(
                "tollgate_ledger_batch_events",
                "Events that were appended by one statement.",
                &EVENTS,
            ),
            commits: histogram(
                "tollgate_ledger_commit_duration_seconds",
                "From the first sending of a batch until it is durable.",
                &SECONDS,
            ),
        }
    }
}

impl WriterStats {
    /// The counters now.
    #[must_use]
    pub fn snapshot(&self) -> WriterStatsSnapshot {
        WriterStatsSnapshot {
            batches: self.commits.get_sample_count(),
            events: self.events.get(),
            conflicts: self.conflicts.get(),
            reconnects: self.reconnects.get(),
            commit_micros: (self.commits.get_sample_sum() * 1e6) as u64,
        }
    }

    /// For whoever shows them.
    #[must_use]
    pub fn collectors(&self) -> Vec<Box<dyn Collector>> {
        vec![
            Box::new(self.events.clone()),
            Box::new(self.conflicts.clone()),
            Box::new(self.reconnects.clone()),
            Box::new(self.sizes.clone()),
            Box::new(self.commits.clone()),
        ]
    }

    pub(super) fn batch(&self, events: u64, took: Duration) {
        self.events.inc_by(events);
        self.sizes.observe(events as f64);
        self.commits.observe(took.as_secs_f64());
    }

    pub(super) fn conflict(&self) {
        self.conflicts.inc();
    }

    pub(super) fn reconnect(&self) {
        self.reconnects.inc();
    }
}
