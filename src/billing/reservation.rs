//! Money set aside for one request, from the decision to its one end.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_domain::account::{
    AccountCommand, AccountEvent, CostSource, Fallback, Latencies, Outcome, ReleaseReason,
    ReserveFunds, SettleReservation,
};
use tollgate_domain::decimal::ListCost;
use tollgate_domain::ids::{AccountId, KeyId, RequestId, ReservationId};
use tollgate_domain::pricing::{Demand, Sale};
use tollgate_domain::{Account, AccountError, Money, Usage};

use super::once::OnceKey;
use super::prices::Prices;
use super::terms::{Offer, Terms, fresh_id, terms};
use crate::ledger::{Actor, CommandContext, CommandError, Ledger, LedgerError, Pending, now};
use crate::upstream::Upstream;

/// How often a reservation is decided anew after another node was faster.
const ATTEMPTS: usize = 8;

/// What a request wants reserved.
#[derive(Debug, Clone)]
pub struct ReservationOrder {
    /// The request.
    pub request: RequestId,
    /// Whose money.
    pub account: AccountId,
    /// The key that it came with.
    pub key: KeyId,
    /// The requested model first, then its fallbacks; each has a price.
    pub models: Vec<String>,
    /// What it may consume at most.
    pub demand: Demand,
    /// The client gave the output bound itself, so it must not be lowered.
    pub bound_is_given: bool,
    /// How long it may stay open.
    pub lifetime: Duration,
    /// The client's idempotency key, which is written with the reservation or not at all.
    pub once: Option<OnceKey>,
}

