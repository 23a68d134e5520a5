//! Amounts of money.

use std::fmt;

use rust_decimal::{Decimal, RoundingStrategy};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use crate::{decimal, product};

/// An amount of US dollars, exact to a pico-dollar; may be negative.
///
/// Twelve decimals, because the cheapest cached token sold at a discount costs less than a
/// nano-dollar. There is no `impl Add`: a sum that does not fit must be somebody's decision.
/// In JSON it is a decimal string.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Money(Decimal);

/// Why a number is not an amount of money.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum MoneyError {
    /// The text is not a decimal number.
    #[error("{0}")]
    NotADecimal(#[from] decimal::NotADecimal),
    /// Finer than a pico-dollar: accepting it would need rounding that nobody asked for.
    #[error("an amount of money has at most 12 decimals")]
    TooFine,
    /// Beyond ±1 000 000 000 000 dollars, which no prepaid account holds.
    #[error("an amount of money is at most one trillion dollars")]
    TooLarge,
}

impl Money {
    /// Nothing.
    pub const ZERO: Self = Self(Decimal::ZERO);
    /// Decimals kept.
    pub const DECIMALS: u32 = 12;
    /// The largest magnitude: with 12 decimals it leaves three digits of a 96-bit mantissa free.
    const LIMIT: Decimal = Decimal::from_parts(3_567_587_328, 232, 0, false, 0);

    /// An amount that has at most 12 decimals already.
    ///
    /// # Errors
    /// [`MoneyError::TooFine`], [`MoneyError::TooLarge`].
    pub fn exact(value: Decimal) -> Result<Self, MoneyError> {
        let normal = value.normalize();
        if normal.scale() > Self::DECIMALS {
            return Err(MoneyError::TooFine);
        }
        if normal.abs() > Self::LIMIT {
            return Err(MoneyError::TooLarge);
        }
        Ok(Self(normal))
    }

    /// The one rounding of a charge: half-even, to 12 decimals.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn rounded(value: Decimal) -> Result<Self, MoneyError> {
        Self::exact(
            value.round_dp_with_strategy(Self::DECIMALS, RoundingStrategy::MidpointNearestEven),
        )
    }

    /// `a × b`, rounded once as [`Money::rounded`] does; the product before it is exact.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn rounded_product(a: Decimal, b: Decimal) -> Result<Self, MoneyError> {
        product::half_even(a, b, Self::DECIMALS).ok_or(MoneyError::TooLarge).and_then(Self::exact)
    }

    /// Rounds away from zero to 12 decimals, for a reservation, which must cover the charge.
    ///
    /// # Errors
    /// [`MoneyError::TooLarge`].
    pub fn rounded_up(value: Decimal) -> Result<Self, MoneyError> {
        Self::exact(value.round_dp_with_strategy(Self::DECIMALS, RoundingStrategy::AwayFromZero))
    }

    /// Parses decimal text such as `10.00` or `1.4e-7`.
    ///
    /// # Errors
    /// Every [`MoneyError`].
    pub fn parse(text: &str) -> Result<Self, MoneyError> {
        Self::exact(decimal::parse(text)?)
    }

    /// A whole number of dollars.
    #[must_use]
    pub fn dollars(whole: u32) -> Self {
        Self(Decimal::from(whole))
    }

    /// The number behind the amount.
    #[must_use]
    pub const fn decimal(self) -> Decimal {
        self.0
    }

    /// `self + other`, or nothing where the sum does not fit.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        Self::exact(self.0.checked_add(other.0)?).ok()
    }

    /// `self − other`, or nothing where the difference does not fit.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        Self::exact(self.0.checked_sub(other.0)?).ok()
    }

    /// `−self`.
    #[must_use]
    pub fn negated(self) -> Self {
        Self((-self.0).normalize())
    }

    /// Above zero?
    #[must_use]
    pub fn is_positive(self) -> bool {
        self.0 > Decimal::ZERO
    }

    /// Below zero?
    #[must_use]
    pub fn is_negative(self) -> bool {
        self.0 < Decimal::ZERO
    }

    /// Exactly zero?
    #[must_use]
    pub fn is_zero(self) -> bool {
        self.0.is_zero()
    }

    /// The larger of two amounts.
    #[must_use]
    pub fn at_least(self, floor: Self) -> Self {
        if self > floor { self } else { floor }
    }
}

/// Plain decimal text without an exponent: `0.000123`, `10`, `-3.5`.
impl fmt::Display for Money {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Money {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(&self.0)
    }
}

impl<'de> Deserialize<'de> for Money {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Text;
        impl serde::de::Visitor<'_> for Text {
            type Value = Money;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an amount of money as a decimal string, such as \"10.00\"")
            }
            fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<Money, E> {
                Money::parse(text).map_err(E::custom)
            }
        }
        deserializer.deserialize_str(Text)
    }
}
