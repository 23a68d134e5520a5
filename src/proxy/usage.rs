//! The `usage` object of an answer: read for the books, rewritten for the customer.

use tollgate_domain::decimal::ListCost;
use tollgate_domain::usage::WireUsage;
use tollgate_domain::{Money, Usage};

use crate::members::Members;

/// What an answer says it consumed and cost.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Billed {
    /// By class.
    pub usage: Usage,
    /// The upstream's figure, where it gave one that is a cost.
    pub cost: Option<ListCost>,
    /// The name of the model that answered.
    pub model: Option<String>,
}

impl Billed {
    /// Reads the bill of an answer or of a chunk; nothing if there is none.
    #[must_use]
    pub fn of(answer: &Members<'_>) -> Option<Self> {
        let billed = Self::read(answer.get("usage")?)?;
        Some(Self { model: answer.text("model"), ..billed })
    }

    /// Reads the JSON text of `usage`; nothing if it is no object.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        let members = Members::read(json).ok()?;
        let usage = serde_json::from_str::<WireUsage>(json).ok()?.classes();
        let cost =
            members.get("cost").and_then(|text| ListCost::parse(text.trim_matches('"')).ok());
        Some(Self { usage, cost, model: None })
    }
}

/// What the customer is told of a charge.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Charged {
    /// What they pay.
    pub charge: Money,
    /// What they have left, where that is known.
    pub balance: Option<Money>,
}

impl Charged {
    /// JSON for the chunk of a stream that carries the bill: its headers are long gone. Dollars
    /// are text, as everywhere outside of the upstream's own format.
    #[must_use]
    pub fn json(&self) -> String {
        let charge = self.charge;
        match self.balance {
            Some(balance) => {
                format!(r#"{{"charge_usd":"{charge}","balance_after_usd":"{balance}"}}"#)
            }
            None => format!(r#"{{"charge_usd":"{charge}"}}"#),
        }
    }
}

/// The customer's `usage`: `cost` is what they pay, and nothing tells what we pay.
#[must_use]
pub fn for_customer(json: &str, charge: Option<Money>) -> String {
    let Ok(mut members) = Members::read(json) else { return "{}".into() };
    members.remove("cost_details");
    members.remove("is_byok");
    match charge {
        // A JSON number, because clients of the upstream's format expect one here.
        Some(charge) => members.set("cost", charge.to_string()),
        None => members.remove("cost"),
    }
    members.write()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_cost_keeps_every_digit_and_exponents_are_read() {
        let billed = Billed::read(r#"{"prompt_tokens":3,"completion_tokens":1,"cost":1.4e-7}"#)
            .expect("usage");
        assert_eq!(billed.cost.expect("a cost").to_string(), "0.00000014");
        assert_eq!((billed.usage.input, billed.usage.output), (3, 1));
    }

    #[test]
    fn a_cost_that_is_none_is_not_zero() {
        for cost in ["null", "-1", "\"n/a\"", "{}"] {
            let json = format!(r#"{{"prompt_tokens":3,"completion_tokens":1,"cost":{cost}}}"#);
            assert_eq!(Billed::read(&json).expect("usage").cost, None, "{cost}");
        }
    }

    #[test]
    fn the_customer_sees_the_charge_and_not_our_cost() {
        let json = r#"{"prompt_tokens":3,"cost":0.010,"is_byok":false,"cost_details":{"upstream_inference_cost":0.01}}"#;
        let charge = Money::parse("0.008").ok();
        assert_eq!(for_customer(json, charge), r#"{"prompt_tokens":3,"cost":0.008}"#);
    }
}
