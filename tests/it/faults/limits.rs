//! Time limits, and clients that are slow or take nothing: each request has its end, and costs
//! bounded memory.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::http::header;
use axum::response::{IntoResponse as _, Response};
use axum::routing::post;
use bytes::Bytes;
use futures_util::{StreamExt as _, stream};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tollgate::config::{Secret, UpstreamConfig};
use tollgate::sandbox::{self, SandboxConfig};
use tollgate_domain::account::{CostSource, Outcome, ReleaseReason};
use tollgate_domain::fairness::Mishap;

use super::{Desk, LONG};
use crate::fate::{self, End};
use crate::wire;

const SECOND: Duration = Duration::from_secs(1);

#[tokio::test]
async fn an_upstream_that_falls_silent_is_given_up_and_its_record_is_charged() {
    let desk = Desk::open_with(|config| config.upstream_timeouts.idle = SECOND).await;
    let got = desk.ask("stall", true).await;
    assert_eq!(got.status, 200);
    assert!(!got.broken && got.text.ends_with("data: [DONE]\n\n"), "{}", got.text);
    assert!(got.error().is_some() && !got.content().is_empty(), "{}", got.text);
    let fate = desk.fate_of(&got).await;
    let settled =
        super::assert_charged(&fate, CostSource::GenerationRecord, Outcome::UpstreamBroke);
    assert_eq!(settled.ruling.map(|ruling| ruling.mishap), Some(Mishap::TimedOut));
    desk.close().await;
}

#[tokio::test]
async fn an_upstream_that_never_ends_is_cut_off_after_the_whole_time() {
    let desk = Desk::open_with(|config| config.upstream_timeouts.total = 2 * SECOND).await;
    let (streamed, whole) = tokio::join!(desk.ask("endless", true), desk.ask("endless", false));
    assert!(!streamed.broken && streamed.error().is_some(), "{}", streamed.text);
    assert_eq!(whole.status, 502, "{}", whole.text);
    for got in [streamed, whole] {
        let fate = desk.fate_of(&got).await;
        assert_eq!(fate.ruling.map(|ruling| ruling.mishap), Some(Mishap::TimedOut), "{fate:?}");
        assert_eq!(fate.settled().source, CostSource::GenerationRecord);
    }
    desk.close().await;
}

#[tokio::test]
async fn an_upstream_without_a_first_byte_is_a_timeout_and_costs_nothing() {
    let desk = Desk::open_with(|config| config.upstream_timeouts.first_byte = SECOND).await;
    for stream in [false, true] {
        let request = desk.request("", stream).header("X-Sandbox-Delay", "5000");
        let got = wire::send(request).await.expect("an answer");
        assert_eq!(got.status, 504, "{}", got.text);
        let fate = desk.fate_of(&got).await;
        assert_eq!(fate.end, Some(End::Released(ReleaseReason::UpstreamUnreachable)));
        assert_eq!(fate.ruling.map(|ruling| ruling.mishap), Some(Mishap::TimedOut));
    }
    desk.close().await;
}

#[tokio::test]
async fn a_client_that_reads_slowly_gets_all_of_its_answer() {
    let desk = Desk::open().await;
    let response = desk.request("slow-chunks=1", true).send().await.expect("an answer");
    let mut pieces = response.bytes_stream();
    let mut text = Vec::new();
    while let Some(piece) = pieces.next().await {
        text.extend(piece.expect("it does not break"));
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    assert!(text.ends_with(b"data: [DONE]\n\n"));
    let fate = desk.only_fate().await;
    assert_eq!((fate.settled().outcome, fate.ruling), (Outcome::Completed, None));
    desk.close().await;
}

/// An upstream that writes as fast as it is read, and counts.
async fn flood() -> (UpstreamConfig, Arc<AtomicU64>) {
    let written = Arc::new(AtomicU64::new(0));
    let counter = written.clone();
    let answer = move || {
        let counter = counter.clone();
        async move {
            let text = "word ".repeat(12_000);
            let chunk = Bytes::from(format!(
                "data: {{\"id\":\"gen-flood\",\"provider\":\"OpenAI\",\
                 \"choices\":[{{\"index\":0,\"delta\":{{\"content\":\"{text}\"}}}}]}}\n\n"
            ));
            let pieces = stream::repeat(chunk).map(move |chunk| {
                counter.fetch_add(chunk.len() as u64, Ordering::Relaxed);
                Ok::<_, std::convert::Infallible>(chunk)
            });
            let kind = [(header::CONTENT_TYPE, "text/event-stream")];
            let response: Response = (kind, Body::from_stream(pieces)).into_response();
            response
        }
    };
    let router = Router::new()
        .route("/api/v1/chat/completions", post(answer))
        .fallback_service(sandbox::router(SandboxConfig::default()));
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/api/v1", listener.local_addr().expect("an address"));
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    (UpstreamConfig::OpenRouter { base_url, keys: vec![Secret::new("sk-or-flood")] }, written)
}

/// Sends a request over a connection that takes next to nothing, and reads the first bytes.
async fn stalled_client(desk: &Desk) -> TcpStream {
    let address = desk.app.address();
    let socket = TcpSocket::new_v4().expect("a socket");
    socket.set_recv_buffer_size(4_096).expect("a small buffer");
    let mut connection = socket.connect(address).await.expect("a connection");
    let body = wire::body("Tell me everything", true).to_string();
    let request = format!(
        "POST /v1/chat/completions HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {}\r\n\
         content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
        desk.key,
        body.len()
    );
    connection.write_all(request.as_bytes()).await.expect("it is sent");
    let mut first = [0; 512];
    let read = connection.read(&mut first).await.expect("the answer begins");
    assert!(first[..read].starts_with(b"HTTP/1.1 200"), "{:?}", &first[..read]);
    connection
}

#[tokio::test]
async fn a_client_that_takes_nothing_holds_the_upstream_back_and_is_taken_for_gone() {
    let (upstream, written) = flood().await;
    let desk = Desk::open_with(|config| {
        config.upstream = upstream;
        config.client_stall = 2 * SECOND;
    })
    .await;
    let clients = [stalled_client(&desk).await, stalled_client(&desk).await];
    let fates = fate::all_ended(desk.pool(), LONG).await;
    for fate in &fates {
        assert_eq!(fate.ruling.map(|ruling| ruling.mishap), Some(Mishap::ClientLeft), "{fate:?}");
    }
    assert_eq!(fates.len(), clients.len());
    // The buffers of four sockets and a few pieces; unread, it would be gigabytes.
    let written = written.load(Ordering::Relaxed);
    assert!(written < 64 << 20, "{written} bytes were read for clients that read nothing");
    let places = desk.app.state().in_flight.clone();
    let most = desk.app.state().config.max_concurrent_requests;
    let deadline = std::time::Instant::now() + LONG;
    while places.available_permits() < most {
        assert!(std::time::Instant::now() < deadline, "their places are not given back");
        tokio::time::sleep(Duration::from_millis(20)).await;
    }
    drop(clients);
    desk.close().await;
}
