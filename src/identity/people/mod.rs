//! What people do: register, sign in, stay signed in, change and reset passwords.
//!
//! Nobody learns from an answer whether an address is registered: text, status and work are the
//! same, and what differs goes by mail.

mod passwords;
mod sign_up;
mod verification;

use std::sync::Arc;
use std::time::Duration;

use chrono::Utc;
use sqlx::PgPool;
use tollgate_domain::AccountError;
use tollgate_domain::ids::SessionId;

use super::attempts::{Attempt, Attempts};
use super::password::{PasswordError, PasswordRule, Passwords};
use super::refresh::RefreshClaims;
use super::sessions::Rotation;
use super::{Origin, SessionStore, Sessions, Signer, Subject, User, Users};
use crate::config::{EmailVerification, PeopleConfig, Registration, Secret};
use crate::ledger::{CommandError, Ledger};
use crate::mail::{Letters, Outbox};

pub use passwords::PasswordReset;
pub use sign_up::{NewUser, SignUp};

/// Why somebody can't be registered or signed in.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The password breaks a rule.
    #[error(transparent)]
    Password(#[from] PasswordRule),
    /// Somebody is registered under this address. Only operators are told.
    #[error("this e-mail address is registered already")]
    EmailTaken,
    /// Unknown address or wrong password.
    #[error("the e-mail address or the password is wrong")]
    WrongPassword,
    /// The old password, which a new one needs.
    #[error("the old password is wrong")]
    WrongOldPassword,
    /// The password is right, but nobody has shown that the address is theirs.
    #[error("the e-mail address is not verified")]
    NotVerified,
    /// Passwords were tried too often, or too much mail was asked for.
    #[error("too many attempts")]
    TooOften(Duration),
    /// Nobody may register.
    #[error("registration is closed")]
    RegistrationClosed,
    /// Only who is invited may register, and this is no invitation.
    #[error("the invitation is not valid")]
    InvalidInvitation,
    /// A mailed link that was used, is too old, or never was one.
    #[error("the link is not valid")]
    InvalidLink,
    /// The refresh token is not the newest of a living session.
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
    /// The person was erased meanwhile.
    #[error("there is no such person any more")]
    Erased,
    /// A password could not be hashed or checked.
    #[error(transparent)]
    Hashing(#[from] PasswordError),
    /// The account could not be opened.
    #[error(transparent)]
    Account(#[from] CommandError<AccountError>),
    /// The database refuses.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
}

/// What a signed-in person gets.
#[derive(Debug)]
pub struct SignedIn {
    /// A signed access token.
    pub access: String,
    /// The next refresh token.
    pub refresh: Secret,
    /// Who it is.
    pub user: User,
}

/// Registers people and signs them in.
#[derive(Clone)]
pub struct People {
    /// The table.
    pub users: Users,
    /// Their sessions.
    pub sessions: SessionStore,
    /// Checks access tokens.
    pub tokens: Sessions,
    /// Hashes and checks passwords.
    pub passwords: Passwords,
    /// Mail to them.
    pub outbox: Outbox,
    /// What it says.
    pub letters: Letters,
    pool: PgPool,
    signer: Signer,
    attempts: Arc<Attempts>,
    registration: Registration,
    verification: EmailVerification,
    /// Is there a way out for mail?
    mails: bool,
    ledger: Ledger,
}

impl std::fmt::Debug for People {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("People")
    }
}

impl People {
    /// Over these stores.
    pub fn new(pool: PgPool, secret_key: &Secret, config: &PeopleConfig, ledger: Ledger) -> Self {
        let signer = Signer::new(secret_key);
        Self {
            users: Users::new(pool.clone()),
            sessions: SessionStore::new(pool.clone()),
            tokens: Sessions::new(secret_key),
            passwords: Passwords::default(),
            outbox: Outbox::new(pool.clone()),
            letters: Letters::new(signer.clone(), config.public_url.clone()),
            pool,
            signer,
            attempts: Arc::default(),
            registration: config.registration,
            verification: config.email_verification,
            mails: config.mail.is_some(),
            ledger,
        }
    }

    /// Believes also what was signed under the `SECRET_KEY` before, while that is replaced.
    #[must_use]
    pub fn believing_also(mut self, previous: Option<&Secret>) -> Self {
        self.tokens = self.tokens.believing_also(previous);
        self.signer = self.signer.believing_also(previous);
        self
    }

    /// The database, for changes that belong into one transaction with the audit trail.
    pub(crate) const fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// Signs somebody in. An unknown address takes as much work as a wrong password.
    pub async fn sign_in(
        &self,
        email: &str,
        password: Secret,
        origin: &Origin,
    ) -> Result<SignedIn, PeopleError> {
        let attempt = self.attempt(email, origin).await?;
        let user = self.users.find_by_email(email).await?;
        let stored = user.as_ref().map(|user| user.password_hash.clone());
        let right = match self.passwords.verify(password, stored).await {
            Ok(right) => right,
            Err(error) => {
                attempt.withdraw();
                return Err(error.into());
            }
        };
        let (Some(user), true) = (user, right) else { return Err(PeopleError::WrongPassword) };
        attempt.succeed();
        if self.verification == EmailVerification::Required && user.email_verified_at.is_none() {
            return Err(PeopleError::NotVerified);
        }
        self.open_session(user, origin).await
    }

    /// Leave to try a password.
    async fn attempt(&self, email: &str, origin: &Origin) -> Result<Attempt<'_>, PeopleError> {
        let attempt = self.attempts.begin(email, origin).map_err(PeopleError::TooOften)?;
        let Some(wait) = attempt.wait() else { return Ok(attempt) };
        let address = origin.address.filter(|_| origin.telling);
        let known = match address {
            Some(address) => self.sessions.knows(email, address).await?,
            None => false,
        };
        match known {
            true => Ok(attempt),
            false => {
                attempt.withdraw();
                Err(PeopleError::TooOften(wait))
            }
        }
    }

    /// Exchanges a refresh token. The role is read again, so that one that was taken away goes with
    /// the old token.
    pub async fn refresh(&self, presented: &str, origin: &Origin) -> Result<SignedIn, PeopleError> {
        let claims = RefreshClaims::read(&self.signer, presented);
        let claims = claims.ok_or(PeopleError::InvalidRefreshToken)?;
        match self.sessions.rotate(claims, origin).await? {
            Rotation::Next(next, user) => {
                let user = self.users.find(user).await?;
                Ok(self.signed_in(user.ok_or(PeopleError::InvalidRefreshToken)?, next))
            }
            Rotation::Reused | Rotation::Over => Err(PeopleError::InvalidRefreshToken),
        }
    }

    async fn open_session(&self, user: User, origin: &Origin) -> Result<SignedIn, PeopleError> {
        let first = self.sessions.open(&user, origin).await?;
        Ok(self.signed_in(user, first.ok_or(PeopleError::WrongPassword)?))
    }

    fn signed_in(&self, user: User, claims: RefreshClaims) -> SignedIn {
        let access = self.access(&user, claims.session);
        SignedIn { access, refresh: claims.sign(&self.signer), user }
    }

    fn access(&self, user: &User, session: SessionId) -> String {
        let subject = Subject {
            user: user.id.uuid(),
            account: Some(user.account.uuid()),
            role: user.role,
            session: session.uuid(),
        };
        self.tokens.issue_access(&subject, Utc::now())
    }
}
