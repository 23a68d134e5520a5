//! The sale ratio.

use rust_decimal::Decimal;
use serde::{Deserialize, Serialize};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::ids::AccountId;
use tollgate_domain::price_book::{
    OverrideCounts, PRICE_BOOK, PriceBook, PriceBookCommand, PriceBookError, RatioScope,
};
use tollgate_domain::{Account, AccountError};

use super::desk::Desk;
use super::once::{self, Outcome};
use crate::http::ApiError;
use crate::ledger::{Actor, CommandContext, Ledger};

/// What the price book says in short.
#[derive(Debug, Clone, Copy)]
pub struct PriceSummary {
    /// Charge = list cost × this, unless something more specific is set.
    pub default_ratio: Option<Ratio>,
    /// How often prices were published.
    pub version: u64,
    /// Models with a price.
    pub models: usize,
    /// How many more specific ratios there are.
    pub overrides: OverrideCounts,
}

/// Reads the price book.
pub async fn summary(ledger: &Ledger) -> Result<PriceSummary, ApiError> {
    let read = |book: &PriceBook| PriceSummary {
        default_ratio: book.default_ratio(),
        version: book.version(),
        models: book.models().count(),
        overrides: book.override_counts(),
    };
    Ok(ledger.prices.peek(PRICE_BOOK, read).await?)
}

/// A sale ratio that was set or taken away.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub struct RatioChange {
    /// For what.
    pub scope: RatioScope,
    /// None: the override was taken away.
    pub ratio: Option<Ratio>,
}

/// Sets the sale ratio of a scope, or takes an override away. What it is for must exist.
pub async fn set_ratio(
    desk: Desk<'_>,
    scope: RatioScope,
    ratio: Option<Ratio>,
    reason: Option<&str>,
) -> Result<Outcome<RatioChange>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    if ratio.is_some() {
        must_exist(desk.ledger, &scope).await?;
    }
    let reason = desk.maybe_because(reason, account_of(&scope)).await?;
    let answer = RatioChange { scope: scope.clone(), ratio };
    let command = PriceBookCommand::SetSaleRatio { scope, ratio, reason };
    let Desk { ledger, context, key, .. } = desk;
    once::execute(ledger, &ledger.prices, PRICE_BOOK, command, context, key, answer).await
}

const fn account_of(scope: &RatioScope) -> Option<AccountId> {
    match scope {
        RatioScope::Account(account) => Some(*account),
        RatioScope::Default | RatioScope::Plan(_) | RatioScope::Model(_) => None,
    }
}

/// A slip of the pen would wait for a model or an account that never comes.
async fn must_exist(ledger: &Ledger, scope: &RatioScope) -> Result<(), ApiError> {
    match scope {
        RatioScope::Default | RatioScope::Plan(_) => Ok(()),
        RatioScope::Model(model) => {
            let known = |book: &PriceBook| book.find_card(model).is_some();
            match ledger.prices.peek(PRICE_BOOK, known).await? {
                true => Ok(()),
                false => Err(ApiError::ModelNotFound { model: model.clone() }),
            }
        }
        RatioScope::Account(account) => {
            let known = |account: &Account| account.id().is_some();
            match ledger.accounts.peek(&account.to_string(), known).await? {
                true => Ok(()),
                false => Err(AccountError::NotOpen.into()),
            }
        }
    }
}

/// Every ratio that is more specific than the default, by what it is for.
pub async fn overrides(ledger: &Ledger) -> Result<Vec<(RatioScope, Ratio)>, ApiError> {
    Ok(ledger.prices.peek(PRICE_BOOK, |book| book.overrides().collect()).await?)
}

/// Sets the default sale ratio and returns the position that holds it.
pub async fn set_default_ratio(
    ledger: &Ledger,
    ratio: Ratio,
    context: &CommandContext,
) -> Result<i64, ApiError> {
    let scope = RatioScope::Default;
    let command = PriceBookCommand::SetSaleRatio { scope, ratio: Some(ratio), reason: None };
    Ok(ledger.prices.execute(PRICE_BOOK, command, context, None).await?.position)
}

/// Sets the configured default sale ratio where none was ever set: what an operator has changed
/// since stays.
pub async fn ensure_default_ratio(ledger: &Ledger, configured: Decimal) -> Result<(), ApiError> {
    if summary(ledger).await?.default_ratio.is_some() {
        return Ok(());
    }
    let ratio = Ratio::new(configured).ok_or(PriceBookError::RatioOutOfRange)?;
    let context = CommandContext::by(Actor::System("first_prices"));
    set_default_ratio(ledger, ratio, &context).await?;
    Ok(())
}
