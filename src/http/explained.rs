//! One request with everything that its charge follows from, as customers and operators are told.

use chrono::{DateTime, Utc};
use rust_decimal::Decimal;
use serde::Serialize;
use tollgate_domain::account::AccountEvent;
use tollgate_domain::ids::{AccountId, RequestId, ReservationId};
use tollgate_domain::ledger_event::LedgerEvent;
use tollgate_domain::pricing::cost_lines;
use tollgate_domain::{Money, Timestamp};
use tollgate_projections::FoldError;
use tollgate_projections::queries::{self, Explained, Request, StoredEvent};
use utoipa::ToSchema;

use super::error::both;
use super::wire::{Amount, hex};
use super::{ApiError, AppState};

/// A request by its id or its reservation's, of one account where that is given, and the position
/// that the answer is true for.
pub async fn find(
    app: &AppState,
    account: Option<AccountId>,
    id: &str,
    at_least: Option<i64>,
) -> Result<(Explained, i64), ApiError> {
    let not_found = || ApiError::NotFound { what: both!("request", "запрос") };
    if id.parse::<RequestId>().is_err() && id.parse::<ReservationId>().is_err() {
        return Err(not_found());
    }
    app.visible(at_least).await?;
    let found = queries::explain(app.database.pool(), account, id).await?;
    Ok((found.data.ok_or_else(not_found)?, found.as_of_position))
}

/// A request and why it was charged so:
/// `charge = round(list cost × sale ratio)`, rounded once, half to even, to 12 decimals.
#[derive(Debug, Serialize, ToSchema)]
pub struct RequestExplanation {
    /// Of its reservation.
    #[schema(examples("rsv_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    id: String,
    /// The `x-request-id` of the answer.
    #[schema(examples("req_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    request_id: Option<String>,
    #[schema(examples("key_01k2h3j4k5m6n7p8q9r0s1t2v3"))]
    api_key_id: String,
    /// As it was requested.
    #[schema(examples("openai/gpt-4o-mini"))]
    model: String,
    /// The fallback that answered in its place, whose prices and ratio count.
    #[schema(examples("openai/gpt-4o"))]
    answered_model: Option<String>,
    /// `settled` (charged), `released` or `expired` (not charged); `corrected` or `billed_late`
    /// where the truth came later.
    #[schema(examples("settled"))]
    state: String,
    /// How it ended.
    #[schema(examples("completed"))]
    outcome: String,
    ended_at: DateTime<Utc>,
    streamed: Option<bool>,
    /// Milliseconds until the first byte.
    first_byte_ms: Option<i64>,
    /// Milliseconds until the end.
    total_ms: Option<i64>,
    /// The `id` of the answer.
    #[schema(examples("gen-1780944464-aVi4x8Mw2aEBGnCL6z99"))]
    generation_id: Option<String>,
    charge: ChargeExplanation,
    /// What the fairness policy said. Null where nothing went wrong.
    fairness: Option<FairnessExplanation>,
    /// Its events in the account's stream, in their order.
    events: Vec<RequestEvent>,
    /// The position of the log that the answer reflects.
    as_of_position: i64,
}

/// From tokens to a charge.
#[derive(Debug, Serialize, ToSchema)]
struct ChargeExplanation {
    /// What was used, by class, at the list prices that were in force when it began. Null where
    /// nothing was charged, or where the list had no price.
    lines: Option<Vec<ChargeLine>>,
    /// The sum of the lines: what the price list says.
    #[schema(examples("0.00003915"))]
    computed_list_cost_usd: Option<Amount>,
    /// Version of the price list.
    price_version: Option<i64>,
    /// The position of the event that set these prices.
    priced_at_position: Option<i64>,
    /// The list cost that is charged: the upstream's own figure wherever it gave one.
    #[schema(examples("0.00003915"))]
    list_cost_usd: Option<Amount>,
    /// Where it comes from: `upstream`, `generation_record`, `price_list` or `estimate`.
    #[schema(examples("upstream"))]
    source: Option<String>,
    /// Frozen when the money was set aside.
    #[schema(value_type = Option<String>, examples("0.8"))]
    sale_ratio: Option<Amount>,
    /// List cost × sale ratio with all its decimals. Null where nothing was charged.
    #[schema(examples("0.00003132"))]
    exact_charge_usd: Option<Amount>,
    /// The same, rounded once to 12 decimals: what you paid. Null where nothing was charged.
    #[schema(examples("0.00003132"))]
    charge_usd: Option<Amount>,
    /// What had been charged before it was corrected.
    charge_before_usd: Option<Amount>,
    /// What had been set aside for it.
    #[schema(examples("0.008032"))]
    reserved_usd: Amount,
    /// Reasoning tokens: a part of the output.
    reasoning_tokens: Option<i64>,
}

