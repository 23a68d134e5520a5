//! Secrets at rest: sealed with AES-256-GCM under `ENCRYPTION_KEY`, each bound to its place.

use std::fmt;

use aes_gcm::aead::{Aead, Generate, KeyInit, Payload};
use aes_gcm::{Aes256Gcm, Nonce};
use base64::Engine;
use base64::engine::general_purpose::STANDARD;

use crate::config::{EncryptionKey, Secret};

const VERSION: &str = "v1:";
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
        "the stored secret doesn't open: ENCRYPTION_KEY is not the one it was sealed under, or it was \
         changed or moved; restore the key, or enter the secret again"
    )]
    DoesNotOpen,
}

/// Seals and opens secrets.
#[derive(Clone)]
pub struct Sealer {
    cipher: Aes256Gcm,
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
        Self { cipher: Aes256Gcm::new(&(*key.expose()).into()) }
    }

    /// Seals `secret` for its place: it opens under the same `purpose` and `id` only, so that who
    /// can write to the database can't make one row's secret serve another.
    pub fn seal(&self, purpose: &str, id: &str, secret: &Secret) -> Result<String, SealError> {
        let sealed = self.seal_bytes(purpose, id, secret.expose().as_bytes())?;
        Ok(format!("{VERSION}{}", STANDARD.encode(sealed)))
    }

    /// [`Sealer::seal`] for what is kept as bytes.
    pub fn seal_bytes(
        &self,
        purpose: &str,
        id: &str,
        message: &[u8],
    ) -> Result<Vec<u8>, SealError> {
        let nonce = Nonce::try_generate().map_err(|_| SealError::Sealing)?;
        let payload = Payload { msg: message, aad: &place(purpose, id) };
        let sealed = self.cipher.encrypt(&nonce, payload).map_err(|_| SealError::Sealing)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Opens what [`Sealer::seal_bytes`] returned for the same place.
    pub fn open_bytes(&self, purpose: &str, id: &str, sealed: &[u8]) -> Result<Vec<u8>, SealError> {
        let (nonce, message) =
            sealed.split_first_chunk::<NONCE_BYTES>().ok_or(SealError::DoesNotOpen)?;
        let payload = Payload { msg: message, aad: &place(purpose, id) };
        self.cipher.decrypt(&(*nonce).into(), payload).map_err(|_| SealError::DoesNotOpen)
    }

    /// Opens what [`Sealer::seal`] returned for the same place.
    pub fn open(&self, purpose: &str, id: &str, sealed: &str) -> Result<Secret, SealError> {
        let encoded = sealed.strip_prefix(VERSION).ok_or(SealError::UnknownFormat)?;
        let bytes = STANDARD.decode(encoded).map_err(|_| SealError::DoesNotOpen)?;
        let text = String::from_utf8(self.open_bytes(purpose, id, &bytes)?);
        text.map(Secret::new).map_err(|_| SealError::DoesNotOpen)
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
fn place(purpose: &str, id: &str) -> Vec<u8> {
    format!("{VERSION}{}:{purpose}:{id}", purpose.len()).into_bytes()
}

#[cfg(test)]
mod tests {
    use super::*;

    const PURPOSE: &str = "upstream_key";

    fn sealer(byte: u8) -> Sealer {
        Sealer::new(&EncryptionKey::new([byte; 32]))
    }

    #[test]
    fn a_sealed_secret_opens_in_its_place_only_and_under_its_key_only() {
        let secret = Secret::new("sk-or-v1-hunter2");
        let sealed = sealer(1).seal(PURPOSE, "a", &secret).unwrap();
        assert!(sealed.starts_with("v1:") && !sealed.contains("hunter2"));
        assert_eq!(sealer(1).open(PURPOSE, "a", &sealed), Ok(secret.clone()));
        assert_eq!(sealer(1).open(PURPOSE, "b", &sealed), Err(SealError::DoesNotOpen));
        assert_eq!(sealer(1).open("other", "a", &sealed), Err(SealError::DoesNotOpen));
        assert_eq!(sealer(2).open(PURPOSE, "a", &sealed), Err(SealError::DoesNotOpen));
        assert_ne!(sealed, sealer(1).seal(PURPOSE, "a", &secret).unwrap(), "the nonce is random");
    }

    #[test]
    fn a_tampered_secret_is_refused_at_every_byte() {
        let sealed = sealer(1).seal(PURPOSE, "a", &Secret::new("hunter2")).unwrap();
        let bytes = STANDARD.decode(&sealed[3..]).unwrap();
        for index in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[index] ^= 1;
            let changed = format!("v1:{}", STANDARD.encode(changed));
            assert_eq!(sealer(1).open(PURPOSE, "a", &changed), Err(SealError::DoesNotOpen));
        }
        let open = |text: &str| sealer(1).open(PURPOSE, "a", text).unwrap_err();
        assert_eq!(open("v1:AAAA"), SealError::DoesNotOpen);
        assert_eq!(open(&sealed[..sealed.len() - 4]), SealError::DoesNotOpen);
        assert_eq!(open(&sealed.replace("v1:", "v2:")), SealError::UnknownFormat);
        assert_eq!(open("hunter2"), SealError::UnknownFormat);
    }

    #[test]
    fn a_mask_shows_the_ends_of_a_long_secret_and_nothing_of_a_short_one() {
        assert_eq!(mask(&Secret::new("sk-or-v1-0123456789abcdef0123")), "sk-or-…0123");
        assert_eq!(mask(&Secret::new("hunter2")), "…");
    }
}
