//! Tests of the sandbox over real sockets, and of its arithmetic.

mod answers;
mod bodies;
mod faults;
mod prices;
mod quick;
mod stopping;

use std::time::Duration;

use reqwest::{RequestBuilder, Response};
use serde::Deserialize;
use serde_json::value::RawValue;
use serde_json::{Value, json};
use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::{SandboxConfig, serve};

/// A sandbox on a port of its own, stopped when dropped.
struct Sandbox {
    base: String,
    client: reqwest::Client,
    _stop: oneshot::Sender<()>,
}

impl Sandbox {
    async fn start(config: SandboxConfig) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://{}/api/v1", listener.local_addr().unwrap());
        let (stop, stopped) = oneshot::channel::<()>();
        tokio::spawn(serve(listener, config, async move {
            let _ = stopped.await;
        }));
        Self { base, client: reqwest::Client::new(), _stop: stop }
    }

    async fn usual() -> Self {
        Self::start(SandboxConfig::default()).await
    }

    fn post(&self, path: &str, body: &Value) -> RequestBuilder {
        let url = format!("{}{path}", self.base);
        self.client.post(url).bearer_auth("sk-test").body(body.to_string())
    }

    /// A chat request without pauses.
    fn chat(&self, body: &Value) -> RequestBuilder {
        self.post("/chat/completions", body).header("x-sandbox-delay", "0")
    }

    async fn get(&self, path: &str) -> Response {
        let url = format!("{}{path}", self.base);
        self.client.get(url).bearer_auth("sk-test").send().await.unwrap()
    }

    async fn json(&self, path: &str) -> Value {
        self.get(path).await.json().await.unwrap()
    }

    /// The record of a generation, as soon as it can be seen.
    async fn generation(&self, id: &str) -> String {
        for _ in 0..100 {
            let response = self.get(&format!("/generation?id={id}")).await;
            if response.status() == 200 {
                return response.text().await.unwrap();
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        panic!("no record of {id}");
    }
}

fn hello(model: &str, stream: bool) -> Value {
    let messages = json!([{ "role": "user", "content": "What is double-entry bookkeeping?" }]);
    json!({ "model": model, "messages": messages, "stream": stream })
}

fn generation_id(response: &Response) -> String {
    response.headers()["x-generation-id"].to_str().unwrap().to_owned()
}

/// `usage.cost` as it is spelled.
fn cost_of(json: &str) -> Option<String> {
    #[derive(Deserialize)]
    struct Answer {
        usage: Option<Usage>,
    }
    #[derive(Deserialize)]
    struct Usage {
        cost: Option<Box<RawValue>>,
    }
    let answer: Answer = serde_json::from_str(json).unwrap();
    Some(answer.usage?.cost?.get().to_owned())
}

/// `data.total_cost` as it is spelled.
fn total_cost(record: &str) -> String {
    #[derive(Deserialize)]
    struct Record {
        data: Data,
    }
    #[derive(Deserialize)]
    struct Data {
        total_cost: Box<RawValue>,
    }
    serde_json::from_str::<Record>(record).unwrap().data.total_cost.get().to_owned()
}

/// A stream taken apart: comments, data lines without `[DONE]`, and whether it was there.
#[derive(Debug)]
struct Events {
    comments: usize,
    data: Vec<String>,
    done: bool,
}

impl Events {
    fn parse(text: &str) -> Self {
        let comments = text.lines().filter(|line| line.starts_with(':')).count();
        let mut data: Vec<String> = text
            .lines()
            .filter_map(|line| line.strip_prefix("data: "))
            .map(str::to_owned)
            .collect();
        let done = data.last().is_some_and(|last| last == "[DONE]");
        if done {
            data.pop();
        }
        Self { comments, data, done }
    }

    fn chunks(&self) -> Vec<Value> {
        self.data.iter().map(|line| serde_json::from_str(line).unwrap()).collect()
    }

    /// The text of all deltas under a key.
    fn text(&self, key: &str) -> String {
        let chunks = self.chunks();
        let deltas = chunks.iter().map(|chunk| &chunk["choices"][0]["delta"][key]);
        deltas.filter_map(Value::as_str).collect()
    }
}
