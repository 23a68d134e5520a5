//! Sums that are exact.
//!
//! A `Decimal` has 28 digits: a sum of list costs with 22 decimals would be rounded silently as
//! soon as it passes a million dollars. So sums are whole numbers of a fixed tiny unit, and one
//! that does not fit is an error instead of an approximation.

use std::fmt;

use rust_decimal::Decimal;

use crate::error::FoldError;

/// A sum of dollars, counted in units of 10⁻ˢᶜᴬᴸᴱ dollars.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Exact<const SCALE: u32>(i128);

/// A sum of amounts of money; fits up to 10²⁶ dollars.
pub type Usd = Exact<12>;
/// A sum of list costs, which keep up to 28 decimals; fits up to 17 billion dollars at a time.
pub type ListUsd = Exact<28>;

impl<const SCALE: u32> Exact<SCALE> {
    /// Adds an amount.
    pub fn add(&mut self, amount: Decimal) -> Result<(), FoldError> {
        let units = Self::units(amount).ok_or(FoldError::DoesNotFit)?;
        self.0 = self.0.checked_add(units).ok_or(FoldError::DoesNotFit)?;
        Ok(())
    }

    /// Subtracts an amount.
    pub fn sub(&mut self, amount: Decimal) -> Result<(), FoldError> {
        self.add(-amount)
    }

    /// Adds another sum.
    pub fn merge(&mut self, other: Self) -> Result<(), FoldError> {
        self.0 = self.0.checked_add(other.0).ok_or(FoldError::DoesNotFit)?;
        Ok(())
    }

    fn units(amount: Decimal) -> Option<i128> {
        let missing = SCALE.checked_sub(amount.scale())?;
        amount.mantissa().checked_mul(10_i128.checked_pow(missing)?)
    }
}

/// Plain decimal text without trailing zeros: what `trim_scale` makes of a NUMERIC.
impl<const SCALE: u32> fmt::Display for Exact<SCALE> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0 < 0 {
            f.write_str("-")?;
        }
        let unit = 10_u128.pow(SCALE);
        let (whole, mut part) = (self.0.unsigned_abs() / unit, self.0.unsigned_abs() % unit);
        write!(f, "{whole}")?;
        if part == 0 {
            return Ok(());
        }
        let mut digits = SCALE as usize;
        while part.is_multiple_of(10) {
            part /= 10;
            digits -= 1;
        }
        write!(f, ".{part:0digits$}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn decimal(text: &str) -> Decimal {
        Decimal::from_str_exact(text).expect("a decimal")
    }

    #[test]
    fn a_sum_keeps_all_22_decimals_beside_millions() {
        let mut sum = ListUsd::default();
        sum.add(decimal("9999999.5")).expect("fits");
        sum.add(decimal("0.0000000000000000000001")).expect("fits");
        assert_eq!(sum.to_string(), "9999999.5000000000000000000001");
    }

    #[test]
    fn text_has_no_trailing_zeros_and_one_zero() {
        let mut sum = Usd::default();
        assert_eq!(sum.to_string(), "0");
        sum.sub(decimal("0.250")).expect("fits");
        assert_eq!(sum.to_string(), "-0.25");
        sum.add(decimal("10.25")).expect("fits");
        assert_eq!(sum.to_string(), "10");
    }

    #[test]
    fn a_sum_that_does_not_fit_is_refused_and_not_rounded() {
        let mut sum = ListUsd::default();
        sum.add(decimal("17000000000")).expect("fits");
        assert_eq!(sum.add(decimal("17000000000")), Err(FoldError::DoesNotFit));
        assert_eq!(Usd::default().add(decimal("0.0000000000001")), Err(FoldError::DoesNotFit));
    }
}
