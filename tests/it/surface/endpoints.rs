//! Completions and embeddings go the same way as chats: reserved, forwarded, settled.

use reqwest::Method;
use serde_json::{Value, json};
use tollgate_domain::Money;
use tollgate_domain::decimal::ListCost;

use crate::app::{TestApp, read};
use crate::fate::{Fate, fates};
use crate::wire::{self, Got};

const EMBEDS: &str = "openai/text-embedding-3-small";

async fn ask(app: &TestApp, key: &str, path: &str, body: &Value) -> Got {
    let request = app.request(Method::POST, path).bearer_auth(key).json(body);
    wire::send(request).await.expect("an answer")
}

async fn fate_of(app: &TestApp, got: &Got) -> Fate {
    assert_eq!(got.status, 200, "{}", got.text);
    app.settled().await;
    let all = fates(app.state().database.pool()).await;
    all.into_iter().find(|fate| fate.request == got.request()).expect("its fate")
}

#[tokio::test]
async fn a_completion_is_charged_whole_and_streamed() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    for stream in [false, true] {
        let body = json!({ "model": wire::MODEL, "prompt": "Every entry has two", "max_tokens": 30,
            "stream": stream });
        let got = ask(&app, &key, "/v1/completions", &body).await;
        let fate = fate_of(&app, &got).await;
        assert!(fate.charge() > Money::ZERO && fate.charge() <= fate.reserved.amount);
        assert_eq!(got.cost(), Some(fate.charge()));
        assert!(got.text.contains("\"object\":\"text_completion\""), "{}", got.text);
        assert_eq!(fate.settled().streamed, stream);
    }
    let missing = ask(&app, &key, "/v1/completions", &json!({ "model": wire::MODEL })).await;
    assert_eq!(missing.status, 400, "{}", missing.text);
    app.audit().await;
}

#[tokio::test]
async fn a_completion_that_breaks_off_is_charged_for_what_was_delivered_at_most() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let body = json!({ "model": wire::MODEL, "prompt": "Tell me of ledgers", "max_tokens": 200,
        "stream": true });
    let request = app.request(Method::POST, "/v1/completions").bearer_auth(&key).json(&body);
    let got = wire::send(request.header("x-sandbox-fault", "drop")).await.expect("an answer");
    let fate = fate_of(&app, &got).await;
    assert!(fate.charge() <= fate.reserved.amount);
    assert_eq!(got.error().expect("it broke")["code"], 502);
    app.audit().await;
}

#[tokio::test]
async fn embeddings_cost_their_input_whatever_form_it_has() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let inputs = [
        json!("Ruby is a programmer's best friend"),
        json!(["double", "entry"]),
        json!([1, 2, 3, 4, 5]),
        json!([[1, 2, 3], [4]]),
    ];
    for input in inputs {
        let body = json!({ "model": EMBEDS, "input": input });
        let got = ask(&app, &key, "/v1/embeddings", &body).await;
        let answer: Value = serde_json::from_str(got.text.trim()).expect("JSON");
        assert!(answer["data"][0]["embedding"].is_array(), "{}", got.text);
        assert!(answer["usage"].get("cost_details").is_none());
        let fate = fate_of(&app, &got).await;
        let settled = fate.settled();
        let tokens = answer["usage"]["prompt_tokens"].as_u64().expect("a count");
        assert_eq!((settled.usage.prompt_tokens(), settled.usage.output), (tokens, 0));
        // The public price: $0.02 for a million.
        let list = rust_decimal::Decimal::new(2, 8) * rust_decimal::Decimal::from(tokens);
        assert_eq!(settled.list_cost, ListCost::new(list).expect("a cost"));
        assert_eq!(settled.computed_list_cost, None);
        assert_eq!(got.cost(), Some(settled.charge));
        assert!(settled.charge <= settled.reserved, "{} > {}", settled.charge, settled.reserved);
        let header = got.headers["x-tollgate-charge"].to_str().unwrap();
        assert_eq!(Money::parse(header).unwrap(), settled.charge);
    }
    app.audit().await;
}

#[tokio::test]
async fn models_are_asked_where_they_answer_and_listed_by_what_they_make() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let messages = json!([{ "role": "user", "content": "hi" }]);
    let refused = [
        ("/v1/chat/completions", json!({ "model": EMBEDS, "messages": messages })),
        ("/v1/embeddings", json!({ "model": wire::MODEL, "input": "hi" })),
        ("/v1/embeddings", json!({ "model": EMBEDS, "input": [] })),
        ("/v1/embeddings", json!({ "model": EMBEDS, "input": 7 })),
        ("/v1/embeddings", json!({ "model": EMBEDS, "input": "hi", "stream": true })),
        ("/v1/completions", json!({ "model": wire::MODEL, "prompt": "" })),
    ];
    for (path, body) in refused {
        app.post(path, &key, &body).await.expect_model_error(400, "invalid_request");
    }
    let listed = app.get("/v1/embeddings/models", &key).await.expect(200);
    let ids: Vec<&str> =
        listed["data"].as_array().unwrap().iter().map(|m| m["id"].as_str().unwrap()).collect();
    assert!(ids.contains(&EMBEDS) && !ids.contains(&wire::MODEL), "{ids:?}");
    assert_eq!(listed["data"][0]["pricing"]["completion"], "0");
    let poor = app.customer("poor").await;
    let (_, key) = app.issue_key(&poor).await;
    let body = json!({ "model": EMBEDS, "input": "hi" });
    let refused = app.post("/v1/embeddings", &key, &body).await;
    refused.expect_model_error(402, "insufficient_quota");
    app.audit().await;
}

#[tokio::test]
async fn who_asks_in_whose_name_is_passed_on_and_nothing_else() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let body = json!({ "model": wire::MODEL, "max_tokens": 20,
        "messages": [{ "role": "user", "content": "hi" }] });
    let request = app.request(Method::POST, "/v1/chat/completions").bearer_auth(&key).json(&body);
    let request =
        request.header("HTTP-Referer", "https://app.example.com").header("X-Title", "App");
    let got = read(request.header("Cookie", "session=secret")).await;
    let id = got.headers["x-generation-id"].to_str().unwrap().to_owned();
    app.settled().await;
    let upstream = app.state().gateway.masters().pick().expect("the sandbox");
    let record = reqwest::Client::builder().no_proxy().build().unwrap();
    let url = format!("{}/generation?id={id}", upstream.base_url);
    let record: Value =
        record.get(url).bearer_auth("any").send().await.unwrap().json().await.unwrap();
    assert_eq!(record["data"]["http_referer"], "https://app.example.com", "{record}");
    assert!(!record.to_string().contains("secret"), "{record}");
    app.audit().await;
}
