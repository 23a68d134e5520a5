//! Price cards from real price lists.

use std::collections::BTreeMap;

use rust_decimal::Decimal;
use tollgate_domain::decimal::Price;
use tollgate_domain::pricing::{CardError, Demand, PriceCard, RawPricing};
use tollgate_domain::{Money, PriceBook, PriceBookCommand};

use crate::support::{AUGUST, JULY, catalogue};

fn cards(text: &str) -> (BTreeMap<String, PriceCard>, BTreeMap<String, CardError>) {
    let (mut cards, mut refused) = (BTreeMap::new(), BTreeMap::new());
    for (id, pricing) in catalogue(text) {
        match pricing.card() {
            Ok(card) => drop(cards.insert(id, card)),
            Err(error) => drop(refused.insert(id, error)),
        }
    }
    (cards, refused)
}

#[test]
fn every_model_of_the_list_has_a_card_except_the_routers() {
    let (cards, refused) = cards(AUGUST);
    assert_eq!((cards.len(), refused.len()), (395, 5));
    assert!(refused.values().all(|error| *error == CardError::Router));
    let names: Vec<_> = refused.keys().map(String::as_str).collect();
    assert_eq!(
        names,
        [
            "openrouter/auto",
            "openrouter/auto-beta",
            "openrouter/bodybuilder",
            "openrouter/fusion",
            "openrouter/pareto-code",
        ]
    );
    assert_eq!(cards.values().filter(|card| !card.tiers.is_empty()).count(), 57);
    let (july, refused) = self::cards(JULY);
    assert_eq!((july.len(), refused.len()), (338, 4));
}

#[test]
fn no_list_has_a_price_that_we_do_not_know() {
    for list in [JULY, AUGUST] {
        for (id, pricing) in catalogue(list) {
            assert_eq!(pricing.unknown_names().collect::<Vec<_>>(), [""; 0], "{id}");
        }
    }
}

#[test]
fn a_name_that_we_do_not_know_is_kept_and_does_not_stop_the_sale() {
    let raw = raw(r#"{"prompt":"1","completion":"2","teleport":"3",
        "overrides":[{"min_prompt_tokens":5,"prompt":"2","warp":"1"}]}"#);
    assert_eq!(raw.unknown_names().collect::<Vec<_>>(), ["teleport", "warp"]);
    assert!(raw.card().is_ok());
}

#[test]
fn every_price_of_the_list_is_kept_to_its_last_decimal() {
    let mut longest = 0;
    let value: serde_json::Value = serde_json::from_str(AUGUST).expect("JSON");
    let (cards, _) = cards(AUGUST);
    for model in value["data"].as_array().expect("models") {
        let Some(card) = cards.get(model["id"].as_str().expect("an id")) else { continue };
        let mut check = |prices: &serde_json::Value, named: Vec<(&'static str, Option<Price>)>| {
            let mut left = 0;
            for (name, price) in named {
                assert_eq!(prices.get(name).is_some(), price.is_some(), "{name}");
                let Some(price) = price else { continue };
                let text = prices[name].as_str().expect("prices are strings");
                assert_eq!(price.decimal(), Decimal::from_str_exact(text).expect("decimal"));
                longest = longest.max(price.decimal().scale());
                left += 1;
            }
            left
        };
        let pricing = &model["pricing"];
        let tiers = pricing["overrides"].as_array().map_or(&[][..], Vec::as_slice);
        let found = check(pricing, card.rates.named());
        let other = usize::from(!tiers.is_empty());
        assert_eq!(found + other, pricing.as_object().expect("an object").len());
        assert_eq!(tiers.len(), card.tiers.len());
        for (raw, tier) in tiers.iter().zip(&card.tiers) {
            assert_eq!(raw["min_prompt_tokens"].as_u64(), tier.min_prompt_tokens);
            check(raw, tier.rates.named());
        }
    }
    assert_eq!(longest, 22);
    let write = cards["google/gemini-3.6-flash"].rates.input_cache_write.expect("priced");
    assert_eq!(write.to_string(), "0.0000000833333333333333");
}

