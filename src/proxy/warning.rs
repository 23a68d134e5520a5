//! The header that says that a spending limit is near.

use axum::http::{HeaderName, HeaderValue};
use tollgate_domain::account::SpendWarning;
use tollgate_domain::time::Period;

/// On every answer of a model while most of a limit is spent.
pub const WARNING: HeaderName = HeaderName::from_static("x-tollgate-warning");

/// A spending limit that is near, in words that a program can split at the semicolons.
#[must_use]
pub fn said(warning: &SpendWarning) -> Option<HeaderValue> {
    let SpendWarning { key, period, limit, spent, .. } = warning;
    let holder = if key.is_some() { "key" } else { "account" };
    let period = match period {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Total => "total",
    };
    let text =
        format!("spend-limit; of={holder}; period={period}; limit_usd={limit}; spent_usd={spent}");
    HeaderValue::from_str(&text).ok()
}
