//! Tokens that prove themselves: a short content and its HMAC-SHA-256 under `SECRET_KEY`.
//!
//! The database holds no token and no hash of one: who reads it can open nothing, and a mail that
//! waits to be sent needs no secret, because its link is made from the id when it is sent.

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::config::Secret;

const PROOF_BYTES: usize = 32;

/// What a token is for: one kind never passes for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenUse {
    /// Continues a session.
    Refresh,
    /// Sets a new password.
    PasswordReset,
    /// Proves that mail to an address arrives.
    EmailVerification,
    /// Lets somebody register.
    Invitation,
}

impl TokenUse {
    const fn prefix(self) -> &'static str {
        match self {
            Self::Refresh => "tgr_",
            Self::PasswordReset => "tgp_",
            Self::EmailVerification => "tgv_",
            Self::Invitation => "tgi_",
        }
    }
}

/// Makes and checks tokens.
#[derive(Clone)]
pub struct Signer {
    keyed: Hmac<Sha256>,
    /// Under the key before this one, while it is replaced.
    keyed_also: Option<Hmac<Sha256>>,
}

impl std::fmt::Debug for Signer {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("Signer(***)")
    }
}

impl Signer {
    /// Under `SECRET_KEY`.
    pub fn new(secret_key: &Secret) -> Self {
        Self { keyed: keyed(secret_key), keyed_also: None }
    }

    /// Believes also what was signed under the key before.
    #[must_use]
    pub fn believing_also(mut self, previous: Option<&Secret>) -> Self {
        self.keyed_also = previous.map(keyed);
        self
    }

    /// The token with this content; always the same one.
    pub fn sign(&self, of: TokenUse, content: &[u8]) -> Secret {
        let proof = mac(&self.keyed, of, content).finalize().into_bytes();
        let token = URL_SAFE_NO_PAD.encode([content, &proof].concat());
        Secret::new(format!("{}{token}", of.prefix()))
    }

    /// The content of a token that we signed for this use.
    pub fn read<const LENGTH: usize>(&self, of: TokenUse, token: &str) -> Option<[u8; LENGTH]> {
        let encoded = token.strip_prefix(of.prefix())?;
        // Nobody makes us decode a megabyte.
        if encoded.len() > 2 * (LENGTH + PROOF_BYTES) {
            return None;
        }
        let bytes = URL_SAFE_NO_PAD.decode(encoded).ok()?;
        let (content, proof) = bytes.split_at_checked(LENGTH)?;
        // It compares in constant time, and a proof of another length is wrong.
        let mut keys = std::iter::once(&self.keyed).chain(&self.keyed_also);
        keys.find(|key| mac(key, of, content).verify_slice(proof).is_ok())?;
        content.try_into().ok()
    }
}

fn keyed(secret_key: &Secret) -> Hmac<Sha256> {
    let keyed = Hmac::new_from_slice(secret_key.expose().as_bytes());
    keyed.expect("HMAC takes a key of any length")
}

fn mac(keyed: &Hmac<Sha256>, of: TokenUse, content: &[u8]) -> Hmac<Sha256> {
    let mut mac = keyed.clone();
    // All prefixes have one length, so no two pairs give the same bytes. Access tokens are
    // signed under the same key, and begin with another letter.
    mac.update(of.prefix().as_bytes());
    mac.update(content);
    mac
}

#[cfg(test)]
mod tests {
    use super::*;

    const ALL: [TokenUse; 4] = [
        TokenUse::Refresh,
        TokenUse::PasswordReset,
        TokenUse::EmailVerification,
        TokenUse::Invitation,
    ];

    fn signer(key: &str) -> Signer {
        Signer::new(&Secret::new(key.repeat(32)))
    }

    #[test]
    fn a_token_opens_for_its_use_only_and_under_its_key_only() {
        for of in ALL {
            let token = signer("k").sign(of, b"sixteen bytes id");
            for other in ALL {
                // As an attacker would: with the prefix that the other use has.
                let body = token.expose().split_once('_').unwrap().1;
                let presented = format!("{}{body}", other.prefix());
                let read = signer("k").read::<16>(other, &presented);
                assert_eq!(read.is_some(), of == other, "{of:?} as {other:?}");
            }
            assert_eq!(signer("x").read::<16>(of, token.expose()), None);
        }
    }

    #[test]
    fn a_token_under_the_previous_key_opens_while_that_is_named() {
        let token = signer("old").sign(TokenUse::Refresh, &[7; 24]);
        let previous = Secret::new("old".repeat(32));
        let both = signer("new").believing_also(Some(&previous));
        assert_eq!(both.read(TokenUse::Refresh, token.expose()), Some([7; 24]));
        assert_eq!(signer("new").read::<24>(TokenUse::Refresh, token.expose()), None);
        let fresh = both.sign(TokenUse::Refresh, &[7; 24]);
        assert_eq!(signer("new").read(TokenUse::Refresh, fresh.expose()), Some([7; 24]));
    }

    #[test]
    fn a_changed_cut_or_padded_token_is_refused() {
        let signer = signer("k");
        let token = signer.sign(TokenUse::Refresh, &[7; 24]);
        let read = |text: &str| signer.read::<24>(TokenUse::Refresh, text);
        assert_eq!(read(token.expose()), Some([7; 24]));
        let bytes = URL_SAFE_NO_PAD.decode(&token.expose()[4..]).unwrap();
        for place in 0..bytes.len() {
            let mut changed = bytes.clone();
            changed[place] ^= 1;
            assert_eq!(read(&format!("tgr_{}", URL_SAFE_NO_PAD.encode(changed))), None);
        }
        for length in 0..bytes.len() {
            assert_eq!(read(&format!("tgr_{}", URL_SAFE_NO_PAD.encode(&bytes[..length]))), None);
        }
        assert_eq!(read(&format!("{}AAAA", token.expose())), None);
        assert_eq!(read(&format!("tgr_{}", "A".repeat(1 << 20))), None);
        assert_eq!(signer.read::<23>(TokenUse::Refresh, token.expose()), None);
    }
}
