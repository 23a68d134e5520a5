//! Inviting people.

use chrono::TimeDelta;
use tollgate_domain::ids::InvitationId;

use crate::config::Secret;
use crate::http::ApiError;
use crate::http::error::both;
use crate::identity::People;
use crate::identity::invitations::{self, Invitation};
use crate::identity::signer::TokenUse;
use crate::identity::trail::{self, Action};
use crate::ledger::CommandContext;
use crate::mail::{Details, Kind, Language, NewMail, Outbox, Recipient};

/// Somebody who is to be invited.
#[derive(Debug, Clone)]
pub struct NewInvitation {
    /// The only address that may register with it, to which it is mailed; `None`: whoever has it.
    pub email: Option<String>,
    /// Of the mail.
    pub language: Language,
    /// How long it works.
    pub lasts: TimeDelta,
}

/// An invitation that was just made.
#[derive(Debug)]
pub struct Made {
    /// The invitation.
    pub invitation: Invitation,
    /// What registers; shown once.
    pub token: Secret,
    /// The page that registers with it.
    pub url: Secret,
}

/// Makes an invitation.
///
/// # Errors
/// The database's.
pub async fn make(
    people: &People,
    new: &NewInvitation,
    context: &CommandContext,
) -> Result<Made, ApiError> {
    let mut transaction = people.pool().begin().await?;
    let by = context.actor.to_string();
    let invitation =
        invitations::make(&mut transaction, new.email.as_deref(), &by, new.lasts).await?;
    trail::record(&mut *transaction, context, Action::InvitationMade, &invitation.id).await?;
    if new.email.is_some() {
        let language = Some(new.language.as_str().to_owned());
        let mail = NewMail::new(Kind::Invitation, Recipient::Invited(invitation.id), None);
        let details = Details { language, ..Details::default() };
        Outbox::add(&mut transaction, &NewMail { details, ..mail }).await?;
    }
    transaction.commit().await?;
    people.outbox.wake.notify_one();
    let token = people.letters.token(TokenUse::Invitation, invitation.id.uuid());
    let url = people.letters.invitation(invitation.id);
    Ok(Made { invitation, token, url })
}

/// Revokes an invitation that was not used.
///
/// # Errors
/// There is none that still works.
pub async fn revoke(
    people: &People,
    id: InvitationId,
    context: &CommandContext,
) -> Result<(), ApiError> {
    let mut transaction = people.pool().begin().await?;
    if !invitations::revoke(&mut transaction, id).await? {
        return Err(ApiError::NotFound { what: both!("invitation", "приглашение") });
    }
    trail::record(&mut *transaction, context, Action::InvitationRevoked, &id).await?;
    transaction.commit().await?;
    Ok(())
}
