//! The figures of one moment, for a view of what is going on: two of them make rates.

use std::time::{Duration, Instant};

use prometheus::Histogram;
use prometheus::core::Metric as _;

use super::Metrics;
use super::http::{ErrorWord, Outcome};
use super::labels::Label as _;

/// The counters of one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    /// When.
    pub at: Instant,
    /// Answered requests to all endpoints, and those whose client left before.
    pub requests: u64,
    /// Those that were refused: 4xx.
    pub refused: u64,
    /// Those that failed: 5xx.
    pub failed: u64,
    /// Errors by what they are about.
    pub errors: Vec<(&'static str, u64)>,
    /// Streams from upstreams that are open.
    pub open_streams: i64,
    /// Requests to models, to the last byte.
    pub model_duration: Distribution,
    /// Requests to models, to the first byte.
    pub first_byte: Distribution,
    /// What the gateway adds.
    pub overhead: Distribution,
}

/// How long things took, in classes.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Distribution {
    /// The upper bound of each class in seconds, and how many were in it or below.
    buckets: Vec<(f64, u64)>,
    /// All of them.
    pub count: u64,
    /// Seconds, all together.
    pub sum: f64,
}

impl Snapshot {
    pub(super) fn of(metrics: &Metrics) -> Self {
        let http = &metrics.http;
        let count = |outcome: Outcome| http.requests.all().map(|by| by.of(outcome).get()).sum();
        let (refused, failed) = (count(Outcome::Refused), count(Outcome::Failed));
        let others = [Outcome::Success, Outcome::Redirection, Outcome::Gone];
        Self {
            at: Instant::now(),
            requests: refused + failed + others.map(count).iter().sum::<u64>(),
            refused,
            failed,
            errors: ErrorWord::ALL
                .iter()
                .map(|word| (word.name(), http.errors.of(*word).get()))
                .collect(),
            open_streams: metrics.upstream.streams.get(),
            model_duration: Distribution::of(http.model_seconds()),
            first_byte: Distribution::of(http.model_first_byte()),
            overhead: Distribution::of(std::iter::once(&metrics.upstream.overhead)),
        }
    }

    /// What happened between an earlier moment and this one.
    #[must_use]
    pub fn since(&self, earlier: &Self) -> Self {
        Self {
            at: self.at,
            requests: self.requests.saturating_sub(earlier.requests),
            refused: self.refused.saturating_sub(earlier.refused),
            failed: self.failed.saturating_sub(earlier.failed),
            errors: self
                .errors
                .iter()
                .zip(&earlier.errors)
                .map(|((word, now), (_, before))| (*word, now.saturating_sub(*before)))
                .collect(),
            open_streams: self.open_streams,
            model_duration: self.model_duration.since(&earlier.model_duration),
            first_byte: self.first_byte.since(&earlier.first_byte),
            overhead: self.overhead.since(&earlier.overhead),
        }
    }
}

impl Distribution {
    fn of<'a>(histograms: impl Iterator<Item = &'a Histogram>) -> Self {
        let mut all = Self::default();
        for histogram in histograms {
            let metric = histogram.metric();
            let found = metric.get_histogram();
            let buckets = found.get_bucket().iter();
            let buckets = buckets.map(|one| (one.upper_bound(), one.cumulative_count()));
            let one = Self {
                buckets: buckets.collect(),
                count: found.get_sample_count(),
                sum: found.get_sample_sum(),
            };
            all = if all.buckets.is_empty() { one } else { all.plus(&one) };
        }
        all
    }

    fn plus(&self, other: &Self) -> Self {
        let pairs = self.buckets.iter().zip(&other.buckets);
        Self {
            buckets: pairs.map(|((bound, a), (_, b))| (*bound, a + b)).collect(),
            count: self.count + other.count,
            sum: self.sum + other.sum,
        }
    }

    fn since(&self, earlier: &Self) -> Self {
        let pairs = self.buckets.iter().zip(&earlier.buckets);
        Self {
            buckets: pairs.map(|((bound, a), (_, b))| (*bound, a.saturating_sub(*b))).collect(),
            count: self.count.saturating_sub(earlier.count),
            sum: (self.sum - earlier.sum).max(0.0),
        }
    }

    /// The time within which this part of them came to its end, as in 0.99; nothing where there
    /// was none. Within a class it is interpolated, as Prometheus does; beyond the last bound it
    /// is that bound.
    #[must_use]
    pub fn quantile(&self, part: f64) -> Option<Duration> {
        if self.count == 0 {
            return None;
        }
        let rank = part.clamp(0.0, 1.0) * self.count as f64;
        let (mut below, mut from) = (0_u64, 0.0);
        for (bound, count) in &self.buckets {
            if *count as f64 >= rank && *count > below {
                let share = ((rank - below as f64) / (count - below) as f64).clamp(0.0, 1.0);
                return Duration::try_from_secs_f64(from + (bound - from) * share).ok();
            }
            (below, from) = (*count, *bound);
        }
        Duration::try_from_secs_f64(from).ok()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(counts: [u64; 3], count: u64) -> Distribution {
        let bounds = [0.1, 0.2, 0.4];
        Distribution { buckets: bounds.into_iter().zip(counts).collect(), count, sum: 0.0 }
    }

    #[test]
    fn a_quantile_lies_within_its_class() {
        let millis = |of: &Distribution, part| of.quantile(part).map(|time| time.as_millis());
        let all = of([50, 90, 100], 100);
        assert_eq!(millis(&all, 0.25), Some(50));
        assert_eq!(millis(&all, 0.5), Some(100));
        assert_eq!(millis(&all, 0.95), Some(300));
        let slow = of([0, 0, 1], 10);
        assert_eq!(millis(&slow, 0.99), Some(400), "beyond the last bound nothing is known");
        assert_eq!(of([0, 0, 0], 0).quantile(0.5), None);
    }

    #[test]
    fn the_difference_of_two_moments_is_what_happened_between_them() {
        let between = of([50, 90, 100], 100).since(&of([50, 50, 50], 50));
        assert_eq!(between, of([0, 40, 50], 50));
        assert_eq!(between.quantile(0.4).map(|time| time.as_millis()), Some(150));
    }
}
