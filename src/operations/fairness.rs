//! The fairness policy.

use tollgate_domain::fairness::{FairnessInForce, FairnessPolicy};
use tollgate_domain::price_book::{PRICE_BOOK, PriceBookCommand};

use crate::http::ApiError;
use crate::ledger::{CommandContext, Ledger};

/// The policy in force.
pub async fn in_force(ledger: &Ledger) -> Result<FairnessInForce, ApiError> {
    Ok(ledger.prices.peek(PRICE_BOOK, |book| book.fairness().clone()).await?)
}

/// Sets another policy and returns the position that holds it.
pub async fn set(
    ledger: &Ledger,
    policy: FairnessPolicy,
    context: &CommandContext,
) -> Result<i64, ApiError> {
    let command = PriceBookCommand::SetFairnessPolicy(policy);
    Ok(ledger.prices.execute(PRICE_BOOK, command, context, None).await?.position)
}
