//! A client's request: what it asks for, what it may cost, and what goes upstream.

use std::fmt::Write as _;

use rust_decimal::Decimal;
use sha2::{Digest as _, Sha256};
use tollgate_domain::decimal::{self, Price};
use tollgate_domain::ids::AccountId;
use tollgate_domain::pricing::{Demand, Rates};

use super::checks::{count, invalid, missing, models, refuse_account_settings};
use super::endpoint::Endpoint;
use super::prompt::Prompt;
use crate::billing::Prices;
use crate::http::error::{ApiError, both};
use crate::members::Members;

/// The answer's bound where neither the client nor the catalogue gives one.
const DEFAULT_OUTPUT_TOKENS: u64 = 16_384;

/// What a client asks a model for.
#[derive(Debug)]
pub struct ModelRequest<'a> {
    /// Where.
    pub endpoint: Endpoint,
    members: Members<'a>,
    /// The requested model first, then its fallbacks.
    pub models: Vec<String>,
    /// Server-sent events?
    pub streamed: bool,
    /// The output bound that the client gave.
    pub given_bound: Option<u64>,
    prompt: Prompt,
    choices: u64,
}

impl<'a> ModelRequest<'a> {
    /// Reads and checks a body. Only what concerns money, routing or the shape of the answer is
    /// looked at; the rest is the upstream's to judge.
    ///
    /// # Errors
    /// [`ApiError::InvalidJson`], [`ApiError::InvalidRequest`].
    pub fn read(endpoint: Endpoint, body: &'a [u8]) -> Result<Self, ApiError> {
        let text = std::str::from_utf8(body).map_err(|_| ApiError::InvalidJson {
            message: both!("The body is not UTF-8 text.", "Тело запроса не текст в UTF-8."),
        })?;
        let members = Members::read(text).map_err(|error| ApiError::InvalidJson {
            message: both!(
                "The body is not a JSON object: {error}",
                "Тело запроса не объект JSON: {error}"
            ),
        })?;
        let models = models(&members)?;
        check_input(endpoint, &members)?;
        refuse_account_settings(&members)?;
        let streamed = streamed(endpoint, &members)?;
        let bounds = [count(&members, "max_completion_tokens")?, count(&members, "max_tokens")?];
        if bounds.contains(&Some(0)) {
            let message =
                both!("`max_tokens` must be at least 1.", "`max_tokens` должен быть не меньше 1.");
            return Err(invalid("max_tokens", message));
        }
        // Where both are given nobody knows which one the upstream obeys: the larger is reserved.
        let given_bound = bounds.into_iter().flatten().max();
        // `best_of` answers are generated, and billed, where only `n` are sent.
        let choices = [count(&members, "n")?, count(&members, "best_of")?];
        let choices = choices.into_iter().flatten().max().unwrap_or(1).clamp(1, 128);
        let mut prompt = Prompt { tokens: endpoint.wrapping(), ..Prompt::default() };
        for name in endpoint.inputs() {
            if let Some(json) = members.get(name) {
                prompt.add(json);
            }
        }
        Ok(Self { endpoint, members, models, streamed, given_bound, prompt, choices })
    }

    /// The most that the request may consume under these prices.
    ///
    /// # Errors
    /// [`ApiError::ModelNotFound`], [`ApiError::ModelNotPriced`]: not for sale.
    pub fn demand(&self, prices: &Prices) -> Result<Demand, ApiError> {
        let mut demand = Demand {
            images: self.prompt.images,
            long_cache: self.prompt.long_cache,
            audio_input: self.prompt.audio,
            ..Demand::default()
        };
        for model in &self.models {
            if prices.book.find_card(base_of(model)).is_none() {
                let model = model.clone();
                return Err(match prices.info.contains_key(base_of(&model)) {
                    true => ApiError::ModelNotPriced { model },
                    false => ApiError::ModelNotFound { model },
                });
            }
            let info = prices.info.get(base_of(model)).copied().unwrap_or_default();
            self.check_purpose(model, info.embeddings)?;
            let window = info.context_length.unwrap_or(u64::MAX);
            let most = info
                .most_output_tokens
                .or(info.context_length)
                .unwrap_or(DEFAULT_OUTPUT_TOKENS)
                .min(window.saturating_sub(self.prompt.tokens.min(window)).max(1));
            let output = match self.endpoint {
                Endpoint::Chat | Endpoint::Completions => {
                    self.given_bound.unwrap_or(most).min(most)
                }
                Endpoint::Embeddings => 0,
            };
            let prompt_tokens = match self.endpoint {
                Endpoint::Chat | Endpoint::Completions => self.prompt.tokens.min(window),
                // The window bounds each of the texts.
                Endpoint::Embeddings => self.prompt.tokens,
            };
            demand.prompt_tokens = demand.prompt_tokens.max(prompt_tokens);
            demand.output_tokens = demand.output_tokens.max(output.saturating_mul(self.choices));
            demand.image_output |= info.image_output;
            demand.audio_output |= info.audio_output;
        }
        Ok(demand)
    }

    /// Whether the output bound must not be lowered: the client gave it, or there is no output.
    #[must_use]
    pub fn is_bound_fixed(&self) -> bool {
        self.given_bound.is_some() || self.endpoint == Endpoint::Embeddings
    }

    /// Vectors come from models that make nothing else.
    fn check_purpose(&self, model: &str, embeds: bool) -> Result<(), ApiError> {
        if embeds == (self.endpoint == Endpoint::Embeddings) {
            return Ok(());
        }
        let (model, path): (String, _) = (model.chars().take(100).collect(), self.endpoint.path());
        let message = both!(
            "`{model}` cannot be asked at `/v1{path}`.",
            "К `{model}` нельзя обратиться через `/v1{path}`."
        );
        Err(invalid("model", message))
    }

