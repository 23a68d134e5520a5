//! A stream through the gateway, with a few pieces between the upstream and the client.

use std::io;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::Stream;
use tokio::sync::mpsc;
use tokio::time::{Instant, timeout};
use tollgate_domain::account::{Outcome, ReleaseReason};
use tollgate_domain::fairness::Mishap;

use super::in_flight::{Ending, InFlight};
use super::sse::{Filter, Seen};
use crate::http::error::{ApiError, Language};
use crate::telemetry::metrics::OpenStream;

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

/// Pieces that wait for a client that reads slowly; meanwhile the upstream is not read. So a slow
/// client costs these, the buffers of two connections, and nothing more.
const AHEAD: usize = 4;

/// How long things may take.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Between two pieces of the upstream.
    pub idle: Duration,
    /// For the whole answer.
    pub total: Duration,
    /// For the client to take a piece.
    pub stall: Duration,
}

/// The upstream's answer, and the request that it belongs to.
struct Relay {
    answer: reqwest::Response,
    filter: Filter,
    request: InFlight,
    limits: Limits,
    deadline: Instant,
    /// Counts it as open.
    _open: OpenStream,
    /// A first event has come.
    speaks: bool,
    /// Tells the client's connection that the answer was cut off.
    cut: Arc<AtomicBool>,
}

/// What came of waiting for the next piece.
enum Next {
    Piece(Bytes),
    End,
    Broken,
    TimedOut,
}

/// How a stream came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum How {
    /// The upstream ended it.
    Ended,
    /// The connection to the upstream broke.
    Broke,
    /// A time limit.
    TimedOut,
    /// No line of it ends.
    Garbled,
    /// The client left, or took nothing any more; so much had been delivered then.
    Left { delivered: u64 },
}

/// The body that the client reads. The relay runs on the tracker that shutdown waits for; it
/// notices when the client is gone, and gives the request its end.
pub fn body(answer: reqwest::Response, request: InFlight, limits: Limits) -> Body {
    let (sender, receiver) = mpsc::channel(AHEAD);
    let cut = Arc::new(AtomicBool::new(false));
    let pieces = Pieces { receiver, cut: cut.clone() };
    let deadline = Instant::now() + limits.total;
    let mut filter = Filter::new(request.endpoint);
    // Only where several may answer does the name of who does say anything.
    filter.seen.wants_model = !request.open.fallbacks.is_empty();
    let tracker = request.gateway.tracker().clone();
    let _open = request.open.metrics().upstream.stream();
    let relay = Relay { answer, filter, request, limits, deadline, _open, speaks: false, cut };
    tracker.spawn(relay.run(sender));
    Body::from_stream(pieces)
}

/// What the client's connection reads.
struct Pieces {
    receiver: mpsc::Receiver<Bytes>,
    cut: Arc<AtomicBool>,
}

impl Stream for Pieces {
    type Item = Result<Bytes, io::Error>;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Self::Item>> {
        match self.receiver.poll_recv(context) {
            Poll::Ready(Some(piece)) => Poll::Ready(Some(Ok(piece))),
            // A connection whose answer was cut off must not look as if it had ended well.
            Poll::Ready(None) if self.cut.swap(false, Ordering::Relaxed) => {
                Poll::Ready(Some(Err(io::ErrorKind::TimedOut.into())))
            }
            Poll::Ready(None) => Poll::Ready(None),
            Poll::Pending => Poll::Pending,
        }
    }
}

impl Relay {
    async fn run(mut self, client: mpsc::Sender<Bytes>) {
        loop {
            let next = tokio::select! {
                next = self.next() => next,
                () = client.closed() => return self.left().await,
            };
            let (bytes, how) = match next {
                Next::Piece(bytes) => self.feed(bytes),
                Next::End => (self.finish(), Some(How::Ended)),
                Next::Broken => (self.broken(), Some(How::Broke)),
                Next::TimedOut => (self.broken(), Some(How::TimedOut)),
            };
            if let Some(how) = how {
                return self.end(client, bytes, how).await;
            }
            if !bytes.is_empty() && !self.send(&client, bytes).await {
                drop(client);
                return self.left().await;
            }
        }
    }

    fn broken(&self) -> Bytes {
        broken(self.request.language)
    }

    async fn next(&mut self) -> Next {
        let left = self.deadline.saturating_duration_since(Instant::now());
        if left.is_zero() {
            return Next::TimedOut;
        }
        match timeout(self.limits.idle.min(left), self.answer.chunk()).await {
            Ok(Ok(Some(bytes))) => Next::Piece(bytes),
            Ok(Ok(None)) => Next::End,
            Ok(Err(_)) => Next::Broken,
            Err(_) => Next::TimedOut,
        }
    }

    /// Whether the client took it in time.
    async fn send(&self, client: &mpsc::Sender<Bytes>, bytes: Bytes) -> bool {
        let bytes = match client.try_send(bytes) {
            Ok(()) => return true,
            Err(mpsc::error::TrySendError::Closed(_)) => return false,
            Err(mpsc::error::TrySendError::Full(bytes)) => bytes,
        };
        let left = self.deadline.saturating_duration_since(Instant::now());
        let sent = timeout(self.limits.stall.min(left), client.send(bytes)).await;
        if sent.is_err() {
            self.cut.store(true, Ordering::Relaxed);
        }
        matches!(sent, Ok(Ok(())))
    }

