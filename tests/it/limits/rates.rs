//! How often, how many tokens, how much at once.

use std::time::Duration;

use futures_util::StreamExt as _;
use futures_util::future::join_all;
use reqwest::Method;
use serde_json::json;

use super::{ask_model, issue, question};
use crate::app::{Answer, TestApp, read};
use crate::wire;

fn header(answer: &Answer, name: &str) -> String {
    let value = answer.headers.get(name).unwrap_or_else(|| panic!("no {name}"));
    value.to_str().expect("text").to_owned()
}

#[tokio::test]
async fn beyond_its_requests_a_minute_a_key_waits_as_long_as_it_is_told() {
    let app = TestApp::start().await;
    let (ada, other) = app.paying_customer("ada").await;
    let (_, key) = issue(&app, &ada, json!({ "requests_per_minute": 3 })).await;
    for left in ["2", "1", "0"] {
        let answer = app.chat(&key, "hello").await;
        assert_eq!(answer.status, 200, "{}", answer.text);
        assert_eq!(header(&answer, "x-ratelimit-limit-requests"), "3");
        assert_eq!(header(&answer, "x-ratelimit-remaining-requests"), left);
        assert!(!answer.headers.contains_key("x-ratelimit-limit-tokens"));
    }
    let refused = app.chat(&key, "hello").await;
    refused.expect_model_error(429, "rate_limit_exceeded");
    let wait: u64 = header(&refused, "retry-after").parse().expect("seconds");
    assert!((1..=20).contains(&wait), "{wait}");
    assert_eq!(header(&refused, "x-ratelimit-limit-requests"), "3");
    assert_eq!(header(&refused, "x-ratelimit-remaining-requests"), "0");
    assert!(header(&refused, "x-ratelimit-reset-requests").ends_with('s'));
    assert_eq!(header(&refused, "x-should-retry"), "true");
    let metadata = &refused.body["error"]["metadata"];
    assert_eq!(
        (&metadata["limit"], &metadata["limit_of"]),
        (&"requests_per_minute".into(), &"key".into())
    );
    // Other keys have their own, and those without limits have no such headers.
    let answer = app.chat(&other, "hello").await;
    assert_eq!(answer.status, 200);
    assert!(answer.headers.keys().all(|name| !name.as_str().starts_with("x-ratelimit")));
    app.audit().await;
}

#[tokio::test]
async fn of_many_requests_at_once_as_many_as_allowed_are_served() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (_, key) = issue(&app, &ada, json!({ "requests_per_minute": 7 })).await;
    let answers = join_all((0..40).map(|n| read(question(&app, &key, n % 2 == 0)))).await;
    let served = answers.iter().filter(|answer| answer.status == 200).count();
    let refused = answers.iter().filter(|answer| answer.status == 429).count();
    assert_eq!((served, refused), (7, 33));
    app.audit().await;
}

#[tokio::test]
async fn an_account_s_rate_counts_over_all_its_keys() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (ada, one) = app.paying_customer("ada").await;
    let (_, two) = issue(&app, &ada, json!({ "requests_per_minute": 100 })).await;
    let path = format!("/v1/admin/clients/{}/limits", ada.account);
    let limits = json!({ "requests_per_minute": 2 });
    app.send(Method::PATCH, &path, Some(&admin.token), Some(&limits)).await.expect(200);
    app.chat(&one, "hello").await.expect(200);
    let second = app.chat(&two, "hello").await;
    // Of two limits the one that is nearer to its end.
    assert_eq!(header(&second, "x-ratelimit-limit-requests"), "2");
    let refused = app.chat(&one, "hello").await;
    refused.expect_model_error(429, "rate_limit_exceeded");
    assert_eq!(refused.body["error"]["metadata"]["limit_of"], "account");
    app.audit().await;
}

