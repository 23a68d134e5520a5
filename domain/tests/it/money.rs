//! Amounts and decimal text.

use proptest::prelude::*;
use rust_decimal::Decimal;
use tollgate_domain::Money;
use tollgate_domain::decimal::{self, ListCost, Price, Ratio};
use tollgate_domain::money::MoneyError;

fn money(text: &str) -> Money {
    Money::parse(text).unwrap_or_else(|error| panic!("`{text}`: {error}"))
}

#[test]
fn recorded_spellings_are_exact() {
    for (text, plain) in [
        ("0.0076509169000000005", "0.0076509169000000005"),
        ("1.4e-7", "0.00000014"),
        ("6E-8", "0.00000006"),
        ("1e+2", "100"),
        ("-1", "-1"),
        ("0.0000000833333333333333", "0.0000000833333333333333"),
        ("12.50", "12.50"),
        ("  7 ", "7"),
        ("0e999999999", "0"),
        ("1200e-2", "12.00"),
    ] {
        let value = decimal::parse(text).unwrap_or_else(|error| panic!("{error}"));
        assert_eq!(value, plain.parse::<Decimal>().expect("plain"), "{text}");
    }
}

#[test]
fn what_is_no_exact_decimal_is_refused() {
    for text in [
        "",
        " ",
        "e5",
        "1e",
        "1e5.0",
        "NaN",
        "inf",
        "0x10",
        "1,5",
        "1_000",
        "--1",
        "1 2",
        "½",
        "१",
        "1e-29",
        "1e29",
        "1e99999999999",
        "1e-2147483648",
        "1e2147483647",
        "123456789012345678901234567890",
        "0.00000000000000000000000000001",
    ] {
        assert!(decimal::parse(text).is_err(), "`{text}` was read");
    }
}

#[test]
fn an_amount_has_at_most_12_decimals_and_a_trillion_dollars() {
    assert_eq!(money("0.000000000001").to_string(), "0.000000000001");
    assert_eq!(Money::parse("0.0000000000001"), Err(MoneyError::TooFine));
    assert_eq!(money("0.1000000000000000").to_string(), "0.1");
    assert_eq!(money("1e12").to_string(), "1000000000000");
    assert_eq!(Money::parse("1000000000000.000000000001"), Err(MoneyError::TooLarge));
    assert_eq!(Money::parse("-1000000000000.000000000001"), Err(MoneyError::TooLarge));
    assert_eq!(money("1e12").checked_add(money("1e-12")), None);
    assert_eq!(money("-1e12").checked_sub(money("1e-12")), None);
    assert_eq!(money("-0").to_string(), "0");
    assert_eq!(money("0").negated(), Money::ZERO);
    assert_eq!(money("0").negated().to_string(), "0");
}

#[test]
fn rounding_is_half_even_at_the_twelfth_decimal() {
    for (value, rounded, up) in [
        ("0.0000000000005", "0", "0.000000000001"),
        ("0.0000000000015", "0.000000000002", "0.000000000002"),
        ("0.0000000000025", "0.000000000002", "0.000000000003"),
        ("0.00000000000250001", "0.000000000003", "0.000000000003"),
        ("-0.0000000000015", "-0.000000000002", "-0.000000000002"),
        ("-0.0000000000005", "0", "-0.000000000001"),
        ("1.000000000001", "1.000000000001", "1.000000000001"),
    ] {
        let value = decimal::parse(value).expect("decimal");
        assert_eq!(Money::rounded(value).expect("fits").to_string(), rounded);
        assert_eq!(Money::rounded_up(value).expect("fits").to_string(), up);
    }
}

#[test]
fn json_money_is_a_string_and_never_a_number() {
    assert_eq!(serde_json::to_string(&money("0.000123")).expect("encodes"), "\"0.000123\"");
    assert!(serde_json::from_str::<Money>("0.5").is_err());
    assert!(serde_json::from_str::<Money>("1").is_err());
    assert!(serde_json::from_str::<Money>("null").is_err());
    assert_eq!(serde_json::from_str::<Money>("\"1e-3\"").expect("decodes"), money("0.001"));
}

#[test]
fn prices_ratios_and_costs_know_their_range() {
    assert!(Price::parse("-0.1").is_err());
    assert_eq!(Price::parse("-0").expect("zero"), Price::ZERO);
    assert!(Ratio::parse("1000").is_ok());
    assert!(Ratio::parse("1000.1").is_err());
    assert!(Ratio::parse("-1").is_err());
    assert!(ListCost::parse("1000000").is_ok());
    assert!(ListCost::parse("1000000.01").is_err());
    assert!(ListCost::parse("-1e-9").is_err());
}

