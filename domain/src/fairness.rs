//! Requests that go wrong: what the customer is charged then, as a policy with versions.
//!
//! The upstream bills in its own way for what broke. What of it the customer pays is the operator's
//! choice; what the customer does not pay is the operator's cost and stands in the books as such.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::decimal::ListCost;

macro_rules! mishaps {
    ($($(#[$doc:meta])* $name:ident = $wire:literal,)+) => {
        /// A way in which a request goes wrong after it was forwarded.
        #[derive(
            Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
        )]
        pub enum Mishap {
            $($(#[$doc])* #[serde(rename = $wire)] $name,)+
        }

        impl Mishap {
            /// Every one, in the order of the documentation.
            pub const ALL: &[Self] = &[$(Self::$name,)+];

            /// The name as stored and as asked for.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self { $(Self::$name => $wire,)+ }
            }
        }
    };
}

mishaps! {
    /// The client left before the end of a stream.
    ClientLeft = "client_left",
    /// The connection to the upstream broke in the midst of a stream.
    StreamBroke = "stream_broke",
    /// An error in the midst of an answer, with the upstream's bill.
    ErrorWithUsage = "error_with_usage",
    /// The same without a bill.
    ErrorWithoutUsage = "error_without_usage",
    /// A whole answer without a bill.
    UsageMissing = "usage_missing",
    /// HTTP 200 with an error inside instead of an answer, white space before it or not.
    ErrorUnder200 = "error_under_200",
    /// A stream with lines that cannot be read, and no bill in the others.
    MalformedStream = "malformed_stream",
    /// Neither JSON nor an event stream under HTTP 200: somebody's web page.
    WrongContentType = "wrong_content_type",
    /// An answer in one piece that broke off or makes no sense.
    AnswerBroke = "answer_broke",
    /// A time limit: nothing came, or it did not end.
    TimedOut = "timed_out",
    /// The process that served it stopped.
    GatewayStopped = "gateway_stopped",
    /// The answer was delivered, but another node had ended its reservation meanwhile; or another
    /// node had spent the money first, and the call was dropped.
    EndedElsewhere = "ended_elsewhere",
}

/// What the customer pays of a request that went wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Treatment {
    /// What the upstream billed.
    ChargeBilled,
    /// The tokens that were delivered, at list price, and never more than the upstream billed.
    ChargeDelivered,
    /// Nothing.
    Waive,
}

impl Treatment {
    /// The name as stored and as asked for.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::ChargeBilled => "charge_billed",
            Self::ChargeDelivered => "charge_delivered",
            Self::Waive => "waive",
        }
    }

    /// Divides what the upstream billed. The two parts make the bill exactly.
    #[must_use]
    pub fn split(self, billed: ListCost, delivered: ListCost) -> Split {
        let whole = |charged, waived| Split { charged, waived };
        match self {
            Self::ChargeBilled => whole(billed, ListCost::ZERO),
            Self::Waive => whole(ListCost::ZERO, billed),
            Self::ChargeDelivered if delivered >= billed => whole(billed, ListCost::ZERO),
            Self::ChargeDelivered => billed
                .checked_sub(delivered)
                .map(|waived| whole(delivered, waived))
                // More digits than can be kept exactly: then in the customer's favour.
                .unwrap_or_else(|| whole(ListCost::ZERO, billed)),
        }
    }
}

/// A bill divided between the customer and the operator, at list price.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Split {
    /// What the charge is computed from.
    pub charged: ListCost,
    /// What the customer is not charged.
    pub waived: ListCost,
}

/// What happens to requests that go wrong.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FairnessPolicy {
    /// For everything without a case of its own.
    pub everything: Treatment,
    /// Exceptions.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub cases: BTreeMap<Mishap, Treatment>,
}

impl Default for FairnessPolicy {
    /// What counts before an operator chooses: the customer pays what the upstream billed.
    fn default() -> Self {
        Self { everything: Treatment::ChargeBilled, cases: BTreeMap::new() }
    }
}

impl FairnessPolicy {
    /// What this case leads to.
    #[must_use]
    pub fn treatment(&self, mishap: Mishap) -> Treatment {
        self.cases.get(&mishap).copied().unwrap_or(self.everything)
    }

    /// The same policy without exceptions that are none, so that equal policies are equal.
    #[must_use]
    pub fn normal(mut self) -> Self {
        self.cases.retain(|_, treatment| *treatment != self.everything);
        self
    }
}

/// The policy in force, with how often it was set; version 0 is the one that counts before it was.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FairnessInForce {
    /// From 1, dense.
    pub version: u64,
    /// What it says.
    pub policy: FairnessPolicy,
}

impl FairnessInForce {
    /// What stands in the record of a request that went wrong.
    #[must_use]
    pub fn rule(&self, mishap: Mishap) -> Ruling {
        let treatment = self.policy.treatment(mishap);
        Ruling { mishap, treatment, policy_version: self.version }
    }
}

/// What the policy said of one request, frozen into its record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Ruling {
    /// What went wrong.
    pub mishap: Mishap,
    /// What the customer is charged then.
    pub treatment: Treatment,
    /// By which version of the policy.
    pub policy_version: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn cost(text: &str) -> ListCost {
        ListCost::parse(text).expect("a list cost")
    }

    #[test]
    fn names_are_the_stored_ones() {
        for mishap in Mishap::ALL {
            assert_eq!(serde_json::to_value(mishap).expect("encodes"), mishap.name());
        }
        for treatment in [Treatment::ChargeBilled, Treatment::ChargeDelivered, Treatment::Waive] {
            assert_eq!(serde_json::to_value(treatment).expect("encodes"), treatment.name());
        }
    }

    #[test]
    fn delivered_tokens_are_never_charged_beyond_the_bill() {
        let split = |billed, delivered| {
            let split = Treatment::ChargeDelivered.split(cost(billed), cost(delivered));
            (split.charged.to_string(), split.waived.to_string())
        };
        let pair = |charged: &str, waived: &str| (charged.to_owned(), waived.to_owned());
        assert_eq!(split("0.01", "0.004"), pair("0.004", "0.006"));
        assert_eq!(split("0.01", "0.02"), pair("0.01", "0"));
        assert_eq!(split("0.01", "0"), pair("0", "0.01"));
        assert_eq!(split("0.0076509169000000005", "0.001"), pair("0.001", "0.0066509169000000005"));
        // 28 decimals beside 999999 do not fit: nothing is charged rather than too much.
        assert_eq!(split("999999", "1e-28"), pair("0", "999999"));
    }

    #[test]
    fn exceptions_that_are_none_make_no_other_policy() {
        let same = FairnessPolicy {
            everything: Treatment::ChargeBilled,
            cases: BTreeMap::from([(Mishap::ClientLeft, Treatment::ChargeBilled)]),
        };
        assert_eq!(same.normal(), FairnessPolicy::default());
    }
}
