//! Making handles and registering them.

use prometheus::core::Collector;
use prometheus::{
    Counter, CounterVec, Histogram, HistogramOpts, HistogramVec, IntCounter, IntCounterVec,
    IntGauge, IntGaugeVec, Opts, Registry,
};

use super::labels::{By, Label};

/// Every name and label is a constant of this folder, and a test makes all of them.
pub(super) const WELL_FORMED: &str = "metrics have well-formed names, and each its own";

/// A registry that is being filled.
#[derive(Debug, Default)]
pub(super) struct Maker(Registry);

impl From<Registry> for Maker {
    fn from(registry: Registry) -> Self {
        Self(registry)
    }
}

/// A counter that is not registered yet.
pub fn counter(name: &str, help: &str) -> IntCounter {
    IntCounter::new(name, help).expect(WELL_FORMED)
}

/// A gauge that is not registered yet.
pub fn gauge(name: &str, help: &str) -> IntGauge {
    IntGauge::new(name, help).expect(WELL_FORMED)
}

/// A histogram that is not registered yet.
pub fn histogram(name: &str, help: &str, buckets: &[f64]) -> Histogram {
    Histogram::with_opts(HistogramOpts::new(name, help).buckets(buckets.to_vec()))
        .expect(WELL_FORMED)
}

impl Maker {
    pub fn into_registry(self) -> Registry {
        self.0
    }

    pub fn keep(&self, collector: impl Collector + 'static) {
        self.keep_boxed(Box::new(collector));
    }

    pub fn keep_boxed(&self, collector: Box<dyn Collector>) {
        self.0.register(collector).expect(WELL_FORMED);
    }

    pub fn counter(&self, name: &str, help: &str) -> IntCounter {
        let counter = counter(name, help);
        self.keep(counter.clone());
        counter
    }

    pub fn dollars(&self, name: &str, help: &str) -> Counter {
        let counter = Counter::new(name, help).expect(WELL_FORMED);
        self.keep(counter.clone());
        counter
    }

    /// Dollars for each value of a label.
    pub fn dollars_by<L: Label>(&self, name: &str, help: &str, label: &str) -> By<L, Counter> {
        let vector = CounterVec::new(Opts::new(name, help), &[label]).expect(WELL_FORMED);
        self.keep(vector.clone());
        By::new(|value: &L| vector.with_label_values(&[value.name()]))
    }

    pub fn gauge(&self, name: &str, help: &str) -> IntGauge {
        let gauge = gauge(name, help);
        self.keep(gauge.clone());
        gauge
    }

    pub fn histogram(&self, name: &str, help: &str, buckets: &[f64]) -> Histogram {
        let histogram = histogram(name, help, buckets);
        self.keep(histogram.clone());
        histogram
    }

    /// A gauge with labels of one value each.
    pub fn fixed(&self, name: &str, help: &str, labels: &[(&str, &str)]) -> IntGauge {
        let names: Vec<_> = labels.iter().map(|(name, _)| *name).collect();
        let values: Vec<_> = labels.iter().map(|(_, value)| *value).collect();
        let vector = IntGaugeVec::new(Opts::new(name, help), &names).expect(WELL_FORMED);
        let gauge = vector.with_label_values(&values);
        self.keep(vector);
        gauge
    }

    /// A counter for each value of a label.
    pub fn counters<L: Label>(&self, name: &str, help: &str, label: &str) -> By<L, IntCounter> {
        let vector = IntCounterVec::new(Opts::new(name, help), &[label]).expect(WELL_FORMED);
        self.keep(vector.clone());
        By::new(|value: &L| vector.with_label_values(&[value.name()]))
    }

    /// A counter for each pair of values of two labels.
    pub fn table<L: Label, M: Label>(
        &self,
        name: &str,
        help: &str,
        labels: [&str; 2],
    ) -> By<L, By<M, IntCounter>> {
        let vector = IntCounterVec::new(Opts::new(name, help), &labels).expect(WELL_FORMED);
        self.keep(vector.clone());
        By::new(|one: &L| {
            By::new(|other: &M| vector.with_label_values(&[one.name(), other.name()]))
        })
    }

    /// A histogram for each value of a label.
    pub fn histograms<L: Label>(
        &self,
        name: &str,
        help: &str,
        label: &str,
        buckets: &[f64],
    ) -> By<L, Histogram> {
        let options = HistogramOpts::new(name, help).buckets(buckets.to_vec());
        let vector = HistogramVec::new(options, &[label]).expect(WELL_FORMED);
        self.keep(vector.clone());
        By::new(|value: &L| vector.with_label_values(&[value.name()]))
    }
}
