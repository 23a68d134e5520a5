//! Keeps the private PostgreSQL running.

use std::sync::Arc;
use std::time::Duration;

use tokio_util::sync::CancellationToken;

use crate::database::DatabaseSource;

const LOOK: Duration = Duration::from_secs(1);

/// Looks once a second whether the private PostgreSQL answers, and starts it again where it was killed.
pub async fn supervise(source: Arc<DatabaseSource>, stop: CancellationToken) {
    let Some(private) = source.private() else { return };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(LOOK) => {}
        }
        // Not raced with `stop`: a start that is cut off half-way would leave its lock behind.
        match private.ensure_running().await {
            Ok(false) => {}
            Ok(true) => tracing::warn!("the private PostgreSQL had stopped and was started again"),
            Err(error) => tracing::error!(%error, "the private PostgreSQL does not start"),
        }
    }
}
