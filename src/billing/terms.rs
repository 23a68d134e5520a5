//! What a reservation is decided on: the amount, the bound, the id.

use tollgate_domain::account::{SpendLimits, SpendWarning};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::ids::ReservationId;
use tollgate_domain::pricing::{Demand, PriceCard, afford};
use tollgate_domain::{Account, Money, PriceBook, Timestamp};
use uuid::Uuid;

use super::reservation::ReservationOrder;

/// Fewer output tokens than this are no use to anybody: refused instead of trimmed.
const FEWEST_USEFUL_TOKENS: u64 = 16;
/// What follows the 48 bits of milliseconds in a UUIDv7.
const RANDOM_BITS: u32 = 80;

/// A model that may answer, at its price and ratio.
#[derive(Debug, Clone, Copy)]
pub(super) struct Offer<'p> {
    pub card: &'p PriceCard,
    pub sale_ratio: Ratio,
}

/// What was decided for a reservation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Terms {
    /// What is set aside.
    pub amount: Money,
    /// What the account had before.
    pub balance: Money,
    /// Of the requested model; frozen for the charge.
    pub sale_ratio: Ratio,
    /// Output tokens that the amount pays for.
    pub output_tokens: u64,
    /// The bound was lowered to what is affordable.
    pub trimmed: bool,
    /// What the account's plan allows.
    pub plan: SpendLimits,
    /// Most of a limit is spent.
    pub warning: Option<SpendWarning>,
}

/// An id that the account cannot have forgotten, even if this node's clock is behind another's.
pub(super) fn fresh_id(account: &Account) -> ReservationId {
    let id = ReservationId::from_uuid(Uuid::now_v7());
    match account.reservation_watermark() {
        Some(forgotten) if id <= forgotten => {
            // The next millisecond after the forgotten one, with the fresh id's random part.
            let later = (forgotten.uuid().as_u128() >> RANDOM_BITS) + 1;
            let random = id.uuid().as_u128() & ((1 << RANDOM_BITS) - 1);
            ReservationId::from_uuid(Uuid::from_u128((later << RANDOM_BITS) | random))
        }
        _ => id,
    }
}

/// The amount to reserve for the dearest of the offers, with the output bound trimmed to what the
/// account can pay where the client gave none; and the tokens that are affordable.
pub(super) fn terms(
    account: &Account,
    book: &PriceBook,
    offers: &[Offer<'_>],
    order: &ReservationOrder,
    at: Timestamp,
) -> (Terms, u64) {
    let sale_ratio = offers.first().map_or(Ratio::ONE, |offer| offer.sale_ratio);
    let dearest = |demand: &Demand| {
        offers.iter().fold(Money::ZERO, |most, offer| {
            // What does not fit into an amount is more than anybody has.
            let amount = demand.amount(offer.card, offer.sale_ratio);
            most.at_least(amount.unwrap_or(Money::dollars(u32::MAX)))
        })
    };
    let output_tokens = order.demand.output_tokens;
    let amount = dearest(&order.demand);
    let plan = account.plan().and_then(|plan| book.find_plan(plan));
    let plan = plan.map(|plan| plan.limits.spend()).unwrap_or_default();
    let warning = account.warning(order.key, at, plan);
    let balance = account.balance();
    let whole = Terms { amount, balance, sale_ratio, output_tokens, trimmed: false, plan, warning };
    let spendable = account.spendable(order.key, at, plan);
    if whole.amount <= spendable {
        return (whole, output_tokens);
    }
    let affordable = offers
        .iter()
        .map(|offer| afford(&order.demand, offer.card, offer.sale_ratio, spendable).unwrap_or(0))
        .min()
        .unwrap_or(0);
    if order.bound_is_given || affordable < FEWEST_USEFUL_TOKENS {
        return (whole, affordable);
    }
    let demand = Demand { output_tokens: affordable, ..order.demand };
    let terms =
        Terms { amount: dearest(&demand), output_tokens: affordable, trimmed: true, ..whole };
    (terms, affordable)
}
