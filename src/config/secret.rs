//! Values that must not reach a log.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::{alphabet, engine::DecodePaddingMode};

/// Text that prints as `***`.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a secret.
    pub fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }

    /// The text itself, for the one place that needs it.
    pub fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

/// The key under which secrets are sealed at rest.
#[derive(Clone, PartialEq, Eq)]
pub struct EncryptionKey([u8; 32]);

impl EncryptionKey {
    /// Wraps the bytes of a key.
    pub fn new(bytes: [u8; 32]) -> Self {
        Self(bytes)
    }

    /// Reads 64 hexadecimal digits, or base64 of 32 bytes in either alphabet, padded or not.
    pub fn parse(text: &str) -> Option<Self> {
        let bytes = match text.len() == 64 {
            true => decode_hex(text)?,
            false => decode_base64(text)?,
        };
        Some(Self(bytes.try_into().ok()?))
    }

    /// The bytes themselves, for the cipher.
    pub fn expose(&self) -> &[u8; 32] {
        &self.0
    }
}

impl fmt::Debug for EncryptionKey {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("***")
    }
}

fn decode_hex(text: &str) -> Option<Vec<u8>> {
    let digits: Option<Vec<u32>> = text.chars().map(|c| c.to_digit(16)).collect();
    digits?.chunks(2).map(|pair| u8::try_from(pair[0] * 16 + pair[1]).ok()).collect()
}

fn decode_base64(text: &str) -> Option<Vec<u8>> {
    let config =
        GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent);
    [alphabet::STANDARD, alphabet::URL_SAFE]
        .iter()
        .find_map(|alphabet| GeneralPurpose::new(alphabet, config).decode(text).ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_encryption_key_is_32_bytes_in_hexadecimal_or_base64() {
        let key = EncryptionKey::new([0xfb; 32]);
        let standard = format!("{}+/s=", "+/v7".repeat(10));
        assert_eq!(EncryptionKey::parse(&"fb".repeat(32)), Some(key.clone()));
        assert_eq!(EncryptionKey::parse(&"FB".repeat(32)), Some(key.clone()));
        assert_eq!(EncryptionKey::parse(&standard), Some(key.clone()));
        let url_safe = standard.replace('+', "-").replace('/', "_");
        assert_eq!(EncryptionKey::parse(url_safe.trim_end_matches('=')), Some(key));
        for wrong in ["", "c2hvcnQ=", &"zz".repeat(32), &"fb".repeat(31)] {
            assert_eq!(EncryptionKey::parse(wrong), None, "{wrong}");
        }
    }

    #[test]
    fn secrets_do_not_print() {
        let key = EncryptionKey::new([7; 32]);
        assert_eq!(format!("{:?} {key:?}", Secret::new("hush")), "*** ***");
    }
}
