//! The calls to upstreams, and what the gateway adds to them.

use std::time::Duration;

use prometheus::{Histogram, IntCounter, IntGauge};
use tollgate_domain::fairness::Mishap;

use super::labels::{By, labels};
use super::make::Maker;
use crate::upstream::UpstreamError;

/// Until an upstream begins to answer.
const ANSWERS: [f64; 14] =
    [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0];
/// Mostly the ledger's commit.
const OVERHEAD: [f64; 14] = [
    0.0001, 0.00025, 0.0005, 0.001, 0.002, 0.004, 0.008, 0.016, 0.032, 0.064, 0.128, 0.256, 0.512,
    1.0,
];

labels! {
    /// What went wrong with an upstream.
    pub enum Trouble {
        /// No connection.
        Unreachable = "unreachable",
        /// The connection broke before an answer.
        Broke = "connection_broke",
        /// A time limit, before the answer or within it.
        TimedOut = "timed_out",
        /// An answer that is none.
        Unreadable = "unreadable",
        /// It refuses our account: key or credits.
        Account = "account_refused",
        /// It slows us down.
        RateLimited = "rate_limited",
        /// It refuses the request.
        Refused = "refused",
        /// It fails.
        Failed = "failed",
        /// An error under HTTP 200.
        ErrorUnder200 = "error_under_200",
        /// An error in the midst of an answer.
        ErrorInAnswer = "error_in_answer",
        /// A stream broke off.
        StreamBroke = "stream_broke",
        /// An answer in one piece broke off.
        AnswerBroke = "answer_broke",
        /// An answer without a bill.
        UsageMissing = "usage_missing",
        /// A stream that cannot be read.
        MalformedStream = "malformed_stream",
        /// Somebody's web page.
        WrongContentType = "wrong_content_type",
    }
}

/// Handles for upstreams.
#[derive(Debug)]
pub struct UpstreamMetrics {
    errors: By<Trouble, IntCounter>,
    answers: Histogram,
    pub(super) overhead: Histogram,
    pub(super) streams: IntGauge,
}

impl UpstreamMetrics {
    pub(super) fn new(make: &Maker) -> Self {
        Self {
            errors: make.counters(
                "tollgate_upstream_errors_total",
                "What went wrong with upstreams.",
                "kind",
            ),
            answers: make.histogram(
                "tollgate_upstream_response_seconds",
                "From the call of an upstream to the headers of its answer.",
                &ANSWERS,
            ),
            overhead: make.histogram(
                "tollgate_gateway_overhead_seconds",
                "What the gateway adds to a model's answer: the time until the answer is handed \
                 on, less the time that the upstream took.",
                &OVERHEAD,
            ),
            streams: make.gauge("tollgate_streams_open", "Streams from upstreams that are open."),
        }
    }

    /// An upstream began to answer.
    pub fn answered(&self, took: Duration) {
        self.answers.observe(took.as_secs_f64());
    }

    /// An answer is handed on, and so much of its time was the gateway's.
    pub fn handed_on(&self, overhead: Duration) {
        self.overhead.observe(overhead.as_secs_f64());
    }

    /// No answer.
    pub fn unanswered(&self, error: &UpstreamError) {
        self.errors.of(Trouble::of(error)).inc();
    }

    /// An answer with a status that is none of success.
    pub fn failed(&self, status: u16, moderated: bool) {
        self.errors.of(Trouble::of_status(status, moderated)).inc();
    }

    /// Something went wrong, perhaps not by the upstream.
    pub fn mishap(&self, mishap: Option<Mishap>) {
        if let Some(trouble) = mishap.and_then(Trouble::of_mishap) {
            self.errors.of(trouble).inc();
        }
    }

    /// A stream is open as long as this lives.
    pub fn stream(&self) -> OpenStream {
        self.streams.inc();
        OpenStream(self.streams.clone())
    }
}

/// Counts a stream as open.
#[derive(Debug)]
#[must_use = "the stream counts as open until this is dropped"]
pub struct OpenStream(IntGauge);

impl Drop for OpenStream {
    fn drop(&mut self) {
        self.0.dec();
    }
}

impl Trouble {
    const fn of(error: &UpstreamError) -> Self {
        match error {
            UpstreamError::Unreachable(_) => Self::Unreachable,
            UpstreamError::Broke(_) => Self::Broke,
            UpstreamError::TimedOut => Self::TimedOut,
            UpstreamError::Unreadable(_) => Self::Unreadable,
            UpstreamError::Status(status) => Self::of_status(*status, false),
        }
    }

    const fn of_status(status: u16, moderated: bool) -> Self {
        match status {
            401..=403 if !moderated => Self::Account,
            429 => Self::RateLimited,
            400..500 => Self::Refused,
            _ => Self::Failed,
        }
    }

    const fn of_mishap(mishap: Mishap) -> Option<Self> {
        match mishap {
            Mishap::StreamBroke => Some(Self::StreamBroke),
            Mishap::ErrorWithUsage | Mishap::ErrorWithoutUsage => Some(Self::ErrorInAnswer),
            Mishap::UsageMissing => Some(Self::UsageMissing),
            Mishap::ErrorUnder200 => Some(Self::ErrorUnder200),
            Mishap::MalformedStream => Some(Self::MalformedStream),
            Mishap::WrongContentType => Some(Self::WrongContentType),
            Mishap::AnswerBroke => Some(Self::AnswerBroke),
            Mishap::TimedOut => Some(Self::TimedOut),
            Mishap::ClientLeft | Mishap::GatewayStopped | Mishap::EndedElsewhere => None,
        }
    }
}