#[test]
fn free_models_are_free_and_few_others_are_listed_at_zero() {
    let (cards, _) = cards(AUGUST);
    let free: Vec<_> = cards.iter().filter(|(_, card)| card.is_free()).map(|(id, _)| id).collect();
    let named = cards.keys().filter(|id| id.ends_with(":free")).count();
    assert_eq!(named, 14);
    let others: Vec<_> =
        free.iter().filter(|id| !id.ends_with(":free")).map(|id| id.as_str()).collect();
    assert_eq!(others, OTHER_FREE);
    assert_eq!(free.len(), named + OTHER_FREE.len());
}

/// Listed at zero without saying so in their name. Two of them make music, which has no key in the
/// list: a card of zeros is no promise that the upstream charges nothing.
const OTHER_FREE: &[&str] =
    &["google/lyria-3-clip-preview", "google/lyria-3-pro-preview", "openrouter/free"];

/// A batch or an alias shares its canonical slug with a model of another price.
#[test]
fn prices_are_keyed_on_the_requested_id() {
    let (cards, _) = cards(AUGUST);
    let value: serde_json::Value = serde_json::from_str(AUGUST).expect("JSON");
    let mut by_slug: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for model in value["data"].as_array().expect("models") {
        let text = |name: &str| model[name].as_str().expect("text");
        by_slug.entry(text("canonical_slug")).or_default().push(text("id"));
    }
    let differs = by_slug.values().filter(|ids| {
        let mut cards = ids.iter().filter_map(|id| cards.get(*id));
        cards.next().is_some_and(|first| cards.any(|card| card != first))
    });
    assert!(differs.count() > 50, "the slug does not tell the price");
    assert_eq!(cards.keys().filter(|id| id.ends_with(":batch")).count(), 60);
    assert_eq!(cards.keys().filter(|id| id.starts_with('~')).count(), 11);
    let (batch, whole) =
        (&cards["google/gemini-3.6-flash:batch"], &cards["google/gemini-3.6-flash"]);
    let double = |price: Option<Price>| price.expect("priced").decimal() * Decimal::TWO;
    assert_eq!(double(batch.rates.prompt), whole.rates.prompt.expect("priced").decimal());
    assert_eq!(double(batch.rates.completion), whole.rates.completion.expect("priced").decimal());
}

#[test]
fn both_lists_publish_as_versions_that_tell_what_changed() {
    use tollgate_domain::Eventful;
    let mut book = PriceBook::default();
    let mut publish = |text| {
        let command =
            PriceBookCommand::PublishPrices { source: "list".into(), models: cards(text).0 };
        let events = book.decide(command).expect("accepted");
        events.iter().for_each(|event| book.evolve(event));
        let count = |name| events.iter().filter(|event| event.name() == name).count();
        (count("ModelPriced"), count("ModelRetired"), book.version(), book.models().count())
    };
    assert_eq!(publish(JULY), (338, 0, 1, 338));
    // 76 came, 60 changed their price, 19 went.
    assert_eq!(publish(AUGUST), (76 + 60, 19, 2, 395));
    assert_eq!(publish(AUGUST), (0, 0, 2, 395));
}

#[test]
fn a_million_tokens_of_every_model_can_be_reserved() {
    let (cards, _) = cards(AUGUST);
    let ratio = tollgate_domain::decimal::Ratio::parse("0.8").expect("a ratio");
    for (id, card) in cards {
        let demand = Demand {
            prompt_tokens: 1_000_000,
            output_tokens: 1_000_000,
            web_searches: 10,
            images: 10,
            ..Demand::default()
        };
        let amount = demand.amount(&card, ratio).unwrap_or_else(|| panic!("{id} has no amount"));
        assert_eq!(amount == Money::ZERO, card.is_free(), "{id}");
    }
}

