//! Changing a password, and setting one without the old one.

use tollgate_domain::ids::{LinkId, SessionId, UserId};

use super::{People, PeopleError, SignedIn};
use crate::config::Secret;
use crate::identity::links::{self, Purpose};
use crate::identity::trail::{self, Action};
use crate::identity::{Origin, SessionStore, User, Users, password};
use crate::ledger::{Actor, CommandContext};
use crate::mail::{Kind, NewMail, Outbox, Recipient};

/// A mailed link that still works, and who may set a new password with it.
#[derive(Debug)]
pub struct PasswordReset {
    link: LinkId,
    /// Whose password.
    pub user: User,
}

impl People {
    /// Exchanges the password for another one and ends all other sessions.
    pub async fn change_password(
        &self,
        user: UserId,
        session: SessionId,
        old: Secret,
        new: Secret,
        origin: &Origin,
        context: &CommandContext,
    ) -> Result<(), PeopleError> {
        let user = self.users.find(user).await?.ok_or(PeopleError::Erased)?;
        password::check_rules(new.expose(), &user.email)?;
        // Whoever has found an open session must not try passwords faster than at the door.
        let attempt = self.attempt(&user.email, origin).await?;
        match self.passwords.verify(old, Some(user.password_hash.clone())).await {
            Ok(true) => attempt.succeed(),
            Ok(false) => return Err(PeopleError::WrongOldPassword),
            Err(error) => {
                attempt.withdraw();
                return Err(error.into());
            }
        }
        let hash = self.passwords.hash(new).await?;
        let user = User { password_hash: hash, ..user };
        let mut transaction = self.pool.begin().await?;
        links::withdraw(&mut transaction, user.id, Purpose::PasswordReset).await?;
        let action = Action::PasswordChanged;
        self.set_password(transaction, &user, Some(session), action, context).await
    }

    /// Mails a link to whoever has this address; does nothing where nobody has it. For the caller
    /// there must be no difference, so do not let it wait.
    pub async fn ask_reset(&self, email: &str) -> Result<(), PeopleError> {
        let Some(user) = self.users.find_by_email(email).await? else { return Ok(()) };
        self.mail_link(user.id, Purpose::PasswordReset, Kind::PasswordReset).await
    }

    /// What a presented token allows, and whether this password may be set.
    pub async fn find_reset(
        &self,
        token: &str,
        new: &Secret,
    ) -> Result<PasswordReset, PeopleError> {
        let purpose = Purpose::PasswordReset;
        let link = links::read(&self.signer, purpose, token).ok_or(PeopleError::InvalidLink)?;
        let holder = links::holder(&self.pool, link, purpose).await?;
        let user = self.users.find(holder.ok_or(PeopleError::InvalidLink)?).await?;
        let user = user.ok_or(PeopleError::InvalidLink)?;
        password::check_rules(new.expose(), &user.email)?;
        Ok(PasswordReset { link, user })
    }

    /// Sets a new password, ends all sessions and opens one: its place is then known, so that
    /// nobody's wrong passwords keep the owner out. Who got the mail has the address.
    pub async fn reset_password(
        &self,
        reset: PasswordReset,
        new: Secret,
        origin: &Origin,
        context: &CommandContext,
    ) -> Result<SignedIn, PeopleError> {
        let PasswordReset { link, mut user } = reset;
        user.password_hash = self.passwords.hash(new).await?;
        let mut transaction = self.pool.begin().await?;
        let used = links::use_up(&mut transaction, link, Purpose::PasswordReset).await?;
        if used != Some(user.id) {
            return Err(PeopleError::InvalidLink);
        }
        let context = CommandContext { actor: Actor::User(user.id), ..context.clone() };
        if Users::verify_email(&mut *transaction, user.id).await? {
            trail::record(&mut *transaction, &context, Action::EmailVerified, &user.id).await?;
        }
        let action = Action::PasswordReset;
        self.set_password(transaction, &user, None, action, &context).await?;
        self.open_session(user, origin).await
    }

    async fn set_password(
        &self,
        mut transaction: sqlx::PgTransaction<'_>,
        user: &User,
        spared: Option<SessionId>,
        action: Action,
        context: &CommandContext,
    ) -> Result<(), PeopleError> {
        if !Users::set_password(&mut *transaction, user.id, &user.password_hash).await? {
            return Err(PeopleError::Erased);
        }
        let ended = SessionStore::end_all(&mut *transaction, user.id, spared).await?;
        trail::record(&mut *transaction, context, action, &user.id).await?;
        if self.mails {
            let mail = NewMail::new(Kind::PasswordChanged, Recipient::User(user.id), None);
            Outbox::add(&mut transaction, &mail).await?;
        }
        transaction.commit().await?;
        self.sessions.forget(&ended);
        self.outbox.wake.notify_one();
        Ok(())
    }
}
