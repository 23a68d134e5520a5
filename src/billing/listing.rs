//! The upstream's description of a model, with our prices.

use serde_json::value::RawValue;
use tollgate_domain::decimal::{self, Ratio};

use crate::members::Members;

/// Members of `pricing` and of its tiers that are no prices.
const NO_PRICES: [&str; 4] = ["discount", "min_prompt_tokens", "utc_start", "utc_end"];

/// The listing as JSON text, each price multiplied by the sale ratio, with the members that OpenAI
/// has and OpenRouter has not; nothing if it is no listing.
#[must_use]
pub fn for_sale(listing: &str, ratio: Ratio) -> Option<String> {
    let mut members = Members::read(listing).ok()?;
    let pricing = Members::read(members.get("pricing")?).ok().map(|prices| sale(prices, ratio))?;
    // Clients that were made of OpenAI's description insist on these two.
    let owner = serde_json::to_string(&owner(members.get("id")?)?).ok()?;
    members.set("pricing", pricing);
    members.set("object", "\"model\"");
    members.set("owned_by", owner);
    Some(members.write())
}

/// Who made the model: what its id begins with.
fn owner(id: &str) -> Option<String> {
    let id: String = serde_json::from_str(id).ok()?;
    Some(id.split('/').next().unwrap_or_default().trim_start_matches('~').to_owned())
}

fn sale(mut prices: Members<'_>, ratio: Ratio) -> String {
    prices.update(|name, json| match name {
        "overrides" => {
            let tiers: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let tiers: Vec<String> = tiers
                .iter()
                .filter_map(|tier| Members::read(tier.get()).ok())
                .map(|tier| sale(tier, ratio))
                .collect();
            Some(format!("[{}]", tiers.join(",")))
        }
        name if NO_PRICES.contains(&name) => None,
        _ => {
            let price = decimal::parse(json.trim_matches('"')).ok()?;
            let sold = price.checked_mul(ratio.decimal())?;
            Some(format!("\"{}\"", sold.normalize()))
        }
    });
    prices.write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_price_is_ours_and_what_openai_s_clients_need_is_there() {
        let listing = r#"{"id":"a/b","context_length":32000,"pricing":{"prompt":"0.0000010","completion":"0.000002","overrides":[{"min_prompt_tokens":200,"prompt":"0.00001"}]}}"#;
        let ratio = Ratio::parse("0.8").expect("a ratio");
        assert_eq!(
            for_sale(listing, ratio).expect("a listing"),
            r#"{"id":"a/b","context_length":32000,"pricing":{"prompt":"0.0000008","completion":"0.0000016","overrides":[{"min_prompt_tokens":200,"prompt":"0.000008"}]},"object":"model","owned_by":"a"}"#
        );
    }
}
