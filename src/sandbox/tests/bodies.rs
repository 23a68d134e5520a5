//! Refusals, the lists, and the endpoints beside chat.

use serde_json::{Value, json};

use super::{Events, Sandbox, cost_of, hello};
use crate::sandbox::SandboxConfig;

async fn refusal(sandbox: &Sandbox, body: &Value) -> (u16, String) {
    let response = sandbox.chat(body).send().await.unwrap();
    let status = response.status().as_u16();
    let error: Value = response.json().await.unwrap();
    assert_eq!(error["error"]["code"], status);
    (status, error["error"]["message"].as_str().unwrap().to_owned())
}

#[tokio::test]
async fn keys_are_checked_as_on_record() {
    let config = SandboxConfig { api_keys: Some(vec!["sk-good".into()]), ..Default::default() };
    let sandbox = Sandbox::start(config).await;
    let url = format!("{}/chat/completions", sandbox.base);
    let body = hello("openai/gpt-4o-mini", false).to_string();
    let post = || sandbox.client.post(&url).body(body.clone());
    let missing = post().send().await.unwrap();
    assert_eq!(missing.status(), 401);
    let expected = r#"{"error":{"message":"Missing Authentication header","code":401}}"#;
    assert_eq!(missing.text().await.unwrap(), expected);
    assert_eq!(post().bearer_auth("sk-bad").send().await.unwrap().status(), 401);
    assert_eq!(post().bearer_auth("sk-good").send().await.unwrap().status(), 200);
}

#[tokio::test]
async fn requests_that_no_model_can_serve_are_refused() {
    let sandbox = Sandbox::usual().await;
    let (status, message) = refusal(&sandbox, &hello("openai/nope", false)).await;
    assert_eq!((status, message.as_str()), (400, "openai/nope is not a valid model ID"));
    assert_eq!(refusal(&sandbox, &json!({ "model": "openai/gpt-4o-mini" })).await.0, 400);
    assert_eq!(refusal(&sandbox, &json!({ "messages": [{ "role": "user" }] })).await.0, 400);
    assert_eq!(refusal(&sandbox, &json!("no object")).await.0, 400);
    let mut long = hello("openai/gpt-3.5-turbo", false);
    long["max_tokens"] = json!(20_000);
    let (status, message) = refusal(&sandbox, &long).await;
    assert_eq!(status, 400);
    assert!(message.starts_with("This endpoint's maximum context length is 16385 tokens."));
}

