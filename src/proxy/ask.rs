//! Takes a request in, reserves, and sends it on its way.

use std::sync::Arc;
use std::time::Instant;

use axum::response::Response;
use bytes::Bytes;
use tokio::sync::oneshot;
use tollgate_domain::pricing::Rates;

use super::endpoint::Endpoint;
use super::gateway::{Caller, Exchange, Gateway, refused};
use super::once::{self, ClientKey, Turn};
use super::request::{ModelRequest, base_of};
use crate::billing::{OnceKey, Prices, ReservationOrder, reserve};
use crate::config::ReserveMode;
use crate::http::error::ApiError;
use crate::limits::Admitted;
use crate::upstream::PassedOn;

/// A request to a model.
#[derive(Debug)]
pub struct Ask<'b> {
    /// Where.
    pub endpoint: Endpoint,
    /// Who asks.
    pub caller: Caller,
    /// Their place among the running ones.
    pub admitted: Admitted,
    /// Headers for the upstream.
    pub passed_on: PassedOn,
    /// What for.
    pub body: &'b Bytes,
}

impl Gateway {
    /// Asks a model.
    ///
    /// The exchange runs on its own: a client that goes away ends its connection and not the
    /// bookkeeping.
    ///
    /// # Errors
    /// What the customer is told. A refusal leaves their money as it was; an answer that broke off
    /// after the upstream had begun is charged what the upstream billed for it.
    pub async fn ask(self: &Arc<Self>, ask: Ask<'_>) -> Result<Response, ApiError> {
        let answer = self.begin(ask, None).await?;
        answer.await.unwrap_or_else(|_| Err(ApiError::internal("the exchange ended early")))
    }

    /// The same for a request with an idempotency key, which is carried out once.
    ///
    /// # Errors
    /// As [`Gateway::ask`]; and what the key's earlier requests make impossible.
    pub async fn ask_once(
        self: &Arc<Self>,
        ask: Ask<'_>,
        key: &ClientKey,
    ) -> Result<Response, ApiError> {
        let (endpoint, account, body) = (ask.endpoint, ask.caller.account, ask.body);
        let turn = || self.0.once.turn(account, key, endpoint, body);
        let (lead, order) = match turn().await? {
            Turn::Answer(response) => return Ok(response),
            Turn::Lead(lead, order) => (lead, order),
        };
        let answer = self.begin(ask, Some(order.clone())).await?;
        let spawn = |task| drop(self.tracker().spawn(task));
        if let Some(response) = lead.record(key, order, answer, spawn).await {
            return Ok(response);
        }
        // Another node was faster, and its answer is ours.
        match turn().await? {
            Turn::Answer(response) => Ok(response),
            Turn::Lead(..) => Err(once::running()),
        }
    }

    /// Reserves, and sends the request on its way. From here on it runs by itself.
    async fn begin(
        self: &Arc<Self>,
        ask: Ask<'_>,
        once: Option<OnceKey>,
    ) -> Result<oneshot::Receiver<Result<Response, ApiError>>, ApiError> {
        let Ask { endpoint, caller, mut admitted, passed_on, body } = ask;
        let begun = Instant::now();
        let mut request = ModelRequest::read(endpoint, body)?;
        let prices = self.0.prices.current();
        let demand = request.demand(&prices)?;
        admitted.ask(request.models.iter().map(|model| base_of(model)), demand.prompt_tokens)?;
        let upstream = self.0.masters.pick().ok_or(ApiError::NoUpstream)?;
        let models: Vec<String> =
            request.models.drain(..).map(|model| base_of(&model).to_owned()).collect();
        let most = dearest(&prices, &models, demand.prompt_tokens);
        let order = ReservationOrder {
            request: caller.request,
            account: caller.account,
            key: caller.key,
            models,
            demand,
            bound_is_given: request.is_bound_fixed(),
            lifetime: self.lifetime(),
            once,
        };
        let mode = match order.once {
            // Another node may have the key: the upstream must not be asked in vain.
            Some(_) => ReserveMode::DurableFirst,
            None => self.0.mode,
        };
        let exchange = Exchange {
            gateway: self.clone(),
            caller,
            mode,
            upstream,
            passed_on,
            begun,
            endpoint,
            streamed: request.streamed,
            admitted,
            prompt_tokens: demand.prompt_tokens,
            prices: prices.clone(),
        };
        // Decided here, while the request still borrows its body; the rest runs on its own.
        let reserved = reserve(&self.0.books, &prices, order).await.map_err(refused)?;
        let terms = reserved.open.terms;
        let lowered = terms.trimmed.then_some(terms.output_tokens);
        let upstream_body = request.for_upstream(caller.account, &most, lowered);
        let (reply, answer) = oneshot::channel();
        self.tracker().spawn(exchange.run(reserved, upstream_body.into(), reply));
        Ok(answer)
    }
}

/// The prices that the reservation was computed with: the dearest of the models and tiers.
fn dearest(prices: &Prices, models: &[String], prompt_tokens: u64) -> Rates {
    models
        .iter()
        .filter_map(|model| prices.book.find_card(model))
        .map(|card| card.dearest_rates(prompt_tokens))
        .reduce(Rates::max)
        .unwrap_or_default()
}
