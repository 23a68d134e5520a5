//! What an operator does to a customer's account beyond taking money in.

use chrono::{DateTime, Utc};
use serde::{Deserialize, Serialize};
use tollgate_domain::account::Status;
use tollgate_domain::ids::{AccountId, AdjustmentId, GrantId, RefundId, TopUpId};
use tollgate_domain::{Account, AccountCommand, Money, Timestamp};
use uuid::Uuid;

use super::desk::Desk;
use super::once::{self, Outcome};
use crate::http::ApiError;
use crate::http::error::both;

/// Money paid back. The reason stands beside the books.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Refund {
    /// Its id.
    pub id: RefundId,
    /// Whose money.
    pub account: AccountId,
    /// Of which top-up.
    pub top_up: TopUpId,
    /// How much.
    pub amount: Money,
}

/// Money given.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Grant {
    /// Its id.
    pub id: GrantId,
    /// To whom.
    pub account: AccountId,
    /// How much.
    pub amount: Money,
    /// From then on what is unspent goes back; none: never.
    pub expires_at: Option<DateTime<Utc>>,
}

/// A correction.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct Adjustment {
    /// Its id.
    pub id: AdjustmentId,
    /// Whose balance.
    pub account: AccountId,
    /// Up or down.
    pub amount: Money,
    /// The operator's reference; part of the books.
    pub reference: String,
}

/// An account that was stopped or let go on.
#[derive(Debug, Clone, Copy, Serialize, Deserialize)]
pub struct StatusChange {
    /// Which.
    pub account: AccountId,
    /// What it is now.
    pub status: Status,
}

/// Pays money of a top-up back, as far as it is there and was paid.
pub async fn refund(
    desk: Desk<'_>,
    account: AccountId,
    top_up: TopUpId,
    amount: Money,
    reason: &str,
) -> Result<Outcome<Refund>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let id = RefundId::from_uuid(Uuid::now_v7());
    let reason = desk.because(reason, Some(account)).await?;
    let command = AccountCommand::RefundTopUp { refund: id, top_up, amount, reason };
    match execute(desk, account, command, Refund { id, account, top_up, amount }).await {
        Err(ApiError::InsufficientFunds { available, .. }) => {
            let message = both!(
                "${available} of this top-up can be paid back now: what is spent, set aside for \
                 requests that run, or was granted is not.",
                "Из этого пополнения сейчас можно вернуть ${available}: потраченное, \
                 зарезервированное под текущие запросы и подаренное не возвращается."
            );
            Err(ApiError::Conflict { code: "not_refundable", message })
        }
        outcome => outcome,
    }
}

/// Gives money, for ever or until a moment.
pub async fn grant(
    desk: Desk<'_>,
    account: AccountId,
    amount: Money,
    expires_at: Option<DateTime<Utc>>,
    reason: &str,
) -> Result<Outcome<Grant>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    if expires_at.is_some_and(|end| end <= Utc::now()) {
        let message = both!("`expires_at` is over already.", "`expires_at` уже в прошлом.");
        return Err(ApiError::invalid("expires_at", message));
    }
    let id = GrantId::from_uuid(Uuid::now_v7());
    let reason = desk.because(reason, Some(account)).await?;
    let end = expires_at.map(|end| Timestamp(end.timestamp_micros()));
    let command = AccountCommand::GrantFunds { grant: id, amount, reason, expires_at: end };
    execute(desk, account, command, Grant { id, account, amount, expires_at }).await
}

/// Corrects a balance, up or down.
pub async fn adjust(
    desk: Desk<'_>,
    account: AccountId,
    amount: Money,
    reference: String,
    reason: &str,
) -> Result<Outcome<Adjustment>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let id = AdjustmentId::from_uuid(Uuid::now_v7());
    let reason = desk.because(reason, Some(account)).await?;
    let answer = Adjustment { id, account, amount, reference: reference.clone() };
    let command = AccountCommand::PostAdjustment { adjustment: id, amount, reason, reference };
    execute(desk, account, command, answer).await
}

/// Stops an account: it reserves nothing any more; requests that run come to their end.
pub async fn suspend(
    desk: Desk<'_>,
    account: AccountId,
    reason: &str,
) -> Result<Outcome<StatusChange>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let reason = desk.because(reason, Some(account)).await?;
    let command = AccountCommand::SuspendAccount { reason };
    let answer = StatusChange { account, status: Status::Suspended };
    match execute(desk, account, command, answer).await {
        Err(ApiError::AccountSuspended) => {
            let message = both!("The account is suspended already.", "Счёт уже заблокирован.");
            Err(ApiError::Conflict { code: "already_suspended", message })
        }
        outcome => outcome,
    }
}

/// Lets an account go on.
pub async fn reinstate(
    desk: Desk<'_>,
    account: AccountId,
    reason: &str,
) -> Result<Outcome<StatusChange>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let reason = Some(desk.because(reason, Some(account)).await?);
    let command = AccountCommand::ReinstateAccount { reason };
    execute(desk, account, command, StatusChange { account, status: Status::Active }).await
}

async fn execute<T>(
    desk: Desk<'_>,
    account: AccountId,
    command: AccountCommand,
    answer: T,
) -> Result<Outcome<T>, ApiError>
where
    T: Serialize + serde::de::DeserializeOwned,
{
    let Desk { ledger, context, key, .. } = desk;
    let stream = account.to_string();
    once::execute(ledger, &ledger.accounts, &stream, command, context, key, answer).await
}

/// What an account knows by itself, at the newest moment.
#[derive(Debug, Clone)]
pub struct OpenMoney {
    /// Grants that are not over, in the order in which they are spent.
    pub grants: Vec<tollgate_domain::account::OpenGrant>,
    /// Top-ups, newest first: amount, what was paid back, what may still be.
    pub top_ups: Vec<(TopUpId, Money, Money, Money)>,
}

/// Looks into an account; none: there is no such account.
pub async fn open_money(
    ledger: &crate::ledger::Ledger,
    account: AccountId,
    most_top_ups: usize,
) -> Result<Option<OpenMoney>, ApiError> {
    let look = |account: &Account| {
        account.id()?;
        let mut top_ups: Vec<_> = account.top_ups().collect();
        top_ups.sort_unstable_by_key(|top_up| std::cmp::Reverse(top_up.0));
        top_ups.truncate(most_top_ups);
        let top_ups = top_ups.into_iter().map(|(id, amount, refunded)| {
            (id, amount, refunded, account.refundable(id).unwrap_or(Money::ZERO))
        });
        Some(OpenMoney {
            grants: account.open_grants().copied().collect(),
            top_ups: top_ups.collect(),
        })
    };
    Ok(ledger.accounts.peek(&account.to_string(), look).await?)
}
