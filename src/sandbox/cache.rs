//! Prompt caching as the real providers do it, reduced to a memory of prefix hashes.
//!
//! Where a model charges for cache writes, only marked breakpoints are remembered, and the write
//! is charged. Elsewhere every prefix of at least 1,024 tokens is remembered for nothing.

use std::collections::{HashMap, VecDeque};
use std::time::{Duration, Instant};

use parking_lot::Mutex;

use super::catalogue::Model;
use super::prompt::{Mark, Prefix, Prompt};
use super::seed;

/// Shorter prefixes are not cached by any provider in the catalogue.
const LEAST_TOKENS: u64 = 1_024;
/// Providers that cache by themselves do so in steps.
const STEP_TOKENS: u64 = 128;
const CAPACITY: usize = 20_000;

/// The cached share of one prompt.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Cached {
    pub read: u64,
    pub written: u64,
    pub for_an_hour: bool,
}

#[derive(Default)]
pub struct PromptMemory(Mutex<Memory>);

#[derive(Default)]
struct Memory {
    expiry: HashMap<u64, Instant>,
    order: VecDeque<u64>,
}

impl PromptMemory {
    /// Looks a prompt up and remembers it. `key` separates the accounts.
    pub fn visit(&self, key: &str, model: &Model, prompt: &Prompt) -> Cached {
        if !model.pricing.caches_reads() {
            return Cached::default();
        }
        let explicit = model.pricing.charges_cache_writes();
        let scope = seed::hash(&[key.as_bytes(), model.id.as_bytes()]);
        // Where writes are charged, what lies behind the last mark is never cached.
        let last_mark = prompt.prefixes.iter().rposition(|prefix| prefix.mark.is_some());
        let reach = match (explicit, last_mark) {
            (true, Some(last)) => &prompt.prefixes[..=last],
            (true, None) => return Cached::default(),
            (false, _) => prompt.prefixes.as_slice(),
        };
        let mut memory = self.0.lock();
        let now = Instant::now();
        let mut cached = Cached::default();
        for prefix in reach.iter().filter(|prefix| prefix.tokens >= LEAST_TOKENS) {
            let id = seed::extend(scope, &prefix.hash.to_le_bytes());
            if memory.knows(id, now) {
                cached.read = prefix.tokens;
            }
            if !explicit || prefix.mark.is_some() {
                memory.remember(id, now + lifetime(prefix), now);
            }
        }
        match reach.last() {
            Some(prefix) if explicit && prefix.tokens >= LEAST_TOKENS => {
                cached.written = prefix.tokens.saturating_sub(cached.read);
                cached.for_an_hour = prefix.mark == Some(Mark::OneHour);
            }
            _ => cached.read -= cached.read % STEP_TOKENS,
        }
        cached
    }
}

fn lifetime(prefix: &Prefix) -> Duration {
    let minutes = if prefix.mark == Some(Mark::OneHour) { 60 } else { 5 };
    Duration::from_secs(60 * minutes)
}

impl Memory {
    fn knows(&self, id: u64, now: Instant) -> bool {
        self.expiry.get(&id).is_some_and(|expiry| *expiry > now)
    }

    fn remember(&mut self, id: u64, expiry: Instant, now: Instant) {
        let expiry = self.expiry.get(&id).copied().unwrap_or(now).max(expiry);
        if self.expiry.insert(id, expiry).is_none() {
            self.order.push_back(id);
        }
        if self.order.len() > CAPACITY
            && let Some(oldest) = self.order.pop_front()
        {
            self.expiry.remove(&oldest);
        }
    }
}
