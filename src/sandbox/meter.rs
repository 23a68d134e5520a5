//! Charging for what was generated, however the answer ends.

use std::sync::Arc;
use std::time::{Duration, Instant};

use rust_decimal::Decimal;

use super::Sandbox;
use super::fault::{CostFault, Faults};
use super::generation::Generation;
use super::money::Usd;
use super::price::{Prices, Tally};
use super::usage;

/// Records appear this much after the answer; those of abandoned answers take longer.
const SHOWN_AFTER: Duration = Duration::from_millis(20);
const CANCELLED_SHOWN_AFTER: Duration = Duration::from_millis(150);
/// Far enough that no test waits for it.
const NEVER: Duration = Duration::from_secs(365 * 24 * 3600);

/// How an answer ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum End {
    /// Everything was generated and is charged.
    Finished,
    /// The provider failed; what was generated until then is charged.
    Partial,
    /// The provider failed and nothing is charged.
    Free,
    /// The client left; what was generated until then is charged.
    Cancelled,
}

/// Follows one answer. Dropped before `close`, it was abandoned by the client.
pub struct Meter {
    sandbox: Arc<Sandbox>,
    record: Option<Generation>,
    prices: Prices,
    tally: Tally,
    cost_fault: Option<CostFault>,
    visible_after: Option<Duration>,
    started: Instant,
    first_token: Option<Instant>,
    billed: u64,
}

impl Meter {
    pub fn new(
        sandbox: Arc<Sandbox>,
        record: Generation,
        prices: Prices,
        tally: Tally,
        faults: &Faults,
    ) -> Self {
        let visible_after = match faults.generation_never {
            true => Some(NEVER),
            false => faults.generation_late,
        };
        Self {
            sandbox,
            record: Some(record),
            prices,
            tally,
            cost_fault: faults.cost,
            visible_after,
            started: Instant::now(),
            first_token: None,
            billed: 0,
        }
    }

    /// Notes how many completion tokens exist by now.
    pub fn advance(&mut self, billed: u64) {
        if billed > 0 && self.first_token.is_none() {
            self.first_token = Some(Instant::now());
        }
        self.billed = billed;
    }

    /// Ends the answer; only the first end counts.
    pub fn close(&mut self, end: End) {
        let Some(mut record) = self.record.take() else { return };
        let tally = match end {
            // An endless answer outgrows what was planned for it.
            End::Finished if self.billed <= self.tally.completion => self.tally,
            End::Finished | End::Partial | End::Free | End::Cancelled => {
                self.tally.with_completion(self.billed)
            }
        };
        let cost = self.prices.cost(&tally);
        let charged = match end {
            End::Free => Decimal::ZERO,
            End::Finished | End::Partial | End::Cancelled => usage::charged(&cost, self.cost_fault),
        };
        self.fill(&mut record, &tally, charged, end);
        record.upstream_inference_cost =
            Usd(if end == End::Free { Decimal::ZERO } else { cost.inference() });
        self.sandbox.spend(charged);
        let usual = if end == End::Cancelled { CANCELLED_SHOWN_AFTER } else { SHOWN_AFTER };
        self.sandbox.generations.insert(record, self.visible_after.unwrap_or(usual));
    }

    fn fill(&self, record: &mut Generation, tally: &Tally, charged: Decimal, end: End) {
        let now = Instant::now();
        let first = self.first_token.unwrap_or(now);
        record.latency = first.duration_since(self.started).as_millis() as u64;
        record.generation_time = now.duration_since(first).as_millis() as u64;
        record.total_cost = Usd(charged);
        record.usage = Usd(charged);
        (record.tokens_prompt, record.native_tokens_prompt) = (tally.prompt, tally.prompt);
        record.tokens_completion = tally.completion;
        record.native_tokens_completion = tally.completion;
        record.native_tokens_cached = tally.cached;
        record.native_tokens_reasoning = tally.reasoning;
        record.native_tokens_completion_images = tally.completion_images;
        match end {
            End::Finished => {}
            End::Partial | End::Free => {
                record.finish_reason = Some("error");
                record.native_finish_reason = Some("error");
            }
            End::Cancelled => {
                record.cancelled = true;
                record.finish_reason = None;
                record.native_finish_reason = None;
            }
        }
    }
}

impl Drop for Meter {
    fn drop(&mut self) {
        self.close(End::Cancelled);
    }
}
