//! What the client is told, and what the books are told after.

use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderName, HeaderValue, header};
use axum::response::Response;
use tokio::sync::oneshot;
use tollgate_domain::account::{Outcome, ReleaseReason};
use tollgate_domain::fairness::Mishap;

use super::failure::Fault;
use super::in_flight::{Ending, InFlight};
use super::usage::Charged;
use super::warning::{WARNING, said};
use super::whole;
use crate::http::error::ApiError;
use crate::upstream::UpstreamError;

/// The upstream's handle of the answer.
pub const GENERATION_ID: HeaderName = HeaderName::from_static("x-generation-id");
const CHARGE: HeaderName = HeaderName::from_static("x-tollgate-charge");
const BALANCE: HeaderName = HeaderName::from_static("x-tollgate-balance");
const TRIMMED: HeaderName = HeaderName::from_static("x-tollgate-max-tokens");

/// To the handler that waits for the answer.
pub type Reply = oneshot::Sender<Result<Response, ApiError>>;

/// What the fairness policy calls it; nothing where no request got through.
pub const fn mishap_of(error: &UpstreamError) -> Option<Mishap> {
    match error {
        UpstreamError::TimedOut => Some(Mishap::TimedOut),
        UpstreamError::Broke(_) => Some(Mishap::AnswerBroke),
        UpstreamError::Unreachable(_) | UpstreamError::Status(_) | UpstreamError::Unreadable(_) => {
            None
        }
    }
}

/// Why nothing is charged where no answer came.
pub const fn reason_of(error: &UpstreamError) -> ReleaseReason {
    match error {
        UpstreamError::Status(_) | UpstreamError::Unreadable(_) => ReleaseReason::UpstreamError,
        UpstreamError::Unreachable(_) | UpstreamError::Broke(_) | UpstreamError::TimedOut => {
            ReleaseReason::UpstreamUnreachable
        }
    }
}

/// The client hears first; the books are closed after.
pub async fn complete(whole: whole::Whole, is_text: bool, mut request: InFlight, reply: Reply) {
    request.admitted.leave();
    let bytes = match whole {
        whole::Whole::Read(bytes) => bytes,
        broken @ (whole::Whole::Broken | whole::Whole::TimedOut) => {
            let mishap = match broken {
                whole::Whole::TimedOut => Mishap::TimedOut,
                whole::Whole::Read(_) | whole::Whole::Broken => Mishap::AnswerBroke,
            };
            request.open.metrics().upstream.mishap(Some(mishap));
            tell(reply, Err(ApiError::AnswerBroke));
            let ending = Ending::badly(Outcome::UpstreamBroke, mishap);
            return request.resolve(ending, ReleaseReason::UpstreamUnreachable).await;
        }
    };
    match whole::understand(&bytes, &|billed, failed_after| request.charge(billed, failed_after)) {
        whole::Answer::Completion { text, billed, charge, delivered, failed } => {
            let mut response = Response::new(Body::from(text));
            describe(&mut response, &request, "application/json");
            if let Some(charge) = charge {
                describe_charge(&mut response, request.told(charge));
            }
            request.handed_on();
            let told = tell(reply, Ok(response));
            let ending = match (told, failed, billed.is_some()) {
                // It was made all the same, and nobody was there to take it.
                (false, ..) => Ending::badly(Outcome::ClientLeft, Mishap::ClientLeft),
                (true, true, true) => Ending {
                    delivered,
                    ..Ending::badly(Outcome::UpstreamError, Mishap::ErrorWithUsage)
                },
                (true, true, false) => Ending {
                    delivered,
                    ..Ending::badly(Outcome::UpstreamError, Mishap::ErrorWithoutUsage)
                },
                (true, false, true) => Ending::WELL,
                (true, false, false) => {
                    Ending { mishap: Some(Mishap::UsageMissing), delivered, ..Ending::WELL }
                }
            };
            request.open.metrics().upstream.mishap(ending.mishap);
            match billed {
                Some(billed) => request.settle(billed, ending).await,
                None => request.resolve(ending, ReleaseReason::NothingBilled).await,
            }
        }
        whole::Answer::Fault(fault, billed) => {
            request.open.metrics().upstream.mishap(Some(Mishap::ErrorUnder200));
            tell(reply, Err(fault.for_customer(None)));
            let ending = Ending::badly(Outcome::UpstreamError, Mishap::ErrorUnder200);
            match billed.filter(|billed| billed.cost.is_some_and(|cost| !cost.decimal().is_zero()))
            {
                Some(billed) => request.settle(billed, ending).await,
                None => request.resolve(ending, ReleaseReason::UpstreamError).await,
            }
        }
        whole::Answer::Unreadable => {
            tell(reply, Err(ApiError::AnswerBroke));
            let mishap = if is_text { Mishap::WrongContentType } else { Mishap::AnswerBroke };
            request.open.metrics().upstream.mishap(Some(mishap));
            let ending = Ending::badly(Outcome::UpstreamBroke, mishap);
            request.resolve(ending, ReleaseReason::NothingBilled).await;
        }
    }
}

/// The upstream refused before it began: nothing is billed.
pub async fn failed(answer: reqwest::Response, mut request: InFlight, reply: Reply) {
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
        whole::Whole::Broken | whole::Whole::TimedOut => None,
    };
    let fault = Fault { status, ..fault.unwrap_or(Fault::silent(status)) };
    request.admitted.come_to_nothing();
    request.open.metrics().upstream.failed(status, fault.moderated);
    tell(reply, Err(fault.for_customer(retry_after)));
    request.release(ReleaseReason::UpstreamError).await;
}

/// The charge, and what is left.
fn describe_charge(response: &mut Response, charged: Charged) {
    for (name, amount) in [(CHARGE, Some(charged.charge)), (BALANCE, charged.balance)] {
        if let Some(text) = amount.and_then(|amount| amount.to_string().parse().ok()) {
            response.headers_mut().insert(name, text);
        }
    }
}

/// The headers that every answer has.
pub fn describe(response: &mut Response, request: &InFlight, kind: &'static str) {
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

/// Whether there was still somebody to tell. A stream's relay notices by itself.
pub fn tell(reply: Reply, answer: Result<Response, ApiError>) -> bool {
    let told = reply.send(answer).is_ok();
    if !told {
        tracing::debug!("the client left before the answer");
    }
    told
}
