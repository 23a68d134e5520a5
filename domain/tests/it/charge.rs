//! From list cost to charge and cost, against an oracle that multiplies digit by digit.

use proptest::prelude::*;
use tollgate_domain::decimal::{ListCost, Ratio};
use tollgate_domain::money::MoneyError;
use tollgate_domain::pricing::{PriceCard, Rates, Sale, Tier, cost_lines, list_cost};
use tollgate_domain::{Money, Timestamp, Usage};

fn sale(list: &str, sale_ratio: &str, cost_rate: &str) -> Sale {
    Sale::of(
        ListCost::parse(list).expect("a list cost"),
        Ratio::parse(sale_ratio).expect("a ratio"),
        Ratio::parse(cost_rate).expect("a rate"),
    )
    .expect("fits")
}

#[test]
fn the_seed_example_comes_out_exactly() {
    let sale = sale("0.010", "0.80", "0.30");
    assert_eq!(sale.charge.to_string(), "0.008");
    assert_eq!(sale.cost.to_string(), "0.003");
    assert_eq!(sale.margin().expect("fits").to_string(), "0.005");
}

#[test]
fn a_sale_below_cost_has_a_negative_margin() {
    assert_eq!(sale("1", "0.3", "0.8").margin().expect("fits").to_string(), "-0.5");
}

/// The product has 34 decimals: cut to 28 first it would be a tie, which goes down to the even.
#[test]
fn a_hair_above_a_tie_is_rounded_up() {
    let sale = sale("0.0000000000000000000002", "1", "1");
    assert_eq!(sale.charge, Money::ZERO);
    let above = Sale::of(
        ListCost::parse("0.0000000000050000000000000001").expect("a list cost"),
        Ratio::parse("0.500000000001").expect("a ratio"),
        Ratio::parse("0.5").expect("a rate"),
    )
    .expect("fits");
    assert_eq!(above.charge.to_string(), "0.000000000003");
    assert_eq!(above.cost.to_string(), "0.000000000003");
    let tie = "0.0000000000005";
    assert_eq!(
        Money::rounded_product(dec(tie), dec("5")).expect("fits").to_string(),
        "0.000000000002"
    );
    let hair = dec("0.0000000000005000000000000001");
    let five = dec("5.0000000000000000000000000000");
    assert_eq!(Money::rounded_product(hair, five).expect("fits").to_string(), "0.000000000003");
    // 2.5000000000000000000000000000000001 pico-dollars.
    let hair =
        Money::rounded_product(dec("0.000000000000000000000001"), dec("2500000000000.0000000001"));
    assert_eq!(hair.expect("fits").to_string(), "0.000000000003");
}

fn dec(text: &str) -> rust_decimal::Decimal {
    tollgate_domain::decimal::parse(text).expect("decimal")
}

#[test]
fn a_product_beyond_a_trillion_is_refused() {
    assert_eq!(
        Money::rounded_product(dec("1e12"), dec("1.000000000001")),
        Err(MoneyError::TooLarge)
    );
    assert_eq!(Money::rounded_product(dec("1e28"), dec("1e28")), Err(MoneyError::TooLarge));
    assert_eq!(
        Money::rounded_product(dec("-1e6"), dec("1e6")).expect("fits").to_string(),
        "-1000000000000"
    );
    assert_eq!(Money::rounded_product(dec("1e-28"), dec("1e-28")), Ok(Money::ZERO));
}

