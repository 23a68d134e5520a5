//! Decimal text as upstreams write it, exponents included.

use std::fmt;

use rust_decimal::Decimal;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// The text is not a decimal number that fits into 28 significant digits.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not an exact decimal number")]
pub struct NotADecimal(pub String);

/// Parses `0.0076509169000000005`, `1.4e-7`, `-1`: exactly, or not at all.
///
/// # Errors
/// Text that is no number, or has more digits than can be kept exactly. A silently rounded price
/// would make our figure differ from the upstream's for ever.
pub fn parse(text: &str) -> Result<Decimal, NotADecimal> {
    let refuse = || NotADecimal(text.chars().take(64).collect());
    let trimmed = text.trim();
    let (mantissa, exponent) = match trimmed.find(['e', 'E']) {
        Some(at) => {
            let exponent: i32 = trimmed[at + 1..].parse().map_err(|_| refuse())?;
            (&trimmed[..at], exponent)
        }
        None => (trimmed, 0),
    };
    // The parser reads `1_000` as Rust does; nobody writes money like that.
    if mantissa.contains('_') {
        return Err(refuse());
    }
    let value = Decimal::from_str_exact(mantissa).map_err(|_| refuse())?;
    shift(value, exponent).ok_or_else(refuse)
}

/// `value × 10^exponent` without rounding.
fn shift(value: Decimal, exponent: i32) -> Option<Decimal> {
    if value.is_zero() {
        return Some(Decimal::ZERO);
    }
    let scale = i64::from(value.scale()) - i64::from(exponent);
    if scale >= 0 {
        let mut normal = value.normalize();
        let scale = i64::from(normal.scale()) - i64::from(exponent);
        if scale >= 0 {
            normal.set_scale(u32::try_from(scale).ok()?).ok()?;
            return Some(normal);
        }
        return shift_up(normal, u32::try_from(-scale).ok()?);
    }
    shift_up(value, u32::try_from(-scale).ok()?)
}

/// The mantissa of `value`, times `10^zeros`, with scale 0.
fn shift_up(value: Decimal, zeros: u32) -> Option<Decimal> {
    let factor = 10_i128.checked_pow(zeros)?;
    let mantissa = value.mantissa().checked_mul(factor)?;
    Decimal::try_from_i128_with_scale(mantissa, 0).ok()
}

/// Newtypes over an exact decimal that are decimal strings in JSON and never pass through a float.
macro_rules! decimal_newtype {
    ($($(#[$doc:meta])* $name:ident ($expecting:literal) where $valid:expr;)+) => {$(
        $(#[$doc])*
        #[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name(Decimal);

        impl $name {
            /// Zero.
            pub const ZERO: Self = Self(Decimal::ZERO);

            /// The value, if it is a valid one of its kind.
            #[must_use]
            pub fn new(value: Decimal) -> Option<Self> {
                let valid: fn(&Decimal) -> bool = $valid;
                valid(&value).then(|| Self(value.normalize()))
            }

            /// Parses decimal text, exponents included.
            ///
            /// # Errors
            /// Text that is no exact decimal, or a value that its kind does not allow.
            pub fn parse(text: &str) -> Result<Self, NotADecimal> {
                Self::new(parse(text)?)
                    .ok_or_else(|| NotADecimal(text.chars().take(64).collect()))
            }

            /// The number.
            #[must_use]
            pub const fn decimal(self) -> Decimal {
                self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.0.fmt(f)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.collect_str(&self.0)
            }
        }

        impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                struct Text;
                impl serde::de::Visitor<'_> for Text {
                    type Value = $name;
                    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                        f.write_str($expecting)
                    }
                    fn visit_str<E: serde::de::Error>(self, text: &str) -> Result<$name, E> {
                        $name::parse(text).map_err(E::custom)
                    }
                }
                deserializer.deserialize_str(Text)
            }
        }
    )+};
}

decimal_newtype! {
    /// US dollars for one unit (a token, a search, a page), at least 0; up to 22 decimals occur.
    Price("a price as a decimal string") where |value| !value.is_sign_negative() || value.is_zero();
    /// A factor: sale ratio or cost rate. At least 0, at most 1000.
    Ratio("a ratio as a decimal string")
        where |value| (!value.is_sign_negative() || value.is_zero())
            && *value <= Decimal::ONE_THOUSAND;
    /// The upstream's list cost of one request in US dollars, with all its decimals.
    ListCost("a cost as a decimal string")
        where |value| (!value.is_sign_negative() || value.is_zero())
            && *value <= Decimal::ONE_THOUSAND * Decimal::ONE_THOUSAND;
}

impl ListCost {
    /// `self + other`; nothing where the sum does not fit or would have to be rounded.
    #[must_use]
    pub fn checked_add(self, other: Self) -> Option<Self> {
        let sum = self.0.checked_add(other.0)?;
        let exact = sum.checked_sub(other.0)? == self.0 && sum.checked_sub(self.0)? == other.0;
        exact.then(|| Self::new(sum)).flatten()
    }

    /// `self − other`; nothing below zero, or where the difference would have to be rounded.
    #[must_use]
    pub fn checked_sub(self, other: Self) -> Option<Self> {
        let rest = self.0.checked_sub(other.0)?;
        let exact = rest.checked_add(other.0)? == self.0 && self.0.checked_sub(rest)? == other.0;
        exact.then(|| Self::new(rest)).flatten()
    }
}

impl Ratio {
    /// One: the customer pays the list price, or we did.
    pub const ONE: Self = Self(Decimal::ONE);
}
