//! An answer in one piece.

use std::time::Duration;

use serde_json::Value;
use tokio::time::{Instant, timeout};
use tollgate_domain::Money;

use super::failure::{Fault, ended_by_error};
use super::usage::{Billed, for_customer};
use crate::members::Members;

/// Longest answer: a hundred pictures as base64.
const LONGEST: usize = 128 << 20;

/// What came of reading an answer.
#[derive(Debug)]
pub enum Whole {
    /// It came to its end.
    Read(Vec<u8>),
    /// It broke off or is too long.
    Broken,
    /// It came too slowly, or did not end.
    TimedOut,
}

/// Reads an answer to its end, within these limits.
pub async fn read(mut answer: reqwest::Response, idle: Duration, whole: Duration) -> Whole {
    let deadline = Instant::now() + whole;
    let mut bytes =
        Vec::with_capacity(answer.content_length().unwrap_or(2_048).min(1 << 20) as usize);
    loop {
        let wait = idle.min(deadline.saturating_duration_since(Instant::now()));
        match timeout(wait, answer.chunk()).await {
            Ok(Ok(Some(chunk))) if bytes.len() + chunk.len() <= LONGEST => {
                bytes.extend_from_slice(&chunk);
            }
            Ok(Ok(None)) => return Whole::Read(bytes),
            Ok(Ok(Some(_)) | Err(_)) => return Whole::Broken,
            Err(_) => return Whole::TimedOut,
        }
    }
}

/// What an answer turned out to be.
#[derive(Debug)]
pub enum Answer {
    /// An answer of a model; the text is the customer's, with the sale price.
    Completion {
        /// JSON.
        text: String,
        /// The bill, where there is one.
        billed: Option<Billed>,
        /// What the customer pays, where that is known already.
        charge: Option<Money>,
        /// Bytes of text, reasoning and arguments; counted where there is no bill, or an error.
        delivered: u64,
        /// The provider failed on the way.
        failed: bool,
    },
    /// An error under HTTP 200, perhaps with a bill.
    Fault(Fault, Option<Billed>),
    /// No JSON.
    Unreadable,
}

/// Understands an answer; white space around it is the upstream's keep-alive.
#[must_use]
pub fn understand(bytes: &[u8], charge: &impl Fn(&Billed, Option<u64>) -> Option<Money>) -> Answer {
    let Ok(text) = std::str::from_utf8(bytes) else { return Answer::Unreadable };
    let text = text.trim();
    let Ok(mut members) = Members::read(text) else { return Answer::Unreadable };
    let billed = Billed::of(&members);
    if members.get("choices").or_else(|| members.get("data")).is_none() {
        return match Fault::read(text) {
            Some(fault) => Answer::Fault(fault, billed),
            None => Answer::Unreadable,
        };
    }
    let choices = members.get("choices").unwrap_or_default();
    let failed = ended_by_error(choices);
    let delivered = if billed.is_none() || failed { delivered(choices) } else { 0 };
    let charge = billed.as_ref().and_then(|billed| charge(billed, failed.then_some(delivered)));
    if billed.is_some() {
        let usage = members.get("usage").map(|usage| for_customer(usage, charge));
        members.set("usage", usage.unwrap_or_default());
    }
    Answer::Completion { text: members.write(), billed, charge, delivered, failed }
}

/// Bytes that the model wrote, as far as they are text.
fn delivered(choices: &str) -> u64 {
    let Ok(choices) = serde_json::from_str::<Vec<Value>>(choices) else { return 0 };
    let length = |value: &Value| value.as_str().map_or(0, |text| text.len() as u64);
    let of_choice = |choice: &Value| {
        let message = &choice["message"];
        let calls = message["tool_calls"].as_array().map_or(&[][..], Vec::as_slice);
        let arguments =
            calls.iter().map(|call| length(&call["function"]["arguments"])).sum::<u64>();
        length(&message["content"])
            + length(&message["reasoning"])
            + length(&choice["text"])
            + arguments
    };
    choices.iter().map(of_choice).sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_error_under_200_is_an_error() {
        let body =
            b"\n         \n{\"id\":\"gen-1\",\"error\":{\"message\":\"overloaded\",\"code\":502}}";
        let Answer::Fault(fault, None) = understand(body, &|_, _| None) else {
            panic!("it has no choices");
        };
        assert_eq!(fault.status, 502);
    }

    #[test]
    fn without_a_bill_only_what_the_model_wrote_is_counted() {
        let body = br#"{"id":"gen-1","choices":[{"index": 0, "finish_reason": "error", "message":
            {"content": "hello", "tool_calls": [{"id": "call_1", "function":
            {"name": "f", "arguments": "{\"a\":1}"}}]}}]}"#;
        let Answer::Completion { delivered, failed, .. } = understand(body, &|_, _| None) else {
            panic!("it has choices");
        };
        assert_eq!((delivered, failed), (12, true));
    }

    #[test]
    fn what_is_no_json_is_not_passed_on() {
        for body in [&b"<html>"[..], b"", b"[]", b"{}", b"\xff"] {
            assert!(matches!(understand(body, &|_, _| None), Answer::Unreadable), "{body:?}");
        }
    }
}
