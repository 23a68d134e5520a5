//! Showing that an address is one's own.

use super::{People, PeopleError};
use crate::identity::links::{self, Purpose};
use crate::identity::trail::{self, Action};
use crate::identity::{Origin, Users};
use crate::ledger::{Actor, CommandContext};
use crate::mail::{Kind, NewMail, Outbox, Recipient};

impl People {
    /// Whether this place may ask for one more mail.
    pub fn may_ask(&self, origin: &Origin) -> Result<(), PeopleError> {
        self.attempts.request(origin).map_err(PeopleError::TooOften)
    }

    /// Mails a link to an address that is registered and not verified; does nothing otherwise. For
    /// the caller there must be no difference, so do not let it wait.
    pub async fn ask_verification(&self, email: &str) -> Result<(), PeopleError> {
        let user = self.users.find_by_email(email).await?;
        let Some(user) = user.filter(|user| user.email_verified_at.is_none()) else {
            return Ok(());
        };
        self.mail_link(user.id, Purpose::EmailVerification, Kind::EmailVerification).await
    }

    /// A link in a mail, unless that person got too many of them lately.
    pub(super) async fn mail_link(
        &self,
        user: tollgate_domain::ids::UserId,
        purpose: Purpose,
        kind: Kind,
    ) -> Result<(), PeopleError> {
        let mut transaction = self.pool.begin().await?;
        let link = links::make(&mut transaction, user, purpose).await?;
        let mail = NewMail::new(kind, Recipient::User(user), Some(link));
        if Outbox::add(&mut transaction, &mail).await? {
            transaction.commit().await?;
            self.outbox.wake.notify_one();
        }
        Ok(())
    }

    /// The address belongs to whoever has this token.
    pub async fn verify_email(
        &self,
        token: &str,
        context: &CommandContext,
    ) -> Result<(), PeopleError> {
        let purpose = Purpose::EmailVerification;
        let link = links::read(&self.signer, purpose, token).ok_or(PeopleError::InvalidLink)?;
        let mut transaction = self.pool.begin().await?;
        let user = links::use_up(&mut transaction, link, purpose).await?;
        let user = user.ok_or(PeopleError::InvalidLink)?;
        if Users::verify_email(&mut *transaction, user).await? {
            let context = CommandContext { actor: Actor::User(user), ..context.clone() };
            trail::record(&mut *transaction, &context, Action::EmailVerified, &user).await?;
        }
        transaction.commit().await?;
        Ok(())
    }
}