/// One class of tokens.
#[derive(Debug, Serialize, ToSchema)]
struct ChargeLine {
    /// `input`, `cache_read`, `cache_write`, `cache_write_1h`, `audio_input`, `audio_cache_read`,
    /// `images`, `output`, `image_output`, `audio_output`, `web_searches` or `request`.
    #[schema(examples("input"))]
    class: &'static str,
    #[schema(examples(13))]
    count: u64,
    /// For one; null: the list asks nothing for it.
    #[schema(examples("0.00000015"))]
    list_price_usd: Option<Amount>,
    /// Count × price.
    #[schema(examples("0.00000195"))]
    list_cost_usd: Amount,
}

/// What was decided about a request that went wrong.
#[derive(Debug, Serialize, ToSchema)]
struct FairnessExplanation {
    /// What went wrong.
    #[schema(examples("client_left"))]
    mishap: String,
    /// What is charged then: `charge_billed`, `charge_delivered` or `waive`.
    #[schema(examples("charge_billed"))]
    treatment: Option<String>,
    /// Version of the policy.
    policy_version: Option<i64>,
}

/// An event of a request.
#[derive(Debug, Serialize, ToSchema)]
struct RequestEvent {
    /// Order of all events.
    #[schema(examples(42))]
    position: i64,
    /// Order within the account's stream.
    #[schema(examples(7))]
    sequence: i64,
    #[schema(examples("ReservationSettled"))]
    event_type: String,
    /// When it was written.
    recorded_at: DateTime<Utc>,
    /// What was set aside by it, or is free again.
    reserved_usd: Option<Amount>,
    /// Until when the reservation could live.
    expires_at: Option<DateTime<Utc>>,
    /// What the balance changed by.
    #[schema(examples("-0.00003132"))]
    balance_change_usd: Option<Amount>,
    /// Why a reservation was released.
    #[schema(examples("upstream_error"))]
    reason: Option<String>,
    /// SHA-256, hexadecimal, chained to the event before it in the account's stream.
    #[schema(examples("0628525ad25b78fb0d177f98787215299b57ece7341e7beaa96dd4c081157442"))]
    hash: String,
    /// Of the event before it; null: it is the stream's first.
    #[schema(examples("fffc7847dac42671dc3232574351209afa8e413a4e9662f24cc514ce73a18394"))]
    previous_hash: Option<String>,
    /// Is the hash that of the bytes that are stored?
    verifies: bool,
}

impl RequestExplanation {
    /// Tells everything but what concerns only the operator.
    pub fn new(explained: &Explained, as_of_position: i64) -> Result<Self, ApiError> {
        let (end, last) = (&explained.end, explained.last());
        let mishap = end.mishap.clone().or_else(|| last.mishap.clone());
        let fairness = mishap.map(|mishap| FairnessExplanation {
            mishap,
            treatment: last.treatment.clone().or_else(|| end.treatment.clone()),
            policy_version: last.policy_version.or(end.policy_version),
        });
        let events = explained.events.iter().map(RequestEvent::new);
        let events =
            events.collect::<Result<_, _>>().map_err(|e| ApiError::internal(e.to_string()))?;
        let known =
            |of: fn(&Request) -> &Option<String>| of(last).clone().or_else(|| of(end).clone());
        Ok(Self {
            id: end.reservation_id.clone(),
            request_id: end.request_id.clone(),
            api_key_id: end.key_id.clone(),
            model: end.model.clone(),
            answered_model: known(|request| &request.answered_model),
            state: last.state.clone(),
            outcome: end.outcome.clone(),
            ended_at: end.ended_at,
            streamed: end.streamed,
            first_byte_ms: end.first_byte_ms,
            total_ms: end.total_ms,
            generation_id: known(|request| &request.generation_id),
            charge: ChargeExplanation::new(explained),
            fairness,
            events,
            as_of_position,
        })
    }
}

