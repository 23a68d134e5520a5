//! Requests that are too large or too slow, on the wire.

use std::time::Duration;

use reqwest::Method;
use serde_json::json;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::app::{TestApp, read};

/// Long enough to be sure that the server gave up and not the test.
const PATIENCE: Duration = Duration::from_secs(20);

async fn connect(app: &TestApp) -> TcpStream {
    TcpStream::connect(app.address()).await.expect("a connection")
}

/// What comes until the server closes the connection.
async fn rest(stream: &mut TcpStream) -> String {
    let mut bytes = Vec::new();
    let reading = stream.read_to_end(&mut bytes);
    let read = tokio::time::timeout(PATIENCE, reading).await;
    // A reset is an end too.
    let _ = read.expect("the server closes the connection");
    String::from_utf8_lossy(&bytes).into_owned()
}

async fn impatient() -> TestApp {
    TestApp::start_with(|config| {
        config.edge.header_timeout = Duration::from_secs(1);
        config.edge.keep_alive = Duration::from_secs(3);
        config.edge.body_timeout = Duration::from_secs(1);
    })
    .await
}

#[tokio::test]
async fn whoever_sends_no_request_is_not_waited_for() {
    let app = impatient().await;
    for sent in ["", "G", "PRI * HT", "GET / HTTP/1.1\r\nHost: x\r\nX-Slow: "] {
        let mut stream = connect(&app).await;
        stream.write_all(sent.as_bytes()).await.expect("written");
        let answer = rest(&mut stream).await;
        assert!(answer.is_empty() || answer.starts_with("HTTP/1.1 408"), "{sent}: {answer}");
    }
    app.audit().await;
}

#[tokio::test]
async fn more_connections_than_allowed_wait_until_one_is_closed() {
    let app = TestApp::start_with(|config| config.edge.most_connections = 2).await;
    let ask = b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n";
    let mut open = Vec::new();
    for _ in 0..2 {
        let mut stream = connect(&app).await;
        stream.write_all(ask).await.expect("written");
        assert_eq!(stream.read_u8().await.expect("an answer"), b'H');
        open.push(stream);
    }
    let mut third = connect(&app).await;
    third.write_all(ask).await.expect("written");
    let early = tokio::time::timeout(Duration::from_millis(500), third.read_u8()).await;
    assert!(early.is_err(), "it was served beyond the bound");
    open.pop();
    let served = tokio::time::timeout(PATIENCE, third.read_u8()).await;
    assert_eq!(served.expect("it is its turn").expect("an answer"), b'H');
    drop((open, third));
    app.audit().await;
}

#[tokio::test]
async fn headers_that_trickle_in_are_not_waited_for() {
    let app = impatient().await;
    let mut stream = connect(&app).await;
    stream.write_all(b"GET /health HTTP/1.1\r\n").await.expect("written");
    let (mut reader, mut writer) = stream.split();
    let trickle = async {
        for number in 0.. {
            tokio::time::sleep(Duration::from_millis(50)).await;
            let line = format!("X-{number}: slow\r\n");
            if writer.write_all(line.as_bytes()).await.is_err() {
                return;
            }
        }
    };
    let mut bytes = Vec::new();
    let ended = async { reader.read_to_end(&mut bytes).await };
    tokio::select! {
        () = trickle => {}
        _ = ended => {}
        () = tokio::time::sleep(PATIENCE) => panic!("the server still waits"),
    }
    app.audit().await;
}

#[tokio::test]
async fn a_connection_that_asks_nothing_more_is_closed() {
    let app = impatient().await;
    let mut stream = connect(&app).await;
    stream.write_all(b"GET /health HTTP/1.1\r\nHost: x\r\n\r\n").await.expect("written");
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    app.audit().await;
}

/// A load balancer sends the next customer's request into a connection that has rested.
#[tokio::test]
async fn a_connection_may_rest_longer_than_a_first_request_may_take() {
    let app = impatient().await;
    let mut stream = connect(&app).await;
    let ask = |connection: &str| {
        format!("HEAD /health HTTP/1.1\r\nHost: x\r\nConnection: {connection}\r\n\r\n")
    };
    stream.write_all(ask("keep-alive").as_bytes()).await.expect("written");
    tokio::time::sleep(Duration::from_millis(1_500)).await;
    stream.write_all(ask("close").as_bytes()).await.expect("written");
    let answers = rest(&mut stream).await;
    assert_eq!(answers.matches("HTTP/1.1 200").count(), 2, "{answers}");
    app.audit().await;
}

