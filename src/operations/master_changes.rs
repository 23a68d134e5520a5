//! What an operator does to a registered master account.

use serde::{Deserialize, Serialize};
use tollgate_domain::ids::{AdjustmentId, MasterAccountId};
use tollgate_domain::{MasterAccount, MasterAccountCommand, MasterAccountError, Money};
use uuid::Uuid;

use super::desk::Desk;
use super::once::{self, Outcome};
use crate::config::Secret;
use crate::http::ApiError;
use crate::http::error::both;
use crate::identity::UpstreamKeys;
use crate::identity::sealed;
use crate::identity::upstream_keys::Stored;
use crate::ledger::Ledger;

/// Whether requests are routed to a master account.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct Switched {
    /// Which.
    pub master_account: MasterAccountId,
    /// Are they?
    pub enabled: bool,
}

/// A key that took another one's place.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct KeyReplaced {
    /// Whose.
    pub master_account: MasterAccountId,
    /// Its number.
    pub key_version: u32,
    /// What lists show of it.
    pub masked: String,
}

/// Credits reconciled with the upstream's own statement.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct CreditsAdjustment {
    /// Its id.
    pub id: AdjustmentId,
    /// Whose.
    pub master_account: MasterAccountId,
    /// The difference in credits, up or down.
    pub credits: Money,
    /// What the difference is worth to us.
    pub value: Money,
    /// What remains by the upstream's statement.
    pub stated: Option<Money>,
}

/// Routes no more requests to it; those that run come to their end.
pub async fn disable(
    desk: Desk<'_>,
    master_account: MasterAccountId,
    reason: &str,
) -> Result<Outcome<Switched>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let reason = desk.because(reason, None).await?;
    let command = MasterAccountCommand::DisableMasterAccount { reason };
    execute(desk, master_account, command, Switched { master_account, enabled: false }).await
}

/// Routes requests to it again.
pub async fn enable(
    desk: Desk<'_>,
    master_account: MasterAccountId,
    reason: &str,
) -> Result<Outcome<Switched>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let reason = Some(desk.because(reason, None).await?);
    let command = MasterAccountCommand::EnableMasterAccount { reason };
    execute(desk, master_account, command, Switched { master_account, enabled: true }).await
}

/// Puts another key in the place of the one that is used.
///
/// The sealed key is written first, and the event makes it the one that is used: so a stop between
/// the two leaves the old key working.
pub async fn replace_key(
    desk: Desk<'_>,
    keys: &UpstreamKeys,
    master_account: MasterAccountId,
    key: &Secret,
    reason: &str,
) -> Result<Outcome<KeyReplaced>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let current = key_version(desk.ledger, master_account).await?;
    let key_version = match keys.insert_next(master_account, key).await? {
        Stored::Own { version } if version > current => version,
        Stored::Own { .. } => {
            let message = both!(
                "{master_account} has had this key before: make a new one at the upstream.",
                "У {master_account} этот ключ уже был: создайте у поставщика новый."
            );
            return Err(ApiError::Conflict { code: "key_used_before", message });
        }
        Stored::Elsewhere(other) => {
            let message =
                both!("This key belongs to {other} already.", "Этот ключ уже принадлежит {other}.");
            return Err(ApiError::Conflict { code: "master_account_exists", message });
        }
    };
    let reason = Some(desk.because(reason, None).await?);
    let command = MasterAccountCommand::RotateUpstreamKey { key_version, reason };
    let answer = KeyReplaced { master_account, key_version, masked: sealed::mask(key) };
    execute(desk, master_account, command, answer).await
}

/// Books the difference between our credits and the upstream's own statement. Without a `value` it
/// is worth what credits have cost so far.
pub async fn adjust_credits(
    desk: Desk<'_>,
    master_account: MasterAccountId,
    credits: Money,
    value: Option<Money>,
    stated: Option<Money>,
    reason: &str,
) -> Result<Outcome<CreditsAdjustment>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let stream = master_account.to_string();
    let rate = desk.ledger.master_accounts.peek(&stream, MasterAccount::cost_rate).await?;
    let value = match value {
        Some(value) => value,
        None => Money::rounded_product(credits.decimal(), rate.decimal())
            .map_err(|_| MasterAccountError::AmountTooLarge)?,
    };
    let id = AdjustmentId::from_uuid(Uuid::now_v7());
    let reason = desk.because(reason, None).await?;
    let command =
        MasterAccountCommand::AdjustCredits { adjustment: id, credits, value, reason, stated };
    let answer = CreditsAdjustment { id, master_account, credits, value, stated };
    execute(desk, master_account, command, answer).await
}

async fn key_version(ledger: &Ledger, id: MasterAccountId) -> Result<u32, ApiError> {
    let look = |account: &MasterAccount| account.id().map(|_| account.key_version());
    let found = ledger.master_accounts.peek(&id.to_string(), look).await?;
    found.ok_or_else(|| MasterAccountError::NotRegistered.into())
}

async fn execute<T>(
    desk: Desk<'_>,
    master_account: MasterAccountId,
    command: MasterAccountCommand,
    answer: T,
) -> Result<Outcome<T>, ApiError>
where
    T: Serialize + serde::de::DeserializeOwned,
{
    let Desk { ledger, context, key, .. } = desk;
    let stream = master_account.to_string();
    once::execute(ledger, &ledger.master_accounts, &stream, command, context, key, answer).await
}
