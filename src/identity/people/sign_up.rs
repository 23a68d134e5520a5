//! Registration.

use std::time::Duration;

use chrono::Utc;
use tollgate_domain::AccountCommand;
use tollgate_domain::ids::{AccountId, InvitationId, UserId};
use uuid::Uuid;

use super::{People, PeopleError};
use crate::config::{AdminConfig, EmailVerification, Registration, Secret};
use crate::identity::links::{self, Purpose};
use crate::identity::trail::{self, Action};
use crate::identity::{Origin, Role, User, Users, invitations, password};
use crate::ledger::{Actor, CommandContext};
use crate::mail::{Kind, Language, NewMail, Outbox, Recipient};

/// After the password is hashed an answer takes at least this long, whatever it says: opening an
/// account takes a few milliseconds more than not opening one.
const SAME_TIME: Duration = Duration::from_millis(50);

/// Somebody whom an operator or the system registers.
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

/// Somebody who wants to be a customer.
#[derive(Debug)]
pub struct SignUp {
    /// The address to sign in with.
    pub email: String,
    /// The password.
    pub password: Secret,
    /// How to address them.
    pub name: String,
    /// Of the mails to them.
    pub language: Language,
    /// The token of an invitation.
    pub invitation: Option<String>,
}

impl People {
    /// Registers a customer who comes by themselves. The outcome is the same where the address is
    /// registered already: its owner gets a mail.
    pub async fn sign_up(
        &self,
        new: SignUp,
        origin: &Origin,
        context: &CommandContext,
    ) -> Result<(), PeopleError> {
        let invitation = self.admitted(&new).await?;
        password::check_rules(new.password.expose(), &new.email)?;
        self.attempts.request(origin).map_err(PeopleError::TooOften)?;
        let user = User {
            id: UserId::from_uuid(Uuid::now_v7()),
            account: AccountId::from_uuid(Uuid::now_v7()),
            password_hash: self.passwords.hash(new.password).await?,
            email: new.email,
            name: new.name,
            role: Role::Client,
            created_at: Utc::now(),
            language: new.language,
            email_verified_at: None,
            low_balance_alert: None,
        };
        let settled = self.settle_sign_up(&user, invitation, context);
        let (outcome, ()) = tokio::join!(settled, tokio::time::sleep(SAME_TIME));
        outcome
    }

    /// Whether somebody may register at all, and with which invitation.
    async fn admitted(&self, new: &SignUp) -> Result<Option<InvitationId>, PeopleError> {
        let required = match self.registration {
            Registration::Closed => return Err(PeopleError::RegistrationClosed),
            Registration::Open => false,
            Registration::Invite => true,
        };
        let Some(token) = &new.invitation else {
            return if required { Err(PeopleError::InvalidInvitation) } else { Ok(None) };
        };
        let invitation = invitations::read(&self.signer, token);
        let invitation = invitation.ok_or(PeopleError::InvalidInvitation)?;
        match invitations::admits(&self.pool, invitation, &new.email).await? {
            true => Ok(Some(invitation)),
            false => Err(PeopleError::InvalidInvitation),
        }
    }

    async fn settle_sign_up(
        &self,
        user: &User,
        invitation: Option<InvitationId>,
        context: &CommandContext,
    ) -> Result<(), PeopleError> {
        let holder = self.users.find_by_email(&user.email).await?;
        let outcome = match holder {
            Some(holder) => self.turn_away(&holder, invitation, context).await,
            None => match self.open(user, invitation, context).await {
                // Somebody was faster with the same address.
                Err(PeopleError::EmailTaken) => {
                    let holder = self.users.find_by_email(&user.email).await?;
                    let holder = holder.ok_or(PeopleError::Erased)?;
                    self.turn_away(&holder, invitation, context).await
                }
                outcome => outcome.map(|_| ()),
            },
        };
        self.outbox.wake.notify_one();
        outcome
    }

    /// The address is registered. An invitation is used up all the same: whether it still works
    /// would tell.
    async fn turn_away(
        &self,
        holder: &User,
        invitation: Option<InvitationId>,
        context: &CommandContext,
    ) -> Result<(), PeopleError> {
        let mut transaction = self.pool.begin().await?;
        if let Some(invitation) = invitation {
            if !invitations::use_up(&mut transaction, invitation, None).await? {
                return Err(PeopleError::InvalidInvitation);
            }
            let used = Action::InvitationUsed;
            trail::record(&mut *transaction, context, used, &invitation).await?;
        }
        if self.tells_by_mail() {
            let mail = NewMail::new(Kind::AddressTaken, Recipient::User(holder.id), None);
            Outbox::add(&mut transaction, &mail).await?;
        }
        transaction.commit().await?;
        Ok(())
    }

    /// Opens an account and then writes down whose it is.
    ///
    /// In this order, because a person without an account could sign in and do nothing, for ever,
    /// while an account without a person is an empty stream that nobody knows; so after a crash the
    /// same registration works again.
    async fn open(
        &self,
        user: &User,
        invitation: Option<InvitationId>,
        context: &CommandContext,
    ) -> Result<i64, PeopleError> {
        let open = AccountCommand::OpenAccount { account: user.account, owner: user.id };
        let stream = user.account.to_string();
        let actor = match user.role {
            Role::Client => Actor::User(user.id),
            Role::Admin | Role::Auditor => context.actor,
        };
        let context = CommandContext { actor, ..context.clone() };
        let opened = self.ledger.accounts.execute(&stream, open, &context, None).await?;
        let mut transaction = self.pool.begin().await?;
        if !Users::insert(&mut *transaction, user).await? {
            return Err(PeopleError::EmailTaken);
        }
        if let Some(invitation) = invitation {
            if !invitations::use_up(&mut transaction, invitation, Some(user.id)).await? {
                return Err(PeopleError::InvalidInvitation);
            }
            let used = Action::InvitationUsed;
            trail::record(&mut *transaction, &context, used, &invitation).await?;
        }
        if user.email_verified_at.is_none() && self.tells_by_mail() {
            let link = links::make(&mut transaction, user.id, Purpose::EmailVerification).await?;
            let to = Recipient::User(user.id);
            let mail = NewMail::new(Kind::EmailVerification, to, Some(link));
            Outbox::add(&mut transaction, &mail).await?;
        }
        transaction.commit().await?;
        Ok(opened.position)
    }

    /// Without a way out for mail the operator would be shown one of every registration, which is
    /// of use only where it has to be answered.
    fn tells_by_mail(&self) -> bool {
        self.mails || self.verification == EmailVerification::Required
    }

    /// Registers somebody whom an operator or the system vouches for.
    pub async fn register(
        &self,
        new: NewUser,
        context: &CommandContext,
    ) -> Result<(User, i64), PeopleError> {
        password::check_rules(new.password.expose(), &new.email)?;
        if self.users.find_by_email(&new.email).await?.is_some() {
            return Err(PeopleError::EmailTaken);
        }
        let now = Utc::now();
        let user = User {
            id: UserId::from_uuid(Uuid::now_v7()),
            account: AccountId::from_uuid(Uuid::now_v7()),
            password_hash: self.passwords.hash(new.password).await?,
            email: new.email,
            name: new.name,
            role: new.role,
            created_at: now,
            language: Language::default(),
            email_verified_at: Some(now),
            low_balance_alert: None,
        };
        let position = self.open(&user, None, context).await?;
        Ok((user, position))
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
}