/// Why nothing was reserved.
#[derive(Debug, thiserror::Error)]
pub enum Refusal {
    /// A model has no price, or no sale ratio is set: not for sale.
    #[error("`{0}` is not for sale")]
    NotPriced(String),
    /// The account refuses.
    #[error("{error}")]
    Account {
        /// Its reason.
        error: AccountError,
        /// Output tokens that the request was computed with.
        requested_tokens: u64,
        /// Output tokens that the money would have paid for.
        affordable_tokens: u64,
    },
    /// The ledger cannot decide now.
    #[error(transparent)]
    Ledger(#[from] CommandError<AccountError>),
}

/// A decided reservation whose commit is under way.
#[must_use]
pub struct Reserved {
    /// The open reservation.
    pub open: OpenReservation,
    pending: Pending<Account>,
    order: ReservationOrder,
    prices: Arc<Prices>,
}

/// An open reservation: it must be settled or released.
///
/// Both ways out take it by value. The way that types cannot watch is the end of the process:
/// then recovery settles or releases it, at the latest when it expires.
#[must_use = "an open reservation keeps a customer's money until it expires"]
#[derive(Debug)]
pub struct OpenReservation {
    /// Its id.
    pub id: ReservationId,
    /// What was decided.
    pub terms: Terms,
    /// The requested model.
    pub model: String,
    /// Models that may answer in its place.
    pub fallbacks: Vec<Fallback>,
    stream: String,
    context: CommandContext,
    books: Books,
}

/// What ends reservations: the ledger, and the tracker that shutdown waits for.
#[derive(Debug, Clone)]
pub struct Books {
    /// The ledger.
    pub ledger: Ledger,
    /// Shutdown waits for what runs on it.
    pub tracker: TaskTracker,
    /// Cancelled when waiting is over.
    pub stop: CancellationToken,
}

/// What a request turned out to cost.
#[derive(Debug, Clone)]
pub struct Observed {
    /// The fallback that answered, if it was one; by the name under which it was asked for.
    pub answered_model: Option<String>,
    /// By class.
    pub usage: Usage,
    /// The upstream's figure where it gave one, else the computed one.
    pub list_cost: ListCost,
    /// What our price list says, where it differs.
    pub computed_list_cost: Option<ListCost>,
    /// Where `list_cost` comes from.
    pub source: CostSource,
    /// The upstream's handle.
    pub generation_id: Option<String>,
    /// How it ended.
    pub outcome: Outcome,
    /// Was it streamed?
    pub streamed: bool,
    /// How long it took.
    pub latencies: Latencies,
}

/// Decides a reservation in memory and starts its commit.
///
/// # Errors
/// Each [`Refusal`]; nothing has changed then.
pub async fn reserve(
    books: &Books,
    prices: &Arc<Prices>,
    order: ReservationOrder,
) -> Result<Reserved, Refusal> {
    match decide(books, prices, order.clone()).await {
        // The key's row is there, so its event is: this node has only not seen it yet.
        Err(Refusal::Account {
            error: AccountError::KeyNotFound(_) | AccountError::NotOpen,
            ..
        }) if books.ledger.accounts.freshen(&order.account.to_string()).await.unwrap_or(false) => {
            decide(books, prices, order).await
        }
        decided => decided,
    }
}

async fn decide(
    books: &Books,
    prices: &Arc<Prices>,
    order: ReservationOrder,
) -> Result<Reserved, Refusal> {
    let stream = order.account.to_string();
    let context = CommandContext::request(Actor::Key(order.key), order.request);
    let model = order.models.first().cloned().unwrap_or_default();
    // Without a sale ratio nothing is for sale: fail closed.
    let default_ratio =
        prices.book.default_ratio().ok_or_else(|| Refusal::NotPriced(model.clone()))?;
    let mut offers = Vec::with_capacity(order.models.len());
    for model in &order.models {
        let card = prices.book.find_card(model);
        let card = card.ok_or_else(|| Refusal::NotPriced(model.clone()))?;
        offers.push(Offer { card, sale_ratio: default_ratio });
    }
    let expires_in = i64::try_from(order.lifetime.as_secs()).unwrap_or(i64::MAX);
    let at = now();
    let mut decided = None;
    let pending = books
        .ledger
        .accounts
        .begin_keyed(&stream, &context, |account| {
            for (offer, model) in offers.iter_mut().zip(&order.models) {
                let plan = account.plan();
                offer.sale_ratio =
                    prices.book.sale_ratio(order.account, plan, model).unwrap_or(default_ratio);
            }
            let (terms, affordable) = terms(account, &prices.book, &offers, &order, at);
            let id = fresh_id(account);
            decided = Some((id, terms, affordable));
            let command = AccountCommand::ReserveFunds(ReserveFunds {
                reservation: id,
                key: order.key,
                model: model.clone(),
                amount: terms.amount,
                sale_ratio: terms.sale_ratio,
                price_version: prices.book.version(),
                expires_at: at.plus_seconds(expires_in),
                fallbacks: fallbacks(&order.models, &offers),
                plan: terms.plan,
                at,
            });
            (command, order.keeps(id, account))
        })
        .await;
    // Without a look at the account there was no decision either, only an error.
    let (pending, (id, terms, affordable_tokens)) = match (pending, decided) {
        (pending, Some(decided)) => (pending, decided),
        (Ok(_), None) => return Err(CommandError::Conflict.into()),
        (Err(error), None) => return Err(error.into()),
    };
    match pending {
        Ok(pending) => {
            let (context, books) = (context.clone(), books.clone());
            let fallbacks = fallbacks(&order.models, &offers);
            let open = OpenReservation { id, terms, model, fallbacks, stream, context, books };
            Ok(Reserved { open, pending, order, prices: prices.clone() })
        }
        Err(CommandError::Refused(error)) => {
            let requested_tokens = order.demand.output_tokens;
            Err(Refusal::Account { error, requested_tokens, affordable_tokens })
        }
        Err(error) => Err(error.into()),
    }
}

/// All but the first. Nothing is allocated where there are none.
fn fallbacks(models: &[String], offers: &[Offer<'_>]) -> Vec<Fallback> {
    let others = models.iter().zip(offers).skip(1);
    others
        .map(|(model, offer)| Fallback { model: model.clone(), sale_ratio: offer.sale_ratio })
        .collect()
}

impl Reserved {
    /// Waits until the reservation is durable; decides anew where another node was faster. The
    /// terms stay: what went upstream was computed with them.
    ///
    /// # Errors
    /// It turned out refused: nothing is reserved.
    pub async fn durable(self) -> Result<OpenReservation, Refusal> {
        let Self { mut open, mut pending, order, prices } = self;
        for _ in 0..ATTEMPTS {
            match pending.committed().await {
                Ok(_) => return Ok(open),
                Err(CommandError::Conflict) => {}
                Err(error @ CommandError::Ledger(LedgerError::InDoubt)) => {
                    // It may have been stored after all. The request is refused now, so it must
                    // not keep the money: given back as soon as the books answer again.
                    open.spawn(|open| open.release(ReleaseReason::UpstreamUnreachable));
                    return Err(error.into());
                }
                Err(error) => return Err(error.into()),
            }
            let at = now();
            let expires_in = i64::try_from(order.lifetime.as_secs()).unwrap_or(i64::MAX);
            let mut id = open.id;
            let again = open
                .books
                .ledger
                .accounts
                .begin_keyed(&open.stream, &open.context, |account| {
                    id = fresh_id(account);
                    let command = AccountCommand::ReserveFunds(ReserveFunds {
                        reservation: id,
                        key: order.key,
                        model: open.model.clone(),
                        amount: open.terms.amount,
                        sale_ratio: open.terms.sale_ratio,
                        price_version: prices.book.version(),
                        expires_at: at.plus_seconds(expires_in),
                        fallbacks: open.fallbacks.clone(),
                        plan: open.terms.plan,
                        at,
                    });
                    (command, order.keeps(id, account))
                })
                .await;
            open.id = id;
            pending = match again {
                Ok(pending) => pending,
                Err(CommandError::Refused(error)) => {
                    let requested_tokens = open.terms.output_tokens;
                    return Err(Refusal::Account { error, requested_tokens, affordable_tokens: 0 });
                }
                Err(error) => return Err(error.into()),
            };
        }
        Err(CommandError::Conflict.into())
    }
}

impl OpenReservation {
    /// The charge that a list cost leads to under the frozen ratio of the model that answered.
    #[must_use]
    pub fn sale(
        &self,
        list_cost: ListCost,
        upstream: &Upstream,
        answered: Option<&str>,
    ) -> Option<Sale> {
        let fallback = self.fallbacks.iter().find(|other| Some(&*other.model) == answered);
        let ratio = fallback.map_or(self.terms.sale_ratio, |other| other.sale_ratio);
        Sale::of(list_cost, ratio, upstream.cost_rate).ok()
    }

    /// Ends it with a charge. The decision stands when this returns; its commit goes on and is
    /// tried until it succeeds or the process ends.
    pub async fn settle(self, upstream: &Upstream, observed: Observed) {
        let command = AccountCommand::SettleReservation(Box::new(SettleReservation {
            reservation: self.id,
            answered_model: observed.answered_model,
            usage: observed.usage,
            list_cost: observed.list_cost,
            ruling: None,
            delivered_list_cost: None,
            computed_list_cost: observed.computed_list_cost,
            source: observed.source,
            master_account: upstream.id,
            cost_rate: upstream.cost_rate,
            generation_id: observed.generation_id.filter(|id| id.len() <= 200),
            outcome: observed.outcome,
            streamed: observed.streamed,
            latencies: observed.latencies,
            at: now(),
        }));
        if observed.list_cost == ListCost::ZERO && observed.usage.total_tokens() > 0 {
            tracing::warn!(reservation.id = %self.id, model = self.model,
                "a charge of zero for delivered tokens");
        }
        self.end(command).await;
    }

    /// Ends it without a charge.
    pub async fn release(self, reason: ReleaseReason) {
        let command = AccountCommand::ReleaseReservation { reservation: self.id, reason };
        self.end(command).await;
    }

    /// Tries until it is durable: an end that is lost would keep a customer's money.
    async fn end(self, command: AccountCommand) {
        let accounts = &self.books.ledger.accounts;
        let mut pause = Duration::from_millis(50);
        loop {
            match accounts.execute(&self.stream, command.clone(), &self.context, None).await {
                Ok(committed) => {
                    let charged = committed.events.iter().find_map(charge_of);
                    tracing::debug!(reservation.id = %self.id, ?charged, "reservation ended");
                    return;
                }
                // After a commit in doubt it turned out that there is nothing to end.
                Err(CommandError::Refused(AccountError::ReservationNotFound(_))) => {
                    tracing::debug!(reservation.id = %self.id, "there was no such reservation");
                    return;
                }
                Err(error) if error.is_transient() && !self.books.stop.is_cancelled() => {
                    tracing::warn!(reservation.id = %self.id, %error, "its end is tried again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => {
                    tracing::error!(reservation.id = %self.id, %error,
                        "its end was not recorded; recovery will end it");
                    return;
                }
            }
        }
    }

    /// Runs `end` on the tracker that shutdown waits for.
    pub fn spawn<F>(self, end: impl FnOnce(Self) -> F)
    where
        F: Future<Output = ()> + Send + 'static,
    {
        let tracker = self.books.tracker.clone();
        tracker.spawn(end(self));
    }
}

fn charge_of(event: &AccountEvent) -> Option<Money> {
    match event {
        AccountEvent::ReservationSettled(settled) => Some(settled.charge),
        _ => None,
    }
}

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error.into())
    }
}
