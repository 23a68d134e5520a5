//! Recorded `usage` objects: what the list price explains, and why it does not explain the rest.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_domain::Timestamp;
use tollgate_domain::decimal::ListCost;
use tollgate_domain::pricing::{PriceCard, list_cost};
use tollgate_domain::usage::WireUsage;

use crate::support;

/// Why a recorded cost is or is not the list price's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Class {
    /// Recomputed to the last digit.
    Exact,
    /// The answer has no `cost` (recorded before the upstream always sent it).
    NoCost,
    /// The requested model is not in the list of 2026-08-08 (retired, or an embedding model).
    NotListed,
    /// Our own key at the provider: charged nothing, and the provider's cost is the list price.
    Byok,
    /// The model's share is exact; each web search costs 0.007 on top, which the model's card
    /// does not name.
    WebSearch,
    /// The model's share is exact; a tool that the upstream ran cost the rest.
    ServerTool,
    /// The same tokens were counted, and billed, as read from a cache and written to it.
    ReadAndWritten,
}

#[derive(Deserialize)]
struct Case<'a> {
    id: Option<String>,
    requested_model: String,
    #[serde(borrow)]
    usage: &'a RawValue,
}

#[derive(Deserialize)]
struct Costs<'a> {
    #[serde(borrow)]
    cost: Option<&'a RawValue>,
    #[serde(borrow)]
    cost_details: Option<CostDetails<'a>>,
}

#[derive(Deserialize)]
struct CostDetails<'a> {
    #[serde(borrow)]
    upstream_inference_cost: Option<&'a RawValue>,
}

fn parse(raw: &RawValue) -> ListCost {
    ListCost::parse(support::text(raw)).expect("a recorded cost is exact decimal text")
}

fn cards() -> BTreeMap<String, PriceCard> {
    support::catalogue(support::AUGUST)
        .into_iter()
        .filter_map(|(id, pricing)| Some((id, pricing.card().ok()?)))
        .collect()
}

/// The class of a case; each reason is proved from the recorded figures, never assumed.
fn classify(case: &Case<'_>, cards: &BTreeMap<String, PriceCard>) -> Class {
    let wire: WireUsage = serde_json::from_str(case.usage.get()).expect("usage decodes");
    let costs: Costs<'_> = serde_json::from_str(case.usage.get()).expect("costs decode");
    let Some(cost) = costs.cost.map(parse) else { return Class::NoCost };
    let Some(card) = cards.get(&case.requested_model) else { return Class::NotListed };
    let usage = wire.classes();
    let computed = list_cost(card, &usage, Timestamp::default()).expect("fits");
    if computed == cost {
        return Class::Exact;
    }
    let upstream =
        costs.cost_details.and_then(|details| details.upstream_inference_cost).map(parse);
    let tools = wire.server_tool_use_details.unwrap_or_default();
    let input = wire.prompt_tokens_details.unwrap_or_default();
    let beyond_the_model = cost.decimal() - upstream.unwrap_or_default().decimal();
    if wire.is_byok == Some(true) {
        assert_eq!((cost, upstream), (ListCost::ZERO, Some(computed)), "{:?}", case.id);
        return Class::Byok;
    }
    if usage.web_searches > 0 {
        let each = tollgate_domain::decimal::parse("0.007").expect("decimal");
        assert_eq!(upstream, Some(computed), "{:?}", case.id);
        assert_eq!(beyond_the_model, each * rust_decimal::Decimal::from(usage.web_searches));
        return Class::WebSearch;
    }
    if tools.tool_calls_executed.is_some_and(|calls| calls > 0) {
        assert_eq!(upstream, Some(computed), "{:?}", case.id);
        assert!(beyond_the_model > rust_decimal::Decimal::ZERO, "{:?}", case.id);
        return Class::ServerTool;
    }
    let (read, written) = (input.cached_tokens, input.cache_write_tokens);
    if read.unwrap_or(0) + written.unwrap_or(0) > wire.input() {
        // Written tokens are counted by our classes; adding the same ones as read explains it.
        let rates = card.rates_for(wire.input(), Timestamp::default());
        let again = rates.input_cache_read.expect("priced").decimal()
            * rust_decimal::Decimal::from(read.unwrap_or(0));
        let gap = cost.decimal() - computed.decimal() - again;
        let noise = tollgate_domain::decimal::parse("1e-15").expect("decimal");
        assert!(gap.abs() < noise, "{:?}: {gap} is not explained", case.id);
        return Class::ReadAndWritten;
    }
    panic!("{:?}: {} computed, {} recorded, and no reason known", case.id, computed, cost);
}

