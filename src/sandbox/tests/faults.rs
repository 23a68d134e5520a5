//! Every fault does what its name says, and the record afterwards tells the truth.

use std::time::{Duration, Instant};

use reqwest::Response;
use serde_json::{Value, json};

use super::{Events, Sandbox, cost_of, generation_id, hello, total_cost};

async fn send(sandbox: &Sandbox, fault: &str, stream: bool) -> Response {
    let request = sandbox.chat(&hello("openai/gpt-4o-mini", stream));
    request.header("x-sandbox-fault", fault).send().await.unwrap()
}

#[tokio::test]
async fn every_status_can_be_asked_for_in_three_ways() {
    let sandbox = Sandbox::usual().await;
    for status in [400, 401, 402, 403, 404, 408, 413, 422, 429, 500, 502, 503, 524, 529] {
        let fault = format!("status={status}");
        let by_header = send(&sandbox, &fault, true).await;
        assert_eq!(by_header.status(), status);
        let waits = by_header.headers().contains_key("retry-after");
        assert_eq!(waits, status == 429 || status == 503);
        let error: Value = by_header.json().await.unwrap();
        assert_eq!(error["error"]["code"], status);
        let by_suffix = hello(&format!("openai/gpt-4o-mini@fault-{fault}"), false);
        assert_eq!(sandbox.chat(&by_suffix).send().await.unwrap().status(), status);
        let mut by_body = hello("openai/gpt-4o-mini", false);
        by_body["sandbox"] = json!({ "fault": fault });
        assert_eq!(sandbox.chat(&by_body).send().await.unwrap().status(), status);
    }
    assert_eq!(send(&sandbox, "no-such-fault", false).await.status(), 400);
    let patient = send(&sandbox, "status=429,retry-after=17", false).await;
    assert_eq!(patient.headers()["retry-after"], "17");
}

#[tokio::test]
async fn slow_faults_are_slow() {
    let sandbox = Sandbox::usual().await;
    let started = Instant::now();
    send(&sandbox, "slow-first-token=200", true).await.text().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(200));
    let mut body = hello("openai/gpt-4o-mini@fault-slow-chunks=50", true);
    body["max_tokens"] = json!(12);
    let started = Instant::now();
    sandbox.chat(&body).send().await.unwrap().text().await.unwrap();
    assert!(started.elapsed() >= Duration::from_millis(150));
}

#[tokio::test]
async fn midstream_errors_come_with_a_free_usage_or_with_none() {
    let sandbox = Sandbox::usual().await;
    let response = send(&sandbox, "midstream-error", true).await;
    let id = generation_id(&response);
    let events = Events::parse(&response.text().await.unwrap());
    assert!(events.done);
    let last = events.chunks().pop().unwrap();
    assert_eq!(last["error"]["code"], 400);
    assert_eq!(cost_of(events.data.last().unwrap()).unwrap(), "0");
    assert_eq!(total_cost(&sandbox.generation(&id).await), "0");

    let response = send(&sandbox, "midstream-error-nousage", true).await;
    let id = generation_id(&response);
    let events = Events::parse(&response.text().await.unwrap());
    assert!(!events.done);
    let last = events.chunks().pop().unwrap();
    assert_eq!(last["error"]["code"], 502);
    assert_eq!(last["choices"][0]["finish_reason"], "error");
    assert!(last.get("usage").is_none());
    assert_ne!(total_cost(&sandbox.generation(&id).await), "0");
}

