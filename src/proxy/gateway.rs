//! Takes a request in, reserves, forwards, and hands the answer back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio_util::sync::WaitForCancellationFuture;
use tokio_util::task::TaskTracker;
use tollgate_domain::account::{Outcome, ReleaseReason, SpendWarning};
use tollgate_domain::ids::{AccountId, KeyId, RequestId};
use tollgate_domain::time::Period;

use super::endpoint::Endpoint;
use super::failure::{Fault, unreachable};
use super::generations::GenerationNotes;
use super::in_flight::{InFlight, Unknown};
use super::once::{self, Once};
use super::{relay, whole};
use crate::billing::{
    Books, MasterAccounts, OpenReservation, PriceList, Prices, Refusal,
};
use crate::config::ReserveMode;
use crate::http::error::ApiError;
use crate::ledger::CommandError;
use crate::limits::Admitted;
use crate::upstream::{PassedOn, Upstream, UpstreamClient, UpstreamError};

const GENERATION_ID: HeaderName = HeaderName::from_static("x-generation-id");
const CHARGE: HeaderName = HeaderName::from_static("x-tollgate-charge");
const WARNING: HeaderName = HeaderName::from_static("x-tollgate-warning");
const TRIMMED: HeaderName = HeaderName::from_static("x-tollgate-max-tokens");

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Whose money.
    pub account: AccountId,
    /// The key that came with the request.
    pub key: KeyId,
    /// The request.
    pub request: RequestId,
}

/// What the gateway is made of.
#[derive(Debug)]
pub struct GatewayParts {
    /// The ledger.
    pub books: Books,
    /// To upstreams.
    pub client: UpstreamClient,
    /// What things cost.
    pub prices: PriceList,
    /// Who can serve.
    pub masters: MasterAccounts,
    /// Handles of running requests.
    pub notes: GenerationNotes,
    /// When the upstream is called.
    pub mode: ReserveMode,
    /// Requests with an idempotency key.
    pub once: Once,
}

/// The request path.
#[derive(Debug)]
pub struct Gateway(pub(super) GatewayParts);

type Reply = oneshot::Sender<Result<Response, ApiError>>;

/// One request on its way.
pub(super) struct Exchange {
    pub(super) gateway: Arc<Gateway>,
    pub(super) caller: Caller,
    pub(super) mode: ReserveMode,
    pub(super) prices: Arc<Prices>,
    pub(super) upstream: Arc<Upstream>,
    pub(super) passed_on: PassedOn,
    pub(super) begun: Instant,
    pub(super) endpoint: Endpoint,
    pub(super) streamed: bool,
    pub(super) prompt_tokens: u64,
    pub(super) admitted: Admitted,
}

impl Gateway {
    /// Puts the parts together.
    #[must_use]
    pub fn new(parts: GatewayParts) -> Arc<Self> {
        Arc::new(Self(parts))
    }

    /// To upstreams.
    #[must_use]
    pub const fn client(&self) -> &UpstreamClient {
        &self.0.client
    }

    /// What shutdown waits for.
    #[must_use]
    pub const fn tracker(&self) -> &TaskTracker {
        &self.0.books.tracker
    }

    /// Handles of running requests.
    #[must_use]
    pub const fn notes(&self) -> &GenerationNotes {
        &self.0.notes
    }

    /// What things cost.
    #[must_use]
    pub const fn prices(&self) -> &PriceList {
        &self.0.prices
    }

    /// Who can serve.
    #[must_use]
    pub const fn masters(&self) -> &MasterAccounts {
        &self.0.masters
    }

    /// The ledger.
    #[must_use]
    pub const fn books(&self) -> &Books {
        &self.0.books
    }

    /// Resolves when waiting is over because the process ends.
    pub fn stopping(&self) -> WaitForCancellationFuture<'_> {
        self.0.books.stop.cancelled()
    }

    /// How long a reservation may stay open: longer than any request can take.
    pub(super) fn lifetime(&self) -> Duration {
        self.0.client.timeouts().total
            + self.0.client.timeouts().first_byte
            + Duration::from_secs(300)
    }
}

