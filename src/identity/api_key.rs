//! API keys, which customers give to their SDKs.

use std::fmt;
use std::io;

use sha2::{Digest, Sha256};

use crate::config::{Secret, kept};

const PREFIX: &str = "sk-tg-";
/// 32 random bytes in base64.
const RANDOM_CHARS: usize = 43;

/// A new key, shown once and never stored.
#[derive(Debug, Clone)]
pub struct ApiKey(Secret);

/// What is stored of a key and looked up for a request.
///
/// A plain hash suffices: 256 random bits can't be guessed, and it has to be fast.
#[derive(Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct KeyHash([u8; 32]);

impl ApiKey {
    /// `sk-tg-` and 256 random bits.
    pub fn generate() -> io::Result<Self> {
        Ok(Self(Secret::new(format!("{PREFIX}{}", kept::random_text(32)?))))
    }

    /// The key, for its owner.
    pub fn expose(&self) -> &str {
        self.0.expose()
    }

    /// What is stored.
    pub fn hash(&self) -> KeyHash {
        KeyHash(Sha256::digest(self.expose()).into())
    }

    /// What lists show: enough to recognise a key, too little to use it.
    pub fn mask(&self) -> String {
        let key = self.expose();
        format!("{PREFIX}…{}", &key[key.len() - 4..])
    }
}

impl KeyHash {
    /// The hash of a presented key; `None` for what can't be one, which saves the lookup.
    pub fn of(presented: &str) -> Option<Self> {
        let random = presented.strip_prefix(PREFIX)?;
        (random.len() == RANDOM_CHARS).then(|| Self(Sha256::digest(presented).into()))
    }

    /// A hash as the database returns it.
    pub fn from_bytes(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// The bytes, as the database stores them.
    pub fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for KeyHash {
    /// The first bytes identify a key in a log and are no use for anything else.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0[..4].iter().try_for_each(|byte| write!(formatter, "{byte:02x}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_presented_key_is_found_by_its_hash_and_shown_masked() {
        let key = ApiKey::generate().unwrap();
        assert_eq!(key.expose().len(), 6 + 43);
        assert_eq!(KeyHash::of(key.expose()), Some(key.hash()));
        assert_eq!(KeyHash::from_bytes(*key.hash().as_bytes()), key.hash());
        assert_eq!(key.mask(), format!("sk-tg-…{}", &key.expose()[45..]));
        assert!(!format!("{key:?}").contains(&key.expose()[6..]));
    }

    #[test]
    fn keys_differ_and_foreign_keys_have_no_hash() {
        let (one, other) = (ApiKey::generate().unwrap(), ApiKey::generate().unwrap());
        assert_ne!(one.hash(), other.hash());
        for foreign in ["", "sk-tg-", "sk-or-v1-0123", &one.expose()[..48]] {
            assert_eq!(KeyHash::of(foreign), None, "{foreign}");
        }
    }
}
