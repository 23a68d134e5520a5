//! Writes down the handles of long requests.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::proxy::Gateway;

/// Every tenth of a second, until `stop`.
pub async fn write_notes(gateway: Arc<Gateway>, pool: PgPool, stop: CancellationToken) {
    let mut tick = tokio::time::interval(Duration::from_millis(100));
    tick.set_missed_tick_behavior(tokio::time::MissedTickBehavior::Delay);
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        if let Err(error) = gateway.notes().write(&pool).await {
            tracing::warn!(%error, "handles of running requests were not written down");
        }
    }
}
