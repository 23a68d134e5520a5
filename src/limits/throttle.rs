//! So many tries each.

use std::hash::Hash;
use std::time::Duration;

use super::{Keyed, Meter, Moment, Quota, Wait};

/// The same quota of tries for every key, such as an address or an account.
#[derive(Debug)]
pub struct Throttle<K> {
    quota: Quota,
    meters: Keyed<K, Meter>,
}

impl<K: Copy + Eq + Hash> Throttle<K> {
    /// A quota each, for at most about `most` keys that used some of it lately.
    #[must_use]
    pub fn new(quota: Quota, most: usize) -> Self {
        Self { quota, meters: Keyed::new(most) }
    }

    /// Takes a try.
    ///
    /// # Errors
    /// How long until there is one. Nothing is taken then.
    pub fn take(&self, key: K) -> Result<(), Duration> {
        self.take_at(key, Moment::now())
    }

    /// Whether there is a try, without taking it: for tries that count only when they fail.
    ///
    /// # Errors
    /// How long until there is one.
    pub fn look(&self, key: K) -> Result<(), Duration> {
        let now = Moment::now();
        let fits = |meter: &Meter| meter.fits(self.quota, 1, now).map_err(wait);
        self.meters.find(key, fits).unwrap_or(Ok(()))
    }

    /// Puts a try back that does not count after all.
    pub fn give_back(&self, key: K) {
        let now = Moment::now();
        let put_back = |meter: &mut Meter| meter.put_back(self.quota, 1, now);
        self.meters.with(key, now, Meter::default, put_back);
    }

    /// Gives the key its whole quota back.
    pub fn forgive(&self, key: K) {
        self.meters.forget(key);
    }

    fn take_at(&self, key: K, now: Moment) -> Result<(), Duration> {
        self.meters.with(key, now, Meter::default, |meter| {
            meter.fits(self.quota, 1, now).map_err(wait)?;
            meter.take(self.quota, 1, now);
            Ok(())
        })
    }
}

fn wait(wait: Wait) -> Duration {
    match wait {
        Wait::For(wait) => wait,
        // One try is never more than a quota of at least one.
        Wait::ForEver => Duration::MAX,
    }
}

#[cfg(test)]
mod tests {
    use std::num::NonZeroU64;

    use super::*;

    #[test]
    fn each_key_has_its_own_tries_and_gets_them_back() {
        let quota = Quota::new(NonZeroU64::new(5).unwrap(), Duration::from_secs(300));
        let throttle = Throttle::new(quota, 1_000);
        let now = Moment::now();
        for _ in 0..5 {
            assert_eq!(throttle.take_at("ada", now), Ok(()));
        }
        assert_eq!(throttle.take_at("ada", now), Err(Duration::from_secs(60)));
        assert!(throttle.look("ada").is_err());
        assert_eq!(throttle.take_at("eve", now), Ok(()));
        assert_eq!(throttle.take_at("ada", now.plus(Duration::from_secs(60))), Ok(()));
        throttle.forgive("ada");
        assert_eq!(throttle.look("ada"), Ok(()));
    }

    #[test]
    fn of_many_tries_at_once_exactly_the_quota_is_taken() {
        let quota = Quota::new(NonZeroU64::new(100).unwrap(), Duration::from_secs(86_400));
        let throttle = Throttle::new(quota, 1_000);
        let taken: usize = std::thread::scope(|scope| {
            let tries = || (0..100).filter(|_| throttle.take("ada").is_ok()).count();
            let threads: Vec<_> = (0..8).map(|_| scope.spawn(tries)).collect();
            threads.into_iter().map(|thread| thread.join().unwrap()).sum()
        });
        assert_eq!(taken, 100);
    }
}
