//! The instant mode: canned, but with everything that a reader of the wire looks at.

use std::time::{Duration, Instant};

use serde_json::Value;

use super::{Events, Sandbox, cost_of, generation_id, hello};
use crate::sandbox::SandboxConfig;

async fn instant(latency: Duration) -> Sandbox {
    Sandbox::start(SandboxConfig { instant: true, latency, ..Default::default() }).await
}

#[tokio::test]
async fn instant_answers_carry_fresh_ids_and_exact_costs() {
    let sandbox = instant(Duration::ZERO).await;
    let mut ids = Vec::new();
    for _ in 0..2 {
        let body = hello("openai/gpt-4o-mini", false);
        let response = sandbox.post("/chat/completions", &body).send().await.unwrap();
        let id = generation_id(&response);
        let text = response.text().await.unwrap();
        let answer: Value = serde_json::from_str(&text).unwrap();
        assert_eq!(answer["id"], id);
        let age = chrono::Utc::now().timestamp() - answer["created"].as_i64().unwrap();
        assert!((0..10).contains(&age));
        assert_eq!(cost_of(&text).unwrap(), "0.000045");
        ids.push(id);
    }
    assert_ne!(ids[0], ids[1]);
    let mut bounded = hello("openai/gpt-4o-mini", false);
    bounded["max_tokens"] = serde_json::json!(10);
    let text = sandbox.post("/chat/completions", &bounded).send().await.unwrap().text().await;
    assert_eq!(cost_of(&text.unwrap()).unwrap(), "0.000021", "the bound of the request holds");
}

#[tokio::test]
async fn instant_streams_are_whole() {
    let sandbox = instant(Duration::ZERO).await;
    for model in ["openai/gpt-4o-mini", "anthropic/claude-sonnet-4.5"] {
        let request = sandbox.post("/chat/completions", &hello(model, true));
        let response = request.header("x-sandbox-tokens", "14594,461,10508").send().await.unwrap();
        let id = generation_id(&response);
        let events = Events::parse(&response.text().await.unwrap());
        assert!(events.done);
        let chunks = events.chunks();
        assert!(chunks.iter().all(|chunk| chunk["id"] == id));
        assert_eq!(chunks.len(), 11, "role, eight pieces, finish, usage");
        let usage = &chunks.last().unwrap()["usage"];
        assert_eq!(usage["prompt_tokens"], 14_594);
        assert_eq!(usage["prompt_tokens_details"]["cached_tokens"], 10_508);
    }
}

#[tokio::test]
async fn instant_mode_still_refuses_and_still_fails_on_demand() {
    let sandbox = instant(Duration::from_millis(30)).await;
    let started = Instant::now();
    let status = async |model: &str| {
        let body = hello(model, false);
        sandbox.post("/chat/completions", &body).send().await.unwrap().status().as_u16()
    };
    assert_eq!(status("openai/gpt-4o-mini").await, 200);
    assert!(started.elapsed() >= Duration::from_millis(30), "the latency is kept");
    assert_eq!(status("openai/nope").await, 400);
    assert_eq!(status("openai/gpt-4o-mini@fault-status=529").await, 529);
}
