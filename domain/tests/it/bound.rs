//! Reservations cover charges, and what is affordable is affordable.

use proptest::prelude::*;
use tollgate_domain::decimal::{Price, Ratio};
use tollgate_domain::pricing::{Demand, PriceCard, Rates, Sale, Tier, afford, list_cost};
use tollgate_domain::{Money, Timestamp, Usage};

fn price() -> impl Strategy<Value = Option<Price>> {
    let text = prop_oneof![
        proptest::sample::select(vec!["0", "0.0000000833333333333333", "1e-22", "0.014"])
            .prop_map(str::to_owned),
        (0..10_000_u32).prop_map(|n| format!("{n}e-9")),
    ];
    proptest::option::weighted(0.6, text.prop_map(|text| Price::parse(&text).expect("a price")))
}

fn rates() -> impl Strategy<Value = Rates> {
    proptest::array::uniform14(price()).prop_map(
        |[
            prompt,
            completion,
            request,
            image,
            image_token,
            image_output,
            audio,
            audio_output,
            input_audio_cache,
            web_search,
            internal_reasoning,
            input_cache_read,
            input_cache_write,
            input_cache_write_1h,
        ]| Rates {
            prompt,
            completion,
            request,
            image,
            image_token,
            image_output,
            audio,
            audio_output,
            input_audio_cache,
            web_search,
            internal_reasoning,
            input_cache_read,
            input_cache_write,
            input_cache_write_1h,
        },
    )
}

fn tier() -> impl Strategy<Value = Tier> {
    let minute = || proptest::option::of(0..=1_440_u16);
    (proptest::option::of(0..3_000_u64), minute(), minute(), rates()).prop_map(
        |(min_prompt_tokens, from_minute, until_minute, rates)| Tier {
            min_prompt_tokens,
            from_minute,
            until_minute,
            rates,
        },
    )
}

fn card() -> impl Strategy<Value = PriceCard> {
    (rates(), proptest::collection::vec(tier(), 0..4)).prop_map(|(mut rates, tiers)| {
        rates.prompt = rates.prompt.or(Some(Price::ZERO));
        rates.completion = rates.completion.or(Some(Price::ZERO));
        PriceCard { rates, tiers }
    })
}

fn demand() -> impl Strategy<Value = Demand> {
    let flags = proptest::array::uniform4(proptest::bool::ANY);
    (0..4_000_u64, 0..100_000_u64, 0..4_u64, 0..4_u64, flags).prop_map(
        |(prompt_tokens, output_tokens, images, web_searches, flags)| Demand {
            prompt_tokens,
            output_tokens,
            images,
            web_searches,
            long_cache: flags[0],
            audio_input: flags[1],
            image_output: flags[2],
            audio_output: flags[3],
        },
    )
}

fn ratio() -> impl Strategy<Value = Ratio> {
    proptest::sample::select(vec!["0.8", "1", "0.000000000001", "0.333333333333", "100"])
        .prop_map(|text| Ratio::parse(text).expect("a ratio"))
}

/// Any usage within the demand: shares in per mille of what is left, class after class.
fn usage_within(demand: &Demand, shares: [u64; 9]) -> Usage {
    let mut shares = shares.into_iter();
    let mut take = |left: &mut u64, allowed: bool| {
        let share = shares.next().unwrap_or(0);
        let part = if allowed { *left * share / 1_000 } else { 0 };
        *left -= part;
        part
    };
    let mut prompt = demand.prompt_tokens;
    let mut output = demand.output_tokens;
    Usage {
        input: take(&mut prompt, true),
        cache_read: take(&mut prompt, true),
        cache_write: take(&mut prompt, true),
        cache_write_1h: take(&mut prompt, demand.long_cache),
        audio_input: take(&mut prompt, demand.audio_input),
        audio_cache_read: take(&mut prompt, demand.audio_input),
        output: take(&mut output, true),
        image_output: take(&mut output, demand.image_output),
        audio_output: take(&mut output, demand.audio_output),
        images: demand.images,
        web_searches: demand.web_searches,
        ..Usage::default()
    }
}