fn pico() -> impl Strategy<Value = i128> {
    prop_oneof![
        -1_000_000_000_000_000_000_000_000_i128..=1_000_000_000_000_000_000_000_000,
        -1_000_000_i128..=1_000_000,
    ]
}

/// Plain text of so many pico-dollars.
fn text_of(pico: i128) -> String {
    let magnitude = pico.unsigned_abs();
    let sign = if pico < 0 { "-" } else { "" };
    format!("{sign}{}.{:012}", magnitude / 10_u128.pow(12), magnitude % 10_u128.pow(12))
}

proptest! {
    #[test]
    fn parsing_and_printing_are_inverse(pico in pico()) {
        let amount = money(&text_of(pico));
        prop_assert_eq!(amount, money(&format!("{pico}e-12")));
        prop_assert_eq!(money(&amount.to_string()), amount);
        prop_assert!(!amount.to_string().contains('e'));
        let json = serde_json::to_string(&amount).expect("encodes");
        prop_assert_eq!(serde_json::from_str::<Money>(&json).expect("decodes"), amount);
        prop_assert_eq!(amount.negated().negated(), amount);
        prop_assert_eq!(amount.is_negative(), pico < 0);
        prop_assert_eq!(amount.is_positive(), pico > 0);
        prop_assert_eq!(amount.is_zero(), pico == 0);
    }

    #[test]
    fn sums_are_those_of_whole_pico_dollars_or_none(a in pico(), b in pico()) {
        let limit = 10_i128.pow(24);
        let expect = |sum: i128| (sum.abs() <= limit).then(|| money(&text_of(sum)));
        let (x, y) = (money(&text_of(a)), money(&text_of(b)));
        prop_assert_eq!(x.checked_add(y), expect(a + b));
        prop_assert_eq!(x.checked_sub(y), expect(a - b));
        prop_assert_eq!(x < y, a < b);
        prop_assert_eq!(x.at_least(y), money(&text_of(a.max(b))));
    }

    #[test]
    fn rounding_goes_to_the_nearest_and_ties_to_the_even(
        units in 0..10_i128.pow(20),
        drop in 1..8_u32,
    ) {
        // `units` of 10^-(12 + drop), rounded by integer arithmetic.
        let step = 10_i128.pow(drop);
        let (low, rest) = (units / step, units % step);
        let up = rest * 2 > step || (rest * 2 == step && low % 2 == 1);
        let value = Decimal::from_i128_with_scale(units, 12 + drop);
        let nearest = low + i128::from(up);
        prop_assert_eq!(Money::rounded(value).expect("fits"), money(&text_of(nearest)));
        let above = low + i128::from(rest > 0);
        prop_assert_eq!(Money::rounded_up(value).expect("fits"), money(&text_of(above)));
    }

    #[test]
    fn no_text_makes_the_parser_panic(text in "\\PC{0,40}") {
        let _ = decimal::parse(&text);
        let _ = Money::parse(&text);
    }

    #[test]
    fn no_number_like_text_makes_the_parser_panic(
        text in "[-+]?[0-9_.]{0,34}([eE][-+]?[0-9]{0,11})?",
    ) {
        if let Ok(value) = decimal::parse(&text) {
            let plain = value.to_string();
            prop_assert_eq!(decimal::parse(&plain).expect("what was printed is read"), value);
        }
    }

    #[test]
    fn an_exponent_only_moves_the_point(mantissa in 0..10_u64.pow(15), exponent in -12..12_i32) {
        let moved = decimal::parse(&format!("{mantissa}e{exponent}")).expect("fits");
        let digits = mantissa.to_string();
        let plain = match usize::try_from(exponent) {
            Ok(zeros) => format!("{digits}{}", "0".repeat(zeros)),
            Err(_) => {
                let places = exponent.unsigned_abs() as usize;
                let padded = format!("{}{digits}", "0".repeat(places));
                let (whole, part) = padded.split_at(padded.len() - places);
                format!("{}.{part}", if whole.is_empty() { "0" } else { whole })
            }
        };
        prop_assert_eq!(moved, decimal::parse(&plain).expect("fits"), "{}", plain);
    }
}
