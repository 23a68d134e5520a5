//! Which master account a request goes to.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::http::header;
use bytes::Bytes;

use super::gateway::GatewayParts;
use crate::billing::MasterAccounts;
use crate::telemetry::metrics::UpstreamMetrics;
use crate::upstream::{PassedOn, Upstream, UpstreamClient, UpstreamError};

/// How many master accounts are asked for one request at most.
const MOST: usize = 3;
const UNREACHABLE: Duration = Duration::from_secs(10);
/// Its key or its credits: somebody has to do something.
const UNUSABLE: Duration = Duration::from_secs(60);
const BUSY: Duration = Duration::from_secs(2);

/// The headers of an answer and how long they took, or why there are none.
pub type Routed = Result<(reqwest::Response, Duration), UpstreamError>;

/// What is sent.
#[derive(Debug)]
pub struct Call<'r> {
    /// After the upstream's base address.
    pub path: &'r str,
    /// Headers.
    pub passed_on: &'r PassedOn,
    /// JSON.
    pub body: Bytes,
}

impl Call<'_> {
    /// Sends it to `upstream`, or to another master account that takes its place.
    pub async fn send(self, parts: &GatewayParts, upstream: &mut Arc<Upstream>) -> Routed {
        let GatewayParts { client, masters, books, .. } = parts;
        post(client, masters, &books.metrics.upstream, upstream, self).await
    }
}

/// Sends a request to `upstream`; to another master account, which takes its place, where the
/// first one has certainly not served: out of reach, out of credits, its key refused, too many
/// requests. One that cannot serve is left out for a while.
async fn post(
    client: &UpstreamClient,
    masters: &MasterAccounts,
    metrics: &UpstreamMetrics,
    upstream: &mut Arc<Upstream>,
    Call { path, passed_on, body }: Call<'_>,
) -> Routed {
    let mut tried = Vec::new();
    loop {
        let called = Instant::now();
        let answer = client.post(upstream, path, passed_on, body.clone()).await;
        let took = called.elapsed();
        match &answer {
            Ok(_) => metrics.answered(took),
            Err(error) => metrics.unanswered(error),
        }
        let answer = answer.map(|answer| (answer, took));
        let Some(rest) = rest_after(&answer) else { return answer };
        tried.push(upstream.id);
        let next = if tried.len() < MOST { masters.pick_another(&tried) } else { None };
        let Some(next) = next else { return answer };
        if let Ok((answer, _)) = &answer {
            metrics.failed(answer.status().as_u16(), false);
        }
        tracing::warn!(master_account.id = %upstream.id, next.id = %next.id, ?rest,
            "a master account cannot serve: another one is asked");
        upstream.rest.begin(rest);
        *upstream = next;
    }
}

/// How long a master account is left out after this answer; nothing where it may have served, or
/// where another one would say the same.
fn rest_after(answer: &Routed) -> Option<Duration> {
    match answer {
        Err(UpstreamError::Unreachable(_)) => Some(UNREACHABLE),
        Ok((answer, _)) if matches!(answer.status().as_u16(), 401 | 402) => Some(UNUSABLE),
        Ok((answer, _)) if answer.status() == 429 => {
            let named = answer.headers().get(header::RETRY_AFTER);
            let seconds = named.and_then(|value| value.to_str().ok()?.parse().ok());
            Some(seconds.map_or(BUSY, Duration::from_secs).min(UNUSABLE))
        }
        Ok(_)
        | Err(
            UpstreamError::Broke(_)
            | UpstreamError::TimedOut
            | UpstreamError::Status(_)
            | UpstreamError::Unreadable(_),
        ) => None,
    }
}
