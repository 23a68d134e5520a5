//! Writes down the handles of requests that take a while.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::proxy::Gateway;

/// While the database is away.
const PAUSE: Duration = Duration::from_millis(100);

/// As soon as there are any, until `stop`.
pub async fn write_notes(gateway: Arc<Gateway>, pool: PgPool, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = gateway.notes().due() => {}
        }
        if let Err(error) = gateway.notes().write(&pool).await {
            tracing::warn!(%error, "handles of running requests were not written down");
            tokio::time::sleep(PAUSE).await;
        }
    }
}
