//! This process among others: its heartbeat, and what it learns from them.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::MissedTickBehavior;
use tokio_util::sync::CancellationToken;

use crate::identity::ApiKeys;

/// How often a process says that it is alive.
const BEAT: Duration = Duration::from_secs(5);
/// How often revocations of other nodes are looked for.
const LEARN: Duration = Duration::from_millis(500);
/// Rounds without an answer after which what is remembered of keys is not believed any more.
const DEAF_ROUNDS: u32 = 20;

/// Says every few seconds that `node` is alive, and on the way out that it is not: recovery need not wait then.
pub async fn heartbeat(pool: PgPool, node: String, stop: CancellationToken) {
    let mut tick = tokio::time::interval(BEAT);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => break,
            _ = tick.tick() => {}
        }
        if let Err(error) = beat(&pool, &node).await {
            tracing::warn!(%error, node, "the heartbeat was not recorded");
        }
    }
    let gone = sqlx::query("DELETE FROM nodes WHERE node = $1").bind(&node).execute(&pool).await;
    if let Err(error) = gone {
        tracing::warn!(%error, node, "this node stays listed for a while");
    }
}

/// Records that `node` is alive. Others must know before it reserves anything.
pub async fn beat(pool: &PgPool, node: &str) -> Result<(), sqlx::Error> {
    sqlx::query(
        "INSERT INTO nodes (node) VALUES ($1) ON CONFLICT (node) DO UPDATE SET seen_at = now()",
    )
    .bind(node)
    .execute(pool)
    .await?;
    Ok(())
}

/// Learns which keys other nodes have revoked.
pub async fn learn_revocations(keys: ApiKeys, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LEARN);
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
