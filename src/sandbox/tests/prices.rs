//! The sandbox's arithmetic against figures worked out by hand or taken from recordings.

use std::str::FromStr;

use rust_decimal::Decimal;

use crate::sandbox::catalogue::catalogue;
use crate::sandbox::price::{PriceList, Tally};

fn cost(model: &str, tally: Tally) -> Decimal {
    let prices = catalogue().find(model).unwrap().priced.pricing.at(tally.prompt);
    prices.cost(&tally).total().normalize()
}

fn usd(text: &str) -> Decimal {
    Decimal::from_str(text).unwrap()
}

#[test]
fn plain_tokens_cost_what_the_list_says() {
    let tally = Tally { prompt: 100, completion: 50, ..Tally::default() };
    // 100 × 0.00000015 + 50 × 0.0000006
    assert_eq!(cost("openai/gpt-4o-mini", tally), usd("0.000045"));
    // 43 × 0.000003 + 36 × 0.000015, as recorded; the 13 thought tokens are among the 36.
    let recorded = Tally { prompt: 43, completion: 36, reasoning: 13, ..Tally::default() };
    assert_eq!(cost("anthropic/claude-sonnet-4.5", recorded), usd("0.000669"));
}

#[test]
fn every_class_of_tokens_has_its_own_price() {
    // 7 plain, 2,240 read and 329 written tokens, then 100 of output.
    let cached = Tally {
        prompt: 2_576,
        cached: 2_240,
        cache_write: 329,
        completion: 100,
        ..Tally::default()
    };
    assert_eq!(cost("anthropic/claude-sonnet-4.5", cached), usd("0.00342675"));
    // The same written for an hour: 329 × (0.000006 − 0.00000375) more.
    let hour = Tally { write_for_an_hour: true, ..cached };
    assert_eq!(cost("anthropic/claude-sonnet-4.5", hour), usd("0.004167"));
    // A recorded picture: 417 text tokens at 0.0000015 and 1,120 picture tokens at 0.00003.
    let picture =
        Tally { prompt: 5, completion: 1_537, completion_images: 1_120, ..Tally::default() };
    assert_eq!(cost("google/gemini-3.1-flash-lite-image", picture), usd("0.03422675"));
    let search = Tally { web_searches: 1, ..Tally::default() };
    assert_eq!(cost("anthropic/claude-sonnet-4.5", search), usd("0.01"));
}

#[test]
fn prices_keep_all_their_decimals() {
    let written = Tally { prompt: 3, cache_write: 3, ..Tally::default() };
    let cost = cost("google/gemini-2.5-flash-image", written);
    assert_eq!(cost, usd("0.0000002499999999999999"));
}

#[test]
fn a_tier_begins_strictly_above_its_threshold_and_prices_the_whole_request() {
    let at = |prompt| cost("anthropic/claude-sonnet-4.5", Tally { prompt, ..Tally::default() });
    assert_eq!(at(200_000), usd("0.6"));
    assert_eq!(at(200_001), usd("1.200006"));
}

#[test]
fn the_later_of_two_matching_tiers_wins_key_by_key() {
    let prompt = |tokens| catalogue().find("qwen/qwen3.7-flash").unwrap().priced.pricing.at(tokens);
    assert_eq!(prompt(32_000).prompt, usd("0.00000003"));
    assert_eq!(prompt(32_001).prompt, usd("0.0000001"));
    assert_eq!(prompt(256_001).prompt, usd("0.0000002"));
    let list: PriceList = serde_json::from_str(
        r#"{"prompt":"1","completion":"2","overrides":[
            {"min_prompt_tokens":10,"prompt":"3","completion":"4"},
            {"min_prompt_tokens":5,"prompt":"5"}]}"#,
    )
    .unwrap();
    let both = list.at(11);
    assert_eq!((both.prompt, both.completion), (usd("5"), usd("4")));
}

#[test]
fn the_catalogue_is_whole_and_every_model_answers_at_a_price() {
    assert_eq!(catalogue().models().len(), 400);
    for model in catalogue().models() {
        let choice = catalogue().find(&model.id).unwrap();
        assert!(!choice.priced.pricing.is_router(), "{} would charge -1", model.id);
        let one = Tally { prompt: 1, completion: 1, ..Tally::default() };
        assert!(choice.priced.pricing.at(1).cost(&one).total() >= Decimal::ZERO);
    }
}

#[test]
fn aliases_suffixes_and_slugs_resolve_to_the_model_that_serves_them() {
    for (requested, priced, slug) in [
        ("openai/gpt-4o-mini:nitro", "openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        ("openrouter/auto", "openai/gpt-4o-mini", "openai/gpt-4o-mini"),
        ("openrouter/free", "openrouter/free", "openai/gpt-oss-20b"),
        (
            "anthropic/claude-4.5-sonnet-20250929",
            "anthropic/claude-sonnet-4.5",
            "anthropic/claude-4.5-sonnet-20250929",
        ),
    ] {
        let choice = catalogue().find(requested).unwrap();
        assert_eq!(choice.priced.id, priced);
        assert_eq!(choice.served.canonical_slug, slug);
    }
    let alias = catalogue().find("~anthropic/claude-haiku-latest").unwrap();
    assert_eq!(alias.priced.id, "~anthropic/claude-haiku-latest");
    assert_eq!(alias.served.id, "anthropic/claude-haiku-4.5");
    assert!(catalogue().find("openai/no-such-model").is_none());
}
