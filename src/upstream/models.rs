//! The upstream's catalogue.

use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_domain::PriceCard;
use tollgate_domain::pricing::{CardError, RawPricing};

/// One model as the upstream lists it.
#[derive(Debug, Clone)]
pub struct Listing {
    /// The id that requests name.
    pub model: String,
    /// The whole listing as JSON text.
    pub json: String,
    /// What bounds a request.
    pub info: ModelInfo,
    /// The name that answers give it.
    pub canonical_slug: Option<String>,
    /// The model that it stands for, where it is an alias.
    pub alias_of: Option<String>,
    /// Its prices, or why it cannot be sold.
    pub card: Result<PriceCard, CardError>,
}

/// What bounds a request to a model.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ModelInfo {
    /// Prompt and answer together, in tokens.
    pub context_length: Option<u64>,
    /// The answer, in tokens.
    pub most_output_tokens: Option<u64>,
    /// Can it answer with pictures?
    pub image_output: bool,
    /// Can it answer with sound?
    pub audio_output: bool,
    /// Does it make vectors?
    pub embeddings: bool,
}

#[derive(Deserialize)]
struct Catalogue<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

#[derive(Deserialize)]
struct RawListing<'a> {
    id: String,
    #[serde(default)]
    canonical_slug: Option<String>,
    #[serde(default)]
    alias_target: Option<AliasTarget>,
    #[serde(default)]
    context_length: Option<u64>,
    #[serde(default)]
    top_provider: Option<TopProvider>,
    #[serde(default)]
    architecture: Option<Architecture>,
    #[serde(borrow)]
    pricing: &'a RawValue,
}

#[derive(Deserialize)]
struct AliasTarget {
    slug: String,
}

#[derive(Deserialize)]
struct TopProvider {
    #[serde(default)]
    context_length: Option<u64>,
    #[serde(default)]
    max_completion_tokens: Option<u64>,
}

#[derive(Deserialize)]
struct Architecture {
    #[serde(default)]
    output_modalities: Vec<String>,
}

#[derive(Deserialize)]
struct Discount<'a> {
    #[serde(borrow, default)]
    discount: Option<&'a RawValue>,
}

/// Reads the answer of `GET /models`. A model that makes no sense is left out and logged: one odd
/// entry must not take the others off sale.
///
/// # Errors
/// It is no model list at all.
pub fn read_listings(bytes: &[u8]) -> Result<Vec<Listing>, serde_json::Error> {
    let catalogue: Catalogue<'_> = serde_json::from_slice(bytes)?;
    Ok(catalogue.data.iter().filter_map(|raw| read_listing(raw.get())).collect())
}

/// Reads one listing; nothing if it makes no sense.
#[must_use]
pub fn read_listing(json: &str) -> Option<Listing> {
    let raw: RawListing<'_> = match serde_json::from_str(json) {
        Ok(raw) => raw,
        Err(error) => {
            tracing::warn!(%error, "a model of the catalogue cannot be read and is not sold");
            return None;
        }
    };
    let card = match read_pricing(raw.pricing.get()) {
        Ok(pricing) => pricing.card(),
        Err(error) => {
            tracing::warn!(model = raw.id, %error, "prices cannot be read, the model is not sold");
            Err(CardError::Missing("prompt"))
        }
    };
    let top = raw.top_provider;
    let modality = |name: &str| {
        raw.architecture
            .as_ref()
            .is_some_and(|known| known.output_modalities.iter().any(|kind| kind == name))
    };
    let info = ModelInfo {
        context_length: top.as_ref().and_then(|top| top.context_length).or(raw.context_length),
        most_output_tokens: top.and_then(|top| top.max_completion_tokens),
        image_output: modality("image"),
        audio_output: modality("audio"),
        embeddings: modality("embeddings"),
    };
    Some(Listing {
        model: raw.id,
        json: json.to_owned(),
        info,
        canonical_slug: raw.canonical_slug,
        alias_of: raw.alias_target.map(|target| target.slug),
        card,
    })
}

fn read_pricing(json: &str) -> Result<RawPricing, serde_json::Error> {
    let mut pricing: RawPricing = serde_json::from_str(json)?;
    let discount: Discount<'_> = serde_json::from_str(json)?;
    // As text, so that it does not pass through a float.
    pricing.discount = discount.discount.map(|raw| raw.get().trim_matches('"').to_owned());
    Ok(pricing)
}
