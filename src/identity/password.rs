//! Passwords: argon2id with OWASP's parameters, and never more of it at once than the machine can
//! bear.

use std::collections::HashSet;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, LazyLock};

use argon2::password_hash::{PasswordHasher, PasswordVerifier};
use argon2::{Algorithm, Argon2, Params, Version};
use tokio::sync::Semaphore;

use crate::config::Secret;

/// OWASP's password storage cheat sheet, argon2id: 19 MiB, two passes, one lane.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes in progress at once. Each keeps a core busy for tens of milliseconds, and whoever can
/// reach the login page can ask for one.
const AT_ONCE: usize = 2;
/// Hashes that may wait for that: two seconds of work. Whoever comes then is told to come again.
const AT_ONCE_OR_WAITING: usize = 64;

/// Passwords that everybody tries first, of those that are long enough; in lower case.
static COMMON: LazyLock<HashSet<&'static str>> =
    LazyLock::new(|| include_str!("common_passwords.txt").lines().collect());
/// Fewer different characters are a pattern: `aaaaaaaaaa`, `1212121212`.
const FEWEST_DIFFERENT: usize = 4;

/// Why a password is not accepted for an account.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum PasswordRule {
    /// Fewer than 10 characters.
    #[error("the password is too short: use at least 10 characters")]
    TooShort,
    /// More than 128 characters.
    #[error("the password is too long: use at most 128 characters")]
    TooLong,
    /// The same as the e-mail address.
    #[error("the password must not be the e-mail address")]
    SameAsEmail,
    /// One of those that everybody tries first.
    #[error("the password is one of those that are tried first: choose another one")]
    Common,
}

/// Why a password could not be hashed or checked, whatever it is.
#[derive(Debug, thiserror::Error)]
pub enum PasswordError {
    /// The algorithm failed, for want of memory or of randomness.
    #[error("hashing a password failed: {0}; check the machine's memory")]
    Hashing(argon2::password_hash::Error),
    /// The stored hash is not one.
    #[error("a stored password hash is damaged ({0}); let the user set a new password")]
    Damaged(argon2::password_hash::Error),
    /// Too many of them wait already.
    #[error("too many passwords are being checked")]
    Busy,
}

/// The rules for a new password. Length makes a password strong, and being on nobody's list (NIST
/// SP 800-63B); rules about kinds of characters only make it harder to remember.
pub fn check_rules(password: &str, email: &str) -> Result<(), PasswordRule> {
    let lower = password.to_lowercase();
    let different = || password.chars().collect::<HashSet<_>>().len();
    match password.chars().count() {
        0..10 => Err(PasswordRule::TooShort),
        129.. => Err(PasswordRule::TooLong),
        _ if lower == email.to_lowercase() => Err(PasswordRule::SameAsEmail),
        _ if COMMON.contains(lower.as_str()) => Err(PasswordRule::Common),
        _ if different() < FEWEST_DIFFERENT => Err(PasswordRule::Common),
        _ => Ok(()),
    }
}

/// Hashes and checks passwords off the async threads.
#[derive(Debug, Clone)]
pub struct Passwords {
    permits: Arc<Semaphore>,
    places: Arc<Semaphore>,
    runs: Arc<AtomicU64>,
}

impl Default for Passwords {
    fn default() -> Self {
        Self {
            permits: Arc::new(Semaphore::new(AT_ONCE)),
            places: Arc::new(Semaphore::new(AT_ONCE_OR_WAITING)),
            runs: Arc::default(),
        }
    }
}

impl Passwords {
    /// The hash to store, with its salt and parameters inside.
    pub async fn hash(&self, password: Secret) -> Result<String, PasswordError> {
        self.bounded(move || hash(&password)).await?
    }

    /// How often argon2 ran: what an answer costs must not tell who is registered.
    #[must_use]
    pub fn runs(&self) -> u64 {
        self.runs.load(Ordering::Relaxed)
    }

    /// Whether `password` is the one that was stored. For a user who doesn't exist `stored` is
    /// `None`: the answer is no and takes as long, so that nobody learns who has an account.
    pub async fn verify(
        &self,
        password: Secret,
        stored: Option<String>,
    ) -> Result<bool, PasswordError> {
        self.bounded(move || match stored {
            None => hash(&password).map(|_| false),
            Some(stored) => {
                match argon2().verify_password(password.expose().as_bytes(), stored.as_str()) {
                    Ok(()) => Ok(true),
                    Err(argon2::password_hash::Error::PasswordInvalid) => Ok(false),
                    Err(error) => Err(PasswordError::Damaged(error)),
                }
            }
        })
        .await?
    }