    fn feed(&mut self, bytes: Bytes) -> (Bytes, Option<How>) {
        // The first token and not the first keep-alive: that is what a person waits for.
        if !self.speaks && memchr::memmem::find(&bytes, b"data:").is_some() {
            self.speaks = true;
            self.request.first_byte = std::time::Instant::now();
        }
        let request = &self.request;
        let charge = |billed: &_, failed_after| request.charged(billed, failed_after);
        match self.filter.feed(bytes, &charge) {
            Ok(bytes) => {
                // Clients stop reading here, and may send their next request at once.
                if self.filter.seen.done {
                    self.request.admitted.leave();
                }
                (bytes, None)
            }
            Err(_) => (self.broken(), Some(How::Garbled)),
        }
    }

    fn finish(&mut self) -> Bytes {
        let request = &self.request;
        let charge = |billed: &_, failed_after| request.charged(billed, failed_after);
        self.filter.finish(&charge)
    }

    /// The books do not wait for a client that is slow to take the last piece.
    async fn end(mut self, client: mpsc::Sender<Bytes>, last: Bytes, how: How) {
        if how != How::Ended {
            tracing::warn!(?how, "an upstream stream broke off");
        }
        self.request.admitted.leave();
        let seen = std::mem::take(&mut self.filter.seen);
        let Self { request, answer, limits, cut, .. } = self;
        drop(answer);
        let send = async move {
            if !last.is_empty() && timeout(limits.stall, client.send(last)).await.is_err() {
                cut.store(true, Ordering::Relaxed);
            }
        };
        tokio::join!(send, conclude(request, seen, how));
    }

    /// The client left before the end. The upstream is cut off where that stops its bill, and read
    /// to the end where it does not.
    async fn left(mut self) {
        self.request.admitted.leave();
        let seen = &self.filter.seen;
        let billed = seen.billed.is_some();
        let provider = seen.provider.as_deref();
        let drains =
            !billed && provider.is_none_or(|provider| BILLS_TO_THE_END.contains(&provider));
        // Where the bill came through, what was missing is only the farewell.
        let how = match billed {
            true => How::Ended,
            false => How::Left { delivered: seen.delivered },
        };
        if drains {
            let nobody = |_: &_, _| None;
            while let Next::Piece(bytes) = self.next().await {
                if self.filter.feed(bytes, &nobody).is_err() {
                    break;
                }
            }
            self.filter.finish(&nobody);
        }
        let seen = std::mem::take(&mut self.filter.seen);
        let Self { request, answer, .. } = self;
        drop(answer);
        conclude(request, seen, how).await;
    }
}

impl How {
    /// How it ended, for the books.
    fn ending(self, seen: &Seen) -> Ending {
        let billed = seen.billed.is_some();
        let (outcome, mishap) = match (self, seen.has_failed(), billed) {
            (Self::Left { .. }, ..) => (Outcome::ClientLeft, Mishap::ClientLeft),
            (_, true, true) => (Outcome::UpstreamError, Mishap::ErrorWithUsage),
            (_, true, false) => (Outcome::UpstreamError, Mishap::ErrorWithoutUsage),
            (_, false, true) => return Ending::WELL,
            (Self::TimedOut, false, false) => (Outcome::UpstreamBroke, Mishap::TimedOut),
            (Self::Garbled, false, false) => (Outcome::UpstreamBroke, Mishap::MalformedStream),
            (Self::Broke, false, false) => (Outcome::UpstreamBroke, Mishap::StreamBroke),
            (Self::Ended, false, false) => match (seen.garbled, seen.done) {
                (true, _) => (Outcome::Completed, Mishap::MalformedStream),
                (false, true) => (Outcome::Completed, Mishap::UsageMissing),
                (false, false) => (Outcome::UpstreamBroke, Mishap::StreamBroke),
            },
        };
        let delivered = match self {
            Self::Left { delivered } => delivered,
            Self::Ended | Self::Broke | Self::TimedOut | Self::Garbled => seen.delivered,
        };
        Ending { outcome, mishap: Some(mishap), delivered }
    }
}

/// The one end of a streamed request, from what was seen of it.
async fn conclude(mut request: InFlight, mut seen: Seen, how: How) {
    request.answering = seen.model.take();
    let ending = how.ending(&seen);
    request.open.metrics().upstream.mishap(ending.mishap);
    match seen.billed {
        Some(billed) => request.settle(billed, ending).await,
        None => {
            let nothing = match (&seen.fault, how) {
                (Some(_), _) => ReleaseReason::UpstreamError,
                (None, How::Left { .. }) => ReleaseReason::ClientLeft,
                (None, How::Ended | How::Broke | How::TimedOut | How::Garbled) => {
                    ReleaseReason::NothingBilled
                }
            };
            request.resolve(ending, nothing).await;
        }
    }
}

/// The last event of a stream that cannot go on, in the shape that SDKs raise as an error.
fn broken(language: Language) -> Bytes {
    let text = ApiError::AnswerBroke.text();
    let message = text.of(language);
    let event = serde_json::json!({
        "error": { "code": 502, "message": message, "type": "upstream_error", "param": null },
        "choices": [],
    });
    format!("data: {event}\n\ndata: [DONE]\n\n").into()
}
