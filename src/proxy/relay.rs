//! A stream through the gateway, without buffering.

use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use tokio::time::{Instant, timeout};
use tollgate_domain::account::{Outcome, ReleaseReason};

use super::in_flight::{InFlight, Unknown};
use super::sse::{Filter, Seen};
use crate::http::error::ApiError;

/// Providers that generate, and bill, to the end although the client has gone: there draining
/// costs nothing more and brings the bill. Source: the upstream's documentation on cancellation.
const BILLS_TO_THE_END: [&str; 9] = [
    "Amazon Bedrock",
    "Google",
    "Google AI Studio",
    "Google Vertex",
    "Groq",
    "Mistral",
    "Perplexity",
    "Alibaba",
    "Minimax",
];

/// The upstream's answer, and the request that it belongs to.
struct Relay {
    answer: reqwest::Response,
    filter: Filter,
    /// Taken when the end is known.
    request: Option<InFlight>,
    idle: Duration,
    deadline: Instant,
    /// A first event has come.
    speaks: bool,
}

/// What came of waiting for the next piece.
enum Next {
    Piece(Bytes),
    End,
    Broken(&'static str),
}

/// The body that the client reads. Where it stops reading, the relay is dropped, and with that
/// the request gets its end.
pub fn body(answer: reqwest::Response, request: InFlight, idle: Duration, whole: Duration) -> Body {
    let deadline = Instant::now() + whole;
    let filter = Filter::new(request.endpoint);
    let relay = Relay { answer, filter, request: Some(request), idle, deadline, speaks: false };
    Body::from_stream(stream::unfold(relay, |mut relay| async move {
        let piece = relay.piece().await?;
        Some((Ok::<_, std::convert::Infallible>(piece), relay))
    }))
}

impl Relay {
    /// The next bytes for the client; none after the end.
    async fn piece(&mut self) -> Option<Bytes> {
        loop {
            self.request.as_ref()?;
            let (bytes, ended) = match self.next().await {
                Next::Piece(bytes) => (self.feed(bytes), None),
                Next::End => (self.finish(), Some(None)),
                Next::Broken(reason) => {
                    tracing::warn!(reason, "an upstream stream broke off");
                    (Bytes::from(broken()), Some(Some(Outcome::UpstreamBroke)))
                }
            };
            if let Some(outcome) = ended {
                self.end(outcome);
            }
            if !bytes.is_empty() {
                return Some(bytes);
            }
        }
    }

    async fn next(&mut self) -> Next {
        let wait = self.idle.min(self.deadline.saturating_duration_since(Instant::now()));
        match timeout(wait, self.answer.chunk()).await {
            Ok(Ok(Some(bytes))) => Next::Piece(bytes),
            Ok(Ok(None)) => Next::End,
            Ok(Err(_)) => Next::Broken("the connection went"),
            Err(_) => Next::Broken("nothing came in time"),
        }
    }

    fn feed(&mut self, bytes: Bytes) -> Bytes {
        // The first token and not the first keep-alive: that is what a person waits for.
        if !self.speaks && memchr::memmem::find(&bytes, b"data:").is_some() {
            self.speaks = true;
            if let Some(request) = &mut self.request {
                request.first_byte = std::time::Instant::now();
            }
        }
        let request = self.request.as_ref();
        let charge = |billed: &_| request.and_then(|request| request.charge(billed));
        match self.filter.feed(bytes, &charge) {
            Ok(bytes) => {
                // Clients stop reading here, and may send their next request at once.
                if self.filter.seen.done
                    && let Some(request) = &mut self.request
                {
                    request.admitted.leave();
                }
                bytes
            }
            Err(_) => {
                self.end(Some(Outcome::UpstreamBroke));
                Bytes::from(broken())
            }
        }
    }

    fn finish(&mut self) -> Bytes {
        let request = self.request.as_ref();
        let charge = |billed: &_| request.and_then(|request| request.charge(billed));
        self.filter.finish(&charge)
    }