#[test]
fn every_recorded_cost_is_exact_or_has_a_proven_reason() {
    let cards = cards();
    let mut found: BTreeMap<Class, u32> = BTreeMap::new();
    for line in support::USAGE_CASES.lines() {
        let case: Case<'_> = serde_json::from_str(line).expect("the case decodes");
        *found.entry(classify(&case, &cards)).or_default() += 1;
    }
    let expected = BTreeMap::from([
        (Class::Exact, 66),
        (Class::NoCost, 6),
        (Class::NotListed, 7),
        (Class::Byok, 1),
        (Class::WebSearch, 1),
        (Class::ServerTool, 2),
        (Class::ReadAndWritten, 1),
    ]);
    assert_eq!(found, expected);
}

#[test]
fn the_classes_of_every_recorded_answer_add_up_to_its_own_totals() {
    for line in support::USAGE_CASES.lines() {
        let case: Case<'_> = serde_json::from_str(line).expect("the case decodes");
        let wire: WireUsage = serde_json::from_str(case.usage.get()).expect("usage decodes");
        let usage = wire.classes();
        assert_eq!(usage.prompt_tokens(), wire.input(), "{:?}", case.id);
        assert_eq!(usage.completion_tokens(), wire.output(), "{:?}", case.id);
        assert_eq!(Some(usage.total_tokens()), wire.total_tokens, "{:?}", case.id);
        assert!(usage.reasoning <= usage.output, "{:?}", case.id);
    }
}

fn classes(json: &str) -> tollgate_domain::Usage {
    serde_json::from_str::<WireUsage>(json).expect("usage decodes").classes()
}

#[test]
fn odd_counts_are_read_without_losing_the_object() {
    let usage = classes(
        r#"{"prompt_tokens":12.0,"completion_tokens":-3,"total_tokens":null,
            "prompt_tokens_details":{"cached_tokens":"5","audio_tokens":[],"new":1},
            "completion_tokens_details":null,"is_byok":null,"cost":1.4e-7}"#,
    );
    assert_eq!((usage.input, usage.cache_read, usage.audio_input), (7, 5, 0));
    assert_eq!(usage.completion_tokens(), 0);
    assert_eq!(classes(r#"{"prompt_tokens":1.2e1}"#).input, 12);
    assert_eq!(classes(r#"{"prompt_tokens":1e300,"total_tokens":9}"#).input, 9);
    assert_eq!(classes(r#"{"prompt_tokens":18446744073709551615}"#).input, u64::MAX);
    assert_eq!(classes("{}"), tollgate_domain::Usage::default());
}

#[test]
fn parts_that_exceed_the_whole_are_cut_and_never_added() {
    let usage = classes(
        r#"{"prompt_tokens":10,"completion_tokens":4,
            "prompt_tokens_details":{"cached_tokens":9,"cache_write_tokens":8,"audio_tokens":7},
            "completion_tokens_details":{"image_tokens":3,"audio_tokens":3,"reasoning_tokens":9}}"#,
    );
    assert_eq!((usage.input, usage.cache_read, usage.cache_write, usage.audio_input), (0, 1, 8, 1));
    assert_eq!((usage.output, usage.image_output, usage.audio_output), (0, 3, 1));
    assert_eq!(usage.reasoning, 0);
}

#[test]
fn the_responses_names_and_the_older_tool_name_mean_the_same() {
    let usage = classes(
        r#"{"input_tokens":10,"output_tokens":4,"input_tokens_details":{"cached_tokens":6},
            "output_tokens_details":{"reasoning_tokens":2},
            "server_tool_use":{"web_search_requests":3}}"#,
    );
    assert_eq!((usage.input, usage.cache_read, usage.output, usage.reasoning), (4, 6, 4, 2));
    assert_eq!(usage.web_searches, 3);
}