    /// The body for the upstream: the client's own, with what a shared account needs.
    ///
    /// - `user` is a stable hash of the customer, so that an abuse block hits nobody else;
    /// - `provider.max_price` is what the reservation was computed with;
    /// - the output bound, where it had to be lowered.
    #[must_use]
    pub fn for_upstream(
        mut self,
        account: AccountId,
        most: &Rates,
        lowered_bound: Option<u64>,
    ) -> String {
        self.members.set("user", quoted(&user(account)));
        let provider = self.provider(most);
        self.members.set("provider", provider);
        if let Some(tokens) = lowered_bound {
            let name = match self.members.has("max_completion_tokens") {
                true => "max_completion_tokens",
                false => "max_tokens",
            };
            let each = (tokens / self.choices).max(1);
            self.members.set(name, each.to_string());
        }
        self.members.write()
    }

    /// The client's `provider` with our price cap, or the client's own where that is lower.
    fn provider(&self, most: &Rates) -> String {
        let mut provider = self
            .members
            .get("provider")
            .and_then(|own| Members::read(own).ok())
            .unwrap_or_default();
        let caps = provider.get("max_price").map(str::to_owned).unwrap_or_else(|| "{}".into());
        let mut caps = Members::read(&caps).unwrap_or_default();
        let ours = [
            ("prompt", most.prompt),
            ("completion", most.completion),
            ("request", most.request.or(Some(Price::ZERO))),
        ];
        for (name, price) in ours {
            let Some(price) = price.and_then(per_million) else { continue };
            let own = caps.get(name).and_then(|text| decimal::parse(text.trim_matches('"')).ok());
            let cap = own.map_or(price, |own| own.min(price));
            caps.set(name, cap.normalize().to_string());
        }
        let caps = caps.write();
        provider.set("max_price", caps);
        provider.write()
    }
}

/// `max_price` is asked for in US dollars per million.
fn per_million(price: Price) -> Option<Decimal> {
    price.decimal().checked_mul(Decimal::from(1_000_000))
}

/// The model id that prices are kept under. A sandbox fault is asked for as a suffix.
#[must_use]
pub fn base_of(model: &str) -> &str {
    model.split_once("@fault-").map_or(model, |(base, _)| base)
}

fn check_input(endpoint: Endpoint, members: &Members<'_>) -> Result<(), ApiError> {
    match endpoint {
        Endpoint::Chat => {
            let messages = members.get("messages").or_else(|| members.get("prompt"));
            let messages = messages.ok_or_else(|| invalid("messages", missing("messages")))?;
            if members.has("messages") && !messages.starts_with('[') || messages == "[]" {
                let message = both!(
                    "`messages` must be an array with at least one.",
                    "`messages` должен быть непустым массивом."
                );
                return Err(invalid("messages", message));
            }
            Ok(())
        }
        Endpoint::Completions | Endpoint::Embeddings => {
            let name = if endpoint == Endpoint::Completions { "prompt" } else { "input" };
            let input = members.get(name).ok_or_else(|| invalid(name, missing(name)))?;
            if !input.starts_with(['"', '[']) || matches!(input, "[]" | "\"\"") {
                let message = both!(
                    "`{name}` must be a text or an array of texts or of tokens, and not empty.",
                    "`{name}` должен быть непустым текстом, массивом текстов или токенов."
                );
                return Err(invalid(name, message));
            }
            Ok(())
        }
    }
}

fn streamed(endpoint: Endpoint, members: &Members<'_>) -> Result<bool, ApiError> {
    match (members.get("stream"), endpoint) {
        (None | Some("false"), _) => Ok(false),
        (Some("true"), Endpoint::Chat | Endpoint::Completions) => Ok(true),
        (Some("true"), Endpoint::Embeddings) => {
            let message =
                both!("Embeddings are not streamed.", "Эмбеддинги не передаются потоком.");
            Err(invalid("stream", message))
        }
        (Some(_), _) => {
            let message =
                both!("`stream` must be true or false.", "`stream` должен быть true или false.");
            Err(invalid("stream", message))
        }
    }
}

/// The customer as the upstream sees it: stable, and nothing can be read from it.
fn user(account: AccountId) -> String {
    let digest = Sha256::new_with_prefix(b"tollgate customer ")
        .chain_update(account.uuid().as_bytes())
        .finalize();
    digest[..16].iter().fold(String::from("tg-"), |mut text, byte| {
        // Writing into a string cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn quoted(plain: &str) -> String {
    format!("\"{plain}\"")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(more: &str) -> Result<Option<u64>, ApiError> {
        let body = format!(r#"{{"model":"a/b","messages":[{{"role":"user"}}]{more}}}"#);
        ModelRequest::read(Endpoint::Chat, body.as_bytes()).map(|request| request.given_bound)
    }

    #[test]
    fn of_two_output_bounds_the_larger_is_reserved() {
        let bound = |more| read(more).expect("a request");
        assert_eq!(bound(""), None);
        assert_eq!(bound(r#","max_tokens":7"#), Some(7));
        assert_eq!(bound(r#","max_completion_tokens":9,"max_tokens":null"#), Some(9));
        assert_eq!(bound(r#","max_completion_tokens":9,"max_tokens":90000"#), Some(90_000));
    }

    #[test]
    fn a_bound_that_is_no_bound_is_refused() {
        for more in ["0", "-1", "1.5", "\"many\"", "99999999999999999999999"] {
            assert!(read(&format!(r#","max_tokens":{more}"#)).is_err(), "{more}");
        }
    }
}
