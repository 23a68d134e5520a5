//! The models on offer: OpenRouter's public list of 8 August 2026, embedded.

use std::collections::HashMap;
use std::sync::LazyLock;

use rust_decimal::Decimal;
use serde::Deserialize;
use serde_json::value::RawValue;

use super::price::PriceList;

const JSON: &str = include_str!("catalogue.json");

/// Router models have no price of their own and answer as this cheap one.
const ROUTED_TO: &str = "openai/gpt-4o-mini";
/// The router over free models answers as this one, and charges nothing.
const FREE_ROUTED_TO: &str = "openai/gpt-oss-20b:free";

/// Suffixes that choose how a model is served, not which: they need no entry of their own.
const SERVING_SUFFIXES: [&str; 6] =
    [":nitro", ":floor", ":online", ":exacto", ":extended", ":thinking"];

/// One model of the catalogue.
#[derive(Debug, Deserialize)]
pub struct Model {
    pub id: String,
    pub canonical_slug: String,
    pub name: String,
    #[serde(default)]
    pub created: i64,
    #[serde(default)]
    pub context_length: Option<u64>,
    pub pricing: PriceList,
    #[serde(default)]
    pub architecture: Architecture,
    #[serde(default)]
    pub top_provider: TopProvider,
    #[serde(default)]
    pub supported_parameters: Vec<String>,
    #[serde(default)]
    alias_target: Option<AliasTarget>,
}

#[derive(Debug, Default, Deserialize)]
pub struct Architecture {
    #[serde(default)]
    pub input_modalities: Vec<String>,
    #[serde(default)]
    pub output_modalities: Vec<String>,
}

#[derive(Debug, Default, Deserialize)]
pub struct TopProvider {
    #[serde(default)]
    pub max_completion_tokens: Option<u64>,
}

#[derive(Debug, Deserialize)]
struct AliasTarget {
    slug: String,
}

/// A requested id resolved: whose price is charged and whose name the answer carries.
#[derive(Debug, Clone, Copy)]
pub struct Choice {
    pub priced: &'static Model,
    pub served: &'static Model,
}

pub struct Catalogue {
    models: Vec<Model>,
    /// Each model as the file spells it, in the same order.
    raw: Vec<&'static RawValue>,
    by_id: HashMap<&'static str, usize>,
    by_slug: HashMap<&'static str, usize>,
    embeddings: Vec<Model>,
}

static CATALOGUE: LazyLock<Catalogue> = LazyLock::new(load);

pub fn catalogue() -> &'static Catalogue {
    &CATALOGUE
}

#[derive(Deserialize)]
struct File<'a> {
    #[serde(borrow)]
    data: Vec<&'a RawValue>,
}

fn load() -> Catalogue {
    // The file is part of the program and a test reads it, so failing here is a broken build.
    let file: File<'static> =
        serde_json::from_str(JSON).expect("the embedded catalogue is a model list");
    let mut models: Vec<Model> = Vec::with_capacity(file.data.len());
    for raw in &file.data {
        models.push(serde_json::from_str(raw.get()).expect("every embedded model can be read"));
    }
    Catalogue {
        by_id: index(&file.data, |entry| entry.id),
        by_slug: index(&file.data, |entry| entry.canonical_slug),
        embeddings: embedding_models(),
        raw: file.data,
        models,
    }
}

#[derive(Deserialize)]
struct Names<'a> {
    id: &'a str,
    canonical_slug: &'a str,
}

/// Where two models share a name (`:free` and `:batch` share the slug) the plainest id wins.
fn index(
    raw: &[&'static RawValue],
    name: fn(Names<'static>) -> &'static str,
) -> HashMap<&'static str, usize> {
    let mut index = HashMap::new();
    for (position, entry) in raw.iter().enumerate() {
        let Ok(names) = serde_json::from_str::<Names<'static>>(entry.get()) else { continue };
        let suffixed = names.id.contains(':');
        let name = name(names);
        if !suffixed {
            index.insert(name, position);
        }
        index.entry(name).or_insert(position);
    }
    index
}

fn embedding_models() -> Vec<Model> {
    [("text-embedding-3-small", 2, 8), ("text-embedding-3-large", 13, 8)]
        .map(|(name, digits, scale)| Model {
            id: format!("openai/{name}"),
            canonical_slug: format!("openai/{name}"),
            name: format!("OpenAI: {name}"),
            created: 1_706_227_200,
            context_length: Some(8_192),
            pricing: PriceList::flat(Decimal::new(digits, scale)),
            architecture: Architecture {
                input_modalities: vec!["text".to_owned()],
                output_modalities: vec!["embeddings".to_owned()],
            },
            top_provider: TopProvider::default(),
            supported_parameters: Vec::new(),
            alias_target: None,
        })
        .into()
}

impl Catalogue {
    pub fn raw(&self) -> &[&'static RawValue] {
        &self.raw
    }

    pub fn models(&self) -> &[Model] {
        &self.models
    }

    pub fn embeddings(&self) -> &[Model] {
        &self.embeddings
    }

    fn by_name(&'static self, name: &str) -> Option<&'static Model> {
        let position = self.by_id.get(name).or_else(|| self.by_slug.get(name))?;
        self.models.get(*position)
    }

    /// Resolves what a client may write: an id, a canonical slug, an alias, a router, or any of
    /// them with a serving suffix.
    pub fn find(&'static self, requested: &str) -> Option<Choice> {
        let priced = self.by_name(requested).or_else(|| {
            let suffix = SERVING_SUFFIXES.iter().find(|suffix| requested.ends_with(**suffix))?;
            self.by_name(requested.strip_suffix(suffix)?)
        })?;
        if priced.pricing.is_router() {
            let model = self.by_name(ROUTED_TO)?;
            return Some(Choice { priced: model, served: model });
        }
        if priced.id == "openrouter/free" {
            return Some(Choice { priced, served: self.by_name(FREE_ROUTED_TO)? });
        }
        let target = priced.alias_target.as_ref().and_then(|target| self.by_name(&target.slug));
        Some(Choice { priced, served: target.unwrap_or(priced) })
    }

    pub fn find_embedding(&'static self, requested: &str) -> Option<&'static Model> {
        self.embeddings.iter().find(|model| model.id == requested)
    }
}

impl Model {
    pub fn author(&self) -> &str {
        self.id.split('/').next().unwrap_or_default().trim_start_matches('~')
    }

    pub fn supports(&self, parameter: &str) -> bool {
        self.supported_parameters.iter().any(|known| known == parameter)
    }

    pub fn accepts(&self, modality: &str) -> bool {
        self.architecture.input_modalities.iter().any(|known| known == modality)
    }

    pub fn produces(&self, modality: &str) -> bool {
        self.architecture.output_modalities.iter().any(|known| known == modality)
    }

    /// The company that serves the model, as the answer's `provider` spells it.
    pub fn provider(&self) -> &str {
        match self.author() {
            "openai" => "OpenAI",
            "anthropic" => "Anthropic",
            "google" => "Google AI Studio",
            "x-ai" => "xAI",
            "deepseek" => "DeepSeek",
            "mistralai" => "Mistral",
            "qwen" => "Alibaba",
            "z-ai" => "Z.AI",
            "minimax" => "Minimax",
            "moonshotai" => "Moonshot AI",
            "nvidia" => "Nvidia",
            "cohere" => "Cohere",
            "amazon" => "Amazon Bedrock",
            "perplexity" => "Perplexity",
            _ => "DeepInfra",
        }
    }
}