/// `a × b` by long multiplication on decimal digits, then half-even at 12 decimals.
fn oracle(a: &str, b: &str) -> String {
    let split = |text: &str| {
        let (whole, part) = text.split_once('.').unwrap_or((text, ""));
        let digits: Vec<u32> =
            format!("{whole}{part}").bytes().map(|b| u32::from(b - b'0')).collect();
        (digits, part.len())
    };
    let ((x, x_scale), (y, y_scale)) = (split(a), split(b));
    let mut product = vec![0_u32; x.len() + y.len()];
    for (i, digit) in x.iter().rev().enumerate() {
        for (j, other) in y.iter().rev().enumerate() {
            product[i + j] += digit * other;
        }
    }
    let mut carry = 0;
    for digit in &mut product {
        let sum = *digit + carry;
        (*digit, carry) = (sum % 10, sum / 10);
    }
    let scale = x_scale + y_scale;
    // Least digit first; exactly twelve decimals are kept.
    if scale < 12 {
        product.splice(0..0, vec![0; 12 - scale]);
    } else {
        product.extend(vec![0; scale - 12 + 1]);
        let dropped: Vec<u32> = product.drain(..scale - 12).collect();
        let (last, rest) = dropped
            .split_last()
            .map_or((0, false), |(last, rest)| (*last, rest.iter().any(|digit| *digit > 0)));
        if last > 5 || last == 5 && (rest || product[0] % 2 == 1) {
            product.push(0);
            let mut at = 0;
            while product[at] == 9 {
                product[at] = 0;
                at += 1;
            }
            product[at] += 1;
        }
    }
    product.resize(product.len().max(13), 0);
    let text: String = product.iter().rev().map(|digit| char::from(b'0' + *digit as u8)).collect();
    let (whole, part) = text.split_at(text.len() - 12);
    format!("{whole}.{part}")
}

#[test]
fn the_oracle_multiplies() {
    assert_eq!(oracle("0.010", "0.80").parse::<rust_decimal::Decimal>(), "0.008".parse());
    assert!(oracle("9.9999999999999", "1").ends_with("10.000000000000"));
    assert!(oracle("0.0000000000005", "1").ends_with("0.000000000000"));
    assert!(oracle("0.0000000000005", "3").ends_with("0.000000000002"));
}

fn plain(mantissa: u128, decimals: usize) -> String {
    let digits = format!("{mantissa:0width$}", width = decimals + 1);
    let (whole, part) = digits.split_at(digits.len() - decimals);
    if part.is_empty() { whole.to_owned() } else { format!("{whole}.{part}") }
}

/// Up to 28 digits, many of them fives and zeros, so that ties and near ties occur.
fn digits(most: usize) -> impl Strategy<Value = u128> {
    let tie = proptest::collection::vec(proptest::sample::select(vec!['0', '5', '1']), 1..=most)
        .prop_map(|digits| digits.into_iter().collect::<String>().parse().expect("digits"));
    let any = (1..=most as u32).prop_flat_map(|length| 0..10_u128.pow(length));
    prop_oneof![tie, any]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn charge_and_cost_are_rounded_once_and_half_even(
        (list, list_decimals) in (digits(28), 22..=28_usize),
        (sale_ratio, ratio_decimals) in (digits(24), 21..=28_usize),
        (cost_rate, rate_decimals) in (digits(13), 12..=12_usize),
    ) {
        let list = plain(list, list_decimals);
        let (sale_ratio, cost_rate) =
            (plain(sale_ratio, ratio_decimals), plain(cost_rate, rate_decimals));
        let sale = sale(&list, &sale_ratio, &cost_rate);
        let exact = |text: String| Money::parse(&text).expect("fits");
        prop_assert_eq!(sale.charge, exact(oracle(&list, &sale_ratio)));
        prop_assert_eq!(sale.cost, exact(oracle(&list, &cost_rate)));
        prop_assert!(!sale.charge.is_negative() && !sale.cost.is_negative());
        let margin = sale.margin().expect("fits");
        prop_assert_eq!(sale.cost.checked_add(margin), Some(sale.charge));
    }
}

fn price(text: &str) -> Option<tollgate_domain::decimal::Price> {
    Some(tollgate_domain::decimal::Price::parse(text).expect("a price"))
}

/// One price per class, each another power of ten, so that a mix-up shows in the digits.
fn card() -> PriceCard {
    let rates = Rates {
        prompt: price("0.1"),
        completion: price("10"),
        request: price("0.00000000001"),
        image: price("1000"),
        image_token: price("7777"),
        image_output: price("100"),
        audio: price("0.01"),
        audio_output: price("0.00001"),
        input_audio_cache: price("0.001"),
        web_search: price("0.0001"),
        internal_reasoning: price("5555"),
        input_cache_read: price("0.000001"),
        input_cache_write: price("0.0000001"),
        input_cache_write_1h: price("0.00000001"),
    };
    PriceCard { rates, tiers: vec![] }
}

