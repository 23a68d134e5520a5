//! Units that come back steadily.

use std::num::NonZeroU64;
use std::sync::LazyLock;
use std::time::{Duration, Instant};

/// Nanoseconds on the monotonic clock of this process.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment(u64);

/// So many units within so long.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Quota {
    units: NonZeroU64,
    span: u64,
}

/// A bucket of units that refills steadily: a full one can be emptied at once, and the units come
/// back one by one over the quota's span.
///
/// In any span of time `t` at most `units + units × t / span` are taken, exactly. A bucket may be
/// overdrawn by [`Meter::take`], for what is known only afterwards; that has to come back before
/// anything else fits.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Meter {
    /// What is missing, in units times nanoseconds of the span: so nothing is ever rounded.
    missing: u128,
    /// When that was so.
    at: u64,
    full_at: u64,
}

/// What does not fit now.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wait {
    /// It fits after this long.
    For(Duration),
    /// It is more than a full bucket holds.
    ForEver,
}

impl Moment {
    /// After everything.
    pub const NEVER: Self = Self(u64::MAX);

    /// Now.
    #[must_use]
    pub fn now() -> Self {
        static BEGIN: LazyLock<Instant> = LazyLock::new(Instant::now);
        Self(nanos(BEGIN.elapsed()))
    }

    /// The moment so much later.
    #[must_use]
    pub fn plus(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(nanos(wait)))
    }
}

impl Quota {
    /// So many units within `span`, of which there is at least a nanosecond.
    #[must_use]
    pub fn new(units: NonZeroU64, span: Duration) -> Self {
        Self { units, span: nanos(span).max(1) }
    }

    /// So many units a minute.
    #[must_use]
    pub fn per_minute(units: impl Into<NonZeroU64>) -> Self {
        Self::new(units.into(), Duration::from_secs(60))
    }

    /// The units of a full bucket.
    #[must_use]
    pub const fn units(self) -> u64 {
        self.units.get()
    }

    /// A full bucket, as a meter counts it.
    fn full(self) -> u128 {
        self.scaled(self.units())
    }

    fn scaled(self, units: u64) -> u128 {
        u128::from(units) * u128::from(self.span)
    }

    /// How long it takes until this much has come back, rounded up.
    fn time_of(self, missing: u128) -> u64 {
        u64::try_from(missing.div_ceil(u128::from(self.units()))).unwrap_or(u64::MAX)
    }
}

impl Meter {
    /// The units that can be taken now.
    #[must_use]
    pub fn left(&self, quota: Quota, now: Moment) -> u64 {
        let there = quota.full().saturating_sub(self.missing(quota, now));
        u64::try_from(there / u128::from(quota.span)).unwrap_or(u64::MAX)
    }

    /// Whether so many units can be taken now.
    ///
    /// # Errors
    /// How long it takes until they can.
    pub fn fits(&self, quota: Quota, units: u64, now: Moment) -> Result<(), Wait> {
        if units > quota.units() {
            return Err(Wait::ForEver);
        }
        let wanted = self.missing(quota, now).saturating_add(quota.scaled(units));
        match quota.time_of(wanted.saturating_sub(quota.full())) {
            0 => Ok(()),
            wait => Err(Wait::For(Duration::from_nanos(wait))),
        }
    }

    /// Takes units, whether they fit or not.
    pub fn take(&mut self, quota: Quota, units: u64, now: Moment) {
        self.set(self.missing(quota, now).saturating_add(quota.scaled(units)), quota, now);
    }

    /// Puts units back that were taken and not needed.
    pub fn put_back(&mut self, quota: Quota, units: u64, now: Moment) {
        self.set(self.missing(quota, now).saturating_sub(quota.scaled(units)), quota, now);
    }

    /// How long until the bucket is full.
    #[must_use]
    pub const fn full_in(&self, now: Moment) -> Duration {
        Duration::from_nanos(self.full_at.saturating_sub(now.0))
    }

    /// When the bucket is full: from then on it is like a new one.
    #[must_use]
    pub const fn full_at(&self) -> Moment {
        Moment(self.full_at)
    }

    fn missing(&self, quota: Quota, now: Moment) -> u128 {
        // Each unit comes back in its share of the span, all of them at once.
        let came_back = u128::from(now.0.saturating_sub(self.at)) * u128::from(quota.units());
        self.missing.saturating_sub(came_back)
    }

