//! Issuing, changing and revoking API keys.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use tollgate_domain::account::KeyLimits;
use tollgate_domain::ids::{AccountId, KeyId};
use tollgate_domain::{Account, AccountCommand, AccountError, Money};
use uuid::Uuid;

use crate::http::ApiError;
use crate::http::error::both;
use crate::identity::{ApiKey, ApiKeys, KeyOwner};
use crate::ledger::{CommandContext, CommandError, Ledger, now};

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
    account: AccountId,
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

/// Changes what a key may do, and its name, and returns the position that holds it.
pub async fn change(
    ledger: &Ledger,
    keys: &ApiKeys,
    owner: KeyOwner,
    name: Option<&str>,
    change: impl Fn(KeyLimits) -> KeyLimits,
    context: &CommandContext,
) -> Result<i64, ApiError> {
    let make = |account: &Account| {
        let limits = account.find_key(owner.key).map(|key| key.limits().clone());
        let limits = change(limits.unwrap_or_default());
        AccountCommand::ChangeKeyLimits { key: owner.key, limits }
    };
    let stream = owner.account.to_string();
    let changed = ledger.accounts.execute_with(&stream, context, None, make).await;
    let position = changed.map_err(managed)?.position;
    if let Some(name) = name {
        keys.rename(owner, name).await?;
    }
    Ok(position)
}

/// To whoever manages keys, a key is not what they sign in with.
fn managed(error: CommandError<AccountError>) -> ApiError {
    match error {
        CommandError::Refused(AccountError::KeyNotFound(_)) => {
            ApiError::NotFound { what: both!("API key", "ключ API") }
        }
        CommandError::Refused(AccountError::KeyRevoked(_)) => ApiError::Conflict {
            code: "api_key_revoked",
            message: both!("This API key was revoked.", "Этот ключ API отозван."),
        },
        other => other.into(),
    }
}

/// A key's limits, and what is used of them.
#[derive(Debug, Clone)]
pub struct KeyStanding {
    /// What it may do.
    pub limits: KeyLimits,
    /// What it spent in the current window of its limit.
    pub spent: Money,
    /// What its limit leaves, open reservations taken off.
    pub left: Option<Money>,
}

/// The limits of an account's keys as they are now.
pub async fn standings(
    ledger: &Ledger,
    account: AccountId,
    wanted: &[KeyId],
) -> Result<HashMap<KeyId, KeyStanding>, ApiError> {
    let stream = account.to_string();
    // Another node may have spent or changed something: whoever asks wants to see that.
    ledger.accounts.freshen(&stream).await?;
    let at = now();
    let look = |account: &Account| {
        let of = |id: &KeyId| {
            let key = account.find_key(*id)?;
            let limits = key.limits().clone();
            Some((*id, KeyStanding { limits, spent: key.spent(at), left: key.left(at) }))
        };
        wanted.iter().filter_map(of).collect()
    };
    Ok(ledger.accounts.peek(&stream, look).await?)
}
