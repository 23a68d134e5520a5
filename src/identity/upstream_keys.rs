//! Credentials of master accounts, sealed at rest. The one who calls upstreams opens them.

use sha2::{Digest, Sha256};
use sqlx::{PgPool, Row as _};
use tollgate_domain::ids::MasterAccountId;

use super::Sealer;
use super::sealed::{self, SealError};
use super::users::parsed;
use crate::billing::UPSTREAM_KEY;
use crate::config::Secret;

/// Why a credential can't be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamKeyError {
    /// The cipher refuses.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// The database refuses.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
}

/// Seals and stores credentials.
#[derive(Clone)]
pub struct UpstreamKeys {
    pool: PgPool,
    sealer: Sealer,
}

impl std::fmt::Debug for UpstreamKeys {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("UpstreamKeys")
    }
}

impl UpstreamKeys {
    /// Over this database, under this key.
    pub const fn new(pool: PgPool, sealer: Sealer) -> Self {
        Self { pool, sealer }
    }

    /// Stores the first key of a new master account, and returns the master account that has it: another one, if the
    /// key was stored before.
    pub async fn insert(
        &self,
        master_account: MasterAccountId,
        provider: &str,
        base_url: &str,
        key: &Secret,
    ) -> Result<MasterAccountId, UpstreamKeyError> {
        let sealed = self.sealer.seal(UPSTREAM_KEY, &master_account.to_string(), key)?;
        let hash: [u8; 32] = Sha256::digest(key.expose()).into();
        sqlx::query(
            "INSERT INTO upstream_keys
                (master_account_id, key_version, provider, base_url, sealed_key, masked, key_hash)
             VALUES ($1, 1, $2, $3, $4, $5, $6) ON CONFLICT (key_hash) DO NOTHING",
        )
        .bind(master_account.to_string())
        .bind(provider)
        .bind(base_url)
        .bind(sealed)
        .bind(sealed::mask(key))
        .bind(hash.as_slice())
        .execute(&self.pool)
        .await?;
        let row = sqlx::query("SELECT master_account_id FROM upstream_keys WHERE key_hash = $1")
            .bind(hash.as_slice())
            .fetch_one(&self.pool)
            .await?;
        Ok(parsed(&row, "master_account_id")?)
    }

    /// Where the requests of a master account go from now on.
    pub async fn move_to(
        &self,
        master_account: MasterAccountId,
        base_url: &str,
    ) -> Result<(), UpstreamKeyError> {
        sqlx::query(
            "UPDATE upstream_keys SET base_url = $2
             WHERE master_account_id = $1 AND base_url <> $2",
        )
        .bind(master_account.to_string())
        .bind(base_url)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// What lists show of each master account's credential: id, base URL and masked key.
    pub async fn masks(&self) -> Result<Vec<(MasterAccountId, String, String)>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT DISTINCT ON (master_account_id) master_account_id, base_url, masked
             FROM upstream_keys ORDER BY master_account_id, key_version DESC",
        )
        .fetch_all(&self.pool)
        .await?;
        rows.iter()
            .map(|row| Ok((parsed(row, "master_account_id")?, row.get(1), row.get(2))))
            .collect()
    }
}