    /// Gives the request its end, on the tracker that shutdown waits for.
    fn end(&mut self, outcome: Option<Outcome>) {
        if let Some(mut request) = self.request.take() {
            request.admitted.leave();
            let seen = std::mem::take(&mut self.filter.seen);
            let tracker = request.gateway.tracker().clone();
            tracker.spawn(conclude(request, seen, outcome));
        }
    }
}

impl Drop for Relay {
    /// The client left before the end.
    fn drop(&mut self) {
        let Some(mut request) = self.request.take() else { return };
        request.admitted.leave();
        let seen = std::mem::take(&mut self.filter.seen);
        let tracker = request.gateway.tracker().clone();
        if seen.billed.is_some() {
            // The bill came through; what was missing is only the farewell.
            tracker.spawn(conclude(request, seen, Some(Outcome::Completed)));
            return;
        }
        let drains =
            seen.provider.as_deref().is_none_or(|provider| BILLS_TO_THE_END.contains(&provider));
        if !drains {
            tracker.spawn(conclude(request, seen, Some(Outcome::ClientLeft)));
            return;
        }
        let rest = self.take_answer();
        let (idle, deadline) = (self.idle, self.deadline);
        let mut filter = std::mem::take(&mut self.filter);
        filter.seen = seen;
        tracker.spawn(drain(rest, request, filter, idle, deadline));
    }
}

impl Relay {
    /// The answer, leaving an empty one behind.
    fn take_answer(&mut self) -> reqwest::Response {
        let empty = axum::http::Response::new(Bytes::new());
        std::mem::replace(&mut self.answer, empty.into())
    }
}

/// Reads on without a client, for the bill.
async fn drain(
    answer: reqwest::Response,
    request: InFlight,
    filter: Filter,
    idle: Duration,
    deadline: Instant,
) {
    let mut relay = Relay { answer, filter, request: None, idle, deadline, speaks: true };
    let nobody = |_: &_| None;
    while let Next::Piece(bytes) = relay.next().await {
        if relay.filter.feed(bytes, &nobody).is_err() {
            break;
        }
    }
    relay.filter.finish(&nobody);
    let seen = std::mem::take(&mut relay.filter.seen);
    drop(relay);
    conclude(request, seen, Some(Outcome::ClientLeft)).await;
}

/// The one end of a streamed request, from what was seen of it.
async fn conclude(request: InFlight, seen: Seen, outcome: Option<Outcome>) {
    let failed = seen.failed || seen.fault.is_some();
    let outcome = outcome.unwrap_or(match (failed, seen.done, &seen.billed) {
        (true, ..) => Outcome::UpstreamError,
        (false, true, _) | (false, _, Some(_)) => Outcome::Completed,
        (false, false, None) => Outcome::UpstreamBroke,
    });
    match seen.billed {
        Some(billed) => {
            let nothing = billed.cost.is_some_and(|cost| cost.decimal().is_zero());
            match seen.fault.is_some() && nothing {
                true => request.release(ReleaseReason::NothingBilled).await,
                false => request.settle(billed, outcome).await,
            }
        }
        None => {
            let unknown = match (seen.delivered, &seen.fault, outcome) {
                (0, Some(_), _) => Unknown::Release(ReleaseReason::UpstreamError),
                (0, None, Outcome::ClientLeft) => Unknown::Release(ReleaseReason::ClientLeft),
                (0, None, _) => Unknown::Release(ReleaseReason::NothingBilled),
                (delivered, ..) => Unknown::Estimate(delivered),
            };
            request.resolve(outcome, unknown).await;
        }
    }
}

/// The last event of a stream that cannot go on, in the shape that SDKs raise as an error.
fn broken() -> String {
    let message = ApiError::AnswerBroke.to_string();
    let event = serde_json::json!({
        "error": { "code": 502, "message": message, "type": "upstream_error", "param": null },
        "choices": [],
    });
    format!("data: {event}\n\ndata: [DONE]\n\n")
}
