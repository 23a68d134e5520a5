//! The fixtures, read once per test.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_domain::pricing::RawPricing;

pub const AUGUST: &str = include_str!("../data/openrouter-models-2026-08-08.json");
pub const JULY: &str = include_str!("../data/openrouter-models-2026-07-17.json");
pub const USAGE_CASES: &str = include_str!("../data/openrouter-usage-cases.jsonl");

#[derive(Deserialize)]
struct Catalogue {
    data: Vec<Model>,
}

#[derive(Deserialize)]
struct Model {
    id: String,
    pricing: RawPricing,
}

/// Requested model id → `pricing`.
pub fn catalogue(text: &str) -> BTreeMap<String, RawPricing> {
    let catalogue: Catalogue = serde_json::from_str(text).expect("the catalogue decodes");
    let count = catalogue.data.len();
    let models: BTreeMap<_, _> =
        catalogue.data.into_iter().map(|model| (model.id, model.pricing)).collect();
    assert_eq!(models.len(), count, "ids are unique");
    models
}

/// A number or a string as decimal text, so that no figure passes through a float.
pub fn text(raw: &RawValue) -> &str {
    raw.get().trim_matches('"')
}