    fn set(&mut self, missing: u128, quota: Quota, now: Moment) {
        self.missing = missing;
        // Somebody who looked at the clock a moment earlier may come later.
        self.at = self.at.max(now.0);
        self.full_at = self.at.saturating_add(quota.time_of(missing));
    }
}

fn nanos(duration: Duration) -> u64 {
    u64::try_from(duration.as_nanos()).unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn quota(units: u64) -> Quota {
        Quota::per_minute(NonZeroU64::new(units).unwrap())
    }

    fn at(seconds: u64) -> Moment {
        Moment::default().plus(Duration::from_secs(seconds))
    }

    #[test]
    fn a_full_bucket_is_emptied_at_once_and_comes_back_one_by_one() {
        let (mut meter, quota) = (Meter::default(), quota(60));
        for left in (0..60).rev() {
            assert_eq!(meter.fits(quota, 1, at(5)), Ok(()));
            meter.take(quota, 1, at(5));
            assert_eq!(meter.left(quota, at(5)), left);
        }
        assert_eq!(meter.fits(quota, 1, at(5)), Err(Wait::For(Duration::from_secs(1))));
        assert_eq!(meter.fits(quota, 10, at(5)), Err(Wait::For(Duration::from_secs(10))));
        assert_eq!(meter.fits(quota, 10, at(15)), Ok(()));
        assert_eq!((meter.left(quota, at(15)), meter.left(quota, at(65))), (10, 60));
        assert_eq!(meter.full_in(at(15)), Duration::from_secs(50));
    }

    #[test]
    fn more_than_a_full_bucket_never_fits() {
        let meter = Meter::default();
        assert_eq!(meter.fits(quota(60), 61, at(1_000)), Err(Wait::ForEver));
        assert_eq!(meter.fits(quota(1), u64::MAX, at(1_000)), Err(Wait::ForEver));
    }

    #[test]
    fn what_is_overdrawn_comes_back_first_and_what_is_put_back_is_there_at_once() {
        let (mut meter, quota) = (Meter::default(), quota(100));
        meter.take(quota, 250, at(0));
        assert_eq!(meter.left(quota, at(60)), 0);
        assert_eq!(meter.fits(quota, 1, at(90)), Err(Wait::For(Duration::from_millis(600))));
        assert_eq!(meter.left(quota, at(120)), 50);
        meter.put_back(quota, 200, at(120));
        assert_eq!(meter.left(quota, at(120)), 100);
        meter.put_back(quota, 1_000, at(120));
        assert_eq!(meter.left(quota, at(120)), 100);
        assert_eq!(meter.full_in(at(120)), Duration::ZERO);
    }

    proptest! {
        /// Whatever is asked for and whenever: in no span of time is more taken than a full bucket
        /// and what came back, and whoever waits as long as told is served.
        #[test]
        fn no_span_of_time_sees_more_than_the_quota(
            units in 1..5_000_u64,
            asks in proptest::collection::vec((0..20_000_u64, 1..60_u64), 1..200),
        ) {
            let quota = quota(units);
            let (mut meter, mut now) = (Meter::default(), at(1));
            let mut taken: Vec<(Moment, u64)> = Vec::new();
            for (pause, ask) in asks {
                now = now.plus(Duration::from_millis(pause));
                match meter.fits(quota, ask, now) {
                    Ok(()) => {
                        meter.take(quota, ask, now);
                        taken.push((now, ask));
                    }
                    Err(Wait::For(wait)) => {
                        prop_assert_eq!(meter.fits(quota, ask, now.plus(wait)), Ok(()));
                        let early = wait - Duration::from_nanos(1);
                        prop_assert!(meter.fits(quota, ask, now.plus(early)).is_err());
                    }
                    Err(Wait::ForEver) => prop_assert!(ask > units),
                }
            }
            for (first, (begin, _)) in taken.iter().enumerate() {
                let mut sum = 0_u128;
                for (end, ask) in &taken[first..] {
                    sum += u128::from(*ask);
                    let came_back = u128::from(end.0 - begin.0) * u128::from(units);
                    let whole = u128::from(units) * 60_000_000_000;
                    prop_assert!(sum * 60_000_000_000 <= whole + came_back);
                }
            }
        }
    }
}