/// What the customer is told where nothing was reserved.
pub(super) fn refused(refusal: Refusal) -> ApiError {
    match refusal {
        Refusal::NotPriced(model) => ApiError::ModelNotPriced { model },
        Refusal::Account { error, requested_tokens, affordable_tokens } => match error.into() {
            ApiError::InsufficientFunds { required, available, .. } => {
                ApiError::InsufficientFunds {
                    required,
                    available,
                    requested_tokens: Some(requested_tokens),
                    affordable_tokens: Some(affordable_tokens),
                }
            }
            other => other,
        },
        Refusal::Ledger(CommandError::KeyUsed(_)) => once::running(),
        Refusal::Ledger(error) => error.into(),
    }
}

impl Exchange {
    /// From the decided reservation to its end.
    pub(super) async fn run(
        mut self,
        reserved: crate::billing::Reserved,
        body: Bytes,
        reply: Reply,
    ) {
        let gateway = self.gateway.clone();
        let path = self.endpoint.path();
        let send = || gateway.0.client.post(&self.upstream, path, &self.passed_on, body);
        let both = match self.mode {
            // The upstream works while the commit is under way; if that turns out refused, the
            // call is dropped before a byte reached the client, and what it cost is our loss.
            ReserveMode::Overlapped => {
                let send = async { Ok(send().await) };
                tokio::try_join!(send, reserved.durable())
            }
            ReserveMode::DurableFirst => match reserved.durable().await {
                Ok(open) => Ok((send().await, open)),
                Err(refusal) => Err(refusal),
            },
        };
        match both {
            Ok((Ok(answer), open)) => self.answered(answer, open, reply).await,
            Ok((Err(error), open)) => {
                self.admitted.leave();
                tell(reply, Err(unreachable(&error)));
                open.release(reason_of(&error)).await;
            }
            Err(refusal) => {
                self.admitted.leave();
                tracing::warn!(account.id = %self.caller.account, %refusal,
                    "a reservation was refused after the upstream had been called");
                tell(reply, Err(refused(refusal)));
            }
        }
    }

    async fn answered(self, answer: reqwest::Response, open: OpenReservation, reply: Reply) {
        let status = answer.status().as_u16();
        let generation_id = answer
            .headers()
            .get(&GENERATION_ID)
            .and_then(|value| value.to_str().ok())
            .map(str::to_owned);
        if let Some(id) = &generation_id {
            self.gateway.notes().note(open.id, id, self.upstream.id);
        }
        let is_events = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let timeouts = self.gateway.0.client.timeouts();
        let request = InFlight {
            open,
            endpoint: self.endpoint,
            upstream: self.upstream,
            prices: self.prices,
            generation_id,
            streamed: is_events,
            prompt_tokens: self.prompt_tokens,
            admitted: self.admitted,
            begun: self.begun,
            first_byte: Instant::now(),
            gateway: self.gateway,
        };
        if !(200..300).contains(&status) {
            return failed(answer, request, reply).await;
        }
        if self.streamed && is_events {
            let mut response = Response::new(Body::empty());
            describe(&mut response, &request, "text/event-stream; charset=utf-8");
            response
                .headers_mut()
                .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
            *response.body_mut() = relay::body(answer, request, timeouts.idle, timeouts.total);
            return tell(reply, Ok(response));
        }
        let whole = whole::read(answer, timeouts.idle, timeouts.total).await;
        complete(whole, request, reply).await;
    }
}

fn reason_of(error: &UpstreamError) -> ReleaseReason {
    match error {
        UpstreamError::Status(_) | UpstreamError::Unreadable(_) => ReleaseReason::UpstreamError,
        UpstreamError::Unreachable(_) | UpstreamError::Broke(_) | UpstreamError::TimedOut => {
            ReleaseReason::UpstreamUnreachable
        }
    }
}

