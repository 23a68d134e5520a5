//! A request between its reservation and its one end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rust_decimal::Decimal;
use tollgate_domain::account::{CostSource, Handle, Latencies, Outcome, ReleaseReason};
use tollgate_domain::decimal::ListCost;
use tollgate_domain::fairness::{Mishap, Ruling, Treatment};
use tollgate_domain::pricing::list_cost;
use tollgate_domain::{Money, Usage};

use super::endpoint::Endpoint;
use super::gateway::Gateway;
use super::usage::{Billed, Charged};
use crate::billing::{LONGEST_HANDLE, Observed, OpenReservation, Prices};
use crate::http::error::Language;
use crate::ledger::now;
use crate::limits::Admitted;
use crate::upstream::Upstream;

/// The first pause between looks at the upstream's record of a generation, which may come late;
/// each next one is twice as long, up to the longest.
const FIRST_PAUSE: Duration = Duration::from_millis(200);
const LONGEST_PAUSE: Duration = Duration::from_secs(15);

/// An open reservation with everything that its end needs. Its ways out take it by value.
#[must_use = "a request must be settled or released"]
pub struct InFlight {
    /// The money set aside.
    pub open: OpenReservation,
    /// What was asked for.
    pub endpoint: Endpoint,
    /// In which the client wants to be told what is wrong.
    pub language: Language,
    /// Who serves it.
    pub upstream: Arc<Upstream>,
    /// The prices that it began with.
    pub prices: Arc<Prices>,
    /// The upstream's handle.
    pub generation_id: Option<String>,
    /// The name under which somebody answers, where that may be a fallback and a stream told it.
    pub answering: Option<String>,
    /// Is it streamed?
    pub streamed: bool,
    /// Tokens of the prompt by our own estimate.
    pub prompt_tokens: u64,
    /// Its place among the requests of its key and account.
    pub admitted: Admitted,
    /// When the request came.
    pub begun: Instant,
    /// How much of the time since then was the upstream's.
    pub upstream_took: Duration,
    /// When the upstream's first byte came.
    pub first_byte: Instant,
    /// Where notes of handles are.
    pub gateway: Arc<Gateway>,
}

/// How an answer came to its end.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Ending {
    /// For the record.
    pub outcome: Outcome,
    /// What went wrong, if anything did.
    pub mishap: Option<Mishap>,
    /// Bytes of text, reasoning and arguments that the client was given.
    pub delivered: u64,
}

impl Ending {
    /// As it should be.
    pub const WELL: Self = Self { outcome: Outcome::Completed, mishap: None, delivered: 0 };

    /// With this mishap; nothing was delivered.
    pub const fn badly(outcome: Outcome, mishap: Mishap) -> Self {
        Self { outcome, mishap: Some(mishap), delivered: 0 }
    }
}

/// A bill, wherever it comes from.
struct Bill {
    answered_model: Option<String>,
    usage: Usage,
    list_cost: ListCost,
    source: CostSource,
    computed_list_cost: Option<ListCost>,
}

impl InFlight {
    /// The answer goes to the client: what of its time was ours is counted.
    pub fn handed_on(&self) {
        let ours = self.begun.elapsed().saturating_sub(self.upstream_took);
        self.open.metrics().upstream.handed_on(ours);
    }

    /// What the customer pays for this bill, where it is known already; `failed_after` is what was
    /// delivered before an error of the upstream, if there was one.
    #[must_use]
    pub fn charge(&self, billed: &Billed, failed_after: Option<u64>) -> Option<Money> {
        let answered = self.answered(billed.model.as_deref());
        let mut list = billed.cost.or_else(|| self.computed(&billed.usage, answered))?;
        if let Some(delivered) = failed_after {
            let ruling = self.rule(Mishap::ErrorWithUsage);
            let delivered = self.delivered_cost(ruling, &billed.usage, delivered, answered);
            list = ruling.treatment.split(list, delivered.unwrap_or(ListCost::ZERO)).charged;
        }
        self.open.sale(list, &self.upstream, answered).map(|sale| sale.charge)
    }

    /// What the customer is told with this bill.
    #[must_use]
    pub fn charged(&self, billed: &Billed, failed_after: Option<u64>) -> Option<Charged> {
        self.charge(billed, failed_after).map(|charge| self.told(charge))
    }

