//! Secrets at rest: sealed with AES-256-GCM under `ENCRYPTION_KEY`, each bound to its place.
//!
//! A sealed text names the key that it was sealed under, so that a key can be replaced while
//! servers run: they open what either key has sealed, and seal under the new one only.

use std::fmt;

use aes_gcm::aead::{Aead, Generate, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use sha2::{Digest, Sha256};

use crate::config::{EncryptionKey, Secret};

/// Before keys had names.
const UNNAMED: &str = "v1:";
const VERSION: &str = "v2:";
/// What is kept as bytes.
const BYTES: &str = "bytes:";
const NONCE_BYTES: usize = 12;

/// Why a sealed secret can't be used.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// It can't be sealed: the system gives no random bytes, or the text is too long.
    #[error("the secret could not be sealed; check the system's source of randomness")]
    Sealing,
    /// Not written by this or an earlier version.
    #[error(
        "the stored secret is in an unknown format; it was written by a newer version of Tollgate"
    )]
    UnknownFormat,
    /// Another key, another place, or changed bytes.
    #[error(
        "the stored secret doesn't open: it was sealed under neither ENCRYPTION_KEY nor \
         ENCRYPTION_KEY_PREVIOUS, or it was changed or moved; restore the key, or enter the secret \
         again"
    )]
    DoesNotOpen,
}

/// The name of an encryption key: it tells keys apart and nothing about them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyName([u8; 4]);

impl KeyName {
    /// Of this key.
    pub fn of(key: &EncryptionKey) -> Self {
        let digest =
            Sha256::new().chain_update(b"tollgate encryption key").chain_update(key.expose());
        let [a, b, c, d, ..] = <[u8; 32]>::from(digest.finalize());
        Self([a, b, c, d])
    }
}

impl fmt::Display for KeyName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

#[derive(Clone)]
struct Key {
    name: KeyName,
    cipher: Aes256Gcm,
}

impl Key {
    fn new(key: &EncryptionKey) -> Self {
        Self { name: KeyName::of(key), cipher: Aes256Gcm::new(&(*key.expose()).into()) }
    }

    fn seal(&self, place: &[u8], message: &[u8]) -> Result<Vec<u8>, SealError> {
        let nonce = Nonce::try_generate().map_err(|_| SealError::Sealing)?;
        let payload = Payload { msg: message, aad: place };
        let sealed = self.cipher.encrypt(&nonce, payload).map_err(|_| SealError::Sealing)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    fn open_bytes(&self, place: &[u8], sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, message) =
            sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::DoesNotOpen)?;
        let payload = Payload { msg: message, aad: place };
        self.cipher.decrypt(&(*nonce).into(), payload).map_err(|_| SealError::DoesNotOpen)
    }

    fn open(&self, place: &[u8], encoded: &str) -> Result<Secret, SealError> {
        let bytes = STANDARD.decode(encoded).map_err(|_| SealError::DoesNotOpen)?;
        let text = String::from_utf8(self.open_bytes(place, &bytes)?);
        text.map(Secret::new).map_err(|_| SealError::DoesNotOpen)
    }
}

/// Seals and opens secrets.
#[derive(Clone)]
pub struct Sealer {
    current: Key,
    previous: Option<Key>,
}

impl fmt::Debug for Sealer {
    /// Written by hand: the cipher holds the key.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("Sealer")
    }
}

impl Sealer {
    /// A sealer under `key`.
    pub fn new(key: &EncryptionKey) -> Self {
        Self { current: Key::new(key), previous: None }
    }

    /// Opens also what was sealed under the key before.
    #[must_use]
    pub fn opening_also(mut self, previous: Option<&EncryptionKey>) -> Self {
        self.previous = previous.map(Key::new);
        self
    }

    /// The key that seals.
    pub const fn name(&self) -> KeyName {
        self.current.name
    }

    /// Every key that opens.
    pub fn names(&self) -> Vec<String> {
        self.keys().map(|key| key.name.to_string()).collect()
    }

    fn keys(&self) -> impl Iterator<Item = &Key> {
        std::iter::once(&self.current).chain(&self.previous)
    }

    /// Seals `secret` for its place: it opens under the same `purpose` and `id` only, so that who
    /// can write to the database can't make one row's secret serve another.
    pub fn seal(&self, purpose: &str, id: &str, secret: &Secret) -> Result<String, SealError> {
        let name = self.current.name;
        let place = place(&format!("{VERSION}{name}:"), purpose, id);
        let sealed = self.current.seal(&place, secret.expose().as_bytes())?;
        Ok(format!("{VERSION}{name}:{}", STANDARD.encode(sealed)))
    }

    /// [`Sealer::seal`] for what is kept as bytes, and not for long: it does not name its key.
    pub fn seal_bytes(
        &self,
        purpose: &str,
        id: &str,
        message: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        self.current.seal(&place(BYTES, purpose, id), message)
    }

    /// Opens what [`Sealer::seal_bytes`] returned for the same place.
    pub fn open_bytes(&self, purpose: &str, id: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let place = place(BYTES, purpose, id);
        let opened = self.keys().find_map(|key| key.open_bytes(&place, sealed).ok());
        opened.ok_or(SealError::DoesNotOpen)
    }

    /// Opens what [`Sealer::seal`] returned for the same place.
    pub fn open(&self, purpose: &str, id: &str, sealed: &str) -> Result<Secret, SealError> {
        if let Some(encoded) = sealed.strip_prefix(UNNAMED) {
            let place = place(UNNAMED, purpose, id);
            let opened = self.keys().find_map(|key| key.open(&place, encoded).ok());
            return opened.ok_or(SealError::DoesNotOpen);
        }
        let named = sealed.strip_prefix(VERSION).ok_or(SealError::UnknownFormat)?;
        let (name, encoded) = named.split_once(':').ok_or(SealError::UnknownFormat)?;
        let key = self.keys().find(|key| key.name.to_string() == name);
        let place = place(&format!("{VERSION}{name}:"), purpose, id);
        key.ok_or(SealError::DoesNotOpen)?.open(&place, encoded)
    }

