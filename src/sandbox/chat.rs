//! `POST /chat/completions` and `POST /completions`.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::State;
use axum::extract::rejection::BytesRejection;
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use bytes::Bytes;
use tokio::time::sleep;

use super::fault::{self, BodyFault};
use super::generation::Generation;
use super::meter::Meter;
use super::pace::Pace;
use super::plan::{Order, Plan};
use super::render::Skin;
use super::wire::{self, WireError};
use super::{Sandbox, instant, staging};

/// Bodies beyond this are counted off the executor.
const LARGE_BODY: usize = 32 * 1024;

pub async fn chat_completions(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, WireError> {
    respond(sandbox, headers, body, Skin::Chat).await
}

pub async fn completions(
    State(sandbox): State<Arc<Sandbox>>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
) -> Result<Response, WireError> {
    respond(sandbox, headers, body, Skin::Text).await
}

/// The body, or the refusal of one that is too large.
pub fn whole_body(body: Result<Bytes, BytesRejection>) -> Result<Bytes, WireError> {
    body.map_err(|rejection| match rejection.into_response().status() {
        StatusCode::PAYLOAD_TOO_LARGE => {
            WireError::new(StatusCode::PAYLOAD_TOO_LARGE, "Request payload too large")
        }
        _ => WireError::bad_request("Invalid request parameters"),
    })
}

async fn respond(
    sandbox: Arc<Sandbox>,
    headers: HeaderMap,
    body: Result<Bytes, BytesRejection>,
    skin: Skin,
) -> Result<Response, WireError> {
    let key = wire::authenticate(&sandbox, &headers)?.to_owned();
    let body = whole_body(body)?;
    if sandbox.config.instant
        && let Some(quick) = instant::answer(&sandbox, &headers, &body, skin)?
    {
        wait(sandbox.config.latency).await;
        return Ok(quick);
    }
    let order = Order::read(&headers, &body, skin)?;
    wait(order.controls.delay.unwrap_or(sandbox.config.latency)).await;
    if let Some(refusal) =
        order.controls.faults.refusal(&order.requested, order.choice.served.provider())
    {
        return Err(refusal);
    }
    if !sandbox.config.instant && sandbox.used() >= sandbox.config.credits_usd {
        return Err(fault::insufficient_credits());
    }
    let (order, plan) = match body.len() {
        0..LARGE_BODY => {
            let plan = Plan::make(&sandbox, &key, &order)?;
            (order, plan)
        }
        _ => off_the_executor(Arc::clone(&sandbox), key, order).await?,
    };
    Ok(perform(sandbox, &headers, &order, plan))
}

async fn off_the_executor(
    sandbox: Arc<Sandbox>,
    key: String,
    order: Order,
) -> Result<(Order, Plan), WireError> {
    let planned = tokio::task::spawn_blocking(move || {
        Plan::make(&sandbox, &key, &order).map(|plan| (order, plan))
    });
    let failed = |_| WireError::new(StatusCode::INTERNAL_SERVER_ERROR, "Internal Server Error");
    planned.await.map_err(failed)?
}

async fn wait(delay: Duration) {
    if !delay.is_zero() {
        sleep(delay).await;
    }
}

fn perform(sandbox: Arc<Sandbox>, headers: &HeaderMap, order: &Order, plan: Plan) -> Response {
    let pace = Pace::of(&sandbox, order, &plan);
    let faults = &order.controls.faults;
    let streamed = order.request.stream == Some(true);
    if faults.body == Some(BodyFault::WrongContentType) {
        let page = "<!DOCTYPE html><html><body><h1>Please wait</h1></body></html>";
        return ([(header::CONTENT_TYPE, "text/html; charset=utf-8")], page).into_response();
    }
    let late_error = matches!(faults.body, Some(BodyFault::PaddedError | BodyFault::BilledError));
    let as_events = streamed && !late_error;
    let script = match as_events {
        true => staging::streamed_script(&plan, faults, &pace),
        false => staging::whole_script(&plan, faults, &pace),
    };
    let record = Generation::begun(headers, order, &plan, streamed);
    let meter = Meter::new(sandbox, record, plan.prices, plan.tally, faults);
    let id = (!faults.no_generation_id).then_some(plan.head.id.as_str());
    answer_with(id, as_events, script.into_body(meter))
}

/// The head of a model answer.
pub fn answer_with(id: Option<&str>, as_events: bool, body: Body) -> Response {
    let mut response = Response::new(body);
    let kind = if as_events { "text/event-stream" } else { "application/json" };
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(kind));
    if as_events {
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-cache"));
    }
    if let Some(id) = id.and_then(|id| HeaderValue::from_str(id).ok()) {
        headers.insert(wire::GENERATION_ID, id);
    }
    response
}
