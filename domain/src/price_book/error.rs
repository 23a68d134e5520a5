//! Why the price book refuses.

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
