//! The gate: what each request with an API key passes before anything is done for it.

use std::sync::Arc;

use axum::http::HeaderMap;
use parking_lot::{Mutex, MutexGuard};
use tollgate_domain::account::RateLimits;
use tollgate_domain::ids::{AccountId, KeyId};

use super::reached::{Counted, Holder, Level, Reached, Standing};
use super::{Idle, Keyed, Meter, Moment, Quota, Rules, Wait};
use crate::http::error::ApiError;

/// Keys, or accounts, with limits of their own that sent something lately.
const REMEMBERED: usize = 200_000;

/// Counts the requests of keys and accounts that have limits; the others cost it nothing.
#[derive(Debug)]
pub struct Gate {
    accounts: Keyed<AccountId, Arc<Counter>>,
    keys: Keyed<KeyId, Arc<Counter>>,
}

/// The limits of one request: its key's and its account's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Rates {
    /// Of the key.
    pub key: RateLimits,
    /// Of the account, or of its plan.
    pub account: RateLimits,
}

/// What one key or account has used.
#[derive(Debug, Default)]
struct Counter(Mutex<Counts>);

#[derive(Debug, Default)]
struct Counts {
    limits: RateLimits,
    requests: Meter,
    tokens: Meter,
    running: u32,
}

/// A request that was let in. Whatever happens to it, its place is free again when this goes.
#[must_use = "without it the request counts as ended"]
#[derive(Debug, Default)]
pub struct Admitted {
    rules: Rules,
    /// None where nothing is limited.
    place: Option<Box<Place>>,
}

#[derive(Debug)]
struct Place {
    counters: [Option<(Holder, Arc<Counter>)>; 2],
    /// What was taken of the tokens of a minute.
    tokens: u64,
    inside: bool,
}

impl Idle for Arc<Counter> {
    fn idle_at(&self) -> Moment {
        if Arc::strong_count(self) > 1 {
            return Moment::NEVER;
        }
        let counts = self.0.lock();
        counts.requests.full_at().max(counts.tokens.full_at())
    }
}

impl Default for Gate {
    fn default() -> Self {
        Self { accounts: Keyed::new(REMEMBERED), keys: Keyed::new(REMEMBERED) }
    }
}

impl Gate {
    /// Lets a request in, if neither its key nor its account has too many.
    ///
    /// # Errors
    /// [`ApiError::LimitReached`]; nothing is counted then.
    pub fn enter(
        &self,
        account: AccountId,
        key: KeyId,
        rules: Rules,
    ) -> Result<Admitted, ApiError> {
        let place = self.enter_at(account, key, &rules.rates, Moment::now())?;
        Ok(Admitted { rules, place })
    }

    fn enter_at(
        &self,
        account: AccountId,
        key: KeyId,
        rates: &Rates,
        now: Moment,
    ) -> Result<Option<Box<Place>>, ApiError> {
        let account = (!rates.account.is_unlimited())
            .then(|| self.accounts.with(account, now, Arc::default, |counter| counter.clone()));
        let key = (!rates.key.is_unlimited())
            .then(|| self.keys.with(key, now, Arc::default, |counter| counter.clone()));
        if account.is_none() && key.is_none() {
            return Ok(None);
        }
        let place = Place {
            counters: [
                account.map(|counter| (Holder::Account, counter)),
                key.map(|counter| (Holder::Key, counter)),
            ],
            tokens: 0,
            inside: false,
        };
        place.enter([rates.account, rates.key], now).map(Box::new).map(Some)
    }
}

impl Place {
    /// Both counters at once, the account's first: so two requests cannot wait for each other, and
    /// what one of them refuses the other does not count.
    fn lock(&self) -> [Option<(Holder, MutexGuard<'_, Counts>)>; 2] {
        self.counters
            .each_ref()
            .map(|counter| counter.as_ref().map(|(holder, counter)| (*holder, counter.0.lock())))
    }

    fn enter(mut self, limits: [RateLimits; 2], now: Moment) -> Result<Self, ApiError> {
        let mut locked = self.lock();
        for (counts, limits) in locked.iter_mut().zip(limits) {
            let Some((holder, counts)) = counts else { continue };
            counts.obey(limits);
            counts.fits(now).map_err(|reached| reached.of(*holder))?;
        }
        for (_, counts) in locked.iter_mut().flatten() {
            counts.take(now);
        }
        drop(locked);
        self.inside = true;
        Ok(self)
    }

    fn take_tokens(&mut self, tokens: u64, now: Moment) -> Result<(), ApiError> {
        let mut locked = self.lock();
        for (holder, counts) in locked.iter().flatten() {
            counts.tokens_fit(tokens, now).map_err(|reached| reached.of(*holder))?;
        }
        for (_, counts) in locked.iter_mut().flatten() {
            if let Some(quota) = counts.tokens_quota() {
                counts.tokens.take(quota, tokens, now);
            }
        }
        drop(locked);
        self.tokens = self.tokens.saturating_add(tokens);
        Ok(())
    }

    fn settle_tokens(&mut self, tokens: u64, now: Moment) {
        let taken = std::mem::replace(&mut self.tokens, 0);
        for (_, mut counts) in self.lock().into_iter().flatten() {
            if let Some(quota) = counts.tokens_quota() {
                counts.tokens.put_back(quota, taken, now);
                counts.tokens.take(quota, tokens, now);
            }
        }
    }

    fn leave(&mut self) {
        if !std::mem::replace(&mut self.inside, false) {
            return;
        }
        for (_, mut counts) in self.lock().into_iter().flatten() {
            counts.running = counts.running.saturating_sub(1);
        }
    }
}

impl Drop for Place {
    /// What was not settled was not charged either: its estimate comes back.
    fn drop(&mut self) {
        self.leave();
        if self.tokens > 0 {
            self.settle_tokens(0, Moment::now());
        }
    }
}

impl Admitted {
    /// Lets the request ask for these models with a prompt of about so many tokens.
    ///
    /// # Errors
    /// [`ApiError::ModelNotAllowed`], [`ApiError::LimitReached`]; no tokens are counted then.
    pub fn ask<'m>(
        &mut self,
        models: impl IntoIterator<Item = &'m str>,
        prompt_tokens: u64,
    ) -> Result<(), ApiError> {
        self.rules.allow(models)?;
        match &mut self.place {
            Some(place) => place.take_tokens(prompt_tokens, Moment::now()),
            None => Ok(()),
        }
    }

