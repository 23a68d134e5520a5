//! Money set aside for one request, from the decision to its one end.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_domain::account::{
    AccountCommand, AccountEvent, Fallback, ReleaseReason, ReserveFunds,
};
use tollgate_domain::ids::{AccountId, KeyId, RequestId, ReservationId};
use tollgate_domain::pricing::Demand;
use tollgate_domain::{Account, AccountError};

use super::once::OnceKey;
use super::open::OpenReservation;
use super::prices::Prices;
use super::terms::{Offer, fresh_id, terms};
use crate::ledger::{Actor, CommandContext, CommandError, Ledger, LedgerError, Pending, now};
use crate::telemetry::metrics::Metrics;

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

/// A reservation that was refused when it was to be written down.
#[derive(Debug)]
pub struct Unreserved {
    /// Why.
    pub refusal: Refusal,
    /// The id that it would have had.
    pub reservation: ReservationId,
    /// The requested model.
    pub model: String,
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
    /// What is counted.
    pub metrics: Arc<Metrics>,
}

impl Books {
    /// Counts what became durable.
    pub fn count(&self, events: &[AccountEvent]) {
        events.iter().for_each(|event| self.metrics.books.committed(event));
    }
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
    pub async fn durable(self) -> Result<OpenReservation, Box<Unreserved>> {
        let Self { mut open, pending, order, prices } = self;
        let Err(refusal) = commit(&mut open, pending, &order, &prices).await else {
            return Ok(open);
        };
        let (reservation, model) = (open.id, open.model.clone());
        if let Refusal::Ledger(CommandError::Ledger(LedgerError::InDoubt)) = &refusal {
            // It may have been stored after all. The request is refused now, so it must not keep
            // the money: given back as soon as the books answer again.
            open.spawn(|open| open.release(ReleaseReason::UpstreamUnreachable));
        }
        Err(Box::new(Unreserved { refusal, reservation, model }))
    }
}

async fn commit(
    open: &mut OpenReservation,
    mut pending: Pending<Account>,
    order: &ReservationOrder,
    prices: &Prices,
) -> Result<(), Refusal> {
    for _ in 0..ATTEMPTS {
        match pending.committed().await {
            Ok(committed) => {
                open.books.count(&committed.events);
                return Ok(());
            }
            Err(CommandError::Conflict) => {}
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

impl From<LedgerError> for Refusal {
    fn from(error: LedgerError) -> Self {
        Self::Ledger(error.into())
    }
}
