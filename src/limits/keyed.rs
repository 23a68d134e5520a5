//! One of something for each key, in bounded memory.

use std::collections::HashMap;
use std::hash::{BuildHasher as _, Hash, RandomState};

use parking_lot::Mutex;

use super::Moment;

const SHARDS: usize = 32;
/// Fewer entries than this are not worth looking through.
const FEW: usize = 64;

/// What can be forgotten once it is like new.
pub trait Idle {
    /// From then on it is like a new one; [`Moment::NEVER`] while somebody uses it.
    fn idle_at(&self) -> Moment;
}

impl Idle for super::Meter {
    fn idle_at(&self) -> Moment {
        self.full_at()
    }
}

/// One `V` for each key that was used lately.
///
/// What is idle is forgotten from time to time, which nobody can notice. Only beyond `most` entries
/// that are not idle is another one forgotten, the one that would be idle first.
#[derive(Debug)]
pub struct Keyed<K, V> {
    shards: Box<[Mutex<Shard<K, V>>]>,
    hasher: RandomState,
    most_per_shard: usize,
}

#[derive(Debug)]
struct Shard<K, V> {
    entries: HashMap<K, V>,
    /// As many entries as it had after it was last looked through, twice.
    look_at: usize,
}

impl<K: Copy + Eq + Hash, V: Idle> Keyed<K, V> {
    /// For at most about this many keys.
    #[must_use]
    pub fn new(most: usize) -> Self {
        let shard = || Mutex::new(Shard { entries: HashMap::new(), look_at: FEW });
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            most_per_shard: most.div_ceil(SHARDS).max(1),
        }
    }

    /// Uses the key's entry, which is made where there is none.
    pub fn with<T>(
        &self,
        key: K,
        now: Moment,
        make: impl FnOnce() -> V,
        work: impl FnOnce(&mut V) -> T,
    ) -> T {
        let mut shard = self.shard(&key).lock();
        if !shard.entries.contains_key(&key) {
            shard.make_room(self.most_per_shard, now);
        }
        work(shard.entries.entry(key).or_insert_with(make))
    }

    /// Looks at the key's entry, where there is one.
    pub fn find<T>(&self, key: K, look: impl FnOnce(&V) -> T) -> Option<T> {
        self.shard(&key).lock().entries.get(&key).map(look)
    }

    /// Forgets the key's entry.
    pub fn forget(&self, key: K) {
        self.shard(&key).lock().entries.remove(&key);
    }

    /// Entries in memory.
    #[must_use]
    pub fn count(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().entries.len()).sum()
    }

    fn shard(&self, key: &K) -> &Mutex<Shard<K, V>> {
        // A truncated hash is a hash.
        &self.shards[self.hasher.hash_one(key) as usize % SHARDS]
    }
}

impl<K: Copy + Eq + Hash, V: Idle> Shard<K, V> {
    fn make_room(&mut self, most: usize, now: Moment) {
        if self.entries.len() < self.look_at.min(most) {
            return;
        }
        self.entries.retain(|_, entry| entry.idle_at() > now);
        self.look_at = (self.entries.len() * 2).max(FEW);
        if self.entries.len() >= most {
            let first = self.entries.iter().min_by_key(|(_, entry)| entry.idle_at());
            let first = first.filter(|(_, entry)| entry.idle_at() < Moment::NEVER);
            if let Some(key) = first.map(|(key, _)| *key) {
                self.entries.remove(&key);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    /// Busy until then.
    struct Until(Moment);

    impl Idle for Until {
        fn idle_at(&self) -> Moment {
            self.0
        }
    }

    fn at(seconds: u64) -> Moment {
        Moment::default().plus(Duration::from_secs(seconds))
    }

    #[test]
    fn what_is_idle_is_forgotten_and_what_is_not_stays() {
        let keyed = Keyed::new(1_000_000);
        for key in 0..100_000_u64 {
            // Every hundredth is busy for ever; the others for a second after their use.
            let until = if key % 100 == 0 { Moment::NEVER } else { at(key + 1) };
            keyed.with(key, at(key), || Until(until), |_| ());
        }
        let count = keyed.count();
        assert!((1_000..=32 * 2 * FEW).contains(&count), "{count} entries");
        for key in (0..100_000).step_by(100) {
            assert!(keyed.find(key, |_| ()).is_some(), "{key} was forgotten");
        }
    }

    #[test]
    fn memory_is_bounded_even_where_nothing_is_idle() {
        let keyed = Keyed::new(3_200);
        for key in 0..100_000_u64 {
            keyed.with(key, at(0), || Until(at(1_000 + key)), |_| ());
        }
        assert!(keyed.count() <= 3_200, "{} entries", keyed.count());
        assert!(keyed.find(99_999, |_| ()).is_some(), "the one that is idle last stays");
        assert!(keyed.find(0, |_| ()).is_none(), "the one that is idle first goes");
    }
}