    /// The same for a charge that is known.
    #[must_use]
    pub fn told(&self, charge: Money) -> Charged {
        Charged { charge, balance: self.open.balance_after(charge) }
    }

    /// What the fairness policy that the request began with says.
    fn rule(&self, mishap: Mishap) -> Ruling {
        self.prices.book.fairness().rule(mishap)
    }

    /// Delivered tokens at list price, where that is what counts. The prompt counts with them, and
    /// without them nothing does.
    fn delivered_cost(
        &self,
        ruling: Ruling,
        billed: &Usage,
        delivered: u64,
        answered: Option<&str>,
    ) -> Option<ListCost> {
        match ruling.treatment {
            Treatment::ChargeDelivered if delivered > 0 => {
                let output = tokens(delivered).min(billed.output);
                let reasoning = billed.reasoning.min(output);
                self.computed(&Usage { output, reasoning, ..*billed }, answered)
            }
            Treatment::ChargeBilled | Treatment::ChargeDelivered | Treatment::Waive => None,
        }
    }

    /// The fallback that answered under this name; none: the requested model, or nobody can tell.
    fn answered(&self, name: Option<&str>) -> Option<&str> {
        if self.open.fallbacks.is_empty() {
            return None;
        }
        let others = self.open.fallbacks.iter().map(|other| other.model.as_str());
        let requested = std::iter::once(self.open.model.as_str()).chain(others);
        self.prices.answered(requested, name?).filter(|model| *model != self.open.model)
    }

    fn computed(&self, usage: &Usage, answered: Option<&str>) -> Option<ListCost> {
        let card = self.prices.book.find_card(answered.unwrap_or(&self.open.model))?;
        list_cost(card, usage, now()).ok()
    }

    /// Ends it with the upstream's own figures.
    pub async fn settle(self, billed: Billed, ending: Ending) {
        let answered = self.answered(billed.model.as_deref()).map(str::to_owned);
        let computed = self.computed(&billed.usage, answered.as_deref());
        let (list_cost, source, drift) = match (billed.cost, computed) {
            (Some(cost), Some(computed)) => {
                (cost, CostSource::Upstream, drifts(cost, computed).then_some(computed))
            }
            (Some(cost), None) => (cost, CostSource::Upstream, None),
            (None, Some(computed)) => (computed, CostSource::PriceList, None),
            (None, None) => return self.resolve(ending, ReleaseReason::NothingBilled).await,
        };
        if let Some(computed) = drift {
            tracing::info!(reservation.id = %self.open.id, model = self.open.model,
                upstream = %list_cost, computed = %computed, "the list cost differs from our list");
        }
        let (answered_model, usage, computed_list_cost) = (answered, billed.usage, drift);
        let bill = Bill { answered_model, usage, list_cost, source, computed_list_cost };
        self.close(bill, ending).await;
    }

    /// Ends it without a charge: the upstream refused it before it began.
    pub async fn release(self, reason: ReleaseReason) {
        self.gateway.notes().forget(self.open.id);
        self.open.release(reason).await;
    }

    /// Ends it by the upstream's record of the generation. Where that does not come in time, what
    /// was delivered is estimated, and without a delivery nothing is charged; the record is asked
    /// for on in both cases.
    pub async fn resolve(self, ending: Ending, nothing: ReleaseReason) {
        if let Some(id) = self.generation_id.clone() {
            let until = Instant::now() + self.gateway.patience();
            let mut pause = FIRST_PAUSE;
            loop {
                match self.gateway.client().find_generation(&self.upstream, &id).await {
                    Ok(Some(record)) => {
                        let answered = self.answered(record.model.as_deref()).map(str::to_owned);
                        let bill = Bill {
                            answered_model: answered,
                            usage: record.usage,
                            list_cost: record.total_cost,
                            source: CostSource::GenerationRecord,
                            computed_list_cost: None,
                        };
                        return self.close(bill, ending).await;
                    }
                    Ok(None) => {}
                    Err(error) => tracing::debug!(%error, "the record cannot be read yet"),
                }
                let left = until.saturating_duration_since(Instant::now());
                if left.is_zero() {
                    break;
                }
                tokio::select! {
                    () = tokio::time::sleep(pause.min(left)) => {}
                    // Recovery has the handle and goes on after the restart.
                    () = self.gateway.stopping() => return,
                }
                pause = (pause * 2).min(LONGEST_PAUSE);
            }
        }
        self.guess(ending, nothing).await;
    }

