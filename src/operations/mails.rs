//! Mail that an operator delivers.

use tollgate_domain::ids::MailId;

use crate::http::ApiError;
use crate::http::error::both;
use crate::identity::People;
use crate::identity::trail::{self, Action};
use crate::ledger::CommandContext;
use crate::mail::{Mail, State};

/// What a mail that was not sent says. It holds a secret: show it to whoever asked, and never log
/// it.
///
/// # Errors
/// There is none; it was sent.
pub async fn open(people: &People, id: MailId, context: &CommandContext) -> Result<Mail, ApiError> {
    let not_found = || ApiError::NotFound { what: both!("mail", "письмо") };
    let queued = people.outbox.find(id).await?.ok_or_else(not_found)?;
    match queued.state {
        State::Queued | State::Failed => {}
        State::Sent => {
            let message = both!(
                "This mail was sent: only its reader has it.",
                "Письмо отправлено: оно есть только у получателя."
            );
            return Err(ApiError::Conflict { code: "mail_sent", message });
        }
    }
    let mail = people.letters.write(&queued).ok_or_else(not_found)?;
    trail::record(people.pool(), context, Action::MailRead, &id).await?;
    Ok(mail)
}
