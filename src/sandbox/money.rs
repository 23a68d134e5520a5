//! Money on the wire: a JSON number written from the decimal, never through a float.

use std::str::FromStr;

use rust_decimal::Decimal;
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

/// US dollars that serialise as a JSON number with every digit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Usd(pub Decimal);

impl Serialize for Usd {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        RawValue::from_string(json_number(self.0))
            .map_err(serde::ser::Error::custom)?
            .serialize(serializer)
    }
}

/// Spells a decimal the way JavaScript prints numbers: below 0.000001 with an exponent. The real
/// upstream does, and a reader that splits at the decimal point misses it.
pub fn json_number(value: Decimal) -> String {
    let value = value.normalize();
    if value.is_zero() {
        return "0".to_owned();
    }
    let digits = value.mantissa().unsigned_abs().to_string();
    let scale = value.scale() as usize;
    // The first digit stands `scale + 1 - digits` places behind the decimal point.
    let Some(places @ 7..) = (scale + 1).checked_sub(digits.len()) else {
        return value.to_string();
    };
    let sign = if value.is_sign_negative() { "-" } else { "" };
    let (first, rest) = digits.split_at(1);
    let point = if rest.is_empty() { "" } else { "." };
    format!("{sign}{first}{point}{rest}e-{places}")
}

/// Reads a decimal from JSON text: a number with or without exponent, or a string holding one.
pub fn parse(text: &str) -> Option<Decimal> {
    let text = text.trim().trim_matches('"');
    match Decimal::from_str(text) {
        Ok(value) => Some(value),
        Err(_) => Decimal::from_scientific(text).ok(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn small_amounts_are_spelled_with_an_exponent_as_in_the_recordings() {
        for (decimal, number) in [
            ("0", "0"),
            ("0.00000", "0"),
            ("0.000669", "0.000669"),
            ("0.00006000", "0.00006"),
            ("0.000001", "0.000001"),
            ("0.00000014", "1.4e-7"),
            ("0.0000001", "1e-7"),
            ("-0.00000025", "-2.5e-7"),
            ("0.0000000833333333333333", "8.33333333333333e-8"),
            ("12.50", "12.5"),
        ] {
            let value = Decimal::from_str(decimal).unwrap();
            assert_eq!(json_number(value), number);
            assert_eq!(parse(number), Some(value.normalize()));
            assert_eq!(serde_json::to_string(&Usd(value)).unwrap(), number);
        }
    }

    #[test]
    fn a_price_is_read_from_a_string_or_a_number() {
        assert_eq!(parse("\"0.15\""), Decimal::from_str("0.15").ok());
        assert_eq!(parse(" 1.5e-1 "), Decimal::from_str("0.15").ok());
        assert_eq!(parse("null"), None);
    }
}
