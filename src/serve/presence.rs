//! This process among the nodes that serve.

use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use super::ServeError;
use crate::http::AppState;
use crate::identity::Sealer;
use crate::ledger::LedgerError;

/// What this process says of itself: that it is alive, and which keys open secrets here.
#[derive(Debug, Clone)]
pub(super) struct Presence {
    pool: PgPool,
    node: String,
    encryption_keys: Vec<String>,
}

impl Presence {
    pub(super) fn new(pool: PgPool, node: String, sealer: &Sealer) -> Self {
        Self { pool, node, encryption_keys: sealer.names() }
    }

    /// Says it once.
    pub(super) async fn sign_on(&self) -> Result<(), ServeError> {
        sqlx::query(
            "INSERT INTO nodes (node, encryption_keys) VALUES ($1, $2)
             ON CONFLICT (node) DO UPDATE SET seen_at = now()",
        )
        .bind(&self.node)
        .bind(&self.encryption_keys)
        .execute(&self.pool)
        .await
        .map_err(LedgerError::from)?;
        Ok(())
    }

    /// Says it again and again, until `stop`.
    pub(super) async fn keep(self, every: Duration, stop: CancellationToken) {
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                () = tokio::time::sleep(every) => {}
            }
            if let Err(error) = self.sign_on().await {
                tracing::warn!(%error, "this node could not say that it is alive");
            }
        }
    }
}

/// This node has ended everything itself: recovery need not wait for it.
pub(super) async fn sign_off(state: &AppState) {
    let deleted = sqlx::query("DELETE FROM nodes WHERE node = $1")
        .bind(state.ledger.engine().node())
        .execute(state.database.pool())
        .await;
    if let Err(error) = deleted {
        tracing::debug!(%error, "this node could not sign off; it will be taken for gone soon");
    }
}
