//! Learns which keys and sessions other nodes have ended.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::identity::{ApiKeys, SessionStore};

/// How often it looks.
const LOOK: Duration = Duration::from_millis(500);
/// Rounds without an answer after which what is remembered is not believed any more: ten seconds,
/// within what [`ApiKeys::learn_revocations`] and [`SessionStore::learn_ended`] look back.
const DEAF_ROUNDS: u32 = 20;

/// Twice a second, until `stop`.
///
/// Spending needs none of this: the account refuses a revoked key from the moment of its
/// revocation, on every node. This is for what a key opens without spending, and for the access
/// tokens of sessions that were ended.
pub async fn learn_revocations(keys: ApiKeys, sessions: SessionStore, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match learn(&keys, &sessions).await {
            Ok(()) if failed >= DEAF_ROUNDS => {
                keys.forget_all();
                sessions.forget_everything();
                failed = 0;
            }
            Ok(()) => failed = 0,
            Err(error) => {
                failed += 1;
                tracing::debug!(%error, "revocations of other nodes are not known");
            }
        }
    }
}

async fn learn(keys: &ApiKeys, sessions: &SessionStore) -> Result<(), sqlx::Error> {
    keys.learn_revocations().await?;
    sessions.learn_ended().await
}
