//! `usage_hourly`: what each key of each account used, hour by hour and model by model.

use std::sync::Arc;

use tollgate_domain::account::{AccountEvent as Event, Booked, ReservationSettled};
use tollgate_domain::ids::{AccountId, KeyId};
use tollgate_domain::{Timestamp, Usage};

use super::key_usage::count;
use crate::error::FoldError;
use crate::exact::{ListUsd, Usd};
use crate::fold::{Row, Rows};
use crate::seen::{Body, Seen};
use crate::sink::Sink;
use crate::table::Kind::{Int, Number, Text, Time};
use crate::table::Merge::{Key, Sum};
use crate::table::{Life, Table, col};

pub(super) static TABLE: Table = Table {
    name: "usage_hourly",
    comment: "Ended requests by UTC hour; requests are those charged, unbilled those released or \
              expired. Cached, cache-write and audio tokens are parts of the prompt and completion \
              tokens, reasoning tokens of the completion tokens.",
    life: Life::Grouped,
    columns: &[
        col("account_id", Text, Key),
        col("hour", Time, Key),
        col("key_id", Text, Key),
        col("model", Text, Key),
        col("requests", Int, Sum),
        col("unbilled", Int, Sum),
        col("prompt_tokens", Int, Sum),
        col("completion_tokens", Int, Sum),
        col("cached_tokens", Int, Sum),
        col("cache_write_tokens", Int, Sum),
        col("reasoning_tokens", Int, Sum),
        col("audio_tokens", Int, Sum),
        col("list_cost", Number, Sum),
        col("charge", Number, Sum),
        col("cost", Number, Sum),
    ],
    indexes: &[],
};

/// An hour's usage, or the change to it.
#[derive(Debug, Default)]
pub(super) struct UsageRow {
    requests: i64,
    unbilled: i64,
    prompt: i64,
    completion: i64,
    cached: i64,
    cache_write: i64,
    reasoning: i64,
    audio: i64,
    list_cost: ListUsd,
    charge: Usd,
    cost: Usd,
}

/// Cached input tokens, audio included.
pub(super) fn cached(usage: &Usage) -> u64 {
    usage.cache_read.saturating_add(usage.audio_cache_read)
}

impl UsageRow {
    fn settle(&mut self, settled: &ReservationSettled) -> Result<(), FoldError> {
        let ReservationSettled { usage, list_cost, charge, cost, .. } = *settled;
        self.requests += 1;
        self.add(&Booked { usage, list_cost, charge, cost })
    }

    fn add(&mut self, booked: &Booked) -> Result<(), FoldError> {
        self.tokens(&booked.usage, 1)?;
        self.list_cost.add(booked.list_cost.decimal())?;
        self.charge.add(booked.charge.decimal())?;
        self.cost.add(booked.cost.decimal())
    }

    fn sub(&mut self, booked: &Booked) -> Result<(), FoldError> {
        self.tokens(&booked.usage, -1)?;
        self.list_cost.sub(booked.list_cost.decimal())?;
        self.charge.sub(booked.charge.decimal())?;
        self.cost.sub(booked.cost.decimal())
    }

    fn tokens(&mut self, usage: &Usage, sign: i64) -> Result<(), FoldError> {
        self.prompt += sign * count(usage.prompt_tokens())?;
        self.completion += sign * count(usage.completion_tokens())?;
        self.cached += sign * count(cached(usage))?;
        self.cache_write += sign * count(usage.cache_write.saturating_add(usage.cache_write_1h))?;
        self.reasoning += sign * count(usage.reasoning)?;
        let audio = [usage.audio_input, usage.audio_cache_read, usage.audio_output];
        let audio = audio.iter().fold(0, |sum, tokens| u64::saturating_add(sum, *tokens));
        self.audio += sign * count(audio)?;
        Ok(())
    }
}

fn hour(at: Timestamp) -> i64 {
    at.micros().div_euclid(3_600_000_000)
}

impl Row for UsageRow {
    type Key = (AccountId, i64, KeyId, Arc<str>);

    fn apply(rows: &mut Rows<Self>, seen: &Seen<'_>) -> Result<(), FoldError> {
        let Body::Account(account, event, Some(model)) = &seen.body else { return Ok(()) };
        let mut row =
            |key: KeyId, at: Timestamp, change: &dyn Fn(&mut Self) -> Result<(), FoldError>| {
                change(rows.entry((*account, hour(at), key, Arc::clone(model))).or_default())
            };
        let unbilled = |row: &mut Self| {
            row.unbilled += 1;
            Ok(())
        };
        match event {
            Event::ReservationSettled(settled) => {
                row(settled.key, settled.at, &|row| row.settle(settled))
            }
            Event::ReservationReleased { key, .. } => row(*key, seen.recorded_at, &unbilled),
            Event::ReservationExpired { key, at, .. } => row(*key, *at, &unbilled),
            Event::CallAbandoned(call) => row(call.key, call.at, &unbilled),
            // In the hour of the charge that is corrected, so that it shows the truth.
            Event::ChargeCorrected(corrected) => row(corrected.key, corrected.charged_at, &|row| {
                row.sub(&corrected.from)?;
                row.add(&corrected.to)
            }),
            // It stays among the unbilled ones of the hour in which it ended.
            Event::LateBillBooked(late) if super::billed_requests(late) > 0 => {
                row(late.key, late.at, &|row| {
                    row.requests += 1;
                    row.add(&late.booked)
                })
            }
            Event::LateBillBooked(_)
            | Event::FundsReserved(_)
            | Event::AccountOpened { .. }
            | Event::FundsToppedUp { .. }
            | Event::FundsGranted { .. }
            | Event::GrantExpired { .. }
            | Event::TopUpRefunded { .. }
            | Event::AdjustmentPosted { .. }
            | Event::KeyIssued { .. }
            | Event::KeyLimitsChanged { .. }
            | Event::KeyRevoked { .. }
            | Event::AccountSuspended { .. }
            | Event::AccountReinstated { .. }
            | Event::SpendLimitsChanged { .. }
            | Event::PlanAssigned { .. }
            | Event::OwnLimitsChanged { .. }
            | Event::PlanRemoved { .. }
            | Event::SpendWarningRaised(_) => Ok(()),
        }
    }

    fn merge(&mut self, other: Self) -> Result<(), FoldError> {
        self.requests += other.requests;
        self.unbilled += other.unbilled;
        self.prompt += other.prompt;
        self.completion += other.completion;
        self.cached += other.cached;
        self.cache_write += other.cache_write;
        self.reasoning += other.reasoning;
        self.audio += other.audio;
        self.list_cost.merge(other.list_cost)?;
        self.charge.merge(other.charge)?;
        self.cost.merge(other.cost)
    }

    fn write(&self, (account, hour, key, model): &Self::Key, sink: &mut dyn Sink) {
        sink.id(account);
        sink.time(Some(Timestamp::from_seconds(*hour * 3_600)));
        sink.id(key);
        sink.text(Some(model));
        sink.int(Some(self.requests));
        sink.int(Some(self.unbilled));
        sink.int(Some(self.prompt));
        sink.int(Some(self.completion));
        sink.int(Some(self.cached));
        sink.int(Some(self.cache_write));
        sink.int(Some(self.reasoning));
        sink.int(Some(self.audio));
        sink.number(Some(&self.list_cost));
        sink.number(Some(&self.charge));
        sink.number(Some(&self.cost));
    }
}