#[tokio::test]
async fn usage_can_be_missing_doubled_or_wrong() {
    let sandbox = Sandbox::usual().await;
    let costs = async |fault: &str| -> Vec<Option<String>> {
        let text = send(&sandbox, fault, true).await.text().await.unwrap();
        let events = Events::parse(&text);
        let with_usage = events.data.iter().filter(|line| line.contains("\"usage\""));
        with_usage.map(|line| cost_of(line)).collect()
    };
    assert!(costs("missing-usage").await.is_empty());
    assert_eq!(costs("usage-twice").await.len(), 2);
    assert_eq!(
        costs("wrong-cost=0.123456789012345678").await,
        [Some("0.123456789012345678".into())]
    );
    assert_eq!(costs("negative-cost").await, [Some("-1".into())]);
    assert_eq!(costs("missing-cost").await, [None]);
    assert_eq!(costs("null-cost").await, [None]);
    let quoted = costs("text-cost").await.pop().flatten().unwrap();
    assert!(quoted.starts_with("\"0.0000"));
    let response = send(&sandbox, "missing-usage", false).await;
    let id = generation_id(&response);
    assert_eq!(cost_of(&response.text().await.unwrap()), None);
    assert_ne!(total_cost(&sandbox.generation(&id).await), "0");
}

#[tokio::test]
async fn connections_break_in_the_middle_or_before_the_headers() {
    let sandbox = Sandbox::usual().await;
    for stream in [true, false] {
        let mut response = send(&sandbox, "drop", stream).await;
        let id = generation_id(&response);
        let mut received = 0;
        let broken = loop {
            match response.chunk().await {
                Ok(Some(bytes)) => received += bytes.len(),
                Ok(None) => break false,
                Err(_) => break true,
            }
        };
        assert!(broken && received > 100, "stream {stream}: {received} bytes, broken {broken}");
        let record: Value = serde_json::from_str(&sandbox.generation(&id).await).unwrap();
        assert_eq!(record["data"]["finish_reason"], "error");
        assert_eq!(record["data"]["cancelled"], false);
        let request = sandbox.chat(&hello("openai/gpt-4o-mini", stream));
        let early = request.header("x-sandbox-fault", "drop-before-headers").send().await;
        assert!(early.is_err());
    }
}

#[tokio::test]
async fn answers_can_have_the_wrong_shape() {
    let sandbox = Sandbox::usual().await;
    for stream in [true, false] {
        let response = send(&sandbox, "padded-error", stream).await;
        assert_eq!(response.status(), 200);
        assert_eq!(response.headers()["content-type"], "application/json");
        let text = response.text().await.unwrap();
        assert!(text.starts_with("\n         \n"));
        let error: Value = serde_json::from_str(&text).unwrap();
        assert!(error.get("choices").is_none());
        assert_eq!(error["error"]["code"], 502);
        let page = send(&sandbox, "wrong-content-type", stream).await;
        assert!(page.headers()["content-type"].to_str().unwrap().starts_with("text/html"));
        let anonymous = send(&sandbox, "no-generation-id", stream).await;
        assert!(!anonymous.headers().contains_key("x-generation-id"));
    }
    let text = send(&sandbox, "malformed-sse", true).await.text().await.unwrap();
    let events = Events::parse(&text);
    assert!(events.done && events.data.iter().any(|line| line == "{\"id\":\"gen-"));
    let text = send(&sandbox, "no-done", true).await.text().await.unwrap();
    assert!(!Events::parse(&text).done);
    let cut = send(&sandbox, "malformed-sse", false).await.text().await.unwrap();
    assert!(serde_json::from_str::<Value>(&cut).is_err());
    let failed: Value = send(&sandbox, "finish-error", false).await.json().await.unwrap();
    assert_eq!(failed["choices"][0]["finish_reason"], "error");
    assert_eq!(failed["choices"][0]["error"]["code"], 502);
}