#[tokio::test]
async fn a_body_that_pauses_for_too_long_is_told_and_frees_its_place() {
    let app = impatient().await;
    let (ada, _) = app.paying_customer("ada").await;
    let (_, key) = super::issue(&app, &ada, json!({ "concurrent_requests": 1 })).await;
    let mut stream = connect(&app).await;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\n\r\n{{\"model\":"
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    let answer = rest(&mut stream).await;
    assert!(answer.starts_with("HTTP/1.1 408"), "{answer}");
    assert!(answer.contains("request_timeout"), "{answer}");
    app.chat(&key, "hello").await.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn a_slow_body_takes_its_key_s_place_and_nobody_else_s() {
    let app = TestApp::start().await;
    let (ada, other) = app.paying_customer("ada").await;
    let (_, key) = super::issue(&app, &ada, json!({ "concurrent_requests": 1 })).await;
    let mut stream = connect(&app).await;
    let head = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {key}\r\n\
         Content-Type: application/json\r\nContent-Length: 1000\r\nExpect: 100-continue\r\n\r\n"
    );
    stream.write_all(head.as_bytes()).await.expect("written");
    // The server asks for the body: so the request is inside.
    let mut asked = [0; 12];
    stream.read_exact(&mut asked).await.expect("an interim answer");
    assert_eq!(&asked, b"HTTP/1.1 100");
    app.chat(&key, "hello").await.expect_model_error(429, "rate_limit_exceeded");
    app.chat(&other, "hello").await.expect(200);
    drop(stream);
    let mut answer = app.chat(&key, "hello").await;
    while answer.status == 429 {
        tokio::time::sleep(Duration::from_millis(20)).await;
        answer = app.chat(&key, "hello").await;
    }
    answer.expect(200);
    app.audit().await;
}

#[tokio::test]
async fn urls_and_headers_beyond_their_limits_are_told_in_both_shapes() {
    let app = TestApp::start().await;
    let long = "x".repeat(9_000);
    let get = |path: &str| app.request(Method::GET, path);
    let url = read(get(&format!("/v1/models?x={long}"))).await;
    url.expect_model_error(414, "url_too_long");
    read(get(&format!("/v1/client/balance?x={long}"))).await.expect_problem(414, "url_too_long");
    let header = |path: &str| get(path).header("X-Long", "x".repeat(40_000));
    read(header("/v1/models")).await.expect_model_error(431, "headers_too_large");
    read(header("/v1/client/balance")).await.expect_problem(431, "headers_too_large");
    // Far beyond, and far too many, HTTP's own layer says it.
    let far = read(get("/v1/models").header("X-Long", "x".repeat(300_000))).await;
    assert_eq!(far.status, 431);
    let many = (0..150).fold(get("/v1/models"), |request, n| request.header(format!("x-{n}"), "x"));
    assert_eq!(read(many).await.status, 431);
    let two = reqwest::Client::builder().no_proxy().http2_prior_knowledge().build().unwrap();
    let over_two = two.get(format!("http://{}/v1/models", app.address()));
    let answer = read(over_two.header("X-Long", "x".repeat(40_000))).await;
    answer.expect_model_error(431, "headers_too_large");
    app.audit().await;
}

#[tokio::test]
async fn the_usual_limit_of_a_body_is_20_mebibytes() {
    let app = TestApp::start().await;
    let (_, key) = app.paying_customer("ada").await;
    let post = |bytes: usize| {
        let body = format!("{{\"padding\":\"{}\"}}", "x".repeat(bytes));
        let request = app.request(Method::POST, "/v1/chat/completions").bearer_auth(&key);
        read(request.header("Content-Type", "application/json").body(body))
    };
    // Read to its end, and refused for what it lacks.
    post(20 * 1024 * 1024 - 100).await.expect_model_error(400, "invalid_request");
    let refused = post(21 * 1024 * 1024).await;
    refused.expect_model_error(413, "request_too_large");
    assert!(refused.text.contains("20971520"), "{}", refused.text);
    app.audit().await;
}
