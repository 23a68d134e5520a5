//! Chat completions as a client sees them: text, cost, errors, whole or broken.

use std::time::Duration;

use futures_util::StreamExt as _;
use reqwest::header::HeaderMap;
use serde_json::{Value, json};
use tollgate::members::Members;
use tollgate_domain::Money;

pub const MODEL: &str = "openai/gpt-4o-mini";

/// What a client got.
#[derive(Debug, Clone)]
pub struct Got {
    /// HTTP.
    pub status: u16,
    /// Headers.
    pub headers: HeaderMap,
    /// The body, as far as it came.
    pub text: String,
    /// The connection broke before the body's end.
    pub broken: bool,
}

impl Got {
    /// `x-request-id`
    pub fn request(&self) -> &str {
        self.headers["x-request-id"].to_str().expect("plain text")
    }

    /// `usage.cost`, digit by digit; an answer that names two different ones is wrong.
    #[track_caller]
    pub fn cost(&self) -> Option<Money> {
        let costs: Vec<Money> = objects(&self.text)
            .filter_map(|json| Members::read(json).ok())
            .filter_map(|members| {
                let usage = Members::read(members.get("usage")?).ok()?;
                Some(Money::parse(usage.get("cost")?).expect("a decimal"))
            })
            .collect();
        assert!(costs.iter().all(|cost| *cost == costs[0]), "{costs:?}");
        costs.first().copied()
    }

    /// The error that the SDKs raise: the body's, or that of an event.
    pub fn error(&self) -> Option<Value> {
        objects(&self.text)
            .filter_map(|json| serde_json::from_str::<Value>(json).ok())
            .find_map(|value| value.get("error").cloned())
    }

    /// Delivered text.
    pub fn content(&self) -> String {
        content(&self.text)
    }

    /// Whether the answer came to its end: all of the object, or `[DONE]`.
    pub fn is_whole(&self) -> bool {
        let done = match self.text.contains("data: ") {
            true => self.text.ends_with("data: [DONE]\n\n"),
            false => serde_json::from_str::<Value>(&self.text).is_ok(),
        };
        self.status == 200 && !self.broken && done
    }
}

/// A request's body.
pub fn body(content: &str, stream: bool) -> Value {
    json!({
        "model": MODEL, "stream": stream, "max_tokens": 400,
        "messages": [{ "role": "user", "content": content }],
    })
}

/// Sends a request and reads what comes; an error where there was not even a status.
pub async fn send(request: reqwest::RequestBuilder) -> Result<Got, reqwest::Error> {
    let response = request.send().await?;
    let (status, headers) = (response.status().as_u16(), response.headers().clone());
    let mut bytes = Vec::new();
    let mut pieces = response.bytes_stream();
    let mut broken = false;
    while let Some(piece) = pieces.next().await {
        match piece {
            Ok(piece) => bytes.extend_from_slice(&piece),
            Err(_) => broken = true,
        }
    }
    let text = String::from_utf8_lossy(&bytes).into_owned();
    Ok(Got { status, headers, text, broken })
}

/// The text that the model wrote, in a body or in a part of one.
fn content(body: &str) -> String {
    objects(body)
        .filter_map(|json| serde_json::from_str::<Value>(json).ok())
        .filter_map(|value| {
            let choice = value["choices"].get(0)?;
            let part = choice.get("delta").or(choice.get("message"))?;
            Some(part["content"].as_str()?.to_owned())
        })
        .collect()
}

/// Each JSON object of a body: one, or those of its events.
fn objects(body: &str) -> impl Iterator<Item = &str> {
    let whole = (!body.contains("data: ")).then_some(body);
    let events = body.lines().filter_map(|line| line.strip_prefix("data: "));
    whole.into_iter().chain(events.filter(|data| data.starts_with('{')))
}

/// Reads a stream until the model has written something, and leaves. Answers what it wrote.
pub async fn leave_after_a_word(request: reqwest::RequestBuilder) -> String {
    content(&leave_when(request, |seen| !content(seen).is_empty()).await)
}

/// Reads a stream until it is enough, and leaves.
pub async fn leave_when(request: reqwest::RequestBuilder, enough: impl Fn(&str) -> bool) -> String {
    let response = request.send().await.expect("an answer");
    let mut seen = String::new();
    let mut pieces = response.bytes_stream();
    let reading = async {
        while let Some(Ok(piece)) = pieces.next().await {
            seen.push_str(&String::from_utf8_lossy(&piece));
            if enough(&seen) {
                return;
            }
        }
        panic!("the stream ended too early: {seen}");
    };
    tokio::time::timeout(Duration::from_secs(30), reading).await.expect("the text comes");
    seen
}
