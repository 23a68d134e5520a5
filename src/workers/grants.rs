//! Lets grants expire. The read model says where to look; the account decides.

use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::PgPool;
use tokio_util::sync::CancellationToken;
use tollgate_domain::ids::InvalidId;
use tollgate_domain::{AccountCommand, Timestamp};
use tollgate_projections::queries::{QueryError, due_grants};

use crate::ledger::{Actor, CommandContext, Ledger, now};

/// How often it looks. Spending does not wait for it: a reservation takes back what is due first.
const LOOK: Duration = Duration::from_secs(10);
/// How many at a time.
const MOST: i64 = 200;

/// Why a pass ended early; the next one goes on.
#[derive(Debug, thiserror::Error)]
pub enum ExpiryError {
    /// The read model.
    #[error(transparent)]
    Query(#[from] QueryError),
    /// A row that nobody of us wrote.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
}

/// Every few seconds, until `stop`.
pub async fn expire_grants(ledger: Ledger, pool: PgPool, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        match expire_grants_once(&ledger, &pool, now()).await {
            Ok(0) => {}
            Ok(count) => tracing::info!(count, "grants have expired"),
            Err(error) => tracing::warn!(%error, "expired grants will be looked at again"),
        }
    }
}

/// One pass over the grants whose time is over at `at`; returns how many expiries were recorded.
/// Several nodes may pass at once.
///
/// # Errors
/// Each [`ExpiryError`].
pub async fn expire_grants_once(
    ledger: &Ledger,
    pool: &PgPool,
    at: Timestamp,
) -> Result<usize, ExpiryError> {
    let by = CommandContext::by(Actor::System("grants"));
    let moment = DateTime::from_timestamp_micros(at.micros()).unwrap_or_else(Utc::now);
    let mut count = 0;
    for due in due_grants(pool, moment, MOST).await?.data {
        let command = AccountCommand::ExpireGrant { grant: due.grant_id.parse()?, at };
        // One odd account must not keep the others from their turn.
        match ledger.accounts.execute(&due.account_id, command, &by, None).await {
            Ok(done) => count += done.events.len(),
            Err(error) => tracing::warn!(grant.id = due.grant_id, %error, "not expired yet"),
        }
    }
    Ok(count)
}
