//! Figures about the running process: for Prometheus as text, and for whoever wants to show them.
//!
//! Every series exists from the start and is an atomic behind a handle, so that counting costs a
//! request neither an allocation nor a look-up nor a lock. Labels have few values, all known
//! beforehand: never a key, an account, a request, a model, or a word of an upstream. What is in
//! the database is read when somebody asks for the figures.
//!
//! The crate is `prometheus` and not `prometheus-client`, whose histograms are behind a mutex, nor
//! the facade `metrics`, whose recorder is one for the whole process: tests run several servers in
//! one.

mod books;
mod database;
mod http;
mod labels;
mod listen;
mod live;
mod make;
mod process;
mod upstream;

use std::sync::Arc;

use prometheus::core::Collector;
use prometheus::{IntGauge, Registry, TextEncoder};

pub use books::{BooksMetrics, LateBill, RecoveryDecision};
pub use database::Found;
pub use http::{Blocked, ErrorWord, HttpMetrics, Outcome, Place, Watch};
pub use listen::router;
pub use live::{Distribution, Snapshot};
use make::{Maker, gauge};
pub(crate) use make::{counter, histogram};
pub use upstream::{OpenStream, Trouble, UpstreamMetrics};

/// Handles of everything that is counted while it happens.
#[derive(Debug)]
pub struct Metrics {
    registry: Registry,
    /// Requests as clients see them.
    pub http: HttpMetrics,
    /// What requests cost, and how their reservations end.
    pub books: BooksMetrics,
    /// The calls to upstreams.
    pub upstream: UpstreamMetrics,
}

/// What the process knows at the moment of asking, without having counted it.
#[derive(Debug, Clone, Copy)]
pub struct Standing {
    /// Requests that have a place now.
    pub in_flight: usize,
    /// How many may have one.
    pub in_flight_max: usize,
    /// Commands that wait for the ledger's writer.
    pub ledger_queue: usize,
    /// The newest position that this process knows to be committed.
    pub ledger_head: i64,
}

impl Default for Metrics {
    fn default() -> Self {
        let make = Maker::default();
        let (http, books) = (HttpMetrics::new(&make), BooksMetrics::new(&make));
        let upstream = UpstreamMetrics::new(&make);
        let version = [("version", env!("CARGO_PKG_VERSION"))];
        make.fixed("tollgate_build_info", "1, with the version of this build.", &version).set(1);
        Self { registry: make.into_registry(), http, books, upstream }
    }
}

impl Metrics {
    /// With what other parts count by themselves, such as the ledger's writer.
    #[must_use]
    pub fn with(collectors: Vec<Box<dyn Collector>>) -> Arc<Self> {
        let metrics = Self::default();
        let make = Maker::from(metrics.registry.clone());
        for collector in collectors {
            make.keep_boxed(collector);
        }
        Arc::new(metrics)
    }

    /// All figures in Prometheus's text format; `found` is nothing while the database is away.
    #[must_use]
    pub fn text(&self, standing: &Standing, found: Option<&Found>) -> String {
        // What is only known now lives as long as the answer: no old figure can stay behind.
        let make = Maker::default();
        standing.show(&make);
        database::show(&make, found);
        process::show(&make);
        let mut families = self.registry.gather();
        families.extend(make.into_registry().gather());
        families.sort_by(|a, b| a.name().cmp(b.name()));
        TextEncoder::new().encode_to_string(&families).unwrap_or_else(|error| {
            tracing::error!(%error, "the figures cannot be written");
            String::new()
        })
    }

    /// The figures that a live view shows; cheap enough for several times a second.
    #[must_use]
    pub fn snapshot(&self) -> Snapshot {
        Snapshot::of(self)
    }
}

impl Standing {
    fn show(&self, make: &Maker) {
        let show = |name, help, value| make.keep_set(gauge(name, help), value);
        show(
            "tollgate_http_requests_in_flight",
            "Requests that are being answered by this node, to the last byte.",
            self.in_flight as i64,
        );
        show(
            "tollgate_http_requests_in_flight_max",
            "Requests that this node answers at once (MAX_CONCURRENT_REQUESTS).",
            self.in_flight_max as i64,
        );
        show(
            "tollgate_ledger_queue_appends",
            "Appends that wait for the ledger's writer.",
            self.ledger_queue as i64,
        );
        show(
            "tollgate_ledger_head_position",
            "The newest position of the log that this node knows to be committed.",
            self.ledger_head,
        );
    }
}

impl Maker {
    fn keep_set(&self, gauge: IntGauge, value: i64) {
        gauge.set(value);
        self.keep(gauge);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_name_is_used_twice_and_everything_can_be_written() {
        let metrics = Metrics::with(Vec::new());
        let standing = Standing { in_flight: 1, in_flight_max: 2, ledger_queue: 0, ledger_head: 3 };
        let text = metrics.text(&standing, Some(&Found::default()));
        let mut names: Vec<_> = text.lines().filter(|line| line.starts_with("# TYPE ")).collect();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "{names:?}");
        assert!(text.contains("\ntollgate_database_up 1\n"), "{text}");
        let away = metrics.text(&standing, None);
        assert!(away.contains("\ntollgate_database_up 0\n"), "{away}");
        assert!(!away.contains("tollgate_reservations_open "), "an old figure is no figure");
    }
}
