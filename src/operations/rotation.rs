//! Replacing `ENCRYPTION_KEY`.
//!
//! 1. Every node gets the new key as `ENCRYPTION_KEY` and the old one as `ENCRYPTION_KEY_PREVIOUS`:
//!    it opens what either has sealed.
//! 2. [`rotate`] seals everything again, in one transaction: a stop half-way leaves all of it as it
//!    was, and running it again goes on.
//! 3. `ENCRYPTION_KEY_PREVIOUS` goes.

use std::time::Duration;

use sqlx::PgPool;

use crate::identity::UpstreamKeys;
use crate::identity::upstream_keys::{Resealed, UpstreamKeyError};

/// Why nothing was sealed again.
#[derive(Debug, thiserror::Error)]
pub enum RotationError {
    /// Nodes would not be able to open it.
    #[error(
        "these nodes run without the new ENCRYPTION_KEY and could not open what it seals: {}; start \
         them again with the new key as ENCRYPTION_KEY and the old one as ENCRYPTION_KEY_PREVIOUS \
         (a private server: stop it)",
        .0.join(", ")
    )]
    Nodes(Vec<String>),
    /// The credentials.
    #[error(transparent)]
    Keys(#[from] UpstreamKeyError),
    /// The database.
    #[error(transparent)]
    Sql(#[from] sqlx::Error),
    /// The file that keeps the key of a private run.
    #[error("the key can't be kept: {0}")]
    Kept(#[from] std::io::Error),
}

/// The nodes that were seen within `gone` and do not know this key.
///
/// # Errors
/// The database's.
pub async fn nodes_without(
    pool: &PgPool,
    key: &str,
    gone: Duration,
) -> Result<Vec<String>, sqlx::Error> {
    let seconds = i64::try_from(gone.as_secs()).unwrap_or(i64::MAX);
    sqlx::query_scalar(
        "SELECT node FROM nodes WHERE seen_at > now() - make_interval(secs => $1::bigint)
           AND NOT $2 = ANY (encryption_keys) ORDER BY node",
    )
    .bind(seconds)
    .bind(key)
    .fetch_all(pool)
    .await
}

/// Seals everything again under the current key; nothing where a running node does not know it.
///
/// # Errors
/// Each [`RotationError`]; nothing has changed then.
pub async fn rotate(
    pool: &PgPool,
    keys: &UpstreamKeys,
    gone: Duration,
) -> Result<Resealed, RotationError> {
    let without = nodes_without(pool, &keys.sealer().name().to_string(), gone).await?;
    if !without.is_empty() {
        return Err(RotationError::Nodes(without));
    }
    Ok(keys.reseal().await?)
}