/// The client hears first; the books are closed after.
async fn complete(whole: whole::Whole, mut request: InFlight, reply: Reply) {
    request.admitted.leave();
    let whole::Whole::Read(bytes) = whole else {
        tell(reply, Err(ApiError::AnswerBroke));
        let unknown = Unknown::Release(ReleaseReason::UpstreamUnreachable);
        return request.resolve(Outcome::UpstreamBroke, unknown).await;
    };
    match whole::understand(&bytes, &|billed| request.charge(billed)) {
        whole::Answer::Completion { text, billed, delivered, failed } => {
            let mut response = Response::new(Body::from(text));
            describe(&mut response, &request, "application/json");
            let charge = billed.as_ref().and_then(|billed| request.charge(billed));
            if let Some(charge) = charge.and_then(|charge| charge.to_string().parse().ok()) {
                response.headers_mut().insert(CHARGE, charge);
            }
            tell(reply, Ok(response));
            let outcome = if failed { Outcome::UpstreamError } else { Outcome::Completed };
            match billed {
                Some(billed) => request.settle(billed, outcome).await,
                None => request.resolve(outcome, Unknown::Estimate(delivered)).await,
            }
        }
        whole::Answer::Fault(fault, billed) => {
            tell(reply, Err(fault.for_customer(None)));
            match billed.filter(|billed| billed.cost.is_some_and(|cost| !cost.decimal().is_zero()))
            {
                Some(billed) => request.settle(billed, Outcome::UpstreamError).await,
                None => {
                    let unknown = Unknown::Release(ReleaseReason::UpstreamError);
                    request.resolve(Outcome::UpstreamError, unknown).await;
                }
            }
        }
        whole::Answer::Unreadable => {
            tell(reply, Err(ApiError::AnswerBroke));
            let unknown = Unknown::Release(ReleaseReason::NothingBilled);
            request.resolve(Outcome::UpstreamBroke, unknown).await;
        }
    }
}

/// The upstream refused before it began: nothing is billed.
async fn failed(answer: reqwest::Response, mut request: InFlight, reply: Reply) {
    let status = answer.status().as_u16();
    let retry_after = answer
        .headers()
        .get(header::RETRY_AFTER)
        .and_then(|value| value.to_str().ok()?.parse().ok())
        .map(Duration::from_secs);
    let patience = Duration::from_secs(10);
    let fault = match whole::read(answer, patience, patience).await {
        whole::Whole::Read(bytes) => {
            std::str::from_utf8(&bytes).ok().and_then(|text| Fault::read(text.trim()))
        }
        whole::Whole::Broken => None,
    };
    let fault = Fault { status, ..fault.unwrap_or(Fault::silent(status)) };
    request.admitted.leave();
    tell(reply, Err(fault.for_customer(retry_after)));
    request.release(ReleaseReason::UpstreamError).await;
}

fn describe(response: &mut Response, request: &InFlight, kind: &'static str) {
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if let Some(id) = request.generation_id.as_deref().and_then(|id| id.parse().ok()) {
        headers.insert(GENERATION_ID, id);
    }
    if request.open.terms.trimmed {
        headers.insert(TRIMMED, HeaderValue::from(request.open.terms.output_tokens));
    }
    if let Some(warning) = request.open.terms.warning.as_ref().and_then(said) {
        headers.insert(WARNING, warning);
    }
    request.admitted.describe(headers);
}

/// A spending limit that is near, in words that a program can split at the semicolons.
fn said(warning: &SpendWarning) -> Option<HeaderValue> {
    let SpendWarning { key, period, limit, spent, .. } = warning;
    let holder = if key.is_some() { "key" } else { "account" };
    let period = match period {
        Period::Day => "day",
        Period::Week => "week",
        Period::Month => "month",
        Period::Total => "total",
    };
    let text =
        format!("spend-limit; of={holder}; period={period}; limit_usd={limit}; spent_usd={spent}");
    HeaderValue::from_str(&text).ok()
}

/// The client may have gone; then a streaming answer is dropped, and its relay ends the request.
fn tell(reply: Reply, answer: Result<Response, ApiError>) {
    if reply.send(answer).is_err() {
        tracing::debug!("the client left before the answer");
    }
}
