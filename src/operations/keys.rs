//! Issuing and revoking API keys.

use chrono::{DateTime, Utc};
use tollgate_domain::account::KeyLimits;
use tollgate_domain::ids::KeyId;
use tollgate_domain::{AccountCommand, AccountError};
use uuid::Uuid;

use crate::http::ApiError;
use crate::http::error::both;
use crate::identity::{ApiKey, ApiKeys, KeyOwner};
use crate::ledger::{CommandContext, CommandError, Ledger};

/// A key that was just issued.
#[derive(Debug)]
pub struct IssuedKey {
    /// Its id.
    pub id: KeyId,
    /// The key itself, to be shown once.
    pub key: ApiKey,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// The position of its event.
    pub position: i64,
}

/// Issues a key.
///
/// The row is written first, and the event makes the key work: so a key that was shown is one that
/// works, and a stop between the two leaves a row that opens nothing.
pub async fn issue(
    ledger: &Ledger,
    keys: &ApiKeys,
    account: tollgate_domain::ids::AccountId,
    name: &str,
    limits: KeyLimits,
    context: &CommandContext,
) -> Result<IssuedKey, ApiError> {
    let id = KeyId::from_uuid(Uuid::now_v7());
    let key = ApiKey::generate().map_err(ApiError::internal)?;
    let created_at = Utc::now();
    keys.insert(KeyOwner { key: id, account }, name, &key, created_at).await?;
    let command = AccountCommand::IssueKey { key: id, limits };
    match ledger.accounts.execute(&account.to_string(), command, context, None).await {
        Ok(done) => Ok(IssuedKey { id, key, created_at, position: done.position }),
        Err(CommandError::Refused(refusal)) => {
            keys.forget(id).await?;
            Err(refusal.into())
        }
        // It may have been recorded after all; the row stays, and nobody has seen the key.
        Err(error) => Err(error.into()),
    }
}

/// Revokes a key of an account and returns the position that holds it.
pub async fn revoke(
    ledger: &Ledger,
    keys: &ApiKeys,
    owner: KeyOwner,
    context: &CommandContext,
) -> Result<i64, ApiError> {
    if keys.find(owner).await?.is_none() {
        return Err(ApiError::NotFound { what: both!("API key", "ключ API") });
    }
    let command = AccountCommand::RevokeKey { key: owner.key };
    let stream = owner.account.to_string();
    let position = match ledger.accounts.execute(&stream, command, context, None).await {
        Ok(done) => done.position,
        // A row without its event: there is nothing to revoke but the row.
        Err(CommandError::Refused(AccountError::KeyNotFound(_))) => {
            *ledger.engine().head().borrow()
        }
        Err(error) => return Err(error.into()),
    };
    keys.revoke(owner, Utc::now()).await?;
    Ok(position)
}