    /// Nobody knows the bill. A bounded guess, marked as such, for what was delivered; never for
    /// an estimated prompt alone.
    async fn guess(self, ending: Ending, nothing: ReleaseReason) {
        let ruling = ending.mishap.map(|mishap| self.rule(mishap));
        let waived = ruling.is_some_and(|ruling| ruling.treatment == Treatment::Waive);
        // Never beyond what was asked for, nor beyond what the model can give.
        let output = tokens(ending.delivered).min(self.open.terms.output_tokens);
        let usage = Usage { input: self.prompt_tokens, output, ..Usage::default() };
        let answered_model = self.answered(self.answering.as_deref()).map(str::to_owned);
        let computed = || self.computed(&usage, answered_model.as_deref());
        let cost = if output == 0 || waived { None } else { computed() };
        let Some(list_cost) = cost else {
            let reason = if waived { ReleaseReason::Waived } else { nothing };
            return self.unbilled(reason, ruling).await;
        };
        tracing::warn!(reservation.id = %self.open.id, model = self.open.model,
            "the charge is estimated: the upstream told nothing");
        let (source, computed_list_cost) = (CostSource::Estimate, None);
        let bill = Bill { answered_model, usage, list_cost, source, computed_list_cost };
        self.close(bill, ending).await;
    }

    /// Ends it without a charge, and leaves word where the bill may still be had.
    async fn unbilled(self, reason: ReleaseReason, ruling: Option<Ruling>) {
        self.gateway.notes().forget(self.open.id);
        let master_account = self.upstream.id;
        let handle = self.generation_id.filter(|id| id.len() <= LONGEST_HANDLE);
        let awaits = handle.map(|generation_id| Handle { master_account, generation_id });
        self.open.release_unbilled(reason, ruling, awaits).await;
    }

    async fn close(mut self, bill: Bill, ending: Ending) {
        let Bill { answered_model, usage, list_cost, source, computed_list_cost } = bill;
        let answered = answered_model.as_deref();
        let computed = || self.computed(&usage, answered);
        let priced = || computed().is_none_or(|computed| computed != ListCost::ZERO);
        let ruling = ending.mishap.map(|mishap| self.rule(mishap));
        if ending.mishap.is_some() && list_cost == ListCost::ZERO && priced() {
            // The upstream asks nothing for what failed: that is no charge, not a charge of zero.
            self.gateway.notes().forget(self.open.id);
            return self.open.release_unbilled(ReleaseReason::NothingBilled, ruling, None).await;
        }
        let delivered_list_cost = match source {
            // It was made from what was delivered.
            CostSource::Estimate => Some(list_cost),
            CostSource::Upstream | CostSource::GenerationRecord | CostSource::PriceList => ruling
                .and_then(|rule| self.delivered_cost(rule, &usage, ending.delivered, answered)),
        };
        self.admitted.settle_tokens(usage.total_tokens());
        self.gateway.notes().forget(self.open.id);
        let millis = |until: Instant| {
            u32::try_from(until.duration_since(self.begun).as_millis()).unwrap_or(u32::MAX)
        };
        let observed = Observed {
            late: self.rule(Mishap::EndedElsewhere),
            answered_model,
            usage,
            list_cost,
            ruling,
            delivered_list_cost,
            computed_list_cost,
            source,
            generation_id: self.generation_id,
            outcome: ending.outcome,
            streamed: self.streamed,
            latencies: Latencies {
                first_byte_ms: millis(self.first_byte),
                total_ms: millis(Instant::now()),
            },
        };
        self.open.settle(&self.upstream, observed).await;
    }
}

/// Tokens of delivered text: a token has four bytes in practice.
fn tokens(delivered: u64) -> u64 {
    (delivered / 4).max(u64::from(delivered > 0))
}

/// More than the noise of the upstream's own arithmetic: a millionth, and a pico-dollar.
fn drifts(cost: ListCost, computed: ListCost) -> bool {
    let (cost, computed) = (cost.decimal(), computed.decimal());
    let difference = (cost - computed).abs();
    difference > Decimal::new(1, 12)
        && difference.checked_mul(Decimal::from(1_000_000)).is_none_or(|scaled| scaled > computed)
}