#[tokio::test]
async fn tokens_count_by_estimate_before_and_as_charged_after_a_request() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (_, key) = issue(&app, &ada, json!({ "tokens_per_minute": 1_000 })).await;
    let large = "many words ".repeat(1_000);
    let refused = app.chat(&key, &large).await;
    refused.expect_model_error(429, "rate_limit_exceeded");
    assert_eq!(header(&refused, "x-should-retry"), "false", "it never fits");
    assert!(!refused.headers.contains_key("retry-after"));
    assert!(
        refused.text.starts_with(r#"{"error":{"#) && refused.text.contains("Request too large")
    );

    let answer = read(question(&app, &key, false).header("X-Sandbox-Tokens", "900,400,0")).await;
    assert_eq!(answer.status, 200, "{}", answer.text);
    assert_eq!(header(&answer, "x-ratelimit-limit-tokens"), "1000");
    app.settled().await;
    // 1,300 tokens of 1,000 a minute: about 18 seconds until anything fits.
    let refused = app.chat(&key, "hello").await;
    refused.expect_model_error(429, "rate_limit_exceeded");
    let wait: u64 = header(&refused, "retry-after").parse().expect("seconds");
    assert!((1..=25).contains(&wait), "{wait}");
    assert_eq!(refused.body["error"]["metadata"]["limit"], "tokens_per_minute");
    app.audit().await;
}

#[tokio::test]
async fn a_request_that_is_not_charged_gives_its_tokens_back() {
    let app = TestApp::start().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (_, key) = issue(&app, &ada, json!({ "tokens_per_minute": 400 })).await;
    // Each alone is more than half of it.
    let words = "word ".repeat(150);
    for _ in 0..5 {
        let messages = json!([{ "role": "user", "content": words }]);
        let model = json!({ "model": "openai/gpt-4o-mini@fault-status=400", "messages": messages });
        let refused = ask_model(&app, &key, model).await;
        assert_eq!(refused.status, 400, "{}", refused.text);
    }
    app.audit().await;
}

/// Reads until the first chunk is there: the request is inside then.
async fn opened(request: reqwest::RequestBuilder) -> reqwest::Response {
    let mut response = request.send().await.expect("an answer");
    assert_eq!(response.status(), 200);
    response.chunk().await.expect("a chunk").expect("a chunk");
    response
}

#[tokio::test]
async fn a_place_is_taken_while_an_answer_streams_and_free_when_its_client_leaves() {
    let app = TestApp::start().await;
    let (ada, other) = app.paying_customer("ada").await;
    let (_, key) = issue(&app, &ada, json!({ "concurrent_requests": 2 })).await;
    let endless = || question(&app, &key, true).header("X-Sandbox-Fault", "endless");
    let (one, two) = (opened(endless()).await, opened(endless()).await);
    for _ in 0..3 {
        let refused = app.chat(&key, "hello").await;
        refused.expect_model_error(429, "rate_limit_exceeded");
        assert_eq!(header(&refused, "retry-after"), "1");
        assert_eq!(refused.body["error"]["metadata"]["limit"], "concurrent_requests");
    }
    app.chat(&other, "hello").await.expect(200);
    drop(one);
    // The server notices the closed connection when it next writes.
    let mut answer = app.chat(&key, "hello").await;
    while answer.status == 429 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = app.chat(&key, "hello").await;
    }
    answer.expect(200);
    drop(two);
    app.audit().await;
}

#[tokio::test]
async fn whoever_asks_one_by_one_never_meets_a_limit_of_one_at_once() {
    let app = TestApp::start().await;
    let admin = app.admin().await;
    let (ada, _) = app.paying_customer("ada").await;
    let path = format!("/v1/admin/clients/{}/limits", ada.account);
    let one = json!({ "concurrent_requests": 1 });
    app.send(Method::PATCH, &path, Some(&admin.token), Some(&one)).await.expect(200);
    let (_, key) = issue(&app, &ada, one).await;
    for turn in 0..30 {
        match turn % 4 {
            0 => assert_eq!(read(question(&app, &key, false)).await.status, 200),
            1 => {
                // As the SDKs do: at [DONE], not at the end of the connection's body.
                let response = question(&app, &key, true).send().await.expect("an answer");
                assert_eq!(response.status(), 200);
                let mut stream = response.bytes_stream();
                let mut seen = Vec::new();
                while !seen.ends_with(b"data: [DONE]\n\n") {
                    seen.extend(stream.next().await.expect("a piece").expect("a piece"));
                }
            }
            2 => {
                let fault = question(&app, &key, false).header("X-Sandbox-Fault", "status=500");
                assert_eq!(read(fault).await.status, 502);
            }
            _ => {
                let nonsense = ask_model(&app, &key, json!({ "messages": [] })).await;
                assert_eq!(nonsense.status, 400, "{}", nonsense.text);
            }
        }
    }
    let got = wire::send(question(&app, &key, true)).await.expect("an answer");
    assert!(got.is_whole(), "{got:?}");
    app.audit().await;
}
