//! The fairness policy.

use tollgate_domain::fairness::{FairnessInForce, FairnessPolicy};
use tollgate_domain::price_book::{PRICE_BOOK, PriceBookCommand};

use super::desk::Desk;
use super::once::{self, Outcome};
use crate::http::ApiError;
use crate::ledger::Ledger;

/// The policy in force.
pub async fn in_force(ledger: &Ledger) -> Result<FairnessInForce, ApiError> {
    Ok(ledger.prices.peek(PRICE_BOOK, |book| book.fairness().clone()).await?)
}

/// Sets another policy.
pub async fn set(
    desk: Desk<'_>,
    policy: FairnessPolicy,
    reason: Option<&str>,
) -> Result<Outcome<()>, ApiError> {
    if let Some(earlier) = once::find(desk.ledger, desk.key).await? {
        return Ok(earlier);
    }
    let reason = desk.maybe_because(reason, None).await?;
    let command = PriceBookCommand::SetFairnessPolicy { policy, reason };
    let Desk { ledger, context, key, .. } = desk;
    once::execute(ledger, &ledger.prices, PRICE_BOOK, command, context, key, ()).await
}
