//! What a client sees when nothing goes wrong.

use serde_json::{Value, json};

use super::{Events, Sandbox, cost_of, generation_id, hello, total_cost};
use crate::sandbox::SandboxConfig;

#[tokio::test]
async fn a_plain_answer_is_padded_json_with_usage_and_a_generation_id() {
    let sandbox = Sandbox::usual().await;
    let response = sandbox.chat(&hello("openai/gpt-4o-mini", false)).send().await.unwrap();
    assert_eq!(response.status(), 200);
    let id = generation_id(&response);
    let text = response.text().await.unwrap();
    assert!(text.starts_with("\n         \n"));
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["id"], id);
    assert_eq!(answer["object"], "chat.completion");
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(content.contains("double-entry bookkeeping"), "{content}");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
    let usage = &answer["usage"];
    let sum =
        usage["prompt_tokens"].as_u64().unwrap() + usage["completion_tokens"].as_u64().unwrap();
    assert_eq!(usage["total_tokens"], sum);
    let record = sandbox.generation(&id).await;
    assert_eq!(cost_of(&text), Some(total_cost(&record)));
    let again = sandbox.chat(&hello("openai/gpt-4o-mini", false)).send().await.unwrap();
    let again: Value = again.json().await.unwrap();
    assert_eq!(again["choices"][0]["message"]["content"], content, "answers are repeatable");
}

#[tokio::test]
async fn a_stream_ends_with_usage_and_done_in_both_shapes_on_record() {
    let sandbox = Sandbox::usual().await;
    let mut shapes = std::collections::HashSet::new();
    for model in [
        "openai/gpt-4o-mini",
        "anthropic/claude-sonnet-4.5",
        "openai/gpt-5-mini",
        "google/gemini-2.5-flash",
        "deepseek/deepseek-chat-v3.1",
        "x-ai/grok-4.5",
    ] {
        let response = sandbox.chat(&hello(model, true)).send().await.unwrap();
        assert_eq!(response.status(), 200, "{model}");
        assert_eq!(response.headers()["content-type"], "text/event-stream");
        let id = generation_id(&response);
        let events = Events::parse(&response.text().await.unwrap());
        assert!(events.done && events.comments > 0);
        let chunks = events.chunks();
        assert!(chunks.iter().all(|chunk| chunk["id"] == id));
        assert!(events.text("content").contains("double-entry bookkeeping"));
        let usages = chunks.iter().filter(|chunk| chunk.get("usage").is_some()).count();
        assert_eq!(usages, 1);
        shapes.insert(chunks.last().unwrap()["choices"].as_array().unwrap().len());
        assert_eq!(chunks[chunks.len() - 2]["choices"][0]["finish_reason"], "stop");
        let cost = cost_of(events.data.last().unwrap());
        assert_eq!(cost, Some(total_cost(&sandbox.generation(&id).await)));
    }
    assert_eq!(shapes.len(), 2, "one choice and none");
}

#[tokio::test]
async fn forced_tokens_are_reported_and_priced() {
    let sandbox = Sandbox::usual().await;
    let request = sandbox.chat(&hello("openai/gpt-4o-mini", false));
    let response = request.header("x-sandbox-tokens", "100,50").send().await.unwrap();
    let text = response.text().await.unwrap();
    assert_eq!(cost_of(&text).unwrap(), "0.000045");
    let mut body = hello("openai/gpt-4o-mini", true);
    body["sandbox"] = json!({ "tokens": [100, 50] });
    let text = sandbox.chat(&body).send().await.unwrap().text().await.unwrap();
    assert_eq!(cost_of(Events::parse(&text).data.last().unwrap()).unwrap(), "0.000045");
    body["max_tokens"] = json!(20);
    let text = sandbox.chat(&body).send().await.unwrap().text().await.unwrap();
    let events = Events::parse(&text);
    let last = events.chunks().pop().unwrap();
    assert_eq!(last["usage"]["completion_tokens"], 20, "forced counts obey the request's bound");
}

#[tokio::test]
async fn max_tokens_and_stop_cut_the_answer() {
    let sandbox = Sandbox::usual().await;
    let mut body = hello("openai/gpt-4o-mini", false);
    body["max_tokens"] = json!(5);
    let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["choices"][0]["finish_reason"], "length");
    assert_eq!(answer["usage"]["completion_tokens"], 5);
    let body = json!({
        "model": "openai/gpt-4o-mini", "stop": [" three"],
        "messages": [{ "role": "user", "content": "Say one two three four" }],
    });
    let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["content"], "one two");
    assert_eq!(answer["choices"][0]["finish_reason"], "stop");
}

fn weather_tool() -> Value {
    json!([{ "type": "function", "function": {
        "name": "get_weather", "description": "Look up the weather of a city",
        "parameters": {
            "type": "object", "required": ["city"],
            "properties": {
                "city": { "type": "string" },
                "unit": { "type": "string", "enum": ["celsius", "fahrenheit"] },
                "days": { "type": "integer", "minimum": 1, "maximum": 7 },
            },
        },
    }}])
}

