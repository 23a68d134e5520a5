//! A mail's text, made when it is sent or shown.

use tollgate_domain::ids::{InvitationId, LinkId};
use uuid::Uuid;

use super::kind::{Kind, Queued};
use super::{Mail, words};
use crate::config::Secret;
use crate::identity::signer::{Signer, TokenUse};

/// A page that a link opens. Its token stands behind `#`, so that no server and no log sees it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Page {
    /// Asks for a new password.
    ResetPassword,
    /// Says that the address is verified.
    VerifyEmail,
    /// Asks for address and password.
    Register,
    /// Where people sign in.
    Start,
}

/// Writes mails.
#[derive(Debug, Clone)]
pub struct Letters {
    signer: Signer,
    public_url: String,
}

impl Letters {
    /// With links that begin with `public_url`.
    #[must_use]
    pub const fn new(signer: Signer, public_url: String) -> Self {
        Self { signer, public_url }
    }

    /// What opens a link of this use.
    #[must_use]
    pub fn token(&self, of: TokenUse, id: Uuid) -> Secret {
        self.signer.sign(of, id.as_bytes())
    }

    /// The address of a page, with the token that it needs.
    #[must_use]
    pub fn url(&self, page: Page, token: Option<&Secret>) -> Secret {
        let path = match page {
            Page::ResetPassword => "/reset-password",
            Page::VerifyEmail => "/verify-email",
            Page::Register => "/register",
            Page::Start => "/",
        };
        let token = token.map(|token| format!("#token={}", token.expose())).unwrap_or_default();
        Secret::new(format!("{}{path}{token}", self.public_url))
    }

    /// The whole mail; `None` for a row without what its kind needs.
    #[must_use]
    pub fn write(&self, queued: &Queued) -> Option<Mail> {
        let url = self.url_in(queued)?;
        let content = words::content(queued, url.expose())?;
        Some(Mail {
            id: queued.id.to_string(),
            to: queued.email.clone(),
            subject: content.subject,
            text: content.text,
        })
    }

    fn url_in(&self, queued: &Queued) -> Option<Secret> {
        let linked = |page, of, link: Option<LinkId>| {
            link.map(|link| self.url(page, Some(&self.token(of, link.uuid()))))
        };
        match queued.kind {
            Kind::PasswordReset => {
                linked(Page::ResetPassword, TokenUse::PasswordReset, queued.link)
            }
            Kind::EmailVerification => {
                linked(Page::VerifyEmail, TokenUse::EmailVerification, queued.link)
            }
            Kind::AddressTaken | Kind::PasswordChanged | Kind::LowBalance => {
                Some(self.url(Page::Start, None))
            }
            Kind::Invitation => queued.invitation.map(|invitation| self.invitation(invitation)),
        }
    }

    /// The link of an invitation.
    #[must_use]
    pub fn invitation(&self, invitation: InvitationId) -> Secret {
        let token = self.token(TokenUse::Invitation, invitation.uuid());
        self.url(Page::Register, Some(&token))
    }
}
