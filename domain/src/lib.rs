//! What may happen to money.
