//! Faults on demand: the ways in which an upstream can fail, named so that a test can ask for one.

use std::str::FromStr;
use std::time::Duration;

use axum::http::StatusCode;
use rust_decimal::Decimal;
use serde_json::json;

use super::money;
use super::wire::WireError;

/// No fault lasts longer: beyond some years, a deadline overflows the clock.
pub const LONGEST: Duration = Duration::from_secs(24 * 3_600);

/// How the body of an answer goes wrong. One answer can go wrong in one way.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BodyFault {
    MidstreamError { with_usage: bool },
    MidstreamErrorBilled,
    MissingUsage,
    UsageTwice,
    NoDone,
    Drop,
    DropBeforeHeaders,
    PaddedError,
    BilledError,
    GarbledUsage,
    Stall,
    FinishError,
    WrongContentType,
    MalformedSse,
    Endless,
}

/// How `usage.cost` is misspelt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum CostFault {
    /// Another figure than the list price gives; the account is charged this one.
    Is(Decimal),
    Missing,
    Null,
    Text,
}

/// Everything that one request asked to go wrong.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Faults {
    pub status: Option<StatusCode>,
    pub retry_after_seconds: Option<u64>,
    pub slow_first_token: Option<Duration>,
    pub slow_chunks: Option<Duration>,
    pub body: Option<BodyFault>,
    pub cost: Option<CostFault>,
    pub generation_late: Option<Duration>,
    pub generation_never: bool,
    pub no_generation_id: bool,
}

impl Faults {
    pub fn any(&self) -> bool {
        *self != Self::default()
    }

    /// Adds what a text names: `name` or `name=argument`, several separated by commas.
    pub fn add(&mut self, text: &str) -> Result<(), WireError> {
        for item in text.split(',').map(str::trim).filter(|item| !item.is_empty()) {
            let (name, argument) = item.split_once('=').unwrap_or((item, ""));
            if self.add_one(name.trim(), argument.trim()).is_none() {
                let message = format!("The sandbox knows no fault \"{item}\"");
                return Err(WireError::bad_request(message));
            }
        }
        Ok(())
    }

    fn add_one(&mut self, name: &str, argument: &str) -> Option<()> {
        if let Some(fault) = body_fault(name) {
            self.body = Some(fault);
            return Some(());
        }
        let millis = || Some(Duration::from_millis(argument.parse().ok()?).min(LONGEST));
        match name {
            "status" => {
                let status = StatusCode::from_str(argument).ok()?;
                self.status = Some(status).filter(|status| (400..600).contains(&status.as_u16()));
                self.status?;
            }
            "retry-after" => self.retry_after_seconds = Some(argument.parse().ok()?),
            "slow-first-token" => self.slow_first_token = Some(millis()?),
            "slow-chunks" => self.slow_chunks = Some(millis()?),
            "generation-late" => self.generation_late = Some(millis()?),
            "generation-never" => self.generation_never = true,
            "no-generation-id" => self.no_generation_id = true,
            "wrong-cost" => self.cost = Some(CostFault::Is(money::parse(argument)?)),
            "negative-cost" => self.cost = Some(CostFault::Is(Decimal::NEGATIVE_ONE)),
            "missing-cost" => self.cost = Some(CostFault::Missing),
            "null-cost" => self.cost = Some(CostFault::Null),
            "text-cost" => self.cost = Some(CostFault::Text),
            _ => return None,
        }
        Some(())
    }

    /// The refusal to answer with, where the request asked for one.
    pub fn refusal(&self, model: &str, provider: &str) -> Option<WireError> {
        let mut error = refusal(self.status?, model, provider);
        if let Some(seconds) = self.retry_after_seconds {
            error.retry_after_seconds = Some(seconds);
        }
        Some(error)
    }
}

fn body_fault(name: &str) -> Option<BodyFault> {
    Some(match name {
        "midstream-error" => BodyFault::MidstreamError { with_usage: true },
        "midstream-error-nousage" => BodyFault::MidstreamError { with_usage: false },
        "midstream-error-billed" => BodyFault::MidstreamErrorBilled,
        "billed-error" => BodyFault::BilledError,
        "garbled-usage" => BodyFault::GarbledUsage,
        "stall" => BodyFault::Stall,
        "missing-usage" => BodyFault::MissingUsage,
        "usage-twice" => BodyFault::UsageTwice,
        "no-done" => BodyFault::NoDone,
        "drop" => BodyFault::Drop,
        "drop-before-headers" => BodyFault::DropBeforeHeaders,
        "padded-error" => BodyFault::PaddedError,
        "finish-error" => BodyFault::FinishError,
        "wrong-content-type" => BodyFault::WrongContentType,
        "malformed-sse" => BodyFault::MalformedSse,
        "endless" => BodyFault::Endless,
        _ => return None,
    })
}

/// The body that the real upstream sends with a status.
fn refusal(status: StatusCode, model: &str, provider: &str) -> WireError {
    let new = |message: &str| WireError::new(status, message);
    let from_provider = |raw: String| {
        new("Provider returned error")
            .with_metadata(json!({ "raw": raw, "provider_name": provider, "is_byok": false }))
            .naming_the_user()
    };
    match status.as_u16() {
        400 => new("Invalid request parameters"),
        401 => new("User not found."),
        402 => insufficient_credits(),
        403 => new(
            "Key limit exceeded (total limit). Manage it using https://openrouter.ai/settings/keys",
        ),
        404 => new("No endpoints found that support input video")
            .with_metadata(json!({ "failed_routing_step": "Filter by Input Video Support" })),
        408 => new("Operation timed out. Please try again later."),
        413 => new("Request payload too large"),
        422 => new("Invalid argument"),
        429 => {
            let mut error = from_provider(format!(
                "{model} is temporarily rate-limited upstream. Please retry shortly, or add your \
                 own key to accumulate your rate limits: \
                 https://openrouter.ai/settings/integrations"
            ));
            error.retry_after_seconds = Some(1);
            error
        }
        500 => new("Internal Server Error"),
        502 => from_provider(
            r#"{"error":{"code":500,"message":"An internal error has occurred."}}"#.to_owned(),
        ),
        503 => {
            let mut error = new("Service temporarily unavailable");
            error.retry_after_seconds = Some(1);
            error
        }
        524 => new("Request timed out. Please try again later."),
        529 => from_provider(r#"{"type":"overloaded_error","message":"Overloaded"}"#.to_owned()),
        _ => new(status.canonical_reason().unwrap_or("Provider returned error")),
    }
}

/// The account has spent what it bought.
pub fn insufficient_credits() -> WireError {
    WireError::new(
        StatusCode::PAYMENT_REQUIRED,
        "Insufficient credits. Add more using https://openrouter.ai/credits",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(text: &str) -> Result<Faults, WireError> {
        let mut faults = Faults::default();
        faults.add(text).map(|()| faults)
    }

    #[test]
    fn several_faults_combine_and_unknown_ones_are_refused() {
        let both = faults("drop, generation-late=500").unwrap();
        assert_eq!(both.body, Some(BodyFault::Drop));
        assert_eq!(both.generation_late, Some(Duration::from_millis(500)));
        for wrong in ["dropp", "status=200", "status", "slow-chunks=soon", "wrong-cost=much"] {
            assert!(faults(wrong).is_err(), "{wrong} was accepted");
        }
        assert!(!faults("").unwrap().any());
    }

    #[test]
    fn a_wrong_cost_keeps_its_decimals() {
        let fault = faults("wrong-cost=0.0000000000000000000001").unwrap();
        assert_eq!(fault.cost, Some(CostFault::Is(Decimal::new(1, 22))));
    }
}
