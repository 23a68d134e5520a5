//! The upstream accounts that requests may be sent to.

use std::collections::HashMap;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use parking_lot::RwLock;
use tollgate_domain::MasterAccount;
use tollgate_domain::ids::MasterAccountId;

use crate::identity::UpstreamKeys;
use crate::ledger::{Ledger, LedgerError};
use crate::upstream::Upstream;

/// Enabled master accounts with their opened keys, taken in turn.
#[derive(Debug, Default, Clone)]
pub struct MasterAccounts(Arc<Parts>);

#[derive(Debug, Default)]
struct Parts {
    enabled: RwLock<Arc<[Arc<Upstream>]>>,
    /// Every master account that has a key, enabled or not.
    known: RwLock<Vec<MasterAccountId>>,
    turn: AtomicUsize,
}

impl MasterAccounts {
    /// The next one; one that rests only where all do; none if nothing is enabled.
    #[must_use]
    pub fn pick(&self) -> Option<Arc<Upstream>> {
        let enabled = self.0.enabled.read();
        let turn = self.0.turn.fetch_add(1, Ordering::Relaxed);
        let (before, from) = enabled.split_at(turn % enabled.len().max(1));
        let awake = from.iter().chain(before).find(|upstream| !upstream.rest.lasts());
        awake.or(from.first()).cloned()
    }

    /// One that is awake and was not `tried`.
    #[must_use]
    pub fn pick_another(&self, tried: &[MasterAccountId]) -> Option<Arc<Upstream>> {
        let enabled = self.0.enabled.read();
        let fresh =
            |upstream: &&Arc<Upstream>| !tried.contains(&upstream.id) && !upstream.rest.lasts();
        enabled.iter().find(fresh).cloned()
    }

    /// All that have a key, enabled or not, in order.
    #[must_use]
    pub fn known(&self) -> Vec<MasterAccountId> {
        self.0.known.read().clone()
    }

    /// The one with this id, if it is enabled.
    #[must_use]
    pub fn find(&self, id: MasterAccountId) -> Option<Arc<Upstream>> {
        self.0.enabled.read().iter().find(|upstream| upstream.id == id).cloned()
    }

    /// Takes the newest keys and cost rates.
    ///
    /// # Errors
    /// The database; what was known before stays in use then.
    pub async fn refresh(
        &self,
        ledger: &Ledger,
        keys: &UpstreamKeys,
    ) -> Result<usize, LedgerError> {
        let mut rates = HashMap::new();
        let mut versions = HashMap::new();
        let known = keys.owners().await?;
        for id in known.iter().copied() {
            let look = |account: &MasterAccount| {
                let usable = account.id().is_some() && account.is_enabled();
                usable.then(|| (account.key_version(), account.cost_rate()))
            };
            // A key counts from its event on, not from the row that is written before it.
            if let Some((version, rate)) =
                ledger.master_accounts.peek(&id.to_string(), look).await?
            {
                versions.insert(id, version);
                rates.insert(id, rate);
            }
        }
        let keys = keys.load(&versions).await?;
        let mut enabled = Vec::with_capacity(keys.len());
        let rests: HashMap<_, _> =
            self.0.enabled.read().iter().map(|known| (known.id, known.rest.clone())).collect();
        for known in keys {
            let id = known.master_account;
            let Some(rate) = rates.get(&id) else { continue };
            match Upstream::new(id, known.provider, &known.base_url, &known.key, *rate) {
                Some(upstream) => {
                    let rest = rests.get(&id).cloned().unwrap_or_default();
                    enabled.push(Arc::new(upstream.remembering(rest)));
                }
                None => {
                    tracing::error!(master_account.id = %id, "its key cannot stand in a header");
                }
            }
        }
        // The sandbox charges real money for example text: it serves only where nothing else does.
        if enabled.iter().any(|upstream| !upstream.is_sandbox()) {
            enabled.retain(|upstream| !upstream.is_sandbox());
        }
        let count = enabled.len();
        *self.0.known.write() = known;
        *self.0.enabled.write() = enabled.into();
        Ok(count)
    }
}
