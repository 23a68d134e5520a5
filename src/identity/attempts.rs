//! How often passwords may be tried.
//!
//! Wrong passwords count against three quotas: of the place that they come from, of the account,
//! and of both together. The account's quota does not hold for places from which its owner has
//! signed in lately: a stranger who uses it up cannot lock the owner out there, and who comes from
//! elsewhere can set a new password by mail, which signs in. Addresses that nobody has registered
//! have the same quotas, so nobody learns from them who has.
//!
//! The counts live in the memory of this process. With several nodes each counts for itself, and a
//! restart forgets them: the longest that they matter is a quarter of an hour, and argon2 bounds
//! what somebody could try meanwhile.

use std::num::NonZeroU64;
use std::time::Duration;

use sha2::{Digest, Sha256};

use super::origin::{Origin, Place};
use crate::limits::{Quota, Throttle};

/// Wrong passwords from one place, for whatever accounts.
const PER_PLACE: (u64, Duration) = (30, Duration::from_secs(10 * 60));
/// Wrong passwords for one account from one place.
const PER_PAIR: (u64, Duration) = (10, Duration::from_secs(10 * 60));
/// Wrong passwords for one account, from places that its owner has not signed in from.
const PER_ACCOUNT: (u64, Duration) = (30, Duration::from_secs(15 * 60));
/// Registrations and mails that one place may ask for.
const REQUESTS: (u64, Duration) = (20, Duration::from_secs(60 * 60));
/// Keys of each kind in memory.
const MOST: usize = 50_000;

type Whom = [u8; 16];

/// Counts attempts.
#[derive(Debug)]
pub struct Attempts {
    places: Throttle<Place>,
    pairs: Throttle<(Whom, Place)>,
    accounts: Throttle<Whom>,
    requests: Throttle<Place>,
}

/// A password that is about to be tried: it counts as wrong until somebody says otherwise.
#[derive(Debug)]
#[must_use = "say whether the password was right"]
pub struct Attempt<'a> {
    attempts: &'a Attempts,
    whom: Whom,
    place: Option<Place>,
    /// How long the account's own quota asks to wait, if it is used up.
    wait: Option<Duration>,
}

impl Default for Attempts {
    fn default() -> Self {
        Self {
            places: throttle(PER_PLACE),
            pairs: throttle(PER_PAIR),
            accounts: throttle(PER_ACCOUNT),
            requests: throttle(REQUESTS),
        }
    }
}

fn throttle<K: Copy + Eq + std::hash::Hash>((tries, span): (u64, Duration)) -> Throttle<K> {
    let tries = NonZeroU64::new(tries).unwrap_or(NonZeroU64::MIN);
    Throttle::new(Quota::new(tries, span), MOST)
}

fn whom(email: &str) -> Whom {
    let hash: [u8; 32] = Sha256::digest(email.to_lowercase()).into();
    let mut whom = Whom::default();
    whom.copy_from_slice(&hash[..16]);
    whom
}

impl Attempts {
    /// Takes a try for a password of whoever has this address.
    ///
    /// # Errors
    /// How long to wait: this place has tried too often.
    pub fn begin(&self, email: &str, origin: &Origin) -> Result<Attempt<'_>, Duration> {
        let (whom, place) = (whom(email), origin.place());
        if let Some(place) = place {
            self.places.take(place)?;
            if let Err(wait) = self.pairs.take((whom, place)) {
                self.places.give_back(place);
                return Err(wait);
            }
        }
        let wait = self.accounts.take(whom).err();
        Ok(Attempt { attempts: self, whom, place, wait })
    }

    /// Counts a registration, or a mail that is asked for.
    ///
    /// # Errors
    /// How long to wait.
    pub fn request(&self, origin: &Origin) -> Result<(), Duration> {
        origin.place().map_or(Ok(()), |place| self.requests.take(place))
    }
}

impl Attempt<'_> {
    /// How long to wait, unless the account's owner is known at this place.
    #[must_use]
    pub const fn wait(&self) -> Option<Duration> {
        self.wait
    }

    /// The password was not tried after all.
    pub fn withdraw(self) {
        if let Some(place) = self.place {
            self.attempts.places.give_back(place);
            self.attempts.pairs.give_back((self.whom, place));
        }
        if self.wait.is_none() {
            self.attempts.accounts.give_back(self.whom);
        }
    }

    /// The password was right: whoever sent it is the owner. What others from the same place have
    /// tried still counts against the place.
    pub fn succeed(self) {
        if let Some(place) = self.place {
            self.attempts.places.give_back(place);
            self.attempts.pairs.forgive((self.whom, place));
        }
        self.attempts.accounts.forgive(self.whom);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn from(address: &str) -> Origin {
        Origin::new(Some(address.parse().unwrap()), false, None)
    }

    #[test]
    fn a_place_tries_ten_times_for_one_account_and_thirty_times_in_all() {
        let attempts = Attempts::default();
        let eve = from("203.0.113.9");
        for account in ["ada@example.com", "bob@example.com", "cy@example.com"] {
            for _ in 0..10 {
                let _wrong = attempts.begin(account, &eve).unwrap();
            }
        }
        let wait = attempts.begin("dee@example.com", &eve).unwrap_err();
        assert!(wait <= Duration::from_secs(60), "{wait:?}");
        let other = from("203.0.113.8");
        for _ in 0..10 {
            let _wrong = attempts.begin("ADA@example.com", &other).unwrap();
        }
        assert!(attempts.begin("ada@example.com", &other).is_err());
        assert!(attempts.begin("dee@example.com", &other).is_ok());
    }

    #[test]
    fn right_passwords_cost_nothing_and_do_not_buy_tries_for_other_accounts() {
        let attempts = Attempts::default();
        let eve = from("203.0.113.9");
        for _ in 0..100 {
            attempts.begin("eve@example.com", &eve).unwrap().succeed();
        }
        let mut wrong = 0;
        for account in 0..100 {
            attempts.begin("eve@example.com", &eve).map(Attempt::succeed).ok();
            wrong += usize::from(attempts.begin(&format!("{account}@example.com"), &eve).is_ok());
        }
        assert_eq!(wrong, 30);
    }

    #[test]
    fn an_account_s_quota_is_everybody_s_and_its_owner_s_success_restores_it() {
        let attempts = Attempts::default();
        for host in 0..30 {
            let stranger = from(&format!("203.0.113.{host}"));
            assert!(attempts.begin("ada@example.com", &stranger).unwrap().wait().is_none());
        }
        let ada = attempts.begin("ada@example.com", &from("198.51.100.1")).unwrap();
        assert!(ada.wait().is_some_and(|wait| wait <= Duration::from_secs(30)));
        ada.succeed();
        let again = attempts.begin("ada@example.com", &from("198.51.100.2")).unwrap();
        assert!(again.wait().is_none());
        again.withdraw();
    }
}
