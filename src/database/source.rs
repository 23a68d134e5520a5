//! The database that the configuration names, started first if it is our own.

use sqlx::postgres::PgConnectOptions;

use super::{DatabaseError, PrivatePostgres};
use crate::config::DatabaseConfig;

/// A database that can be connected to for as long as this exists.
#[must_use = "a private PostgreSQL stops when this is dropped"]
pub struct DatabaseSource {
    private: Option<PrivatePostgres>,
    owner: PgConnectOptions,
    server: PgConnectOptions,
}

impl std::fmt::Debug for DatabaseSource {
    /// Written by hand, because the options' own output holds the password.
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(formatter, "DatabaseSource(private: {})", self.private.is_some())
    }
}

impl DatabaseSource {
    /// Starts the private PostgreSQL if there is no other.
    pub async fn open(config: &DatabaseConfig) -> Result<Self, DatabaseError> {
        match config {
            DatabaseConfig::Private { data_dir } => {
                let private = PrivatePostgres::start(data_dir).await?;
                let (owner, server) = (private.owner_options(), private.server_options());
                Ok(Self { private: Some(private), owner, server })
            }
            DatabaseConfig::Server { server, owner } => {
                Ok(Self { private: None, owner: *owner.clone(), server: *server.clone() })
            }
        }
    }

    /// The role that owns the tables and migrates them.
    pub fn owner_options(&self) -> PgConnectOptions {
        self.owner.clone()
    }

    /// The role that serves.
    pub fn server_options(&self) -> PgConnectOptions {
        self.server.clone()
    }

    /// The private PostgreSQL, if that is what it is.
    pub fn private(&self) -> Option<&PrivatePostgres> {
        self.private.as_ref()
    }

    /// Stops the private PostgreSQL unless another process uses it too.
    pub async fn close(self) -> Result<(), DatabaseError> {
        match self.private {
            Some(private) => Ok(private.stop().await?),
            None => Ok(()),
        }
    }
}
