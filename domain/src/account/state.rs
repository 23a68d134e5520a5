//! What an account knows.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::awaited::{AwaitedBill, AwaitedBills, models};
use super::event::Fallback;
use super::grants::{OpenGrant, OpenGrants};
use super::limits::{AccountLimits, KeyLimits, SpendLimits, Spent};
use super::recent::RecentEnds;
use crate::decimal::Ratio;
use crate::ids::{AccountId, AdjustmentId, GrantId, KeyId, RefundId, ReservationId, TopUpId};
use crate::money::Money;
use crate::time::{Period, Timestamp};

/// May the account reserve?
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Status {
    /// Yes.
    #[default]
    Active,
    /// No, until it is reinstated.
    Suspended,
}

/// One customer's prepaid billing account, folded from its events.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Account {
    pub(super) applied: u64,
    pub(super) id: Option<AccountId>,
    pub(super) status: Status,
    pub(super) balance: Money,
    pub(super) reserved: Money,
    pub(super) topped_up: Money,
    pub(super) spent: Money,
    pub(super) spent_today: Spent,
    pub(super) spent_this_month: Spent,
    pub(super) limits: AccountLimits,
    #[serde(default)]
    pub(super) own_limits: SpendLimits,
    #[serde(default)]
    pub(super) warned_today: Option<i64>,
    #[serde(default)]
    pub(super) warned_this_month: Option<i64>,
    pub(super) plan: Option<String>,
    pub(super) keys: BTreeMap<KeyId, KeyState>,
    pub(super) reservations: BTreeMap<ReservationId, OpenReservation>,
    pub(super) ended: RecentEnds,
    #[serde(default, skip_serializing_if = "AwaitedBills::is_empty")]
    pub(super) awaited: AwaitedBills,
    pub(super) top_ups: BTreeMap<TopUpId, TopUp>,
    pub(super) refunds: BTreeMap<RefundId, (TopUpId, Money)>,
    pub(super) grants: BTreeMap<GrantId, Given>,
    pub(super) open_grants: OpenGrants,
    pub(super) adjustments: BTreeMap<AdjustmentId, Money>,
}

/// A top-up and what of it was given back.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TopUp {
    pub(super) processor: String,
    pub(super) amount: Money,
    pub(super) refunded: Money,
}

/// A grant as it was given, by which a retry is told from another one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
pub struct Given {
    pub(super) amount: Money,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) expires_at: Option<Timestamp>,
}

/// One API key of the account.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct KeyState {
    pub(super) limits: KeyLimits,
    pub(super) spent: Spent,
    /// The window that was warned of.
    #[serde(default)]
    pub(super) warned: Option<i64>,
    pub(super) reserved: Money,
    pub(super) revoked: bool,
}

/// Money set aside for one request.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenReservation {
    /// How much.
    pub amount: Money,
    /// Whose budget it counts against.
    pub key: KeyId,
    /// The model that was asked for.
    pub model: String,
    /// The sale ratio frozen when it was reserved.
    pub sale_ratio: Ratio,
    /// The price list's version frozen when it was reserved.
    pub price_version: u64,
    /// From then on recovery may end it.
    pub expires_at: Timestamp,
    /// Models that may answer in its place.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fallbacks: Vec<Fallback>,
    /// What the account's plan allowed when it was reserved.
    #[serde(default)]
    pub plan: SpendLimits,
}

impl OpenReservation {
    /// The fallback of this name, if it is not the requested model itself.
    #[must_use]
    pub fn fallback(&self, model: &str) -> Option<&Fallback> {
        self.fallbacks.iter().find(|other| other.model == model && model != self.model)
    }
}

impl Default for Account {
    fn default() -> Self {
        Self {
            applied: 0,
            id: None,
            status: Status::Active,
            balance: Money::ZERO,
            reserved: Money::ZERO,
            topped_up: Money::ZERO,
            spent: Money::ZERO,
            spent_today: Spent::new(Period::Day),
            spent_this_month: Spent::new(Period::Month),
            limits: AccountLimits::default(),
            own_limits: SpendLimits::default(),
            warned_today: None,
            warned_this_month: None,
            plan: None,
            keys: BTreeMap::new(),
            reservations: BTreeMap::new(),
            ended: RecentEnds::default(),
            awaited: AwaitedBills::default(),
            top_ups: BTreeMap::new(),
            refunds: BTreeMap::new(),
            grants: BTreeMap::new(),
            open_grants: OpenGrants::default(),
            adjustments: BTreeMap::new(),
        }
    }
}

impl Account {
    /// The account's id once it is open.
    #[must_use]
    pub const fn id(&self) -> Option<AccountId> {
        self.id
    }

    /// All the customer's money.
    #[must_use]
    pub const fn balance(&self) -> Money {
        self.balance
    }

    /// Set aside by open reservations.
    #[must_use]
    pub const fn reserved(&self) -> Money {
        self.reserved
    }

    /// `balance − reserved`; below zero after a settlement above its reservation.
    #[must_use]
    pub fn available(&self) -> Money {
        self.balance.checked_sub(self.reserved).expect("INV-2: balance − reserved fits in Money")
    }

    /// What may be reserved by `key` at `at`: the least of what is available and what the limits
    /// of the key, of the account and of its plan leave.
    #[must_use]
    pub fn spendable(&self, key: KeyId, at: Timestamp, plan: SpendLimits) -> Money {
        let caps = self.spend_limits(plan);
        let mut least = self.available_at(at);
        let mut cap = |limit: Option<Money>, used: Option<Money>| {
            let Some(limit) = limit else { return };
            // What does not fit is far beyond any limit.
            let left = used.and_then(|used| limit.checked_sub(used)).unwrap_or(Money::ZERO);
            least = if left < least { left } else { least };
        };
        let with_reserved = |spent: &Spent| spent.at(at).checked_add(self.reserved);
        cap(caps.daily, with_reserved(&self.spent_today));
        cap(caps.monthly, with_reserved(&self.spent_this_month));
        if let Some(key) = self.keys.get(&key) {
            cap(key.limits.limit, key.spent.at(at).checked_add(key.reserved));
        }
        least
    }

