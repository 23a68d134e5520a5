//! Who is signed in, and as what.

use axum::extract::FromRequestParts;
use axum::http::request::Parts;
use chrono::{DateTime, Utc};
use tollgate_domain::ids::{AccountId, SessionId, UserId};

use super::{Request, bearer};
use crate::http::{ApiError, AppState, Problem};
use crate::identity::Role;
use crate::identity::tokens::TokenError;
use crate::ledger::{Actor, CommandContext};

/// Anybody who is signed in.
#[derive(Debug, Clone, Copy)]
pub struct SignedIn {
    /// Who.
    pub user: UserId,
    /// Their account.
    pub account: Option<AccountId>,
    /// As what.
    pub role: Role,
    /// In which session.
    pub session: SessionId,
    /// Until when the access token is good.
    pub expires_at: DateTime<Utc>,
    /// With which request.
    pub request: Request,
}

/// A customer, who sees the own account and nothing else. An admin has an account too.
#[derive(Debug, Clone, Copy)]
pub struct CustomerSession {
    /// Who.
    pub user: UserId,
    /// Their account.
    pub account: AccountId,
    /// With which request.
    pub request: Request,
}

/// The operator.
#[derive(Debug, Clone, Copy)]
pub struct AdminSession(pub SignedIn);

/// Somebody who may read the books: an auditor or the operator.
#[derive(Debug, Clone, Copy)]
pub struct AuditorSession(pub SignedIn);

impl SignedIn {
    /// For the events of this request.
    pub const fn context(&self) -> CommandContext {
        CommandContext::request(Actor::User(self.user), self.request.0)
    }
}

impl CustomerSession {
    /// For the events of this request.
    pub const fn context(&self) -> CommandContext {
        CommandContext::request(Actor::User(self.user), self.request.0)
    }
}

async fn sign_in(parts: &Parts, app: &AppState) -> Result<SignedIn, ApiError> {
    let token = bearer(&parts.headers).ok_or(ApiError::NotSignedIn)?;
    let claims =
        app.people.tokens.verify_access(token, Utc::now()).map_err(|error| match error {
            TokenError::Expired => ApiError::TokenExpired,
            TokenError::Invalid => ApiError::NotSignedIn,
        })?;
    let session = SessionId::from_uuid(claims.sid);
    if !app.people.sessions.is_live(session).await? {
        return Err(ApiError::SessionEnded);
    }
    Ok(SignedIn {
        user: UserId::from_uuid(claims.sub),
        account: claims.acct.map(AccountId::from_uuid),
        role: claims.role,
        session,
        expires_at: DateTime::from_timestamp(claims.exp, 0).unwrap_or_default(),
        request: Request::of(parts),
    })
}

impl FromRequestParts<AppState> for SignedIn {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        Ok(sign_in(parts, app).await?)
    }
}

impl FromRequestParts<AppState> for CustomerSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let SignedIn { user, account, role, request, .. } = sign_in(parts, app).await?;
        match (role, account) {
            (Role::Client | Role::Admin, Some(account)) => Ok(Self { user, account, request }),
            (Role::Client | Role::Admin, None) | (Role::Auditor, _) => {
                Err(ApiError::Forbidden { needs: "client" }.into())
            }
        }
    }
}

impl FromRequestParts<AppState> for AdminSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let signed_in = sign_in(parts, app).await?;
        match signed_in.role {
            Role::Admin => Ok(Self(signed_in)),
            Role::Client | Role::Auditor => Err(ApiError::Forbidden { needs: "admin" }.into()),
        }
    }
}

impl FromRequestParts<AppState> for AuditorSession {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Problem> {
        let signed_in = sign_in(parts, app).await?;
        match signed_in.role {
            Role::Admin | Role::Auditor => Ok(Self(signed_in)),
            Role::Client => Err(ApiError::Forbidden { needs: "auditor" }.into()),
        }
    }
}