fn raw(json: &str) -> RawPricing {
    serde_json::from_str(json).expect("pricing decodes")
}

#[test]
fn a_discount_lowers_every_price_of_every_tier() {
    let json = r#"{"prompt":"0.000002","completion":"0.00001","discount":0.25,
        "overrides":[{"min_prompt_tokens":5,"prompt":"0.000004"}]}"#;
    let card = raw(json).card().expect("priced");
    assert_eq!(card.rates.prompt.expect("priced").to_string(), "0.0000015");
    assert_eq!(card.rates.completion.expect("priced").to_string(), "0.0000075");
    assert_eq!(card.tiers[0].rates.prompt.expect("priced").to_string(), "0.000003");
    assert_eq!(
        raw(json).with_discount("0").card().expect("priced").rates.prompt,
        price("0.000002")
    );
    assert!(raw(json).with_discount("1").card().expect("priced").is_free());
}

fn price(text: &str) -> Option<Price> {
    Some(Price::parse(text).expect("a price"))
}

#[test]
fn a_discount_that_is_none_prices_nothing() {
    let plain = raw(r#"{"prompt":"1","completion":"1","discount":null}"#);
    assert!(plain.card().is_ok());
    for text in
        ["-0.1", "1.1", "half", "", "-79228162514264337593543950335", "0.3000000000000000444"]
    {
        let card = plain.clone().with_discount(text).card();
        assert!(matches!(card, Err(CardError::Invalid { key: "discount", .. })), "{text}");
    }
    for json in ["true", "[]", "0.30000000000000004", "1e300"] {
        let card = raw(&format!(r#"{{"prompt":"1","completion":"1","discount":{json}}}"#)).card();
        assert!(matches!(card, Err(CardError::Invalid { key: "discount", .. })), "{json}");
    }
}

#[test]
fn one_odd_price_costs_one_model_and_not_the_list() {
    let refused = |json: &str| raw(json).card().expect_err("no card");
    let invalid = |json: &str| matches!(refused(json), CardError::Invalid { .. });
    assert_eq!(refused("{}"), CardError::Missing("prompt"));
    assert_eq!(refused(r#"{"prompt":"1","completion":null}"#), CardError::Missing("completion"));
    assert_eq!(refused(r#"{"prompt":"-1","completion":"-1"}"#), CardError::Router);
    assert_eq!(refused(r#"{"prompt":"1","completion":"1","image":"-1.0"}"#), CardError::Router);
    assert!(invalid(r#"{"prompt":"-2","completion":"1"}"#));
    assert!(invalid(r#"{"prompt":"cheap","completion":"1"}"#));
    assert!(invalid(r#"{"prompt":0.5,"completion":"1"}"#), "a number is no exact price");
    assert!(invalid(r#"{"prompt":{"usd":"1"},"completion":"1"}"#));
    let tier =
        |json: &str| refused(&format!(r#"{{"prompt":"1","completion":"1","overrides":[{json}]}}"#));
    assert_eq!(tier(r#"{"utc_start":"2460"}"#), CardError::InvalidTime("2460".into()));
    assert_eq!(tier(r#"{"utc_end":"noon"}"#), CardError::InvalidTime("noon".into()));
    assert_eq!(tier(r#"{"prompt":"-1"}"#), CardError::Router);
    assert!(raw(r#"{"prompt":"1","completion":"1","overrides":null}"#).card().is_ok());
}

#[test]
fn times_of_day_are_minutes_in_utc() {
    let json = r#"{"prompt":"1","completion":"1",
        "overrides":[{"utc_start":"2330","utc_end":"0030","prompt":"2"},{"utc_end":"24:00"}]}"#;
    let card = raw(json).card().expect("priced");
    assert_eq!((card.tiers[0].from_minute, card.tiers[0].until_minute), (Some(1_410), Some(30)));
    assert_eq!((card.tiers[1].from_minute, card.tiers[1].until_minute), (None, Some(1_440)));
}