    /// What is available once the grants whose time is over at `at` are taken back, as far as no
    /// open reservation holds them.
    #[must_use]
    pub fn available_at(&self, at: Timestamp) -> Money {
        let available = self.available();
        if self.open_grants.is_empty() || !available.is_positive() {
            return available;
        }
        available.checked_sub(self.open_grants.due(at).min(available)).unwrap_or(available)
    }

    /// What may still be paid back of a top-up: what is left of it, as far as that money is there
    /// and neither set aside nor granted. Nothing where there is no such top-up.
    #[must_use]
    pub fn refundable(&self, top_up: TopUpId) -> Option<Money> {
        let known = self.top_ups.get(&top_up)?;
        let left = known.amount.checked_sub(known.refunded)?;
        let paid = self.balance.checked_sub(self.open_grants.left())?;
        Some(left.min(self.available()).min(paid).at_least(Money::ZERO))
    }

    /// Every top-up with what came in and what of it was paid back.
    pub fn top_ups(&self) -> impl Iterator<Item = (TopUpId, Money, Money)> {
        self.top_ups.iter().map(|(id, top_up)| (*id, top_up.amount, top_up.refunded))
    }

    /// The grants that are not over, in the order in which they are spent.
    pub fn open_grants(&self) -> impl Iterator<Item = &OpenGrant> {
        self.open_grants.iter()
    }

    /// Everything ever topped up, refunds taken off.
    #[must_use]
    pub const fn topped_up(&self) -> Money {
        self.topped_up
    }

    /// Everything ever charged.
    #[must_use]
    pub const fn spent(&self) -> Money {
        self.spent
    }

    /// May it reserve?
    #[must_use]
    pub const fn status(&self) -> Status {
        self.status
    }

    /// The plan that an operator assigned.
    #[must_use]
    pub fn plan(&self) -> Option<&str> {
        self.plan.as_deref()
    }

    /// The limits that the operator set for this account.
    #[must_use]
    pub const fn limits(&self) -> &AccountLimits {
        &self.limits
    }

    /// The limits that its owner set.
    #[must_use]
    pub const fn own_limits(&self) -> SpendLimits {
        self.own_limits
    }

    /// What may be spent a day and a month: what the operator set for this account, else what the
    /// plan allows; of that and what the owner set the lower.
    #[must_use]
    pub fn spend_limits(&self, plan: SpendLimits) -> SpendLimits {
        self.limits.spend().or(plan).least(self.own_limits)
    }

    /// What is spent in the UTC day of `at`.
    #[must_use]
    pub fn spent_today(&self, at: Timestamp) -> Money {
        self.spent_today.at(at)
    }

    /// What is spent in the UTC month of `at`.
    #[must_use]
    pub fn spent_this_month(&self, at: Timestamp) -> Money {
        self.spent_this_month.at(at)
    }

    /// One key.
    #[must_use]
    pub fn find_key(&self, key: KeyId) -> Option<&KeyState> {
        self.keys.get(&key)
    }

    /// The reservation, while it is open.
    #[must_use]
    pub fn find_reservation(&self, id: ReservationId) -> Option<&OpenReservation> {
        self.reservations.get(&id)
    }

    /// The models that were asked for under this reservation, the requested one first, while it is
    /// open or its bill is awaited.
    #[must_use]
    pub fn models(&self, id: ReservationId) -> Vec<&str> {
        let open = self.reservations.get(&id).map(|open| models(&open.model, &open.fallbacks));
        open.or_else(|| self.awaited.find(id).map(AwaitedBill::models)).unwrap_or_default()
    }

    /// The id that a new reservation's must be above: what is not above it may have ended before
    /// and is refused as too old. A writer whose clock is behind another's makes its ids from here.
    #[must_use]
    pub const fn reservation_watermark(&self) -> Option<ReservationId> {
        self.ended.newest_forgotten()
    }

    /// Every open reservation.
    pub fn open_reservations(&self) -> impl Iterator<Item = (ReservationId, &OpenReservation)> {
        self.reservations.iter().map(|(id, open)| (*id, open))
    }

    /// The keys ever issued, and whether each was revoked.
    pub fn keys(&self) -> impl Iterator<Item = (KeyId, bool)> {
        self.keys.iter().map(|(id, key)| (*id, key.revoked))
    }
}

impl KeyState {
    /// What it may do.
    #[must_use]
    pub const fn limits(&self) -> &KeyLimits {
        &self.limits
    }

    /// What it spent in the window of `at`.
    #[must_use]
    pub fn spent(&self, at: Timestamp) -> Money {
        self.spent.at(at)
    }

    /// What its limit leaves at `at`, open reservations taken off; below zero after a settlement
    /// above its reservation. None without a limit.
    #[must_use]
    pub fn left(&self, at: Timestamp) -> Option<Money> {
        let used = self.spent.at(at).checked_add(self.reserved);
        // What does not fit is far beyond any limit.
        let left = |limit: Money| used.and_then(|used| limit.checked_sub(used));
        self.limits.limit.map(|limit| left(limit).unwrap_or(Money::ZERO))
    }

    /// May it be used no more?
    #[must_use]
    pub const fn is_revoked(&self) -> bool {
        self.revoked
    }
}
