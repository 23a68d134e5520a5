//! A limit that a request meets, and how it is told.

use std::fmt::Write as _;
use std::time::Duration;

use axum::http::{HeaderMap, HeaderName, HeaderValue};

use crate::http::error::{ApiError, Text, both};

/// Whose limit it is.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Holder {
    /// The API key's.
    #[default]
    Key,
    /// The account's, or its plan's.
    Account,
}

/// What it counts.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Counted {
    /// Requests a minute.
    #[default]
    Requests,
    /// Tokens a minute.
    Tokens,
    /// Requests at the same time.
    AtOnce,
}

/// A limit that is reached.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Reached {
    /// Whose.
    pub holder: Holder,
    /// What of.
    pub counted: Counted,
    /// How much there may be.
    pub limit: u64,
    /// How much there is.
    pub used: u64,
    /// How much was asked for.
    pub needed: u64,
    /// How long until it fits; none: never, or nobody knows.
    pub wait: Option<Duration>,
    /// For the headers.
    pub standing: Standing,
}

/// How much is left of the limits of a minute.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Standing {
    /// Requests.
    pub requests: Option<Level>,
    /// Tokens.
    pub tokens: Option<Level>,
}

/// How much is left of one limit.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Level {
    /// The limit.
    pub limit: u64,
    /// What can be used now.
    pub left: u64,
    /// How long until all of it can be used.
    pub full_in: Duration,
}

impl Reached {
    /// The refusal.
    pub(super) fn of(self, holder: Holder) -> ApiError {
        ApiError::LimitReached(Box::new(Self { holder, ..self }))
    }

    /// Whether waiting helps.
    #[must_use]
    pub fn is_final(&self) -> bool {
        self.wait.is_none() && self.counted != Counted::AtOnce
    }

    /// As configured, for programs.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self.counted {
            Counted::Requests => "requests_per_minute",
            Counted::Tokens => "tokens_per_minute",
            Counted::AtOnce => "concurrent_requests",
        }
    }

    /// For people; much as OpenAI says it.
    #[must_use]
    pub fn text(&self) -> Text {
        let Self { limit, used, needed, .. } = self;
        let holder = match self.holder {
            Holder::Key => both!("this API key", "этого ключа API"),
            Holder::Account => both!("this account", "этого счёта"),
        };
        let wait = in_words(self.wait.unwrap_or_default());
        match (self.counted, self.wait) {
            (Counted::Requests, _) => both!(
                "Rate limit reached for {holder} on requests per min (RPM): Limit {limit}, Used \
                 {used}, Requested {needed}. Please try again in {wait}.",
                "Достигнут лимит {holder:#} на запросы в минуту (RPM): лимит {limit}, \
                 использовано {used}, запрошено {needed}. Повторите через {wait}."
            ),
            (Counted::Tokens, Some(_)) => both!(
                "Rate limit reached for {holder} on tokens per min (TPM): Limit {limit}, Used \
                 {used}, Requested {needed}. Please try again in {wait}.",
                "Достигнут лимит {holder:#} на токены в минуту (TPM): лимит {limit}, \
                 использовано {used}, запрошено {needed}. Повторите через {wait}."
            ),
            (Counted::Tokens, None) => both!(
                "Request too large for {holder} on tokens per min (TPM): Limit {limit}, \
                 Requested {needed}. Send less at once.",
                "Запрос слишком велик для лимита {holder:#} на токены в минуту (TPM): лимит \
                 {limit}, запрошено {needed}. Отправьте меньше за один раз."
            ),
            (Counted::AtOnce, _) => both!(
                "Too many requests at once for {holder}: Limit {limit}. Please try again when \
                 one of them has ended.",
                "Слишком много одновременных запросов для {holder:#}: лимит {limit}. Повторите, \
                 когда один из них завершится."
            ),
        }
    }
}

impl Standing {
    /// Of two holders' limits the one that is nearer to its end.
    pub(super) fn tighter(self, other: Self) -> Self {
        let tighter = |one: Option<Level>, other: Option<Level>| match (one, other) {
            (Some(one), Some(other)) => Some(if other.left < one.left { other } else { one }),
            (one, other) => one.or(other),
        };
        Self {
            requests: tighter(self.requests, other.requests),
            tokens: tighter(self.tokens, other.tokens),
        }
    }

    /// `x-ratelimit-limit-requests` and so on, as OpenAI's SDKs expect them.
    pub fn write(&self, headers: &mut HeaderMap) {
        const REQUESTS: [HeaderName; 3] = [
            HeaderName::from_static("x-ratelimit-limit-requests"),
            HeaderName::from_static("x-ratelimit-remaining-requests"),
            HeaderName::from_static("x-ratelimit-reset-requests"),
        ];
        const TOKENS: [HeaderName; 3] = [
            HeaderName::from_static("x-ratelimit-limit-tokens"),
            HeaderName::from_static("x-ratelimit-remaining-tokens"),
            HeaderName::from_static("x-ratelimit-reset-tokens"),
        ];
        for (names, level) in [(REQUESTS, self.requests), (TOKENS, self.tokens)] {
            let Some(level) = level else { continue };
            let [limit, left, reset] = names;
            headers.insert(limit, level.limit.into());
            headers.insert(left, level.left.into());
            if let Ok(value) = HeaderValue::from_str(&in_words(level.full_in)) {
                headers.insert(reset, value);
            }
        }
    }
}

/// As OpenAI writes it: `6m0s`, `1s`, `20ms`; rounded up.
fn in_words(duration: Duration) -> String {
    let millis = duration.as_nanos().div_ceil(1_000_000);
    let mut text = String::new();
    let written = match (millis, millis.div_ceil(1_000)) {
        (0..1_000, _) => write!(text, "{millis}ms"),
        (_, seconds @ 0..60) => write!(text, "{seconds}s"),
        (_, seconds) => write!(text, "{}m{}s", seconds / 60, seconds % 60),
    };
    debug_assert!(written.is_ok(), "writing into a string cannot fail");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_wait_is_written_as_openai_writes_it() {
        for (nanos, text) in [
            (0, "0ms"),
            (1, "1ms"),
            (20_000_000, "20ms"),
            (999_000_001, "1s"),
            (1_000_000_001, "2s"),
            (59_999_999_999, "1m0s"),
            (360_000_000_000, "6m0s"),
        ] {
            assert_eq!(in_words(Duration::from_nanos(nanos)), text);
        }
    }
}
