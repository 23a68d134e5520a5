//! Load generators behind `tollgate bench`: figures are measured, never asserted by a timed test.

pub mod cpu;
pub mod gateway;
pub mod ledger;
pub mod load;
pub mod peers;
mod report;
mod stage;
pub mod streams;
pub mod suite;
pub mod trace;

pub use report::Report;
pub use stage::{BenchError, Stage};

use hdrhistogram::Histogram;

/// Latencies in microseconds, up to a minute, three digits.
#[must_use]
pub fn histogram() -> Histogram<u64> {
    Histogram::new_with_bounds(1, 60_000_000, 3)
        .unwrap_or_else(|_| Histogram::new(3).expect("3 digits are valid"))
}

/// `p50 0.41 ms, p99 1.20 ms, max 4.00 ms`
#[must_use]
pub fn percentiles(histogram: &Histogram<u64>) -> String {
    let ms = |micros: u64| format!("{}.{:02} ms", micros / 1_000, micros % 1_000 / 10);
    format!(
        "p50 {}, p99 {}, max {}",
        ms(histogram.value_at_quantile(0.5)),
        ms(histogram.value_at_quantile(0.99)),
        ms(histogram.max())
    )
}
