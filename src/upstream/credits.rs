//! The upstream's own statement of what was bought and used.

use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_domain::decimal::{self, NotADecimal};
use tollgate_domain::money::{Money, MoneyError};

/// What `/credits` says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CreditsStatement {
    /// Credits ever bought.
    pub bought: Money,
    /// Credits ever used, rounded to a pico-dollar.
    pub used: Money,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    total_credits: &'a RawValue,
    #[serde(borrow)]
    total_usage: &'a RawValue,
}

/// Why a statement is none.
#[derive(Debug, thiserror::Error)]
pub enum CreditsError {
    /// Not the documented shape.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// No number.
    #[error(transparent)]
    Decimal(#[from] NotADecimal),
    /// More than there is.
    #[error(transparent)]
    Money(#[from] MoneyError),
}

impl CreditsStatement {
    /// Reads the answer of `GET /credits`.
    ///
    /// # Errors
    /// Each [`CreditsError`].
    pub fn read(bytes: &[u8]) -> Result<Self, CreditsError> {
        let data = serde_json::from_slice::<Answer<'_>>(bytes)?.data;
        let amount = |raw: &RawValue| -> Result<Money, CreditsError> {
            Ok(Money::rounded(decimal::parse(raw.get().trim_matches('"'))?)?)
        };
        Ok(Self { bought: amount(data.total_credits)?, used: amount(data.total_usage)? })
    }

    /// `bought − used`.
    #[must_use]
    pub fn remaining(&self) -> Option<Money> {
        self.bought.checked_sub(self.used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_statement_is_read_exactly() {
        let text = br#"{"data":{"total_credits":100.5,"total_usage":25.7500000000004}}"#;
        let statement = CreditsStatement::read(text).expect("the documented shape");
        assert_eq!(statement.used.to_string(), "25.75");
        assert_eq!(statement.remaining().expect("fits").to_string(), "74.75");
        assert!(CreditsStatement::read(br#"{"data":{"total_credits":null}}"#).is_err());
    }
}
