//! The sale ratio.

use rust_decimal::Decimal;
use tollgate_domain::decimal::Ratio;
use tollgate_domain::price_book::{
    OverrideCounts, PRICE_BOOK, PriceBook, PriceBookCommand, PriceBookError, RatioScope,
};

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
