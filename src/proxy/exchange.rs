//! One request on its way: the reservation's commit and the upstream's call, side by side.

use std::pin::pin;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::body::Body;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use bytes::Bytes;
use tokio::time::timeout;
use tollgate_domain::account::{AbandonCall, Handle};
use tollgate_domain::ids::ReservationId;

use super::endpoint::Endpoint;
use super::failure::unreachable;
use super::gateway::{Caller, Gateway, GatewayParts, refused};
use super::in_flight::InFlight;
use super::relay::Limits;
use super::reply::{GENERATION_ID, Reply, complete, describe, failed, mishap_of, reason_of, tell};
use super::routing::{Call, Routed};
use super::{relay, whole};
use crate::billing::{LONGEST_HANDLE, OpenReservation, Prices, Reserved, Unreserved, abandon};
use crate::config::ReserveMode;
use crate::ledger::{Actor, CommandContext, now};
use crate::limits::Admitted;
use crate::upstream::{PassedOn, Upstream};

/// How long the headers of a call are waited for whose reservation was refused. An upstream that
/// takes longer has told nobody what the call may have cost.
const HEADERS_OF_THE_ABANDONED: Duration = Duration::from_secs(60);

/// One request on its way.
pub struct Exchange {
    pub gateway: Arc<Gateway>,
    pub caller: Caller,
    pub mode: ReserveMode,
    pub prices: Arc<Prices>,
    pub upstream: Arc<Upstream>,
    pub passed_on: PassedOn,
    pub begun: Instant,
    pub endpoint: Endpoint,
    pub streamed: bool,
    pub prompt_tokens: u64,
    pub admitted: Admitted,
}

impl Exchange {
    /// From the decided reservation to its end.
    pub async fn run(mut self, reserved: Reserved, body: Bytes, reply: Reply) {
        match self.mode {
            ReserveMode::Overlapped => self.overlapped(reserved, body, reply).await,
            ReserveMode::DurableFirst => match reserved.durable().await {
                Ok(open) => {
                    let gateway = self.gateway.clone();
                    let call =
                        Call { path: self.endpoint.path(), passed_on: &self.passed_on, body };
                    let sent = call.send(&gateway.0, &mut self.upstream).await;
                    self.sent(sent, open, reply).await;
                }
                Err(unreserved) => {
                    self.admitted.come_to_nothing();
                    tell(reply, Err(refused(unreserved.refusal)));
                }
            },
        }
    }

    /// The upstream works while the commit is under way. If that turns out refused, the call is
    /// dropped before a byte reached the client, and what it cost is our loss.
    async fn overlapped(mut self, reserved: Reserved, body: Bytes, reply: Reply) {
        let gateway = self.gateway.clone();
        let decided = {
            let call = Call { path: self.endpoint.path(), passed_on: &self.passed_on, body };
            let mut send = pin!(call.send(&gateway.0, &mut self.upstream));
            let mut durable = pin!(reserved.durable());
            let mut sent = None;
            let decided = loop {
                tokio::select! {
                    biased;
                    decided = &mut durable => break decided,
                    routed = &mut send, if sent.is_none() => sent = Some(routed),
                }
            };
            match (decided, sent) {
                (Ok(open), Some(sent)) => Ok((open, sent, reply)),
                (Ok(open), None) => Ok((open, send.await, reply)),
                (Err(unreserved), sent) => {
                    self.admitted.come_to_nothing();
                    let Unreserved { refusal, reservation, model } = *unreserved;
                    tracing::warn!(account.id = %self.caller.account, %reservation, %refusal,
                        "a reservation was refused after the upstream had been called");
                    tell(reply, Err(refused(refusal)));
                    // Its headers have the handle under which the upstream keeps the bill.
                    let sent = match sent {
                        Some(sent) => Some(sent),
                        None => timeout(HEADERS_OF_THE_ABANDONED, send).await.ok(),
                    };
                    Err((reservation, model, sent))
                }
            }
        };
        match decided {
            Ok((open, sent, reply)) => self.sent(sent, open, reply).await,
            Err((reservation, model, sent)) => self.abandon(reservation, model, sent).await,
        }
    }

    /// Drops the call, where that stops its bill before it grows, and takes note of it: what the
    /// upstream has billed is asked for, and booked as the operator's.
    async fn abandon(self, reservation: ReservationId, model: String, sent: Option<Routed>) {
        let answer = match sent {
            Some(Ok((answer, _))) => answer,
            Some(Err(error)) => {
                return tracing::warn!(%reservation, %error, "the abandoned call has no answer");
            }
            None => return tracing::error!(%reservation, "what its call cost stays unknown"),
        };
        if !answer.status().is_success() {
            return tracing::debug!(%reservation, "the upstream has refused it too");
        }
        let handle = generation_of(&answer).filter(|id| id.len() <= LONGEST_HANDLE);
        drop(answer);
        let Some(generation_id) = handle else {
            return tracing::error!(%reservation, "what its call cost stays unknown");
        };
        let Caller { account, key, request, .. } = self.caller;
        let awaits = Handle { master_account: self.upstream.id, generation_id };
        let call = AbandonCall { reservation, key, model, awaits, at: now() };
        let context = CommandContext::request(Actor::Key(key), request);
        abandon(self.gateway.books(), account, &context, call).await;
    }

    async fn sent(mut self, sent: Routed, open: OpenReservation, reply: Reply) {
        match sent {
            Ok((answer, took)) => self.answered(answer, took, open, reply).await,
            Err(error) => {
                self.admitted.come_to_nothing();
                tell(reply, Err(unreachable(&error)));
                let rule = |mishap| self.prices.book.fairness().rule(mishap);
                let ruling = mishap_of(&error).map(rule);
                open.release_unbilled(reason_of(&error), ruling, None).await;
            }
        }
    }

    async fn answered(
        self,
        answer: reqwest::Response,
        upstream_took: Duration,
        open: OpenReservation,
        reply: Reply,
    ) {
        let status = answer.status().as_u16();
        let generation_id = generation_of(&answer);
        if let Some(id) = &generation_id {
            self.gateway.notes().note(open.id, id, self.upstream.id);
        }
        let is_events = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/event-stream"));
        let is_text = answer
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|kind| kind.as_bytes().starts_with(b"text/") && !is_events);
        let GatewayParts { client, client_stall, .. } = &self.gateway.0;
        let (timeouts, stall) = (client.timeouts(), *client_stall);
        let mut request = InFlight {
            upstream_took,
            open,
            endpoint: self.endpoint,
            language: self.caller.language,
            upstream: self.upstream,
            prices: self.prices,
            generation_id,
            answering: None,
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
            request.handed_on();
            let limits = Limits { idle: timeouts.idle, total: timeouts.total, stall };
            *response.body_mut() = relay::body(answer, request, limits);
            tell(reply, Ok(response));
            return;
        }
        let reading = Instant::now();
        let whole = whole::read(answer, timeouts.idle, timeouts.total).await;
        request.upstream_took += reading.elapsed();
        complete(whole, is_text, request, reply).await;
    }
}

/// The upstream's handle.
fn generation_of(answer: &reqwest::Response) -> Option<String> {
    let named = answer.headers().get(&GENERATION_ID);
    named.and_then(|value| value.to_str().ok()).map(str::to_owned)
}
