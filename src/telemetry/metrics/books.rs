//! What requests cost, and how their reservations end.
//!
//! Everything is counted from events that are durable, by the process that has written them. The
//! ledger stays the truth: it is exact, and these are floats that begin at zero with each process.

use prometheus::{Counter, IntCounter};
use rust_decimal::prelude::ToPrimitive as _;
use tollgate_domain::account::{AccountEvent, CostSource};
use tollgate_domain::fairness::{Mishap, Ruling, Treatment};
use tollgate_domain::{Money, Usage};

use super::labels::{By, Label, labels};
use super::make::Maker;

labels! {
    /// A class of tokens; those that do not occur are not counted.
    pub enum Tokens {
        /// Neither from a cache nor to one.
        Input = "input",
        /// Read from a cache.
        CacheRead = "cache_read",
        /// Written to a cache.
        CacheWrite = "cache_write",
        /// Sound that was heard.
        AudioInput = "audio_input",
        /// Text, tool calls and reasoning.
        Output = "output",
        /// Pictures.
        ImageOutput = "image_output",
        /// Sound that was made.
        AudioOutput = "audio_output",
    }
}

labels! {
    /// Where a charge comes from.
    pub enum Source {
        /// The answer.
        Upstream = "upstream",
        /// The upstream's record.
        GenerationRecord = "generation_record",
        /// Our price list.
        PriceList = "price_list",
        /// Our own count.
        Estimate = "estimate",
    }
}

labels! {
    /// The one end of a reservation.
    pub enum End {
        /// With a charge.
        Settled = "settled",
        /// Without one.
        Released = "released",
        /// By its time.
        Expired = "expired",
    }
}

labels! {
    /// What recovery did with what a stopped process had left.
    pub enum RecoveryDecision {
        /// Charged by the upstream's record.
        Settled = "settled",
        /// Given back.
        Released = "released",
        /// Ended because its time was over.
        Expired = "expired",
    }
}

labels! {
    /// A bill that came after the end of its request.
    pub enum LateBill {
        /// It replaces an estimate.
        Corrected = "corrected",
        /// It is for what ended without a charge.
        Booked = "booked",
    }
}

labels! {
    /// A figure of an estimate that turned out otherwise, and in which direction.
    pub enum Correction {
        /// The customer pays more.
        ChargeUp = "charge_up",
        /// The customer pays less.
        ChargeDown = "charge_down",
        /// It cost more.
        CostUp = "cost_up",
        /// It cost less.
        CostDown = "cost_down",
    }
}

impl Label for Mishap {
    const ALL: &'static [Self] = Self::ALL;

    fn name(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self as usize
    }
}

impl Label for Treatment {
    const ALL: &'static [Self] = &[Self::ChargeBilled, Self::ChargeDelivered, Self::Waive];

    fn name(self) -> &'static str {
        self.name()
    }

    fn index(self) -> usize {
        self as usize
    }
}

/// Handles for money.
#[derive(Debug)]
pub struct BooksMetrics {
    tokens: By<Tokens, IntCounter>,
    charges: Counter,
    costs: Counter,
    waived: Counter,
    corrections: By<Correction, Counter>,
    reserved: IntCounter,
    ended: By<End, IntCounter>,
    sources: By<Source, IntCounter>,
    rulings: By<Mishap, By<Treatment, IntCounter>>,
    recovered: By<RecoveryDecision, IntCounter>,
    late: By<LateBill, IntCounter>,
}

impl BooksMetrics {
    pub(super) fn new(make: &Maker) -> Self {
        Self {
            tokens: make.counters(
                "tollgate_tokens_total",
                "Tokens of charged requests by class; a token is in exactly one class.",
                "class",
            ),
            charges: make.dollars(
                "tollgate_charges_dollars_total",
                "What customers were charged, as a float: the ledger is exact, this is not.",
            ),
            costs: make.dollars(
                "tollgate_costs_dollars_total",
                "What charged requests cost the operator, as a float: the ledger is exact, this \
                 is not.",
            ),
            waived: make.dollars(
                "tollgate_waived_dollars_total",
                "What the fairness policy cost the operator, as a float: the ledger is exact, \
                 this is not.",
            ),
            corrections: make.dollars_by(
                "tollgate_corrections_dollars_total",
                "What estimates were corrected by when their bills came, as a float.",
                "figure",
            ),
            reserved: make
                .counter("tollgate_reservations_total", "Reservations that became durable."),
            ended: make.counters(
                "tollgate_reservations_ended_total",
                "Reservations that came to their end, by its kind.",
                "end",
            ),
            sources: make.counters(
                "tollgate_settlements_total",
                "Charges by where their figure comes from.",
                "source",
            ),
            rulings: make.table(
                "tollgate_fairness_rulings_total",
                "Requests that went wrong, by what happened and how the policy treats it.",
                ["mishap", "treatment"],
            ),
            recovered: make.counters(
                "tollgate_recovery_decisions_total",
                "What this node decided about what a stopped process had left open.",
                "decision",
            ),
            late: make.counters(
                "tollgate_late_bills_total",
                "Bills that came after the end of their request.",
                "kind",
            ),
        }
    }