#[test]
fn every_class_has_its_own_price_and_reasoning_none() {
    let usage = Usage {
        input: 1,
        cache_read: 2,
        cache_write: 3,
        cache_write_1h: 4,
        audio_input: 5,
        audio_cache_read: 6,
        images: 7,
        output: 8,
        image_output: 9,
        audio_output: 1,
        web_searches: 2,
        pages: 99,
        reasoning: 8,
    };
    let cost = list_cost(&card(), &usage, Timestamp::default()).expect("fits");
    assert_eq!(cost.to_string(), "7980.15621234001");
    let lines = cost_lines(&card(), &usage, Timestamp::default()).expect("fits");
    let sum = lines.iter().map(|line| line.cost.decimal()).sum();
    assert_eq!(ListCost::new(sum), Some(cost), "the lines make the list cost");
    let classes: Vec<_> = lines.iter().map(|line| (line.class, line.count)).collect();
    let used = usage.classes().into_iter().filter(|(class, _)| *class != "pages");
    assert_eq!(classes, std::iter::once(("request", 1)).chain(used).collect::<Vec<_>>());
}

#[test]
fn a_missing_price_falls_back_to_the_nearest_class() {
    let rates = Rates { prompt: price("1"), completion: price("10"), ..Rates::default() };
    let card = PriceCard { rates, tiers: vec![] };
    let usage = Usage {
        input: 1,
        cache_read: 1,
        cache_write: 1,
        cache_write_1h: 1,
        audio_input: 1,
        audio_cache_read: 1,
        images: 1,
        output: 1,
        image_output: 1,
        audio_output: 1,
        web_searches: 1,
        ..Usage::default()
    };
    let cost = list_cost(&card, &usage, Timestamp::default()).expect("fits");
    assert_eq!(cost.to_string(), "36", "six prompt tokens and three outputs; no image, no search");
}

#[test]
fn a_tier_begins_strictly_above_its_threshold_and_reprices_the_whole_request() {
    let tier = Tier {
        min_prompt_tokens: Some(100),
        from_minute: None,
        until_minute: None,
        rates: Rates { prompt: price("2"), ..Rates::default() },
    };
    let rates = Rates { prompt: price("1"), completion: price("10"), ..Rates::default() };
    let card = PriceCard { rates, tiers: vec![tier] };
    let cost = |input, cache_read| {
        let usage = Usage { input, cache_read, output: 1, ..Usage::default() };
        list_cost(&card, &usage, Timestamp::default()).expect("fits").to_string()
    };
    assert_eq!(cost(100, 0), "110");
    assert_eq!(cost(101, 0), "212");
    assert_eq!(cost(1, 100), "212", "cached tokens count towards the threshold");
}

#[test]
fn a_tier_of_the_day_may_wrap_around_midnight() {
    let tier = |from_minute, until_minute, prompt| Tier {
        min_prompt_tokens: None,
        from_minute,
        until_minute,
        rates: Rates { prompt: price(prompt), ..Rates::default() },
    };
    let rates = Rates { prompt: price("1"), completion: price("0"), ..Rates::default() };
    let tiers = vec![tier(Some(1410), Some(30), "2"), tier(Some(1430), Some(1440), "3")];
    let card = PriceCard { rates, tiers };
    let at = |minute: i64| {
        let rates = card.rates_for(1, Timestamp::from_seconds(minute * 60));
        rates.prompt.expect("priced").to_string()
    };
    assert_eq!([at(1409), at(1410), at(1429)], ["1", "2", "2"]);
    assert_eq!([at(1430), at(1439), at(1440)], ["3", "3", "2"], "the later one wins");
    assert_eq!([at(1440 + 29), at(1440 + 30), at(-1)], ["2", "1", "3"]);
}

#[test]
fn absurd_counts_are_an_error_and_no_panic() {
    let usage = Usage { input: u64::MAX, output: u64::MAX, ..Usage::default() };
    assert!(list_cost(&card(), &usage, Timestamp::default()).is_err());
}
