//! What an upstream's error means for the customer.

use std::borrow::Cow;
use std::time::Duration;

use serde::Deserialize;
use serde_json::value::RawValue;

use crate::http::error::{ApiError, Text, both};
use crate::upstream::UpstreamError;

/// An error object of the upstream's format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// HTTP status that it stands for; 502 where it gives a word or nothing.
    pub status: u16,
    /// The upstream's text.
    pub message: String,
    /// `metadata.error_type`
    pub kind: Option<String>,
    /// `metadata.reasons`: it was moderation that refused.
    pub moderated: bool,
}

#[derive(Deserialize)]
struct Body<'a> {
    #[serde(borrow)]
    error: Inner<'a>,
}

#[derive(Deserialize)]
struct Inner<'a> {
    #[serde(borrow, default)]
    code: Option<&'a RawValue>,
    #[serde(borrow, default)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    metadata: Option<Metadata<'a>>,
}

#[derive(Deserialize)]
struct Metadata<'a> {
    #[serde(borrow, default)]
    error_type: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    reasons: Option<&'a RawValue>,
}

/// Longest text of an upstream that reaches a customer.
const LONGEST: usize = 500;

impl Fault {
    /// Reads `{"error":{…}}`; nothing if there is no such member.
    #[must_use]
    pub fn read(json: &str) -> Option<Self> {
        let inner = serde_json::from_str::<Body<'_>>(json).ok()?.error;
        // Seen as a number, as its text, and as a word.
        let status = inner.code.and_then(|raw| raw.get().trim_matches('"').parse().ok());
        let metadata = inner.metadata;
        Some(Self {
            status: status.filter(|code| (400..600).contains(code)).unwrap_or(502),
            message: inner.message.map_or_else(String::new, Cow::into_owned),
            kind: metadata.as_ref().and_then(|known| known.error_type.clone().map(Cow::into_owned)),
            moderated: metadata.is_some_and(|known| known.reasons.is_some()),
        })
    }

    /// An answer whose body says nothing.
    #[must_use]
    pub const fn silent(status: u16) -> Self {
        Self { status, message: String::new(), kind: None, moderated: false }
    }

    /// What the customer is told. Our account's troubles are ours: an upstream 401, 402 or a key
    /// limit becomes 503, whatever the upstream's text says about credits.
    #[must_use]
    pub fn for_customer(&self, retry_after: Option<Duration>) -> ApiError {
        match self.status {
            400 | 404 | 408 | 413 | 422 | 429 => ApiError::Upstream {
                status: self.status,
                message: self.public_message(),
                code: self.kind.clone(),
                retry_after,
            },
            403 if self.moderated => ApiError::Upstream {
                status: 403,
                message: self.public_message(),
                code: self.kind.clone(),
                retry_after: None,
            },
            401..=403 => {
                tracing::error!(
                    upstream.status = self.status,
                    "the upstream refuses our account: look at its key and its credits"
                );
                ApiError::NoUpstream
            }
            503 | 529 => ApiError::NoUpstream,
            504 | 524 => ApiError::UpstreamTimeout,
            _ => ApiError::UpstreamUnavailable,
        }
    }

    fn public_message(&self) -> Text {
        // The upstream's pages are about an account that is not the customer's.
        match self.message.is_empty() || self.message.contains("openrouter.ai") {
            true => both!(
                "The model's provider refused this request.",
                "Провайдер модели отклонил этот запрос."
            ),
            false => Text::foreign(self.message.chars().take(LONGEST).collect::<String>()),
        }
    }
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

/// Whether one of these `choices` came to its end by an error of the provider.
#[must_use]
pub fn ended_by_error(choices: &str) -> bool {
    // Nearly every answer is spared the second look.
    memchr::memmem::find(choices.as_bytes(), b"\"error\"").is_some()
        && serde_json::from_str::<Vec<Choice<'_>>>(choices).is_ok_and(|choices| {
            choices.iter().any(|choice| choice.finish_reason.as_deref() == Some("error"))
        })
}

/// No answer at all.
#[must_use]
pub fn unreachable(error: &UpstreamError) -> ApiError {
    tracing::warn!(%error, "the upstream gave no answer");
    match error {
        UpstreamError::TimedOut => ApiError::UpstreamTimeout,
        UpstreamError::Unreachable(_)
        | UpstreamError::Broke(_)
        | UpstreamError::Unreadable(_)
        | UpstreamError::Status(_) => ApiError::UpstreamUnavailable,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_come_as_numbers_and_as_words() {
        let number = Fault::read(r#"{"error":{"code":429,"message":"slow"}}"#).expect("a fault");
        let word = Fault::read(r#"{"error":{"code":"server_error"}}"#).expect("a fault");
        assert_eq!((number.status, word.status), (429, 502));
        assert_eq!(Fault::read(r#"{"choices":[]}"#), None);
        assert_eq!(Fault::read(r#"{"error":null}"#), None);
    }

    #[test]
    fn our_accounts_troubles_never_reach_the_customer_as_such() {
        for status in [401, 402, 403] {
            let text = format!(
                r#"{{"error":{{"code":{status},"message":"Insufficient credits, see https://openrouter.ai/settings"}}}}"#
            );
            let told = Fault::read(&text).expect("a fault").for_customer(None);
            assert!(matches!(told, ApiError::NoUpstream), "{status} became {told:?}");
        }
    }
}
