//! Credentials of master accounts, sealed at rest.

use std::collections::HashMap;

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

/// Where a key stands that was to be stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stored {
    /// Among the keys of the master account that it is for.
    Own {
        /// Which of its keys.
        version: u32,
    },
    /// Among those of another one.
    Elsewhere(MasterAccountId),
}

/// What sealing again came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Resealed {
    /// Credentials.
    pub all: usize,
    /// Those that were sealed under another key before.
    pub changed: usize,
}

/// Why a credential can't be stored or read.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamKeyError {
    /// The cipher refuses.
    #[error(transparent)]
    Seal(#[from] SealError),
    /// One of all does not open, so none was sealed again.
    #[error("{place}: {error}; nothing was changed")]
    Reseal {
        /// The master account and the version of its key.
        place: String,
        /// Why.
        error: SealError,
    },
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

    /// Stores another key of a master account, under the next version, unless it is stored already.
    pub async fn insert_next(
        &self,
        master_account: MasterAccountId,
        key: &Secret,
    ) -> Result<Stored, UpstreamKeyError> {
        let next: i32 = sqlx::query_scalar(
            "SELECT COALESCE(max(key_version), 0) + 1 FROM upstream_keys
             WHERE master_account_id = $1",
        )
        .bind(master_account.to_string())
        .fetch_one(&self.pool)
        .await?;
        let place = place(master_account, next.unsigned_abs());
        let sealed = self.sealer.seal(PURPOSE, &place, key)?;
        let hash: [u8; 32] = Sha256::digest(key.expose()).into();
        // A version that another request has taken meanwhile is an error, and nothing is stored.
        sqlx::query(
            "INSERT INTO upstream_keys
                (master_account_id, key_version, provider, base_url, sealed_key, masked, key_hash)
             SELECT master_account_id, $2, provider, base_url, $3, $4, $5 FROM upstream_keys
             WHERE master_account_id = $1 ORDER BY key_version DESC LIMIT 1
             ON CONFLICT (key_hash) DO NOTHING",
        )
        .bind(master_account.to_string())
        .bind(next)
        .bind(sealed)
        .bind(sealed::mask(key))
        .bind(hash.as_slice())
        .execute(&self.pool)
        .await?;
        let row = sqlx::query(
            "SELECT master_account_id, key_version FROM upstream_keys WHERE key_hash = $1",
        )
        .bind(hash.as_slice())
        .fetch_one(&self.pool)
        .await?;
        let owner: MasterAccountId = parsed(&row, "master_account_id")?;
        let version: i32 = row.try_get("key_version")?;
        Ok(match owner == master_account {
            true => Stored::Own { version: version.unsigned_abs() },
            false => Stored::Elsewhere(owner),
        })
    }

    /// The key that seals, and every key that opens.
    pub const fn sealer(&self) -> &Sealer {
        &self.sealer
    }

    /// Seals every credential again that is not sealed under the current key: all of them, or none
    /// where one does not open or the process stops half-way.
    pub async fn reseal(&self) -> Result<Resealed, UpstreamKeyError> {
        let mut transaction = self.pool.begin().await?;
        let rows = sqlx::query(
            "SELECT master_account_id, key_version, sealed_key FROM upstream_keys
             ORDER BY master_account_id, key_version FOR UPDATE",
        )
        .fetch_all(&mut *transaction)
        .await?;
        let mut done = Resealed { all: rows.len(), changed: 0 };
        for row in &rows {
            let master_account: MasterAccountId = parsed(row, "master_account_id")?;
            let version: i32 = row.try_get("key_version")?;
            let place = place(master_account, version.unsigned_abs());
            let resealed = self.sealer.reseal(PURPOSE, &place, row.try_get("sealed_key")?);
            let resealed = resealed.map_err(|error| UpstreamKeyError::Reseal { place, error })?;
            let Some(sealed) = resealed else { continue };
            sqlx::query(
                "UPDATE upstream_keys SET sealed_key = $3
                 WHERE master_account_id = $1 AND key_version = $2",
            )
            .bind(master_account.to_string())
            .bind(version)
            .bind(sealed)
            .execute(&mut *transaction)
            .await?;
            done.changed += 1;
        }
        transaction.commit().await?;
        Ok(done)
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

    /// The master accounts that have credentials, in order.
    pub async fn owners(&self) -> Result<Vec<MasterAccountId>, sqlx::Error> {
        let sql = "SELECT DISTINCT master_account_id FROM upstream_keys ORDER BY 1";
        let rows = sqlx::query(sql).fetch_all(&self.pool).await?;
        rows.iter().map(|row| parsed(row, "master_account_id")).collect()
    }

    /// The credentials with these versions, opened, in the order of their master accounts. One that
    /// does not open is left out with a warning: it must not take the others along.
    pub async fn load(
        &self,
        versions: &HashMap<MasterAccountId, u32>,
    ) -> Result<Vec<UpstreamKey>, sqlx::Error> {
        let rows = sqlx::query(
            "SELECT master_account_id, key_version, provider, base_url, sealed_key, masked
             FROM upstream_keys ORDER BY master_account_id, key_version",
        )
        .fetch_all(&self.pool)
        .await?;
        let mut keys = Vec::with_capacity(versions.len());
        for row in &rows {
            let version: i32 = row.try_get("key_version")?;
            let wanted = versions.get(&parsed(row, "master_account_id")?);
            if wanted == Some(&version.unsigned_abs()) {
                keys.extend(self.open(row)?);
            }
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