fn money(pico: u128) -> Money {
    Money::parse(&format!("{pico}e-12")).expect("fits")
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2_000, ..ProptestConfig::default() })]

    #[test]
    fn a_reservation_covers_any_usage_within_its_demand(
        card in card(),
        demand in demand(),
        ratio in ratio(),
        shares in proptest::array::uniform9(prop_oneof![Just(0_u64), Just(1_000), 0..=1_000_u64]),
        minute in -3_000..3_000_i64,
    ) {
        let amount = demand.amount(&card, ratio).expect("fits");
        let usage = usage_within(&demand, shares);
        let list = list_cost(&card, &usage, Timestamp::from_seconds(minute * 60)).expect("fits");
        let charge = Sale::of(list, ratio, Ratio::ONE).expect("fits").charge;
        prop_assert!(amount >= charge, "{amount} reserved, {charge} charged");
    }

    #[test]
    fn what_is_afforded_is_paid_by_what_is_available_and_one_more_token_is_not(
        card in card(),
        demand in demand(),
        ratio in ratio(),
        pico in prop_oneof![0..10_u128.pow(9), 0..10_u128.pow(13), 0..10_u128.pow(16)],
    ) {
        let available = money(pico);
        let with = |output_tokens| {
            Demand { output_tokens, ..demand }.amount(&card, ratio).expect("fits")
        };
        match afford(&demand, &card, ratio, available) {
            Some(tokens) => {
                prop_assert!(tokens <= demand.output_tokens);
                prop_assert!(with(tokens) <= available, "{} of {available}", with(tokens));
                prop_assert!(tokens == demand.output_tokens || with(tokens + 1) > available);
            }
            None => prop_assert!(with(0) > available, "{} of {available}", with(0)),
        }
    }
}

fn one(prompt: &str, completion: &str) -> PriceCard {
    let price = |text| Some(Price::parse(text).expect("a price"));
    let rates = Rates { prompt: price(prompt), completion: price(completion), ..Rates::default() };
    PriceCard { rates, tiers: vec![] }
}

#[test]
fn output_that_costs_next_to_nothing_is_bounded_by_the_demand() {
    let demand = Demand { prompt_tokens: 1, output_tokens: 4_096, ..Demand::default() };
    let rich = Money::parse("1e12").expect("fits");
    assert_eq!(afford(&demand, &one("0", "1e-28"), Ratio::ONE, rich), Some(4_096));
    assert_eq!(afford(&demand, &one("0", "0"), Ratio::ONE, Money::ZERO), Some(4_096));
}

/// The quotient, 100 000 less a hair, is rounded to 100 000 itself.
#[test]
fn a_quotient_that_was_rounded_up_affords_one_token_less() {
    let card = one("0", "7.0000000000000000000000000001");
    let demand = Demand { output_tokens: 200_000, ..Demand::default() };
    assert_eq!(afford(&demand, &card, Ratio::ONE, Money::dollars(700_000)), Some(99_999));
    assert_eq!(afford(&demand, &card, Ratio::ONE, Money::dollars(700_001)), Some(100_000));
}

#[test]
fn a_debt_affords_nothing_not_even_what_is_free() {
    let demand = Demand { prompt_tokens: 1, output_tokens: 10, ..Demand::default() };
    let debt = Money::parse("-0.000000000001").expect("fits");
    assert_eq!(afford(&demand, &one("0", "0"), Ratio::ONE, debt), None);
}

#[test]
fn a_demand_beyond_every_sum_has_no_amount() {
    let demand = Demand { prompt_tokens: u64::MAX, output_tokens: u64::MAX, ..Demand::default() };
    assert_eq!(demand.amount(&one("1", "1"), Ratio::ONE), None);
    assert_eq!(afford(&demand, &one("1", "1"), Ratio::ONE, Money::dollars(1)), None);
}

#[test]
fn the_tier_that_the_prompt_may_reach_is_reserved() {
    let mut card = one("0.001", "0");
    card.tiers.push(Tier {
        min_prompt_tokens: Some(100),
        from_minute: None,
        until_minute: None,
        rates: one("0.002", "0").rates,
    });
    let amount = |prompt_tokens| {
        let demand = Demand { prompt_tokens, ..Demand::default() };
        demand.amount(&card, Ratio::ONE).expect("fits").to_string()
    };
    assert_eq!(amount(100), "0.1");
    assert_eq!(amount(101), "0.202");
}
