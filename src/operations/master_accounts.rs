//! Upstream accounts: registering them and buying credits.

use serde::{Deserialize, Serialize};
use tollgate_domain::ids::{MasterAccountId, PurchaseId};
use tollgate_domain::{MasterAccount, MasterAccountCommand, Money};
use uuid::Uuid;

use super::desk::Desk;
use super::once::{self, Outcome, RequestKey};
use crate::config::Secret;
use crate::http::ApiError;
use crate::identity::UpstreamKeys;
use crate::ledger::{CommandContext, Ledger};

/// An upstream account to be registered.
#[derive(Debug, Clone)]
pub struct NewMasterAccount {
    /// The operator's name for it.
    pub label: String,
    /// `openrouter`, `sandbox`, …
    pub provider: String,
    /// Where requests go, without a slash at its end.
    pub base_url: String,
    /// Its key.
    pub key: Secret,
}

/// What came of registering.
#[derive(Debug, Clone, Copy)]
pub enum Registered {
    /// It is new, or was when the same request came before.
    New(Outcome<MasterAccountId>),
    /// This key belongs to a master account already.
    Before(MasterAccountId),
}

/// Credits that were bought.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Purchase {
    /// Its id.
    pub id: PurchaseId,
    /// For which master account.
    pub master_account: MasterAccountId,
    /// Face value.
    pub credits: Money,
    /// What was paid for them.
    pub paid: Money,
    /// The fee on top.
    pub fee: Money,
    /// The operator's reference.
    pub reference: String,
}

/// Registers a master account, once per key.
///
/// The sealed key is written first: without it the master account could not serve anything. If the
/// process stops before the event, the same registration finds the row and goes on from there.
pub async fn register(
    desk: Desk<'_>,
    keys: &UpstreamKeys,
    new: &NewMasterAccount,
    reason: Option<&str>,
) -> Result<Registered, ApiError> {
    let Desk { ledger, context, key, .. } = desk;
    if let Some(earlier) = once::find(ledger, key).await? {
        return Ok(Registered::New(earlier));
    }
    let fresh = MasterAccountId::from_uuid(Uuid::now_v7());
    let id = keys.insert(fresh, &new.provider, &new.base_url, &new.key).await?;
    let stream = id.to_string();
    if ledger.master_accounts.peek(&stream, MasterAccount::id).await?.is_some() {
        return Ok(Registered::Before(id));
    }
    let command = MasterAccountCommand::RegisterMasterAccount {
        master_account: id,
        provider: new.provider.clone(),
        label: new.label.clone(),
        reason: desk.maybe_because(reason, None).await?,
    };
    let masters = &ledger.master_accounts;
    let done = once::execute(ledger, masters, &stream, command, context, key, id).await?;
    Ok(Registered::New(done))
}

/// Books a purchase once per key.
pub async fn purchase(
    ledger: &Ledger,
    new: Purchase,
    context: &CommandContext,
    key: Option<&RequestKey>,
) -> Result<Outcome<Purchase>, ApiError> {
    if let Some(earlier) = once::find(ledger, key).await? {
        return Ok(earlier);
    }
    let command = MasterAccountCommand::PurchaseCredits {
        purchase: new.id,
        credits: new.credits,
        paid: new.paid,
        fee: new.fee,
        processor: "manual".to_owned(),
        reference: new.reference.clone(),
    };
    let stream = new.master_account.to_string();
    once::execute(ledger, &ledger.master_accounts, &stream, command, context, key, new).await
}

/// A fresh id.
pub fn new_purchase_id() -> PurchaseId {
    PurchaseId::from_uuid(Uuid::now_v7())
}
