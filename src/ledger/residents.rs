//! Which streams are in memory: sharded, bounded, what was not used lately evicted first.

use std::collections::{HashMap, VecDeque};
use std::hash::{BuildHasher as _, RandomState};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicI64, Ordering};

use parking_lot::Mutex;

use super::append::Residency;
use super::load::Loaded;

const SHARDS: usize = 64;

/// The slots of one aggregate type.
pub(super) struct Residents<A> {
    shards: Box<[Mutex<Shard<A>>]>,
    hasher: RandomState,
    most_per_shard: usize,
}

struct Shard<A> {
    slots: HashMap<Arc<str>, Arc<Slot<A>>>,
    /// Clock hand order: what was not used since the hand passed is evicted first.
    ring: VecDeque<Arc<str>>,
}

/// One stream in memory.
pub(super) struct Slot<A> {
    pub id: Arc<str>,
    pub residency: Arc<Residency>,
    used: AtomicBool,
    /// Set once the state was there: empty afterwards, it was lost.
    pub loaded: AtomicBool,
    /// When the state was last compared with the log; microseconds.
    pub checked_at: AtomicI64,
    /// None: not loaded yet, or a broken invariant stopped a command half-way.
    pub state: Arc<tokio::sync::Mutex<Option<Loaded<A>>>>,
}

impl<A> Slot<A> {
    fn new(id: Arc<str>) -> Self {
        Self {
            id,
            residency: Arc::default(),
            used: AtomicBool::new(true),
            loaded: AtomicBool::new(false),
            checked_at: AtomicI64::new(0),
            state: Arc::default(),
        }
    }

    /// The stream's lock. It is held for a few microseconds unless the stream is being loaded: on
    /// another core it is free again before a change of tasks would be done, so this looks a few
    /// times before it queues.
    pub async fn lock(&self) -> tokio::sync::MutexGuard<'_, Option<Loaded<A>>> {
        const LOOKS: usize = 100;
        for _ in 0..LOOKS {
            if let Ok(guard) = self.state.try_lock() {
                return guard;
            }
            std::hint::spin_loop();
        }
        self.state.lock().await
    }

    /// Whether a command may be decided here; otherwise ask for the stream's slot again.
    ///
    /// A state that was lost half-way through a command must not be loaded again under the same
    /// mark: appends that are still in the queue are ahead of the log, and what a reload decides
    /// would take their sequences.
    pub fn is_usable(&self, state: &Option<Loaded<A>>) -> bool {
        if state.is_none() && self.loaded.load(Ordering::Relaxed) {
            self.residency.void();
        }
        !self.residency.is_void()
    }
}

impl<A> Residents<A> {
    pub fn new(most: usize) -> Self {
        let shard = || Mutex::new(Shard { slots: HashMap::new(), ring: VecDeque::new() });
        Self {
            shards: (0..SHARDS).map(|_| shard()).collect(),
            hasher: RandomState::new(),
            most_per_shard: most.div_ceil(SHARDS).max(1),
        }
    }

    /// The slot of a stream; makes room by evicting streams that nobody uses.
    pub fn slot(&self, id: &str) -> Arc<Slot<A>> {
        let shard = (self.hasher.hash_one(id) as usize) % SHARDS;
        let mut shard = self.shards[shard].lock();
        if let Some(slot) = shard.slots.get(id)
            && !slot.residency.is_void()
        {
            slot.used.store(true, Ordering::Relaxed);
            return slot.clone();
        }
        shard.make_room(self.most_per_shard);
        let id: Arc<str> = id.into();
        let slot = Arc::new(Slot::new(id.clone()));
        if shard.slots.insert(id.clone(), slot.clone()).is_none() {
            shard.ring.push_back(id);
        }
        slot
    }

    pub fn count(&self) -> usize {
        self.shards.iter().map(|shard| shard.lock().slots.len()).sum()
    }
}

impl<A> Shard<A> {
    /// Evicts until there is room for one more: also what came in beyond the bound while it was in
    /// flight. Two turns at most: the first takes the marks away, the second finds those without.
    fn make_room(&mut self, most: usize) {
        for _ in 0..self.ring.len() * 2 {
            if self.slots.len() < most {
                return;
            }
            let Some(id) = self.ring.pop_front() else { return };
            let Some(slot) = self.slots.get(&id) else { continue };
            // What somebody holds, or what is still being committed, stays.
            let idle = Arc::strong_count(slot) == 1
                && Arc::strong_count(&slot.residency) == 1
                && !slot.used.swap(false, Ordering::Relaxed);
            if idle {
                self.slots.remove(&id);
            } else {
                self.ring.push_back(id);
            }
        }
    }
}
