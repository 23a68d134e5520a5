//! The table of API keys, and a memory of it that requests are answered from.
//!
//! The table says whose a key is. Whether it may spend is decided by the account's stream, which
//! refuses a revoked key on every node from the moment of the revocation; so a memory that is a
//! second old costs nothing.

use std::time::Duration;

use chrono::{DateTime, Utc};
use moka::sync::Cache;
use sqlx::postgres::PgRow;
use sqlx::{PgPool, Row as _};
use tollgate_domain::ids::{AccountId, KeyId};

use super::users::parsed;
use super::{ApiKey, KeyHash};

/// Keys in memory.
const REMEMBERED: u64 = 200_000;
/// Keys that don't exist are remembered apart, or somebody who tries them would push out those that
/// do.
const UNKNOWN_REMEMBERED: u64 = 10_000;
const UNKNOWN_FOR: Duration = Duration::from_secs(5);

/// Whose a key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct KeyOwner {
    /// The key.
    pub key: KeyId,
    /// The account that it spends from.
    pub account: AccountId,
}

/// What a presented key is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum KeyStatus {
    /// Known; its account decides whether it may spend.
    Live(KeyOwner),
    /// It was one.
    Revoked,
    /// Never given out.
    Unknown,
}

/// A key as lists show it.
#[derive(Debug, Clone)]
pub struct ListedKey {
    /// The key.
    pub id: KeyId,
    /// Its owner's name for it.
    pub name: String,
    /// Enough to recognise it.
    pub masked: String,
    /// Since when.
    pub created_at: DateTime<Utc>,
    /// Until when.
    pub revoked_at: Option<DateTime<Utc>>,
}

/// Reads, writes and recognises keys.
#[derive(Debug, Clone)]
pub struct ApiKeys {
    pool: PgPool,
    known: Cache<KeyHash, KeyStatus>,
    unknown: Cache<KeyHash, ()>,
}

impl ApiKeys {
    /// Over this database.
    pub fn new(pool: PgPool) -> Self {
        let known = Cache::builder().max_capacity(REMEMBERED).build();
        let unknown =
            Cache::builder().max_capacity(UNKNOWN_REMEMBERED).time_to_live(UNKNOWN_FOR).build();
        Self { pool, known, unknown }
    }

    /// What this key is.
    pub async fn status(&self, hash: KeyHash) -> Result<KeyStatus, sqlx::Error> {
        if let Some(status) = self.known.get(&hash) {
            return Ok(status);
        }
        if self.unknown.contains_key(&hash) {
            return Ok(KeyStatus::Unknown);
        }
        let row = sqlx::query(
            "SELECT key_id, account_id, revoked_at IS NOT NULL AS revoked FROM api_keys
             WHERE key_hash = $1",
        )
        .bind(hash.as_bytes().as_slice())
        .fetch_optional(&self.pool)
        .await?;
        let Some(row) = row else {
            self.unknown.insert(hash, ());
            return Ok(KeyStatus::Unknown);
        };
        let status = match row.try_get("revoked")? {
            true => KeyStatus::Revoked,
            false => KeyStatus::Live(KeyOwner {
                key: parsed(&row, "key_id")?,
                account: parsed(&row, "account_id")?,
            }),
        };
        self.known.insert(hash, status);
        Ok(status)
    }

    /// Writes down a key that is about to be issued. Until its account's stream knows it, it is of
    /// no use.
    pub async fn insert(
        &self,
        owner: KeyOwner,
        name: &str,
        key: &ApiKey,
        now: DateTime<Utc>,
    ) -> Result<(), sqlx::Error> {
        sqlx::query(
            "INSERT INTO api_keys (key_id, account_id, name, key_hash, masked, created_at)
             VALUES ($1, $2, $3, $4, $5, $6)",
        )
        .bind(owner.key.to_string())
        .bind(owner.account.to_string())
        .bind(name)
        .bind(key.hash().as_bytes().as_slice())
        .bind(key.mask())
        .bind(now)
        .execute(&self.pool)
        .await?;
        Ok(())
    }

