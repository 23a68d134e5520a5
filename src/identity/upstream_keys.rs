//! Credentials of master accounts, sealed at rest.

use sha2::{Digest, Sha256};
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use tollgate_domain::ids::MasterAccountId;

use super::Sealer;
use super::sealed::{self, SealError};
use super::users::parsed;
use crate::config::Secret;

const PURPOSE: &str = "upstream_key";

/// An opened credential.
#[derive(Debug, Clone)]
pub struct UpstreamKey {
    /// Whose.
    pub master_account: MasterAccountId,
    /// Which of its keys.
    pub version: u32,
    /// `openrouter`, `sandbox`, …
    pub provider: String,
    /// Where requests go, without a slash at its end.
    pub base_url: String,
    /// The key itself.
    pub key: Secret,
    /// What lists show.
    pub masked: String,
}

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

/// Seals, stores and opens credentials.
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

    /// Stores the first key of a new master account, and returns the master account that has it:
    /// another one, if the key was stored before.
    pub async fn insert(
        &self,
        master_account: MasterAccountId,
        provider: &str,
        base_url: &str,
        key: &Secret,
    ) -> Result<MasterAccountId, UpstreamKeyError> {
        let sealed = self.sealer.seal(PURPOSE, &place(master_account, 1), key)?;
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

    /// The newest credential of every master account, opened. One that does not open is left out
    /// with a warning: it must not take the others along.
    pub async fn load_all(&self) -> Result<Vec<UpstreamKey>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT DISTINCT ON (master_account_id)
                    master_account_id, key_version, provider, base_url, sealed_key, masked
             FROM upstream_keys ORDER BY master_account_id, key_version DESC",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut keys = Vec::with_capacity(rows.len());
        for row in &rows {
            keys.extend(self.open(row)?);
        }
        Ok(keys)
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

    fn open(&self, row: &PgRow) -> Result<Option<UpstreamKey>, sqlx::Error> {
        let master_account: MasterAccountId = parsed(row, "master_account_id")?;
        let version: i32 = row.try_get("key_version")?;
        let version = version.unsigned_abs();
        let sealed: &str = row.try_get("sealed_key")?;
        let key = match self.sealer.open(PURPOSE, &place(master_account, version), sealed) {
            Ok(key) => key,
            Err(error) => {
                tracing::warn!(master_account.id = %master_account, %error, "a key was left out");
                return Ok(None);
            }
        };
        Ok(Some(UpstreamKey {
            master_account,
            version,
            provider: row.try_get("provider")?,
            base_url: row.try_get("base_url")?,
            key,
            masked: row.try_get("masked")?,
        }))
    }
}

fn place(master_account: MasterAccountId, version: u32) -> String {
    format!("{master_account}/{version}")
}
