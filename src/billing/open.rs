//! An open reservation and its one end.

use std::time::Duration;

use tollgate_domain::account::{
    AccountCommand, AccountEvent, BookLateBill, CostSource, Fallback, Handle, Latencies, Outcome,
    ReleaseReason, ReleaseUnbilled, SettleReservation,
};
use tollgate_domain::decimal::ListCost;
use tollgate_domain::fairness::{Ruling, Treatment};
use tollgate_domain::ids::ReservationId;
use tollgate_domain::pricing::Sale;
use tollgate_domain::{Account, AccountError, Money, Usage};

use super::reservation::Books;
use super::terms::Terms;
use crate::ledger::{CommandContext, CommandError, now};
use crate::telemetry::metrics::Metrics;
use crate::upstream::Upstream;

/// The longest handle of an upstream that an event can carry.
pub const LONGEST_HANDLE: usize = 200;

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
    pub(super) stream: String,
    pub(super) context: CommandContext,
    pub(super) books: Books,
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
    /// What the fairness policy says, where it went wrong.
    pub ruling: Option<Ruling>,
    /// What it says where another node has ended the reservation meanwhile.
    pub late: Ruling,
    /// What was delivered at list price, where only that may be charged.
    pub delivered_list_cost: Option<ListCost>,
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

    /// What the account will have after this charge, as far as this node knows: others of its
    /// requests may end at the same time.
    #[must_use]
    pub fn balance_after(&self, charge: Money) -> Option<Money> {
        let newest = self.books.ledger.accounts.glance(&self.stream, Account::balance);
        newest.unwrap_or(self.terms.balance).checked_sub(charge)
    }

    /// What is counted.
    #[must_use]
    pub fn metrics(&self) -> &Metrics {
        &self.books.metrics
    }

    /// Ends it with a charge. The decision stands when this returns; its commit goes on and is
    /// tried until it succeeds or the process ends.
    ///
    /// Where another node has ended it meanwhile, what was delivered is charged all the same.
    pub async fn settle(self, upstream: &Upstream, observed: Observed) {
        let late = observed.late;
        let settle = SettleReservation {
            reservation: self.id,
            answered_model: observed.answered_model,
            usage: observed.usage,
            list_cost: observed.list_cost,
            ruling: observed.ruling,
            delivered_list_cost: observed.delivered_list_cost,
            computed_list_cost: observed.computed_list_cost,
            source: observed.source,
            master_account: upstream.id,
            cost_rate: upstream.cost_rate,
            generation_id: observed.generation_id.filter(|id| id.len() <= LONGEST_HANDLE),
            outcome: observed.outcome,
            streamed: observed.streamed,
            latencies: observed.latencies,
            at: now(),
        };
        if observed.list_cost == ListCost::ZERO && observed.usage.total_tokens() > 0 {
            tracing::warn!(reservation.id = %self.id, model = self.model,
                "a charge of zero for delivered tokens");
        }
        let command = AccountCommand::SettleReservation(Box::new(settle));
        let ended = self.end(&command).await;
        if let (Ended::Elsewhere, AccountCommand::SettleReservation(settle)) = (ended, command) {
            // A guess replaces nothing that the customer has seen: the upstream is asked on.
            if settle.source == CostSource::Estimate && settle.generation_id.is_some() {
                return tracing::warn!(reservation.id = %self.id, "its bill is still to come");
            }
            tracing::warn!(reservation.id = %self.id, "its bill is booked after its end");
            let late = Box::new(late_bill(*settle, late));
            self.end(&AccountCommand::BookLateBill(late)).await;
        }
    }

    /// Ends it without a charge.
    pub async fn release(self, reason: ReleaseReason) {
        self.release_unbilled(reason, None, None).await;
    }

    /// The same for what went wrong, as the fairness policy rules; `awaits` is where its bill may
    /// still be had.
    pub async fn release_unbilled(
        self,
        reason: ReleaseReason,
        ruling: Option<Ruling>,
        awaits: Option<Handle>,
    ) {
        let reservation = self.id;
        let release = ReleaseUnbilled { reservation, reason, ruling, awaits };
        self.end(&AccountCommand::ReleaseUnbilled(Box::new(release))).await;
    }

    /// Tries until it is durable: an end that is lost would keep a customer's money.
    async fn end(&self, command: &AccountCommand) -> Ended {
        let accounts = &self.books.ledger.accounts;
        let mut pause = Duration::from_millis(50);
        loop {
            match accounts.execute(&self.stream, command.clone(), &self.context, None).await {
                Ok(committed) => {
                    self.books.count(&committed.events);
                    let charged = committed.events.iter().find_map(charge_of);
                    tracing::debug!(reservation.id = %self.id, ?charged, "reservation ended");
                    return Ended::Here;
                }
                // After a commit in doubt it turned out that there is nothing to end.
                Err(CommandError::Refused(AccountError::ReservationNotFound(_))) => {
                    tracing::debug!(reservation.id = %self.id, "there was no such reservation");
                    return Ended::Here;
                }
                Err(CommandError::Refused(
                    AccountError::AlreadyReleased(_) | AccountError::AlreadyExpired(_),
                )) => return Ended::Elsewhere,
                // By the upstream's record of the same generation.
                Err(CommandError::Refused(AccountError::AlreadySettled(_))) => {
                    tracing::info!(reservation.id = %self.id, "recovery has settled it before");
                    return Ended::Here;
                }
                Err(error) if error.is_transient() && !self.books.stop.is_cancelled() => {
                    tracing::warn!(reservation.id = %self.id, %error, "its end is tried again");
                    tokio::time::sleep(pause).await;
                    pause = (pause * 2).min(Duration::from_secs(5));
                }
                Err(error) => {
                    tracing::error!(reservation.id = %self.id, %error,
                        "its end was not recorded; recovery will end it");
                    return Ended::Here;
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

/// What became of an end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ended {
    /// Nothing is left to do.
    Here,
    /// Another node had given it back before.
    Elsewhere,
}

/// The same bill for the case that the reservation was given back meanwhile. A guess is not charged
/// then.
fn late_bill(settle: SettleReservation, delivered: Ruling) -> BookLateBill {
    let ruling = settle.ruling.unwrap_or(delivered);
    let treatment = match settle.source {
        CostSource::Estimate => Treatment::Waive,
        CostSource::Upstream | CostSource::GenerationRecord | CostSource::PriceList => {
            ruling.treatment
        }
    };
    BookLateBill {
        reservation: settle.reservation,
        answered_model: settle.answered_model,
        usage: settle.usage,
        list_cost: settle.list_cost,
        ruling: Ruling { treatment, ..ruling },
        // What did not go wrong was delivered whole.
        delivered_list_cost: match settle.ruling {
            Some(_) => settle.delivered_list_cost,
            None => Some(settle.list_cost),
        },
        source: settle.source,
        master_account: settle.master_account,
        cost_rate: settle.cost_rate,
        generation_id: settle.generation_id,
        at: settle.at,
    }
}

fn charge_of(event: &AccountEvent) -> Option<Money> {
    match event {
        AccountEvent::ReservationSettled(settled) => Some(settled.charge),
        AccountEvent::LateBillBooked(late) => Some(late.booked.charge),
        _ => None,
    }
}
