//! Access tokens: short-lived, signed, and checked without asking the database.

use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation};
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::config::Secret;

/// How long an access token is valid, unless its session ends before.
pub const ACCESS_TTL: TimeDelta = TimeDelta::minutes(15);
/// How long a refresh token is valid.
pub const REFRESH_TTL: TimeDelta = TimeDelta::days(7);

/// What a person may do.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    /// A customer: sees the own account.
    Client,
    /// The operator.
    Admin,
    /// Reads the books, changes nothing.
    Auditor,
}

impl Role {
    /// The word under which it is stored and sent.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Client => "client",
            Self::Admin => "admin",
            Self::Auditor => "auditor",
        }
    }
}

impl FromStr for Role {
    type Err = UnknownRole;

    fn from_str(text: &str) -> Result<Self, UnknownRole> {
        [Self::Client, Self::Admin, Self::Auditor]
            .into_iter()
            .find(|role| role.as_str() == text)
            .ok_or_else(|| UnknownRole(text.to_owned()))
    }
}

/// A word that names no role.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a role: use client, admin or auditor")]
pub struct UnknownRole(pub String);

/// Who holds a session.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Subject {
    /// The user.
    pub user: Uuid,
    /// The user's account; operators and auditors have none.
    pub account: Option<Uuid>,
    /// What the user may do.
    pub role: Role,
    /// The session, which ends when its refresh token is revoked.
    pub session: Uuid,
}

/// The content of an access token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct AccessClaims {
    /// The user.
    pub sub: Uuid,
    /// The user's account, if there is one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub acct: Option<Uuid>,
    /// What the user may do.
    pub role: Role,
    /// The session.
    pub sid: Uuid,
    /// Issued at, in seconds since 1970.
    pub iat: i64,
    /// Expires at, in seconds since 1970.
    pub exp: i64,
    /// This token.
    pub jti: Uuid,
    /// Always `access`: another kind of token under the same key must not pass for one.
    pub typ: TokenKind,
}

/// The kinds of tokens that are signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TokenKind {
    /// Opens the API for a quarter of an hour.
    Access,
}

/// Why an access token is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TokenError {
    /// It was valid once.
    #[error("the access token has expired: get a new one from /v1/auth/refresh")]
    Expired,
    /// It never was.
    #[error("the access token is not valid: log in again")]
    Invalid,
}

/// Signs and checks access tokens.
#[derive(Clone)]
pub struct Sessions {
    signing: EncodingKey,
    checking: DecodingKey,
    /// The key before this one, while it is replaced.
    checking_also: Option<DecodingKey>,
    validation: Validation,
}

impl Sessions {
    /// Sessions under `SECRET_KEY`.
    pub fn new(secret_key: &Secret) -> Self {
        let secret = secret_key.expose().as_bytes();
        // The one algorithm that we sign with: the token's own header must not choose.
        let mut validation = Validation::new(Algorithm::HS256);
        // Compared below with the caller's time and without a minute of leeway.
        validation.validate_exp = false;
        Self {
            signing: EncodingKey::from_secret(secret),
            checking: DecodingKey::from_secret(secret),
            checking_also: None,
            validation,
        }
    }

    /// Believes also what was signed under the key before.
    #[must_use]
    pub fn believing_also(mut self, previous: Option<&Secret>) -> Self {
        self.checking_also =
            previous.map(|secret| DecodingKey::from_secret(secret.expose().as_bytes()));
        self
    }

    /// An access token for `subject`, valid from `now` for [`ACCESS_TTL`].
    pub fn issue_access(&self, subject: &Subject, now: DateTime<Utc>) -> String {
        let claims = AccessClaims {
            sub: subject.user,
            acct: subject.account,
            role: subject.role,
            sid: subject.session,
            iat: now.timestamp(),
            exp: (now + ACCESS_TTL).timestamp(),
            jti: Uuid::now_v7(),
            typ: TokenKind::Access,
        };
        jsonwebtoken::encode(&Header::new(Algorithm::HS256), &claims, &self.signing)
            .expect("claims are JSON and the key fits the algorithm")
    }

