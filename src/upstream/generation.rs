//! The upstream's own record of one generation: the truth where an answer did not end.

use serde::Deserialize;
use serde_json::value::RawValue;
use tollgate_domain::Usage;
use tollgate_domain::decimal::ListCost;

/// What `/generation` says about the cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GenerationRecord {
    /// What the upstream charged.
    pub total_cost: ListCost,
    /// Tokens by its own counter.
    pub usage: Usage,
    /// The model that answered.
    pub model: Option<String>,
}

#[derive(Deserialize)]
struct Answer<'a> {
    #[serde(borrow)]
    data: Data<'a>,
}

#[derive(Deserialize)]
struct Data<'a> {
    #[serde(borrow)]
    total_cost: &'a RawValue,
    #[serde(default)]
    model: Option<String>,
    #[serde(default)]
    native_tokens_prompt: Option<u64>,
    #[serde(default)]
    native_tokens_completion: Option<u64>,
    #[serde(default)]
    native_tokens_cached: Option<u64>,
    #[serde(default)]
    native_tokens_reasoning: Option<u64>,
    #[serde(default)]
    tokens_prompt: Option<u64>,
    #[serde(default)]
    tokens_completion: Option<u64>,
    #[serde(default)]
    num_search_results: Option<u64>,
}

impl GenerationRecord {
    /// Reads the answer of `GET /generation`; the cost keeps all its digits.
    ///
    /// # Errors
    /// Not the documented shape, or a cost that is no decimal.
    pub fn read(bytes: &[u8]) -> Result<Self, serde_json::Error> {
        let data = serde_json::from_slice::<Answer<'_>>(bytes)?.data;
        let total_cost = ListCost::parse(data.total_cost.get().trim_matches('"'))
            .map_err(serde::de::Error::custom)?;
        let prompt = data.native_tokens_prompt.or(data.tokens_prompt).unwrap_or(0);
        let cache_read = data.native_tokens_cached.unwrap_or(0).min(prompt);
        let output = data.native_tokens_completion.or(data.tokens_completion).unwrap_or(0);
        let usage = Usage {
            input: prompt - cache_read,
            cache_read,
            output,
            reasoning: data.native_tokens_reasoning.unwrap_or(0).min(output),
            web_searches: u64::from(data.num_search_results.unwrap_or(0) > 0),
            ..Usage::default()
        };
        Ok(Self { total_cost, usage, model: data.model })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_record_keeps_every_digit_of_the_cost() {
        let record = GenerationRecord::read(
            br#"{"data":{"id":"gen-1","total_cost":0.0076509169000000005,
                "native_tokens_prompt":10,"native_tokens_cached":4,"native_tokens_completion":7}}"#,
        )
        .expect("the documented shape");
        assert_eq!(record.total_cost.to_string(), "0.0076509169000000005");
        assert_eq!((record.usage.input, record.usage.cache_read, record.usage.output), (6, 4, 7));
    }

    #[test]
    fn a_record_without_a_cost_is_no_record() {
        assert!(GenerationRecord::read(br#"{"data":{"id":"gen-1"}}"#).is_err());
        assert!(GenerationRecord::read(br#"{"data":{"total_cost":null}}"#).is_err());
    }
}