    async fn bounded<T: Send + 'static>(
        &self,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, PasswordError> {
        let place =
            Arc::clone(&self.places).try_acquire_owned().map_err(|_| PasswordError::Busy)?;
        let permit = Arc::clone(&self.permits).acquire_owned().await.expect("it is never closed");
        let task = tokio::task::spawn_blocking(move || {
            // Held by the work, not by the caller, who may go away while it runs.
            let _held = (permit, place);
            work()
        });
        self.runs.fetch_add(1, Ordering::Relaxed);
        match task.await {
            Ok(value) => Ok(value),
            Err(error) => std::panic::resume_unwind(error.into_panic()),
        }
    }
}

fn argon2() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters are in range");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

fn hash(password: &Secret) -> Result<String, PasswordError> {
    let hash = argon2().hash_password(password.expose().as_bytes());
    hash.map(|hash| hash.to_string()).map_err(PasswordError::Hashing)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn the_right_password_is_accepted_and_every_other_is_not() {
        let passwords = Passwords::default();
        let stored = passwords.hash(Secret::new("correct horse")).await.unwrap();
        assert!(stored.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{stored}");
        let again = passwords.hash(Secret::new("correct horse")).await.unwrap();
        assert_ne!(stored, again, "the salt is random");
        let check = async |password: &str, stored: Option<&str>| {
            passwords.verify(Secret::new(password), stored.map(str::to_owned)).await
        };
        assert!(check("correct horse", Some(&stored)).await.unwrap());
        assert!(!check("correct horsE", Some(&stored)).await.unwrap());
        assert!(!check("correct horse", None).await.unwrap());
        assert!(matches!(check("a", Some("plain")).await, Err(PasswordError::Damaged(_))));
    }

    #[tokio::test]
    async fn an_unknown_user_costs_as_much_work_as_a_wrong_password() {
        let passwords = Passwords::default();
        let stored = passwords.hash(Secret::new("correct horse")).await.unwrap();
        for stored in [Some(stored), None] {
            let before = passwords.runs();
            assert!(!passwords.verify(Secret::new("wrong"), stored).await.unwrap());
            assert_eq!(passwords.runs() - before, 1);
        }
    }

    #[tokio::test]
    async fn of_many_who_come_at_once_the_last_are_told_to_come_again() {
        let passwords = Passwords::default();
        let everybody = Arc::clone(&passwords.permits).acquire_many_owned(2).await.unwrap();
        let waiting: Vec<_> = (0..AT_ONCE_OR_WAITING)
            .map(|_| {
                let passwords = passwords.clone();
                tokio_util::task::AbortOnDropHandle::new(tokio::spawn(async move {
                    passwords.bounded(|| ()).await
                }))
            })
            .collect();
        while passwords.places.available_permits() > 0 {
            tokio::task::yield_now().await;
        }
        assert!(matches!(passwords.bounded(|| ()).await, Err(PasswordError::Busy)));
        drop(everybody);
        for waiter in waiting {
            waiter.await.unwrap().unwrap();
        }
        passwords.bounded(|| ()).await.unwrap();
    }

    #[test]
    fn a_password_is_10_to_128_characters_and_not_the_address() {
        let rule = |password: &str| check_rules(password, "Someone@Example.com");
        assert_eq!(rule("123456789"), Err(PasswordRule::TooShort));
        assert_eq!(rule("1234567891"), Ok(()));
        assert_eq!(rule("пароль из букв"), Ok(()));
        assert_eq!(rule(&"жизн".repeat(32)), Ok(()));
        assert_eq!(rule(&"a".repeat(129)), Err(PasswordRule::TooLong));
        assert_eq!(rule("someone@example.COM"), Err(PasswordRule::SameAsEmail));
    }

    #[test]
    fn what_everybody_tries_first_is_refused() {
        for common in ["1234567890", "Password123", "QWERTYUIOP", "парольпароль", "aaaaaaaaaab"]
        {
            assert_eq!(check_rules(common, ""), Err(PasswordRule::Common), "{common}");
        }
        for line in COMMON.iter() {
            assert!(line.chars().count() >= 10 && line.to_lowercase() == *line, "{line}");
        }
    }
}
