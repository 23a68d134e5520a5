//! What the log says of an idempotency key.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tollgate_domain::account::{AccountEvent, ReleaseReason};
use tollgate_domain::ids::{AccountId, RequestId};
use tollgate_domain::{Account, Money};

use crate::billing::{Begun, OnceKey};
use crate::http::error::ApiError;
use crate::ledger::{Ledger, LedgerError};

/// A request that came to nothing may be tried so often under one key.
const ATTEMPTS: u32 = 10;

/// What became of the last request under a key.
#[derive(Debug)]
pub enum Past {
    /// There was none, or it came to nothing and was not charged: this may be the next attempt.
    Free(OnceKey),
    /// It asked for something else.
    Other,
    /// It came to nothing too often.
    WornOut,
    /// It has not ended.
    Running,
    /// It has ended.
    Ended {
        /// Which attempt it was: the key of its kept answer.
        key: String,
        /// The request that made it.
        request: RequestId,
        /// What it was charged.
        charge: Money,
        /// How long ago.
        age: Duration,
        /// Nothing was charged, and nothing ever will be: an answer that did not come to its end
        /// need not be shown again.
        may_run_again: bool,
        /// For what follows it.
        next: Option<OnceKey>,
    },
}

/// Asks the log.
pub async fn look(
    ledger: &Ledger,
    pool: &PgPool,
    account: AccountId,
    key: &str,
    fingerprint: [u8; 32],
) -> Result<Past, ApiError> {
    let scope = format!("requests:{account}");
    let keys: Vec<String> = (1..=ATTEMPTS).map(|attempt| attempt_key(key, attempt)).collect();
    let kept = ledger.find_all_kept(&scope, &keys).await?;
    let last =
        keys.iter().enumerate().rev().find_map(|(place, name)| {
            Some((place, &kept.iter().find(|(known, _)| known == name)?.1))
        });
    let order = |place: usize| Some(OnceKey { scope, key: keys.get(place)?.clone(), fingerprint });
    let Some((place, kept)) = last else {
        return Ok(order(0).map_or(Past::WornOut, Past::Free));
    };
    if kept.fingerprint != fingerprint {
        return Ok(Past::Other);
    }
    let begun: Begun = serde_json::from_str(&kept.result).map_err(ApiError::internal)?;
    let stream = account.to_string();
    // Another node may have ended it.
    ledger.accounts.freshen(&stream).await?;
    let open = |account: &Account| account.find_reservation(begun.reservation).is_some();
    if ledger.accounts.peek(&stream, open).await? {
        return Ok(Past::Running);
    }
    let Some((end, at)) = find_end(pool, &stream, &begun).await? else {
        return Ok(Past::Running);
    };
    let charge = if let AccountEvent::ReservationSettled(settled) = &end {
        settled.charge
    } else {
        Money::ZERO
    };
    let (may_run_again, age) = (came_to_nothing(&end), (Utc::now() - at).to_std());
    let age = age.unwrap_or_default();
    let key = attempt_key(key, u32::try_from(place).unwrap_or(ATTEMPTS) + 1);
    let next = order(place + 1);
    Ok(Past::Ended { key, request: begun.request, charge, age, may_run_again, next })
}

/// Where its owner had stopped, or its bill may still come, nobody can say so.
fn came_to_nothing(end: &AccountEvent) -> bool {
    matches!(end, AccountEvent::ReservationReleased { reason, awaits: None, .. }
        if *reason != ReleaseReason::Recovered)
}

/// A client's key has no line break.
fn attempt_key(key: &str, attempt: u32) -> String {
    match attempt {
        1 => key.to_owned(),
        _ => format!("{key}\n{attempt}"),
    }
}

/// The event that ended it: in its account's stream, soon after it began.
async fn find_end(
    pool: &PgPool,
    stream: &str,
    begun: &Begun,
) -> Result<Option<(AccountEvent, DateTime<Utc>)>, ApiError> {
    let found: Option<(String, DateTime<Utc>)> = sqlx::query_as(
        "SELECT payload::text, recorded_at FROM events
         WHERE aggregate_type = 'account' AND aggregate_id = $1 AND sequence > $2
           AND event_type IN ('ReservationSettled', 'ReservationReleased', 'ReservationExpired')
           AND position($3 IN payload::text) > 0
         ORDER BY sequence LIMIT 1",
    )
    .bind(stream)
    .bind(i64::try_from(begun.after).unwrap_or(i64::MAX))
    .bind(begun.reservation.to_string())
    .fetch_optional(pool)
    .await
    .map_err(LedgerError::from)?;
    let Some((payload, at)) = found else { return Ok(None) };
    let end = serde_json::from_str(&payload).map_err(ApiError::internal)?;
    Ok(Some((end, at)))
}
