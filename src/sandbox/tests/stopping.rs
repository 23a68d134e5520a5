//! Serving begins and ends cleanly.

use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::oneshot;

use super::hello;
use crate::sandbox::{SandboxConfig, router, serve};

#[tokio::test]
async fn a_shutdown_waits_for_short_answers_but_not_for_endless_ones() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/chat/completions", listener.local_addr().unwrap());
    let (stop, stopped) = oneshot::channel::<()>();
    let serving = tokio::spawn(serve(listener, SandboxConfig::default(), async move {
        let _ = stopped.await;
    }));
    let client = reqwest::Client::new();
    let ask = |model: &str| {
        client.post(&url).bearer_auth("any").body(hello(model, true).to_string()).send()
    };
    let short = ask("openai/gpt-4o-mini").await.unwrap();
    let mut endless = ask("openai/gpt-4o-mini@fault-endless").await.unwrap();
    let started = Instant::now();
    stop.send(()).unwrap();
    assert!(short.text().await.unwrap().ends_with("data: [DONE]\n\n"));
    serving.await.unwrap().unwrap();
    assert!(started.elapsed() < Duration::from_secs(4));
    while let Ok(Some(_)) = endless.chunk().await {}
    assert!(ask("openai/gpt-4o-mini").await.is_err());
}

#[tokio::test]
async fn the_router_works_under_a_server_of_somebody_else() {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/api/v1/chat/completions", listener.local_addr().unwrap());
    tokio::spawn(axum::serve(listener, router(SandboxConfig::default())).into_future());
    let client = reqwest::Client::new();
    let ask = |model: &str| {
        client.post(&url).bearer_auth("any").body(hello(model, false).to_string()).send()
    };
    assert_eq!(ask("openai/gpt-4o-mini").await.unwrap().status(), 200);
    assert!(ask("openai/gpt-4o-mini@fault-drop-before-headers").await.is_err());
}
