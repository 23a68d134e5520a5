//! Why the price book refuses.

use crate::decimal::Ratio;

/// Why the price book refuses.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PriceBookError {
    /// An empty list would retire everything: that is a broken upstream, not a decision.
    #[error("a price list without models is refused")]
    EmptyList,
    /// A ratio of zero gives everything away.
    #[error("a sale ratio must be above zero and at most 100")]
    RatioOutOfRange,
    /// The default can be changed, not taken away.
    #[error("the default sale ratio cannot be removed")]
    DefaultNeeded,
    /// Less than nothing cannot be spent.
    #[error("a spending limit is not negative")]
    NegativeLimit,
    /// A text member is longer than events may carry.
    #[error("`{0}` must have 1 to 200 characters")]
    InvalidText(&'static str),
}

/// A ratio that something can be sold at.
pub(super) fn sellable(ratio: Ratio) -> Result<(), PriceBookError> {
    let sane = !ratio.decimal().is_zero() && ratio.decimal() <= rust_decimal::Decimal::ONE_HUNDRED;
    sane.then_some(()).ok_or(PriceBookError::RatioOutOfRange)
}

/// A name that events can carry.
pub(super) fn text(name: &'static str, text: &str) -> Result<(), PriceBookError> {
    match (1..=200).contains(&text.chars().count()) {
        true => Ok(()),
        false => Err(PriceBookError::InvalidText(name)),
    }
}