impl ChargeExplanation {
    fn new(explained: &Explained) -> Self {
        let (end, last) = (&explained.end, explained.last());
        let at = Timestamp(end.ended_at.timestamp_micros());
        let charged = last.charge.is_some();
        let usage = last.usage.as_ref().filter(|_| charged);
        let priced = explained.prices.as_ref().zip(usage);
        let lines = priced.and_then(|(priced, usage)| cost_lines(&priced.card, usage, at).ok());
        let sum = lines.as_ref().map(|lines| lines.iter().map(|line| line.cost.decimal()).sum());
        let product = last.list_cost.zip(last.sale_ratio);
        let lines = lines.map(|lines| {
            let shown = lines.into_iter().map(|line| ChargeLine {
                class: line.class,
                count: line.count,
                list_price_usd: line.price.map(|price| Amount(price.decimal())),
                list_cost_usd: Amount(line.cost.decimal()),
            });
            shown.collect()
        });
        Self {
            lines,
            computed_list_cost_usd: sum.map(Amount),
            price_version: end.price_version,
            priced_at_position: explained.prices.as_ref().map(|priced| priced.position),
            list_cost_usd: last.list_cost.map(Amount),
            source: last.source.clone().filter(|_| charged),
            sale_ratio: last.sale_ratio.map(Amount),
            exact_charge_usd: product.and_then(|(list, ratio)| exact(list, ratio)).map(Amount),
            charge_usd: last.charge.map(Amount),
            charge_before_usd: last.charge_before.map(Amount),
            reserved_usd: end.reserved.into(),
            reasoning_tokens: last.reasoning_tokens,
        }
    }
}

/// The product with all its decimals, where a decimal can hold them.
fn exact(a: Decimal, b: Decimal) -> Option<Decimal> {
    let (a, b) = (a.normalize(), b.normalize());
    let product = a.checked_mul(b)?;
    (product.is_zero() || product.scale() == a.scale() + b.scale()).then_some(product)
}

/// What an event did to the account.
#[derive(Default)]
struct Effect {
    reserved: Option<Money>,
    expires_at: Option<Timestamp>,
    change: Option<Money>,
    reason: Option<String>,
}

fn effect(event: &AccountEvent) -> Effect {
    let plain = |reserved: Money| Effect { reserved: Some(reserved), ..Effect::default() };
    match event {
        AccountEvent::FundsReserved(it) => {
            Effect { expires_at: Some(it.expires_at), ..plain(it.amount) }
        }
        AccountEvent::ReservationSettled(it) => {
            Effect { change: Some(it.charge.negated()), ..plain(it.reserved) }
        }
        AccountEvent::ReservationReleased { amount, reason, .. } => {
            let word = serde_json::to_value(reason).ok();
            let reason = word.and_then(|word| word.as_str().map(str::to_owned));
            Effect { reason, ..plain(*amount) }
        }
        AccountEvent::ReservationExpired { amount, .. } => plain(*amount),
        AccountEvent::ChargeCorrected(it) => {
            let change = it.change().map(|(charge, _)| charge.negated());
            Effect { change, ..Effect::default() }
        }
        AccountEvent::LateBillBooked(it) => {
            Effect { change: Some(it.booked.charge.negated()), ..Effect::default() }
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
        | AccountEvent::SpendWarningRaised(_) => Effect::default(),
    }
}

impl RequestEvent {
    fn new(stored: &StoredEvent) -> Result<Self, FoldError> {
        let effect = match stored.decode()? {
            LedgerEvent::Account(event) => effect(&event),
            LedgerEvent::MasterAccount(_) | LedgerEvent::PriceBook(_) => Effect::default(),
        };
        let amount = |money: Money| Amount(money.decimal());
        let moment = |at: Timestamp| DateTime::from_timestamp_micros(at.micros());
        Ok(Self {
            position: stored.position,
            sequence: stored.sequence,
            event_type: stored.event_type.clone(),
            recorded_at: stored.recorded_at,
            reserved_usd: effect.reserved.map(amount),
            expires_at: effect.expires_at.and_then(moment),
            balance_change_usd: effect.change.map(amount),
            reason: effect.reason,
            hash: hex(&stored.hash),
            previous_hash: stored.previous_hash.as_deref().map(hex),
            verifies: stored.verifies(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_product_is_shown_only_where_nothing_of_it_is_lost() {
        let decimal = |text: &str| Decimal::from_str_exact(text).unwrap();
        assert_eq!(exact(decimal("0.010"), decimal("0.80")), Some(decimal("0.008")));
        assert_eq!(exact(decimal("0"), decimal("0.80")), Some(Decimal::ZERO));
        let long = decimal("0.0000000000050000000000000001");
        assert_eq!(exact(long, decimal("0.500000000001")), None);
    }
}