#[tokio::test]
async fn bills_can_come_with_an_error_or_be_cut() {
    let sandbox = Sandbox::usual().await;
    let whole = send(&sandbox, "", true).await.text().await.unwrap();
    let whole = cost_of(Events::parse(&whole).data.last().unwrap());
    assert!(whole.is_some());
    let text = send(&sandbox, "midstream-error-billed", true).await.text().await.unwrap();
    let events = Events::parse(&text);
    assert!(events.done && events.chunks().pop().unwrap()["error"].is_object());
    assert_eq!(cost_of(events.data.last().unwrap()), whole);
    let text = send(&sandbox, "garbled-usage", true).await.text().await.unwrap();
    let garbled: Vec<&str> = text.lines().filter(|line| line.contains("\"usage\"")).collect();
    assert_eq!(garbled.len(), 1);
    let cut = garbled[0].strip_prefix("data: ").unwrap();
    assert!(serde_json::from_str::<Value>(cut).is_err());
    for stream in [true, false] {
        let response = send(&sandbox, "billed-error", stream).await;
        assert_eq!(response.status(), 200);
        let text = response.text().await.unwrap();
        let error: Value = serde_json::from_str(&text).unwrap();
        assert!(error["error"].is_object() && error.get("choices").is_none());
        assert_eq!(cost_of(text.trim()), whole);
    }
}

#[tokio::test]
async fn a_stalled_answer_says_half_and_then_nothing() {
    let sandbox = Sandbox::usual().await;
    let mut response = send(&sandbox, "stall", true).await;
    let id = generation_id(&response);
    let mut received = 0;
    let silence = Duration::from_millis(700);
    while let Ok(piece) = tokio::time::timeout(silence, response.chunk()).await {
        received += piece.unwrap().expect("it does not end").len();
    }
    assert!(received > 100, "{received}");
    drop(response);
    assert_ne!(total_cost(&sandbox.generation(&id).await), "0");
}

#[tokio::test]
async fn a_record_can_be_late_or_never_come() {
    let sandbox = Sandbox::usual().await;
    let response = send(&sandbox, "generation-late=400", false).await;
    let id = generation_id(&response);
    response.text().await.unwrap();
    let path = format!("/generation?id={id}");
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sandbox.get(&path).await.status(), 404);
    sandbox.generation(&id).await;
    let response = send(&sandbox, "generation-never", false).await;
    let path = format!("/generation?id={}", generation_id(&response));
    response.text().await.unwrap();
    tokio::time::sleep(Duration::from_millis(100)).await;
    assert_eq!(sandbox.get(&path).await.status(), 404);
}

#[tokio::test]
async fn a_client_that_leaves_is_charged_for_what_it_got() {
    let sandbox = Sandbox::usual().await;
    let mut body = hello("openai/gpt-4o-mini@fault-endless", true);
    body["user"] = json!("customer-7");
    let mut response = sandbox.chat(&body).send().await.unwrap();
    let id = generation_id(&response);
    let mut received = String::new();
    while received.matches("\"content\"").count() < 10 {
        let bytes = response.chunk().await.unwrap().unwrap();
        received.push_str(std::str::from_utf8(&bytes).unwrap());
    }
    drop(response);
    let text = sandbox.generation(&id).await;
    let record: Value = serde_json::from_str(&text).unwrap();
    let record = &record["data"];
    assert_eq!(record["cancelled"], true);
    assert_eq!(record["streamed"], true);
    assert_eq!(record["external_user"], "customer-7");
    let prompt = record["tokens_prompt"].as_u64().unwrap();
    let completion = record["tokens_completion"].as_u64().unwrap();
    assert!(completion >= 9, "{completion}");
    let expected =
        format!("{}", rust_decimal::Decimal::new((prompt * 15 + completion * 60) as i64, 8));
    let expected: rust_decimal::Decimal = expected.parse().unwrap();
    assert_eq!(crate::sandbox::money::parse(&total_cost(&text)), Some(expected.normalize()));
}

#[tokio::test]
async fn a_client_that_leaves_a_plain_answer_cancels_it_too() {
    let sandbox = Sandbox::usual().await;
    let response = send(&sandbox, "slow-first-token=5000", false).await;
    let id = generation_id(&response);
    drop(response);
    let record: Value = serde_json::from_str(&sandbox.generation(&id).await).unwrap();
    assert_eq!(record["data"]["cancelled"], true);
}
