//! Who sends a request to a model endpoint.

use axum::extract::{FromRequestParts, OptionalFromRequestParts};
use axum::http::request::Parts;
use tollgate_domain::ids::{AccountId, KeyId};

use super::{ClientAddress, Request, bearer};
use crate::http::{ApiError, AppState, ModelError};
use crate::identity::{KeyHash, KeyOwner, KeyStatus};
use crate::ledger::{Actor, CommandContext};
use crate::limits::{self, Rules};

/// A request with a key that we gave out, that is not over and that may be used from there. Whether
/// it may spend is decided by its account.
#[derive(Debug, Clone)]
pub struct ApiKeyAuth {
    /// The key.
    pub key: KeyId,
    /// The account that it spends from.
    pub account: AccountId,
    /// The request.
    pub request: Request,
    /// What the key may do.
    pub rules: Rules,
}

impl ApiKeyAuth {
    /// For the events of this request.
    pub const fn context(&self) -> CommandContext {
        CommandContext::request(Actor::Key(self.key), self.request.0)
    }
}

impl FromRequestParts<AppState> for ApiKeyAuth {
    type Rejection = ModelError;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, ModelError> {
        let presented = bearer(&parts.headers).ok_or(ApiError::MissingApiKey)?;
        let hash = KeyHash::of(presented).ok_or(ApiError::InvalidApiKey)?;
        match app.keys.status(hash).await? {
            KeyStatus::Live(owner) => {
                let KeyOwner { account, key } = owner;
                let ClientAddress(address) =
                    ClientAddress::of(parts, &app.config.edge.trusted_proxies);
                let prices = app.gateway.prices().current();
                let accounts = &app.ledger.accounts;
                let rules = limits::find_rules(accounts, &prices, account, key, address).await?;
                Ok(Self { key, account, request: Request::of(parts), rules })
            }
            KeyStatus::Revoked => Err(ApiError::KeyRevoked.into()),
            KeyStatus::Unknown => Err(ApiError::InvalidApiKey.into()),
        }
    }
}

/// Where a key is welcome but not needed: a wrong one is refused all the same.
impl OptionalFromRequestParts<AppState> for ApiKeyAuth {
    type Rejection = ModelError;

    async fn from_request_parts(
        parts: &mut Parts,
        app: &AppState,
    ) -> Result<Option<Self>, ModelError> {
        match bearer(&parts.headers) {
            None => Ok(None),
            Some(_) => {
                <Self as FromRequestParts<AppState>>::from_request_parts(parts, app).await.map(Some)
            }
        }
    }
}
