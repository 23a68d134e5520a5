//! Refresh tokens: signed and numbered.

use tollgate_domain::ids::SessionId;
use uuid::Uuid;

use super::signer::{Signer, TokenUse};
use crate::config::Secret;

/// What a refresh token says: the session, and the how many-th token of it this is.
///
/// The number is why rotation can be exact. A token that was replaced is recognised for ever, so a
/// stolen one is noticed however late it comes; and a client that lost an answer, or asked twice at
/// once, is given the same next token again instead of another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RefreshClaims {
    /// The session that it continues.
    pub session: SessionId,
    /// From 0, one more with each refresh.
    pub generation: i64,
}

const BYTES: usize = 24;

impl RefreshClaims {
    /// The token, for its owner.
    pub fn sign(self, signer: &Signer) -> Secret {
        let mut content = [0; BYTES];
        content[..16].copy_from_slice(self.session.uuid().as_bytes());
        content[16..].copy_from_slice(&self.generation.to_be_bytes());
        signer.sign(TokenUse::Refresh, &content)
    }

    /// What a presented token says, if we signed it.
    pub fn read(signer: &Signer, presented: &str) -> Option<Self> {
        let content: [u8; BYTES] = signer.read(TokenUse::Refresh, presented)?;
        let (session, generation) = content.split_first_chunk::<16>()?;
        Some(Self {
            session: SessionId::from_uuid(Uuid::from_bytes(*session)),
            generation: i64::from_be_bytes(generation.try_into().ok()?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_refresh_token_is_read_back_and_does_not_print() {
        let signer = Signer::new(&Secret::new("k".repeat(32)));
        let session = SessionId::from_uuid(Uuid::now_v7());
        let claims = RefreshClaims { session, generation: 7 };
        let token = claims.sign(&signer);
        assert_eq!(RefreshClaims::read(&signer, token.expose()), Some(claims));
        assert_eq!(claims.sign(&signer), token, "the same answer to the same question");
        let next = RefreshClaims { generation: 8, ..claims }.sign(&signer);
        assert_ne!(next, token);
        assert!(!format!("{token:?}").contains(&token.expose()[4..]));
        assert_eq!(RefreshClaims::read(&signer, "tgr_short"), None);
    }
}
