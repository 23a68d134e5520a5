//! Takes a request in, reserves, forwards, and hands the answer back.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::response::Response;
use bytes::Bytes;
use tokio::sync::oneshot;
use tokio_util::sync::WaitForCancellationFuture;
use tokio_util::task::TaskTracker;
use tollgate_domain::ids::{AccountId, KeyId, RequestId};
use tollgate_domain::pricing::Rates;

use super::endpoint::Endpoint;
use super::exchange::Exchange;
use super::generations::GenerationNotes;
use super::once::{self, ClientKey, Once, Turn};
use super::request::{ModelRequest, base_of};
use crate::billing::{
    Books, MasterAccounts, OnceKey, PriceList, Prices, Refusal, ReservationOrder, reserve,
};
use crate::config::ReserveMode;
use crate::http::error::{ApiError, Language};
use crate::ledger::CommandError;
use crate::limits::{self, Admitted};
use crate::upstream::{PassedOn, UpstreamClient};

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Caller {
    /// Whose money.
    pub account: AccountId,
    /// The key that came with the request.
    pub key: KeyId,
    /// The request.
    pub request: RequestId,
    /// In which they want to be told what is wrong.
    pub language: Language,
}

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
    /// How long a request that went wrong waits for the upstream's record.
    pub patience: Duration,
    /// How long a client may take nothing of its answer.
    pub client_stall: Duration,
}

/// The request path.
#[derive(Debug)]
pub struct Gateway(pub(super) GatewayParts);

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

    /// How long a request that went wrong waits for the upstream's record.
    #[must_use]
    pub const fn patience(&self) -> Duration {
        self.0.patience
    }

    /// How long a reservation may stay open: longer than any request can take.
    #[must_use]
    pub fn lifetime(&self) -> Duration {
        let timeouts = self.0.client.timeouts();
        timeouts.total + timeouts.first_byte + self.0.patience + Duration::from_secs(240)
    }

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
        let models = request.models.iter().map(|model| base_of(model));
        if let Err(refusal) = admitted.ask(models, demand.prompt_tokens) {
            let accounts = &self.0.books.ledger.accounts;
            return Err(limits::refused(accounts, caller.account, refusal).await);
        }
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
