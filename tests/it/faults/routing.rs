//! Several master accounts, one of which cannot serve: customers notice nothing, and the books
//! charge the one that did.

use axum::Router;
use axum::http::StatusCode;
use axum::response::IntoResponse as _;
use axum::routing::post;
use serde_json::json;
use tokio::net::TcpListener;
use tollgate::config::{Secret, UpstreamConfig};
use tollgate::sandbox::{self, SandboxConfig};

use super::{Desk, LONG};
use crate::fate;
use crate::ops::Scraped;
use crate::wire;

/// An upstream that answers everything with this status; or, with none, nothing listens there.
async fn useless(status: Option<u16>) -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/api/v1", listener.local_addr().expect("an address"));
    if let Some(status) = status {
        let status = StatusCode::from_u16(status).expect("a status");
        let answer = move || async move {
            let error = json!({ "error": { "code": status.as_u16(), "message": "no" } });
            (status, axum::Json(error)).into_response()
        };
        let router = Router::new().route("/api/v1/chat/completions", post(answer));
        tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    }
    base_url
}

/// An upstream that serves.
async fn serving() -> String {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
    let base_url = format!("http://{}/api/v1", listener.local_addr().expect("an address"));
    let router = sandbox::router(SandboxConfig::default());
    tokio::spawn(async move { axum::serve(listener, router).await.expect("it serves") });
    base_url
}

/// Adds a master account at this address and waits until requests may go to it.
async fn add_master(desk: &Desk, base_url: &str) -> String {
    let admin = desk.app.admin().await.token;
    let body = json!({ "label": "second", "provider": "openrouter", "base_url": base_url,
        "api_key": "sk-or-v1-0123456789abcdef0123" });
    let made = desk.app.post("/v1/admin/master-accounts", &admin, &body).await.expect(201);
    let id = made["id"].as_str().expect("an id").to_owned();
    let known = || {
        let masters = desk.app.state().gateway.masters();
        masters.find(id.parse().expect("an id")).is_some()
    };
    let deadline = std::time::Instant::now() + LONG;
    while !known() {
        assert!(std::time::Instant::now() < deadline, "it is not taken up");
        tokio::time::sleep(std::time::Duration::from_millis(20)).await;
    }
    id
}

#[tokio::test]
async fn a_master_account_that_cannot_serve_is_passed_over() {
    for (status, kind) in [
        (None, "unreachable"),
        (Some(401), "account_refused"),
        (Some(402), "account_refused"),
        (Some(429), "rate_limited"),
    ] {
        let base_url = serving().await;
        let keys = vec![Secret::new("sk-or-good")];
        let upstream = UpstreamConfig::OpenRouter { base_url, keys };
        let desk = Desk::open_with(|config| {
            config.upstream = upstream;
            config.metrics = Some(([127, 0, 0, 1], 0).into());
        })
        .await;
        let bad = add_master(&desk, &useless(status).await).await;
        for number in 0..6 {
            let got = wire::send(desk.request("", number % 2 == 0)).await.expect("an answer");
            assert!(got.is_whole(), "{status:?}: {} {}", got.status, got.text);
        }
        let fates = fate::all_ended(desk.pool(), LONG).await;
        assert_eq!(fates.len(), 6);
        for fate in &fates {
            assert_ne!(fate.settled().master_account.to_string(), bad);
        }
        // Customers notice nothing; the operator must.
        let figures = Scraped::read(&desk.app.figures().await);
        let name = format!("tollgate_upstream_errors_total{{kind=\"{kind}\"}}");
        assert!(figures.value(&name) >= 1.0, "{status:?}: {name} is not counted");
        desk.close().await;
    }
}

#[tokio::test]
async fn where_none_can_serve_the_client_is_told_so_and_pays_nothing() {
    let base_url = useless(Some(402)).await;
    let desk = Desk::open().await;
    add_master(&desk, &base_url).await;
    // The sandbox serves only where nothing else does.
    let got = wire::send(desk.request("", false)).await.expect("an answer");
    assert_eq!(got.status, 503, "{}", got.text);
    desk.close().await;
}
