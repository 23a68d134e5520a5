//! The sandbox's own levers on a request: headers, the body's `sandbox` field, the model's suffix.

use std::time::Duration;

use axum::http::HeaderMap;

use super::fault::{Faults, LONGEST};
use super::request::SandboxField;
use super::wire::WireError;

/// What separates a model id from the fault that it asks for.
const FAULT_SUFFIX: &str = "@fault-";

/// Token counts to report instead of the counted ones: used to replay traces.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Forced {
    pub prompt: u64,
    pub completion: u64,
    pub cached: u64,
}

#[derive(Debug, Clone, Default)]
pub struct Controls {
    pub faults: Faults,
    pub tokens: Option<Forced>,
    pub delay: Option<Duration>,
}

impl Controls {
    /// Gathers the levers. Headers are read first; the body and the suffix add to them.
    pub fn gather(
        headers: &HeaderMap,
        field: Option<&SandboxField>,
        suffix: Option<&str>,
    ) -> Result<Self, WireError> {
        let mut controls = Self::default();
        for text in headers.get_all("x-sandbox-fault").iter().filter_map(|v| v.to_str().ok()) {
            controls.faults.add(text)?;
        }
        if let Some(text) = header(headers, "x-sandbox-tokens") {
            let counts: Result<Vec<u64>, _> = text.split(',').map(|n| n.trim().parse()).collect();
            controls.tokens = Some(forced(&counts.unwrap_or_default())?);
        }
        if let Some(text) = header(headers, "x-sandbox-delay") {
            let millis = text.trim().parse().map_err(|_| bad("X-Sandbox-Delay"))?;
            controls.delay = Some(Duration::from_millis(millis).min(LONGEST));
        }
        if let Some(field) = field {
            controls.faults.add(field.fault.as_deref().unwrap_or_default())?;
            controls.tokens = match &field.tokens {
                Some(counts) => Some(forced(counts)?),
                None => controls.tokens,
            };
            let delay = field.delay_ms.map(|millis| Duration::from_millis(millis).min(LONGEST));
            controls.delay = delay.or(controls.delay);
        }
        controls.faults.add(suffix.unwrap_or_default())?;
        Ok(controls)
    }
}

/// Whether any header steers the sandbox: the quick path looks no further without one.
pub fn present(headers: &HeaderMap) -> bool {
    ["x-sandbox-fault", "x-sandbox-tokens", "x-sandbox-delay"]
        .iter()
        .any(|name| headers.contains_key(*name))
}

/// Splits `author/model@fault-name=argument` into the model and the fault.
pub fn split_model(requested: &str) -> (&str, Option<&str>) {
    match requested.split_once(FAULT_SUFFIX) {
        Some((model, fault)) => (model, Some(fault)),
        None => (requested, None),
    }
}

fn header<'a>(headers: &'a HeaderMap, name: &str) -> Option<&'a str> {
    headers.get(name)?.to_str().ok()
}

fn forced(counts: &[u64]) -> Result<Forced, WireError> {
    // A quadrillion tokens would overflow nothing here, but no trace holds them either.
    const MOST: u64 = 1_000_000_000;
    match *counts {
        [prompt, completion] if prompt.max(completion) <= MOST => {
            Ok(Forced { prompt, completion, cached: 0 })
        }
        [prompt, completion, cached] if prompt.max(completion) <= MOST && cached <= prompt => {
            Ok(Forced { prompt, completion, cached })
        }
        _ => Err(bad("X-Sandbox-Tokens")),
    }
}

fn bad(what: &str) -> WireError {
    WireError::bad_request(format!("The sandbox cannot read {what}; its README lists the forms"))
}