    /// Takes back a key that could not be issued.
    pub async fn forget(&self, key: KeyId) -> Result<(), sqlx::Error> {
        sqlx::query("DELETE FROM api_keys WHERE key_id = $1")
            .bind(key.to_string())
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// Marks a key as revoked, after its account's stream did; nothing happens to other accounts'
    /// keys.
    pub async fn revoke(&self, owner: KeyOwner, now: DateTime<Utc>) -> Result<(), sqlx::Error> {
        let row = sqlx::query(
            "UPDATE api_keys SET revoked_at = coalesce(revoked_at, $3)
             WHERE key_id = $1 AND account_id = $2 RETURNING key_hash",
        )
        .bind(owner.key.to_string())
        .bind(owner.account.to_string())
        .bind(now)
        .fetch_optional(&self.pool)
        .await?;
        if let Some(row) = row {
            self.known.insert(key_hash(&row)?, KeyStatus::Revoked);
        }
        Ok(())
    }

    /// Gives a key another name.
    pub async fn rename(&self, owner: KeyOwner, name: &str) -> Result<(), sqlx::Error> {
        sqlx::query("UPDATE api_keys SET name = $3 WHERE key_id = $1 AND account_id = $2")
            .bind(owner.key.to_string())
            .bind(owner.account.to_string())
            .bind(name)
            .execute(&self.pool)
            .await?;
        Ok(())
    }

    /// One key of an account.
    pub async fn find(&self, owner: KeyOwner) -> Result<Option<ListedKey>, sqlx::Error> {
        let row = sqlx::query(
            "SELECT key_id, name, masked, created_at, revoked_at FROM api_keys
             WHERE key_id = $1 AND account_id = $2",
        )
        .bind(owner.key.to_string())
        .bind(owner.account.to_string())
        .fetch_optional(&self.pool)
        .await?;
        row.as_ref().map(listed).transpose()
    }

    /// An account's keys, the newest first; those older than `before`.
    pub async fn page(
        &self,
        account: AccountId,
        before: Option<KeyId>,
        limit: i64,
    ) -> Result<Vec<ListedKey>, sqlx::Error> {
        // Ids are made in order of time, so the id alone is the order.
        let rows = sqlx::query(
            "SELECT key_id, name, masked, created_at, revoked_at FROM api_keys
             WHERE account_id = $1 AND ($2::text IS NULL OR key_id < $2)
             ORDER BY key_id DESC LIMIT $3",
        )
        .bind(account.to_string())
        .bind(before.map(|key| key.to_string()))
        .bind(limit)
        .fetch_all(&self.pool)
        .await?;
        rows.iter().map(listed).collect()
    }

    /// Learns what other nodes have revoked within the last seconds. To be called once a second.
    pub async fn learn_revocations(&self) -> Result<(), sqlx::Error> {
        let rows = sqlx::query(
            "SELECT key_hash FROM api_keys WHERE revoked_at > now() - interval '15 seconds'",
        )
        .fetch_all(&self.pool)
        .await?;
        for row in &rows {
            self.known.insert(key_hash(row)?, KeyStatus::Revoked);
        }
        Ok(())
    }

    /// Forgets what is in memory: for a node that could not learn for a while.
    pub fn forget_all(&self) {
        self.known.invalidate_all();
        self.unknown.invalidate_all();
    }
}

fn listed(row: &PgRow) -> Result<ListedKey, sqlx::Error> {
    Ok(ListedKey {
        id: parsed(row, "key_id")?,
        name: row.try_get("name")?,
        masked: row.try_get("masked")?,
        created_at: row.try_get("created_at")?,
        revoked_at: row.try_get("revoked_at")?,
    })
}

fn key_hash(row: &PgRow) -> Result<KeyHash, sqlx::Error> {
    let bytes: &[u8] = row.try_get("key_hash")?;
    let bytes = bytes.try_into().map_err(|error| sqlx::Error::ColumnDecode {
        index: "key_hash".to_owned(),
        source: Box::<std::array::TryFromSliceError>::new(error),
    })?;
    Ok(KeyHash::from_bytes(bytes))
}