    /// Puts the tokens that the request really had in the place of the estimate. What the answer
    /// had beyond the limit has to come back before the next request fits.
    pub fn settle_tokens(&mut self, tokens: u64) {
        if let Some(place) = &mut self.place {
            place.settle_tokens(tokens, Moment::now());
        }
    }

    /// Nothing came of it: its place is free and its tokens are there again.
    pub fn come_to_nothing(&mut self) {
        self.leave();
        self.settle_tokens(0);
    }

    /// The client has its whole answer, or is gone: its next request may come before the books are
    /// closed on this one.
    pub fn leave(&mut self) {
        if let Some(place) = &mut self.place {
            place.leave();
        }
    }

    /// Says in `x-ratelimit-*` how much of the limits is left, where there are any.
    pub fn describe(&self, headers: &mut HeaderMap) {
        let Some(place) = &self.place else { return };
        let now = Moment::now();
        let counters = place.lock().into_iter().flatten();
        let standing = counters
            .map(|(_, counts)| counts.standing(now))
            .fold(Standing::default(), Standing::tighter);
        standing.write(headers);
    }
}

impl Counts {
    /// Another limit begins with nothing used of it.
    fn obey(&mut self, limits: RateLimits) {
        if self.limits.requests_per_minute != limits.requests_per_minute {
            self.requests = Meter::default();
        }
        if self.limits.tokens_per_minute != limits.tokens_per_minute {
            self.tokens = Meter::default();
        }
        self.limits = limits;
    }

    fn fits(&self, now: Moment) -> Result<(), Reached> {
        let most = self.limits.concurrent_requests.map(|most| most.get());
        if let Some(most) = most.filter(|most| self.running >= *most) {
            return Err(Reached {
                counted: Counted::AtOnce,
                limit: most.into(),
                used: self.running.into(),
                needed: 1,
                standing: self.standing(now),
                ..Reached::default()
            });
        }
        if let Some(quota) = self.requests_quota() {
            let refused =
                |wait| self.reached(Counted::Requests, &self.requests, quota, 1, wait, now);
            self.requests.fits(quota, 1, now).map_err(refused)?;
        }
        // Whoever has overdrawn the tokens need not send a prompt.
        self.tokens_fit(1, now)
    }

    fn tokens_fit(&self, tokens: u64, now: Moment) -> Result<(), Reached> {
        let Some(quota) = self.tokens_quota() else { return Ok(()) };
        let refused = |wait| self.reached(Counted::Tokens, &self.tokens, quota, tokens, wait, now);
        self.tokens.fits(quota, tokens, now).map_err(refused)
    }

    fn reached(
        &self,
        counted: Counted,
        meter: &Meter,
        quota: Quota,
        needed: u64,
        wait: Wait,
        now: Moment,
    ) -> Reached {
        Reached {
            counted,
            limit: quota.units(),
            used: quota.units() - meter.left(quota, now),
            needed,
            wait: match wait {
                Wait::For(wait) => Some(wait),
                Wait::ForEver => None,
            },
            standing: self.standing(now),
            ..Reached::default()
        }
    }

    fn take(&mut self, now: Moment) {
        self.running = self.running.saturating_add(1);
        if let Some(quota) = self.requests_quota() {
            self.requests.take(quota, 1, now);
        }
    }

    fn requests_quota(&self) -> Option<Quota> {
        self.limits.requests_per_minute.map(Quota::per_minute)
    }

    fn tokens_quota(&self) -> Option<Quota> {
        self.limits.tokens_per_minute.map(Quota::per_minute)
    }

    fn standing(&self, now: Moment) -> Standing {
        let level = |meter: &Meter, quota: Quota| Level {
            limit: quota.units(),
            left: meter.left(quota, now),
            full_in: meter.full_in(now),
        };
        Standing {
            requests: self.requests_quota().map(|quota| level(&self.requests, quota)),
            tokens: self.tokens_quota().map(|quota| level(&self.tokens, quota)),
        }
    }
}

#[cfg(test)]
mod tests;
