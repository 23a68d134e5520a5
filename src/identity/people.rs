//! Registration, signing in, and the first admin.

use chrono::Utc;
use tollgate_domain::AccountCommand;
use tollgate_domain::AccountError;
use tollgate_domain::ids::{AccountId, SessionId, UserId};
use uuid::Uuid;

use super::password::{self, PasswordError, PasswordRule, Passwords};
use super::refresh::RefreshClaims;
use super::sessions::{Origin, Rotation};
use super::{Role, SessionStore, Sessions, Signer, Subject, User, Users};
use crate::config::{AdminConfig, Secret};
use crate::ledger::{Actor, CommandContext, CommandError, Ledger};

/// Why somebody can't be registered or signed in.
#[derive(Debug, thiserror::Error)]
pub enum PeopleError {
    /// The password breaks a rule.
    #[error(transparent)]
    Password(#[from] PasswordRule),
    /// Somebody is registered under this address.
    #[error("this e-mail address is registered already")]
    EmailTaken,
    /// Unknown address or wrong password.
    #[error("the e-mail address or the password is wrong")]
    WrongPassword,
    /// The refresh token is not the newest of a living session.
    #[error("the refresh token is not valid")]
    InvalidRefreshToken,
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

/// Somebody who wants to be a customer.
#[derive(Debug)]
pub struct NewUser {
    /// The address to sign in with.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// How to address them.
    pub name: String,
    /// What they may do.
    pub role: Role,
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
    signer: Signer,
    passwords: Passwords,
    ledger: Ledger,
}

impl std::fmt::Debug for People {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("People")
    }
}

impl People {
    /// Over these stores.
    pub fn new(pool: sqlx::PgPool, secret_key: &Secret, ledger: Ledger) -> Self {
        Self {
            users: Users::new(pool.clone()),
            sessions: SessionStore::new(pool),
            tokens: Sessions::new(secret_key),
            signer: Signer::new(secret_key),
            passwords: Passwords::default(),
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

    /// Opens an account and then writes down whose it is.
    ///
    /// In this order, because a person without an account could sign in and do nothing, for ever,
    /// while an account without a person is an empty stream that nobody knows; so after a crash the
    /// same registration works again. Customers register themselves; the others are created by the
    /// actor in `context`.
    pub async fn register(
        &self,
        new: NewUser,
        context: &CommandContext,
    ) -> Result<(User, i64), PeopleError> {
        password::check_rules(new.password.expose(), &new.email)?;
        if self.users.find_by_email(&new.email).await?.is_some() {
            return Err(PeopleError::EmailTaken);
        }
        let user = User {
            id: UserId::from_uuid(Uuid::now_v7()),
            account: AccountId::from_uuid(Uuid::now_v7()),
            password_hash: self.passwords.hash(new.password).await?,
            email: new.email,
            name: new.name,
            role: new.role,
            created_at: Utc::now(),
        };
        let open = AccountCommand::OpenAccount { account: user.account, owner: user.id };
        let stream = user.account.to_string();
        let actor = match user.role {
            Role::Client => Actor::User(user.id),
            Role::Admin | Role::Auditor => context.actor,
        };
        let context = CommandContext { actor, ..context.clone() };
        let opened = self.ledger.accounts.execute(&stream, open, &context, None).await?;
        match self.users.insert(&user).await? {
            true => Ok((user, opened.position)),
            false => Err(PeopleError::EmailTaken),
        }
    }

    /// Signs somebody in. An unknown address takes as long as a wrong password.
    pub async fn sign_in(
        &self,
        email: &str,
        password: Secret,
        origin: &Origin,
    ) -> Result<SignedIn, PeopleError> {
        let user = self.users.find_by_email(email).await?;
        let stored = user.as_ref().map(|user| user.password_hash.clone());
        let right = self.passwords.verify(password, stored).await?;
        let (Some(user), true) = (user, right) else { return Err(PeopleError::WrongPassword) };
        let first = self.sessions.open(user.id, origin).await?;
        Ok(self.signed_in(user, first))
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

    fn signed_in(&self, user: User, claims: RefreshClaims) -> SignedIn {
        let access = self.access(&user, claims.session);
        SignedIn { access, refresh: claims.sign(&self.signer), user }
    }

    /// Creates the configured admin unless somebody has that address. Returns whether it was
    /// necessary.
    pub async fn ensure_admin(&self, admin: &AdminConfig) -> Result<bool, PeopleError> {
        let new = NewUser {
            email: admin.email.clone(),
            password: admin.password.clone(),
            name: "Admin".to_owned(),
            role: Role::Admin,
        };
        let context = CommandContext::by(Actor::System("first_admin"));
        match self.register(new, &context).await {
            Ok(_) => Ok(true),
            Err(PeopleError::EmailTaken) => Ok(false),
            Err(error) => Err(error),
        }
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