    /// An event of an account became durable.
    pub fn committed(&self, event: &AccountEvent) {
        match event {
            AccountEvent::FundsReserved(_) => self.reserved.inc(),
            AccountEvent::ReservationSettled(settled) => {
                self.ended.of(End::Settled).inc();
                self.sources.of(settled.source.into()).inc();
                self.booked(&settled.usage, settled.charge, settled.cost);
                self.ruled(settled.ruling);
                self.waived(settled.waived.map(|waived| waived.cost));
            }
            AccountEvent::ReservationReleased { ruling, waived, .. } => {
                self.ended.of(End::Released).inc();
                self.ruled(*ruling);
                self.waived(waived.as_ref().map(|bill| bill.cost));
            }
            AccountEvent::ReservationExpired { .. } => self.ended.of(End::Expired).inc(),
            AccountEvent::ChargeCorrected(corrected) => {
                self.late.of(LateBill::Corrected).inc();
                if let Some((charge, cost)) = corrected.change() {
                    self.corrected(charge, Correction::ChargeUp, Correction::ChargeDown);
                    self.corrected(cost, Correction::CostUp, Correction::CostDown);
                }
                self.waived(corrected.waived.map(|waived| waived.cost));
            }
            AccountEvent::LateBillBooked(late) => {
                self.late.of(LateBill::Booked).inc();
                self.booked(&late.booked.usage, late.booked.charge, late.booked.cost);
                self.waived(late.waived.map(|waived| waived.cost));
            }
            AccountEvent::CallAbandoned(_)
            | AccountEvent::AccountOpened { .. }
            | AccountEvent::FundsToppedUp { .. }
            | AccountEvent::FundsGranted { .. }
            | AccountEvent::GrantExpired { .. }
            | AccountEvent::TopUpRefunded { .. }
            | AccountEvent::AdjustmentPosted { .. }
            | AccountEvent::KeyIssued { .. }
            | AccountEvent::KeyLimitsChanged { .. }
            | AccountEvent::KeyRevoked { .. }
            | AccountEvent::AccountSuspended { .. }
            | AccountEvent::AccountReinstated { .. }
            | AccountEvent::SpendLimitsChanged { .. }
            | AccountEvent::PlanAssigned { .. }
            | AccountEvent::OwnLimitsChanged { .. }
            | AccountEvent::PlanRemoved { .. }
            | AccountEvent::SpendWarningRaised(_) => {}
        }
    }

    /// Recovery has ended what a stopped process left open.
    pub fn recovered(&self, decision: RecoveryDecision) {
        self.recovered.of(decision).inc();
    }

    fn booked(&self, usage: &Usage, charge: Money, cost: Money) {
        self.charges.inc_by(dollars(charge));
        self.costs.inc_by(dollars(cost));
        for class in Tokens::ALL {
            let count = class.of(usage);
            if count > 0 {
                self.tokens.of(*class).inc_by(count);
            }
        }
    }

    fn ruled(&self, ruling: Option<Ruling>) {
        if let Some(ruling) = ruling {
            self.rulings.of(ruling.mishap).of(ruling.treatment).inc();
        }
    }

    fn waived(&self, cost: Option<Money>) {
        if let Some(cost) = cost {
            self.waived.inc_by(dollars(cost));
        }
    }

    fn corrected(&self, change: Money, up: Correction, down: Correction) {
        let direction = if change.decimal().is_sign_negative() { down } else { up };
        self.corrections.of(direction).inc_by(change.decimal().abs().to_f64().unwrap_or_default());
    }
}

impl Tokens {
    const fn of(self, usage: &Usage) -> u64 {
        match self {
            Self::Input => usage.input,
            Self::CacheRead => usage.cache_read,
            Self::CacheWrite => usage.cache_write.saturating_add(usage.cache_write_1h),
            Self::AudioInput => usage.audio_input.saturating_add(usage.audio_cache_read),
            Self::Output => usage.output,
            Self::ImageOutput => usage.image_output,
            Self::AudioOutput => usage.audio_output,
        }
    }
}

impl From<CostSource> for Source {
    fn from(source: CostSource) -> Self {
        match source {
            CostSource::Upstream => Self::Upstream,
            CostSource::GenerationRecord => Self::GenerationRecord,
            CostSource::PriceList => Self::PriceList,
            CostSource::Estimate => Self::Estimate,
        }
    }
}

/// Charges and costs are never negative; a counter would not take it.
fn dollars(amount: Money) -> f64 {
    amount.decimal().to_f64().unwrap_or_default().max(0.0)
}
