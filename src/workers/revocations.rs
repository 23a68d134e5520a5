//! Learns which keys other nodes have revoked.

use std::time::Duration;

use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::identity::ApiKeys;

/// How often it looks.
const LOOK: Duration = Duration::from_millis(500);
/// Rounds without an answer after which what is remembered of keys is not believed any more: ten
/// seconds, within what [`ApiKeys::learn_revocations`] looks back.
const DEAF_ROUNDS: u32 = 20;

/// Twice a second, until `stop`.
///
/// Spending needs none of this: the account refuses a revoked key from the moment of its
/// revocation, on every node. This is for what a key opens without spending.
pub async fn learn_revocations(keys: ApiKeys, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut failed = 0;
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match keys.learn_revocations().await {
            Ok(()) if failed >= DEAF_ROUNDS => {
                keys.forget_all();
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
