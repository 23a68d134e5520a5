//! A request between its reservation and its one end.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rust_decimal::Decimal;
use tollgate_domain::account::{CostSource, Latencies, Outcome, ReleaseReason};
use tollgate_domain::decimal::ListCost;
use tollgate_domain::pricing::list_cost;
use tollgate_domain::{Money, Usage};

use super::endpoint::Endpoint;
use super::gateway::Gateway;
use super::usage::Billed;
use crate::billing::{Observed, OpenReservation, Prices};
use crate::ledger::now;
use crate::limits::Admitted;
use crate::upstream::Upstream;

/// Pauses between looks at the upstream's record of a generation, which may come late.
const LOOKS: [Duration; 8] = [
    Duration::from_millis(200),
    Duration::from_millis(500),
    Duration::from_secs(1),
    Duration::from_secs(2),
    Duration::from_secs(4),
    Duration::from_secs(8),
    Duration::from_secs(15),
    Duration::from_secs(30),
];

/// An open reservation with everything that its end needs. Its ways out take it by value.
#[must_use = "a request must be settled or released"]
pub struct InFlight {
    /// The money set aside.
    pub open: OpenReservation,
    /// What was asked for.
    pub endpoint: Endpoint,
    /// Who serves it.
    pub upstream: Arc<Upstream>,
    /// The prices that it began with.
    pub prices: Arc<Prices>,
    /// The upstream's handle.
    pub generation_id: Option<String>,
    /// Is it streamed?
    pub streamed: bool,
    /// Tokens of the prompt by our own estimate.
    pub prompt_tokens: u64,
    /// Its place among the requests of its key and account.
    pub admitted: Admitted,
    /// When the request came.
    pub begun: Instant,
    /// When the upstream's first byte came.
    pub first_byte: Instant,
    /// Where notes of handles are.
    pub gateway: Arc<Gateway>,
}

/// What to do when nobody can tell what a request cost.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unknown {
    /// Charge nothing.
    Release(ReleaseReason),
    /// Charge what was delivered: this many bytes of text.
    Estimate(u64),
}

impl InFlight {
    /// What the customer pays for this bill, where it is known already.
    #[must_use]
    pub fn charge(&self, billed: &Billed) -> Option<Money> {
        let answered = self.answered(billed.model.as_deref());
        let list = billed.cost.or_else(|| self.computed(&billed.usage, answered))?;
        self.open.sale(list, &self.upstream, answered).map(|sale| sale.charge)
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
    pub async fn settle(self, billed: Billed, outcome: Outcome) {
        let answered = self.answered(billed.model.as_deref()).map(str::to_owned);
        let computed = self.computed(&billed.usage, answered.as_deref());
        let (list_cost, source, drift) = match (billed.cost, computed) {
            (Some(cost), Some(computed)) => {
                (cost, CostSource::Upstream, drifts(cost, computed).then_some(computed))
            }
            (Some(cost), None) => (cost, CostSource::Upstream, None),
            (None, Some(computed)) => (computed, CostSource::PriceList, None),
            (None, None) => return self.resolve(outcome, Unknown::Estimate(0)).await,
        };
        if let Some(computed) = drift {
            tracing::info!(reservation.id = %self.open.id, model = self.open.model,
                upstream = %list_cost, computed = %computed, "the list cost differs from our list");
        }
        self.close(answered, billed.usage, list_cost, source, drift, outcome).await;
    }

    /// Ends it without a charge.
    pub async fn release(self, reason: ReleaseReason) {
        self.gateway.notes().forget(self.open.id);
        self.open.release(reason).await;
    }

    /// Ends it by the upstream's record of the generation; only where there is none by `unknown`.
    pub async fn resolve(self, outcome: Outcome, unknown: Unknown) {
        if let Some(id) = self.generation_id.clone() {
            for pause in LOOKS {
                match self.gateway.client().find_generation(&self.upstream, &id).await {
                    Ok(Some(record)) => {
                        let source = CostSource::GenerationRecord;
                        let answered = self.answered(record.model.as_deref()).map(str::to_owned);
                        let (usage, cost) = (record.usage, record.total_cost);
                        return self.close(answered, usage, cost, source, None, outcome).await;
                    }
                    Ok(None) => {}
                    Err(error) => tracing::debug!(%error, "the record cannot be read yet"),
                }
                tokio::select! {
                    () = tokio::time::sleep(pause) => {}
                    // Recovery has the handle and goes on after the restart.
                    () = self.gateway.stopping() => return,
                }
            }
        }
        match unknown {
            Unknown::Release(reason) => self.release(reason).await,
            Unknown::Estimate(bytes) => self.estimate(bytes, outcome).await,
        }
    }

    /// A bounded guess, marked as such, for what was delivered and nobody billed.
    async fn estimate(self, bytes: u64, outcome: Outcome) {
        let output = (bytes / 4).max(u64::from(bytes > 0)).min(self.open.terms.output_tokens);
        if output == 0 {
            // Nothing was delivered: an estimated prompt alone is never charged.
            return self.release(ReleaseReason::NothingBilled).await;
        }
        let usage = Usage { input: self.prompt_tokens, output, ..Usage::default() };
        let Some(cost) = self.computed(&usage, None) else {
            return self.release(ReleaseReason::NothingBilled).await;
        };
        tracing::warn!(reservation.id = %self.open.id, model = self.open.model,
            "the charge is estimated: the upstream told nothing");
        self.close(None, usage, cost, CostSource::Estimate, None, outcome).await;
    }

    async fn close(
        mut self,
        answered_model: Option<String>,
        usage: Usage,
        list_cost: ListCost,
        source: CostSource,
        computed_list_cost: Option<ListCost>,
        outcome: Outcome,
    ) {
        let answered = answered_model.as_deref();
        let computed = || self.computed(&usage, answered);
        let priced = || computed().is_none_or(|computed| computed != ListCost::ZERO);
        if outcome != Outcome::Completed && list_cost == ListCost::ZERO && priced() {
            // The upstream asks nothing for what failed: that is no charge, not a charge of zero.
            return self.release(ReleaseReason::NothingBilled).await;
        }
        self.admitted.settle_tokens(usage.total_tokens());
        self.gateway.notes().forget(self.open.id);
        let millis = |until: Instant| {
            u32::try_from(until.duration_since(self.begun).as_millis()).unwrap_or(u32::MAX)
        };
        let observed = Observed {
            answered_model,
            usage,
            list_cost,
            computed_list_cost,
            source,
            generation_id: self.generation_id,
            outcome,
            streamed: self.streamed,
            latencies: Latencies {
                first_byte_ms: millis(self.first_byte),
                total_ms: millis(Instant::now()),
            },
        };
        self.open.settle(&self.upstream, observed).await;
    }
}

/// More than the noise of the upstream's own arithmetic: a millionth, and a pico-dollar.
fn drifts(cost: ListCost, computed: ListCost) -> bool {
    let (cost, computed) = (cost.decimal(), computed.decimal());
    let difference = (cost - computed).abs();
    difference > Decimal::new(1, 12)
        && difference.checked_mul(Decimal::from(1_000_000)).is_none_or(|scaled| scaled > computed)
}
