//! The database, for commands that serve nobody.

use sqlx::PgPool;

use super::CliError;
use crate::config::DatabaseConfig;
use crate::database::{Database, DatabaseSource, PoolLimits};

/// A connected database. It may be in use by a server at the same time.
pub(super) struct Books {
    source: DatabaseSource,
    database: Database,
}

impl Books {
    /// Connects as the serving role.
    pub async fn open() -> Result<Self, CliError> {
        let source = DatabaseSource::open(&DatabaseConfig::from_env()?).await?;
        let database = Database::connect(source.server_options(), PoolLimits::default()).await?;
        Ok(Self { source, database })
    }

    /// The pool.
    pub fn pool(&self) -> &PgPool {
        self.database.pool()
    }

    /// Lets the database go.
    pub async fn close(self) -> Result<(), CliError> {
        self.database.close().await;
        Ok(self.source.close().await?)
    }
}