#[tokio::test]
async fn a_tool_is_called_with_arguments_that_fit_and_its_result_is_used() {
    let sandbox = Sandbox::usual().await;
    let question = json!({ "role": "user", "content": "How is the weather in Lisbon?" });
    let mut body = json!({
        "model": "openai/gpt-4o-mini", "tools": weather_tool(), "messages": [question],
    });
    let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["choices"][0]["finish_reason"], "tool_calls");
    let call = answer["choices"][0]["message"]["tool_calls"][0].clone();
    assert_eq!(call["function"]["name"], "get_weather");
    let arguments: Value =
        serde_json::from_str(call["function"]["arguments"].as_str().unwrap()).unwrap();
    assert_eq!(arguments, json!({ "city": "Lisbon", "unit": "celsius", "days": 1 }));

    body["stream"] = json!(true);
    let text = sandbox.chat(&body).send().await.unwrap().text().await.unwrap();
    let chunks = Events::parse(&text).chunks();
    let streamed: String = chunks
        .iter()
        .filter_map(|c| c["choices"][0]["delta"]["tool_calls"][0]["function"]["arguments"].as_str())
        .collect();
    assert_eq!(serde_json::from_str::<Value>(&streamed).unwrap(), arguments);

    body["stream"] = json!(false);
    body["messages"] = json!([question,
        { "role": "assistant", "content": null, "tool_calls": [call] },
        { "role": "tool", "tool_call_id": call["id"], "content": "21 degrees and sunny" }]);
    let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(content.contains("21 degrees") && content.contains("get_weather"), "{content}");
}

#[tokio::test]
async fn tool_choice_is_obeyed() {
    let sandbox = Sandbox::usual().await;
    let named = json!({ "type": "function", "function": { "name": "get_weather" } });
    for (choice, finish) in [
        (json!("none"), "stop"),
        (json!("auto"), "stop"),
        (json!("required"), "tool_calls"),
        (named, "tool_calls"),
    ] {
        let body = json!({
            "model": "openai/gpt-4o-mini", "tools": weather_tool(), "tool_choice": choice,
            "messages": [{ "role": "user", "content": "Tell me a joke" }],
        });
        let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
        assert_eq!(answer["choices"][0]["finish_reason"], finish, "{choice}");
    }
}

#[tokio::test]
async fn reasoning_is_shown_counted_and_hidden_on_request() {
    let sandbox = Sandbox::usual().await;
    let mut body = hello("anthropic/claude-sonnet-4.5", true);
    body["reasoning"] = json!({ "effort": "high" });
    let text = sandbox.chat(&body).send().await.unwrap().text().await.unwrap();
    let events = Events::parse(&text);
    assert!(events.text("reasoning").contains("double-entry bookkeeping"));
    let last = events.chunks().pop().unwrap();
    let details = &last["usage"]["completion_tokens_details"];
    assert!(details["reasoning_tokens"].as_u64().unwrap() > 10);
    body["stream"] = json!(false);
    body["reasoning"] = json!({ "effort": "high", "exclude": true });
    let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["choices"][0]["message"]["reasoning"], Value::Null);
    assert_eq!(&answer["usage"]["completion_tokens_details"], details);
}

#[tokio::test]
async fn a_repeated_long_prompt_is_read_from_the_cache() {
    let sandbox = Sandbox::usual().await;
    let long = "The ledger balances. ".repeat(600);
    let details = async |body: &Value| -> Value {
        let answer: Value = sandbox.chat(body).send().await.unwrap().json().await.unwrap();
        answer["usage"]["prompt_tokens_details"].clone()
    };
    let plain = json!({ "model": "openai/gpt-4o-mini", "messages": [
        { "role": "system", "content": long }, { "role": "user", "content": "Hi" }] });
    assert_eq!(details(&plain).await["cached_tokens"], 0);
    assert_eq!(details(&plain).await["cached_tokens"].as_u64().unwrap() % 128, 0);
    assert!(details(&plain).await["cached_tokens"].as_u64().unwrap() >= 1_024);
    let part = json!([{ "type": "text", "text": long, "cache_control": { "type": "ephemeral" } }]);
    let marked = json!({ "model": "anthropic/claude-sonnet-4.5", "messages": [
        { "role": "system", "content": part }, { "role": "user", "content": "Hi" }] });
    let first = details(&marked).await;
    assert!(first["cache_write_tokens"].as_u64().unwrap() >= 1_024);
    let second = details(&marked).await;
    assert_eq!(second["cached_tokens"], first["cache_write_tokens"]);
    assert_eq!(second["cache_write_tokens"], 0);
}

#[tokio::test]
async fn the_account_sees_its_usage_and_runs_dry() {
    let config = SandboxConfig { credits_usd: "0.00004".parse().unwrap(), ..Default::default() };
    let sandbox = Sandbox::start(config).await;
    let body = hello("openai/gpt-4o-mini", false);
    let first = sandbox.chat(&body).header("x-sandbox-tokens", "100,50").send().await.unwrap();
    first.text().await.unwrap();
    let credits = sandbox.get("/credits").await.text().await.unwrap();
    assert_eq!(credits, r#"{"data":{"total_credits":0.00004,"total_usage":0.000045}}"#);
    let key = sandbox.get("/key").await.text().await.unwrap();
    assert!(key.contains(r#""usage":0.000045,"#), "{key}");
    let refused = sandbox.chat(&body).send().await.unwrap();
    assert_eq!(refused.status(), 402);
}
