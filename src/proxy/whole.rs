//! An answer in one piece.

use std::time::Duration;

use tokio::time::{Instant, timeout};
use tollgate_domain::Money;

use super::failure::Fault;
use super::usage::{Billed, for_customer};
use crate::members::Members;

/// Longest answer: a hundred pictures as base64.
const LONGEST: usize = 128 << 20;

/// What came of reading an answer.
#[derive(Debug)]
pub enum Whole {
    /// It came to its end.
    Read(Vec<u8>),
    /// It broke off, came too slowly or is too long.
    Broken,
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
            Ok(Ok(Some(_)) | Err(_)) | Err(_) => return Whole::Broken,
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
        /// Bytes of the answer, for want of a bill.
        delivered: u64,
    },
    /// An error under HTTP 200, perhaps with a bill.
    Fault(Fault, Option<Billed>),
    /// No JSON.
    Unreadable,
}

/// Understands an answer; white space around it is the upstream's keep-alive.
#[must_use]
pub fn understand(bytes: &[u8], charge: &impl Fn(&Billed) -> Option<Money>) -> Answer {
    let Ok(text) = std::str::from_utf8(bytes) else { return Answer::Unreadable };
    let text = text.trim();
    let Ok(mut members) = Members::read(text) else { return Answer::Unreadable };
    let billed = members.get("usage").and_then(Billed::read);
    if members.get("choices").is_none() {
        return match Fault::read(text) {
            Some(fault) => Answer::Fault(fault, billed),
            None => Answer::Unreadable,
        };
    }
    let delivered = members.get("choices").map_or(0, |choices| choices.len() as u64);
    if let Some(billed) = &billed {
        let usage = members.get("usage").map(|usage| for_customer(usage, charge(billed)));
        members.set("usage", usage.unwrap_or_default());
    }
    Answer::Completion { text: members.write(), billed, delivered }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_padded_error_under_200_is_an_error() {
        let body =
            b"\n         \n{\"id\":\"gen-1\",\"error\":{\"message\":\"overloaded\",\"code\":502}}";
        let Answer::Fault(fault, None) = understand(body, &|_| None) else {
            panic!("it has no choices");
        };
        assert_eq!(fault.status, 502);
    }

    #[test]
    fn what_is_no_json_is_not_passed_on() {
        for body in [&b"<html>"[..], b"", b"[]", b"{}", b"\xff"] {
            assert!(matches!(understand(body, &|_| None), Answer::Unreadable), "{body:?}");
        }
    }
}
