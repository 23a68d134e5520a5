//! The upstream accounts that requests may be sent to.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;
use sqlx::{PgPool, Row as _};
use tollgate_domain::MasterAccount;
use tollgate_domain::ids::{InvalidId, MasterAccountId};

use crate::identity::sealed::{SealError, Sealer};
use crate::ledger::{Ledger, LedgerError};
use crate::upstream::Upstream;

/// What a sealed upstream key is bound to.
pub const UPSTREAM_KEY: &str = "upstream_key";

/// Why the master accounts could not be read.
#[derive(Debug, thiserror::Error)]
pub enum MastersError {
    /// The database or the ledger.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// A row that nobody of us wrote.
    #[error(transparent)]
    InvalidId(#[from] InvalidId),
    /// Sealed under another `ENCRYPTION_KEY`.
    #[error("{0}: {1}; was ENCRYPTION_KEY changed?")]
    Sealed(MasterAccountId, SealError),
}

/// Enabled master accounts with their opened keys, taken in turn.
#[derive(Debug, Default, Clone)]
pub struct MasterAccounts(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    enabled: RwLock<Arc<[Arc<Upstream>]>>,
    turn: AtomicUsize,
}

impl MasterAccounts {
    /// The next one; none if nothing is enabled.
    #[must_use]
    pub fn pick(&self) -> Option<Arc<Upstream>> {
        let enabled = self.0.enabled.read();
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        enabled.get(turn % enabled.len().max(1)).cloned()
    }

    /// All that are enabled.
    #[must_use]
    pub fn ids(&self) -> Vec<MasterAccountId> {
        self.0.enabled.read().iter().map(|upstream| upstream.id).collect()
    }

    /// The one with this id, if it is enabled.
    #[must_use]
    pub fn find(&self, id: MasterAccountId) -> Option<Arc<Upstream>> {
        self.0.enabled.read().iter().find(|upstream| upstream.id == id).cloned()
    }

    /// Takes the newest keys and cost rates.
    ///
    /// # Errors
    /// Each [`MastersError`]; what was known before stays in use then.
    pub async fn refresh(
        &self,
        ledger: &Ledger,
        pool: &PgPool,
        sealer: &Sealer,
    ) -> Result<usize, MastersError> {
        let rows = sqlx::query(
            "SELECT DISTINCT ON (master_account_id)
                master_account_id, provider, base_url, sealed_key
             FROM upstream_keys ORDER BY master_account_id, key_version DESC",
        )
        .fetch_all(pool)
        .await
        .map_err(LedgerError::from)?;
        let mut enabled = Vec::with_capacity(rows.len());
        for row in &rows {
            let text: String = row.get(0);
            let id: MasterAccountId = text.parse()?;
            let account = ledger.master_accounts.peek(&text, MasterAccount::clone).await?;
            if account.id().is_none() || !account.is_enabled() {
                continue;
            }
            let key = sealer
                .open(UPSTREAM_KEY, &text, row.get(3))
                .map_err(|error| MastersError::Sealed(id, error))?;
            let provider: String = row.get(1);
            match Upstream::new(id, provider, row.get(2), &key, account.cost_rate()) {
                Some(upstream) => enabled.push(Arc::new(upstream)),
                None => {
                    tracing::error!(master_account.id = %id, "its key cannot stand in a header");
                }
            }
        }
        let count = enabled.len();
        *self.0.enabled.write() = enabled.into();
        Ok(count)
    }
}