    /// The claims of a token that we signed and that is valid at `now`.
    pub fn verify_access(
        &self,
        token: &str,
        now: DateTime<Utc>,
    ) -> Result<AccessClaims, TokenError> {
        let keys = std::iter::once(&self.checking).chain(&self.checking_also);
        let decoded = keys
            .map(|key| jsonwebtoken::decode::<AccessClaims>(token, key, &self.validation))
            .find_map(Result::ok);
        let claims = decoded.ok_or(TokenError::Invalid)?.claims;
        match claims.exp > now.timestamp() {
            true => Ok(claims),
            false => Err(TokenError::Expired),
        }
    }
}

#[cfg(test)]
mod tests {
    use base64::Engine;
    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn sessions(key: &str) -> Sessions {
        Sessions::new(&Secret::new(key.repeat(32)))
    }

    fn subject() -> Subject {
        let id = Uuid::now_v7;
        Subject { user: id(), account: Some(id()), role: Role::Client, session: id() }
    }

    #[test]
    fn an_access_token_expires_after_a_quarter_of_an_hour_to_the_second() {
        let (sessions, subject) = (sessions("k"), subject());
        let now = DateTime::from_timestamp(1_800_000_000, 0).unwrap();
        let token = sessions.issue_access(&subject, now);
        let last = now + TimeDelta::seconds(15 * 60 - 1);
        let claims = sessions.verify_access(&token, last).unwrap();
        assert_eq!((claims.sub, claims.acct), (subject.user, subject.account));
        assert_eq!((claims.sid, claims.role), (subject.session, Role::Client));
        assert_eq!(claims.exp - claims.iat, 900);
        let after = last + TimeDelta::seconds(1);
        assert_eq!(sessions.verify_access(&token, after), Err(TokenError::Expired));
    }

    #[test]
    fn a_token_under_the_previous_key_is_believed_while_that_is_named() {
        let now = Utc::now();
        let token = sessions("old").issue_access(&subject(), now);
        assert_eq!(sessions("new").verify_access(&token, now), Err(TokenError::Invalid));
        let previous = Secret::new("old".repeat(32));
        let both = sessions("new").believing_also(Some(&previous));
        both.verify_access(&token, now).unwrap();
        let fresh = both.issue_access(&subject(), now);
        sessions("new").verify_access(&fresh, now).unwrap();
        assert_eq!(sessions("old").verify_access(&fresh, now), Err(TokenError::Invalid));
    }

    #[test]
    fn a_token_that_we_did_not_sign_is_refused() {
        let (sessions, now) = (sessions("k"), Utc::now());
        let token = sessions.issue_access(&subject(), now);
        let refused = |token: &str| {
            assert_eq!(sessions.verify_access(token, now), Err(TokenError::Invalid), "{token}");
        };
        refused("");
        refused(&self::sessions("x").issue_access(&subject(), now));
        let parts: Vec<&str> = token.split('.').collect();
        let claims = String::from_utf8(URL_SAFE_NO_PAD.decode(parts[1]).unwrap()).unwrap();
        let promoted = URL_SAFE_NO_PAD.encode(claims.replace("client", "admin"));
        refused(&format!("{}.{promoted}.{}", parts[0], parts[2]));
        let unsigned = URL_SAFE_NO_PAD.encode(r#"{"alg":"none","typ":"JWT"}"#);
        refused(&format!("{unsigned}.{}.", parts[1]));
        refused(&format!("{unsigned}.{}.{}", parts[1], parts[2]));
    }

    #[test]
    fn a_token_of_another_kind_or_algorithm_under_the_same_key_is_refused() {
        let (sessions, now) = (sessions("k"), Utc::now());
        let token = sessions.issue_access(&subject(), now);
        let claims = sessions.verify_access(&token, now).unwrap();
        let mut other = serde_json::to_value(&claims).unwrap();
        other["typ"] = "invite".into();
        let header = Header::new(Algorithm::HS256);
        let invite = jsonwebtoken::encode(&header, &other, &sessions.signing).unwrap();
        assert_eq!(sessions.verify_access(&invite, now), Err(TokenError::Invalid));
        let header = Header::new(Algorithm::HS512);
        let stronger = jsonwebtoken::encode(&header, &claims, &sessions.signing).unwrap();
        assert_eq!(sessions.verify_access(&stronger, now), Err(TokenError::Invalid));
    }

    #[test]
    fn every_role_is_read_back_from_its_word() {
        for role in [Role::Client, Role::Admin, Role::Auditor] {
            assert_eq!(role.as_str().parse(), Ok(role));
            assert_eq!(serde_json::to_value(role).unwrap(), role.as_str());
        }
        assert!("root".parse::<Role>().is_err());
    }
}