#[tokio::test]
async fn a_price_limit_below_the_list_price_finds_no_endpoint() {
    let sandbox = Sandbox::usual().await;
    for (limit, status) in [
        (r#"{"prompt":0.15,"completion":0.6}"#, 200),
        (r#"{"prompt":"0.15"}"#, 200),
        (r#"{"prompt":1.5e-1}"#, 200),
        (r#"{"prompt":0.1499999999999999999}"#, 404),
        (r#"{"completion":0.59}"#, 404),
    ] {
        let text = format!(
            r#"{{"model":"openai/gpt-4o-mini","messages":[{{"role":"user","content":"Hi"}}],
               "provider":{{"max_price":{limit}}}}}"#
        );
        let request = sandbox.chat(&json!({})).body(text);
        assert_eq!(request.send().await.unwrap().status(), status, "{limit}");
    }
}

#[tokio::test]
async fn a_fallback_model_answers_for_one_that_fails() {
    let sandbox = Sandbox::usual().await;
    let mut body = hello("openai/gpt-4o-mini@fault-status=503", false);
    body["models"] = json!(["anthropic/claude-sonnet-4.5"]);
    let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["model"], "anthropic/claude-4.5-sonnet-20250929");
}

#[tokio::test]
async fn a_json_schema_is_answered_with_json_that_fits() {
    let sandbox = Sandbox::usual().await;
    let schema = json!({
        "type": "object",
        "required": ["title", "year", "tags", "rating", "author", "kind", "born"],
        "$defs": { "person": { "type": "object", "required": ["name"],
            "properties": { "name": { "type": "string", "maxLength": 20 } } } },
        "properties": {
            "title": { "type": "string", "minLength": 30 },
            "year": { "type": "integer", "minimum": 1990, "maximum": 2030 },
            "tags": { "type": "array", "minItems": 3, "items": { "type": "string" } },
            "rating": { "type": "number", "minimum": 0, "maximum": 1 },
            "author": { "$ref": "#/$defs/person" },
            "kind": { "enum": ["novel", "essay"] },
            "born": { "anyOf": [{ "type": "null" }, { "type": "string", "format": "date" }] },
        },
    });
    let mut body = hello("openai/gpt-4o-mini", false);
    body["response_format"] =
        json!({ "type": "json_schema", "json_schema": { "name": "book", "schema": schema } });
    let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
    let book: Value = serde_json::from_str(content).unwrap();
    assert!(book["title"].as_str().unwrap().chars().count() >= 30);
    assert!((1990..=2030).contains(&book["year"].as_i64().unwrap()));
    assert_eq!(book["tags"].as_array().unwrap().len(), 3);
    assert!((0.0..=1.0).contains(&book["rating"].as_f64().unwrap()));
    assert!(book["author"]["name"].is_string());
    assert_eq!(book["kind"], "novel");
    assert_eq!(book["born"], "2026-08-08");
    body["response_format"] = json!({ "type": "json_object" });
    let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
    let content = answer["choices"][0]["message"]["content"].as_str().unwrap();
    assert!(serde_json::from_str::<Value>(content).unwrap().is_object());
}

#[tokio::test]
async fn pictures_and_sound_come_from_models_that_make_them() {
    let sandbox = Sandbox::usual().await;
    let mut body = hello("google/gemini-3.1-flash-lite-image", false);
    body["modalities"] = json!(["image", "text"]);
    let answer: Value = sandbox.chat(&body).send().await.unwrap().json().await.unwrap();
    let url = &answer["choices"][0]["message"]["images"][0]["image_url"]["url"];
    assert!(url.as_str().unwrap().starts_with("data:image/png;base64,"));
    assert_eq!(answer["usage"]["completion_tokens_details"]["image_tokens"], 1_120);
    body["model"] = json!("openai/gpt-4o-mini");
    assert_eq!(refusal(&sandbox, &body).await.0, 404);
    let mut spoken = hello("openai/gpt-audio-mini", true);
    spoken["modalities"] = json!(["text", "audio"]);
    let text = sandbox.chat(&spoken).send().await.unwrap().text().await.unwrap();
    let last = Events::parse(&text).chunks().pop().unwrap();
    assert_eq!(last["usage"]["completion_tokens_details"]["audio_tokens"], 60);
}

#[tokio::test]
async fn the_lists_are_the_real_catalogue() {
    let sandbox = Sandbox::usual().await;
    let list = sandbox.json("/models").await;
    assert_eq!(list["total_count"], 400);
    assert_eq!(list["data"].as_array().unwrap().len(), 400);
    let page = sandbox.json("/models?offset=398&limit=5").await;
    assert_eq!(page["data"].as_array().unwrap().len(), 2);
    assert_eq!(page["links"]["next"], Value::Null);
    let one = sandbox.json("/models/openai/gpt-4o-mini/endpoints").await;
    assert_eq!(one["data"]["endpoints"][0]["pricing"]["prompt"], "0.00000015");
    assert_eq!(sandbox.get("/models/openai/nope/endpoints").await.status(), 404);
    assert_eq!(sandbox.get("/generation?id=gen-1-unknown").await.status(), 404);
    assert_eq!(sandbox.get("/nothing").await.status(), 404);
}

#[tokio::test]
async fn text_completions_answer_in_their_own_shape() {
    let sandbox = Sandbox::usual().await;
    let body = json!({ "model": "openai/gpt-4o-mini", "prompt": "Say tea", "stream": false });
    let answer: Value =
        sandbox.post("/completions", &body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["object"], "text_completion");
    assert_eq!(answer["choices"][0]["text"], "tea");
    let body = json!({ "model": "openai/gpt-4o-mini", "prompt": "Say tea", "stream": true });
    let text = sandbox.post("/completions", &body).send().await.unwrap().text().await.unwrap();
    let chunks = Events::parse(&text).chunks();
    let said: String = chunks.iter().filter_map(|c| c["choices"][0]["text"].as_str()).collect();
    assert_eq!(said, "tea");
}

#[tokio::test]
async fn embeddings_are_repeatable_and_priced_with_an_exponent() {
    let sandbox = Sandbox::usual().await;
    let mut body = json!({
        "model": "openai/text-embedding-3-small", "input": "Ruby is a programmer's best friend",
    });
    let text = sandbox.post("/embeddings", &body).send().await.unwrap().text().await.unwrap();
    let answer: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(answer["usage"]["prompt_tokens"], 7);
    assert_eq!(cost_of(&text).unwrap(), "1.4e-7");
    assert_eq!(answer["data"][0]["embedding"].as_array().unwrap().len(), 1_536);
    body["input"] = json!(["Ruby is a programmer's best friend", [1, 2, 3]]);
    body["dimensions"] = json!(8);
    body["encoding_format"] = json!("base64");
    let answer: Value =
        sandbox.post("/embeddings", &body).send().await.unwrap().json().await.unwrap();
    assert_eq!(answer["usage"]["prompt_tokens"], 10);
    assert_eq!(answer["data"][1]["embedding"].as_str().unwrap().len(), 44);
    body["model"] = json!("openai/gpt-4o-mini");
    assert_eq!(sandbox.post("/embeddings", &body).send().await.unwrap().status(), 400);
}