    /// Seals it again under the current key; none: it is sealed under that already.
    pub fn reseal(
        &self,
        purpose: &str,
        id: &str,
        sealed: &str,
    ) -> Result<Option<String>, SealError> {
        let secret = self.open(purpose, id, sealed)?;
        match sealed.starts_with(&format!("{VERSION}{}:", self.current.name)) {
            true => Ok(None),
            false => self.seal(purpose, id, &secret).map(Some),
        }
    }
}

/// What a list shows of somebody else's key: enough to recognise it, too little to use it.
pub fn mask(secret: &Secret) -> String {
    let chars: Vec<char> = secret.expose().chars().collect();
    let text = |part: &[char]| part.iter().collect::<String>();
    match chars.len() {
        // A quarter of a short secret would already be a hint.
        0..24 => "…".to_owned(),
        length => format!("{}…{}", text(&chars[..6]), text(&chars[length - 4..])),
    }
}

/// The additional data: the purpose's length goes first, so that no two places give the same bytes.
fn place(format: &str, purpose: &str, id: &str) -> Vec<u8> {
    format!("{format}{}:{purpose}:{id}", purpose.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSE: &str = "upstream_key";

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&EncryptionKey::new([byte; 32]))
    }

    /// Sealed before keys had names, under the key of which each byte is 1.
    const OLD: &str = "v1:AAECAwQFBgcICQoL09P7UkWMNLlMORhbTC6wHtJcSUwNuV0=";

    #[test]
    fn a_sealed_secret_opens_in_its_place_only_and_under_its_key_only() {
        let secret = Secret::new("sk-or-v1-hunter2");
        let sealed = sealer(1).seal(PURPOSE, "a", &secret).unwrap();
        assert!(sealed.starts_with("v2:") && !sealed.contains("hunter2"));
        assert_eq!(sealer(1).open(PURPOSE, "a", &sealed), Ok(secret.clone()));
        assert_eq!(sealer(1).open(PURPOSE, "b", &sealed), Err(SealError::DoesNotOpen));
        assert_eq!(sealer(1).open("other", "a", &sealed), Err(SealError::DoesNotOpen));
        assert_eq!(sealer(2).open(PURPOSE, "a", &sealed), Err(SealError::DoesNotOpen));
        assert_ne!(sealed, sealer(1).seal(PURPOSE, "a", &secret).unwrap(), "the nonce is random");
    }

    #[test]
    fn a_tampered_secret_is_refused_at_every_byte() {
        let sealed = sealer(1).seal(PURPOSE, "a", &Secret::new("hunter2")).unwrap();
        let (name, encoded) = sealed.rsplit_once(':').unwrap();
        let bytes = STANDARD.decode(encoded).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = format!("{name}:{}", STANDARD.encode(changed));
            assert_eq!(sealer(1).open(PURPOSE, "a", &changed), Err(SealError::DoesNotOpen));
        }
        let open = |text: &str| sealer(1).open(PURPOSE, "a", text).unwrap_err();
        assert_eq!(open("v1:AAAA"), SealError::DoesNotOpen);
        assert_eq!(open(&sealed[..sealed.len() - 4]), SealError::DoesNotOpen);
        // As if it had been sealed before keys had names.
        assert_eq!(open(&format!("v1:{encoded}")), SealError::DoesNotOpen);
        assert_eq!(open(&sealed.replace("v2:", "v3:")), SealError::UnknownFormat);
        assert_eq!(open("v2:hunter2"), SealError::UnknownFormat);
        assert_eq!(open("hunter2"), SealError::UnknownFormat);
    }

    #[test]
    fn what_was_sealed_before_keys_had_names_opens_and_is_sealed_again() {
        let secret = sealer(1).open(PURPOSE, "a", OLD).unwrap();
        assert_eq!(secret.expose(), "hunter2");
        let resealed = sealer(1).reseal(PURPOSE, "a", OLD).unwrap().expect("it has no name");
        assert_eq!(sealer(1).open(PURPOSE, "a", &resealed), Ok(secret));
        assert_eq!(sealer(1).reseal(PURPOSE, "a", &resealed), Ok(None));
        assert_eq!(sealer(2).reseal(PURPOSE, "a", OLD), Err(SealError::DoesNotOpen));
    }

    #[test]
    fn during_a_rotation_both_keys_open_and_the_new_one_seals() {
        let secret = Secret::new("hunter2");
        let before = sealer(1).seal(PURPOSE, "a", &secret).unwrap();
        let both = sealer(2).opening_also(Some(&EncryptionKey::new([1; 32])));
        assert_eq!(both.open(PURPOSE, "a", &before), Ok(secret.clone()));
        let after = both.reseal(PURPOSE, "a", &before).unwrap().expect("it was another key");
        assert_eq!(sealer(2).open(PURPOSE, "a", &after), Ok(secret));
        assert_eq!(sealer(1).open(PURPOSE, "a", &after), Err(SealError::DoesNotOpen));
        assert_eq!(both.names().len(), 2);
        assert_ne!(sealer(1).name(), sealer(2).name());
    }

    #[test]
    fn a_mask_shows_the_ends_of_a_long_secret_and_nothing_of_a_short_one() {
        assert_eq!(mask(&Secret::new("sk-or-v1-0123456789abcdef0123")), "sk-or-…0123");
        assert_eq!(mask(&Secret::new("hunter2")), "…");
    }
}
