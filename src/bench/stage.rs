//! A private PostgreSQL with the production schema, for one bench run.

use std::path::Path;

use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::database::private::PrivatePostgres;
use crate::database::{DatabaseError, migrate};
use crate::ledger::{Ledger, LedgerError, LedgerOptions};

/// What keeps a bench from running.
#[derive(Debug, thiserror::Error)]
#[error("the bench stopped: {0}")]
pub struct BenchError(String);

impl BenchError {
    /// A reason.
    pub fn new(reason: impl std::fmt::Display) -> Self {
        Self(reason.to_string())
    }
}

impl From<DatabaseError> for BenchError {
    fn from(error: DatabaseError) -> Self {
        Self::new(error)
    }
}

impl From<LedgerError> for BenchError {
    fn from(error: LedgerError) -> Self {
        Self::new(error)
    }
}

impl From<sqlx::Error> for BenchError {
    fn from(error: sqlx::Error) -> Self {
        Self::new(error)
    }
}

/// A fresh database with a running ledger.
#[derive(Debug)]
pub struct Stage {
    /// The ledger.
    pub ledger: Ledger,
    /// For reads, as the server's role.
    pub pool: PgPool,
    /// As the owner.
    pub owner: sqlx::postgres::PgConnectOptions,
    name: String,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Stage {
    /// Creates database `name` anew, migrates it, and starts a ledger on it.
    ///
    /// # Errors
    /// PostgreSQL does not start or refuses.
    pub async fn open(postgres: &PrivatePostgres, name: &str) -> Result<Self, BenchError> {
        Self::with_writers(postgres, name, None).await
    }

    /// [`Stage::open`] with another number of writers than production has.
    ///
    /// # Errors
    /// As [`Stage::open`].
    pub async fn with_writers(
        postgres: &PrivatePostgres,
        name: &str,
        writers: Option<usize>,
    ) -> Result<Self, BenchError> {
        postgres.drop_database(name).await.map_err(BenchError::new)?;
        let (owner, server) = postgres.create_database(name).await.map_err(BenchError::new)?;
        migrate(&owner).await?;
        let pool = PgPoolOptions::new().max_connections(8).connect_with(server.clone()).await?;
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let production = LedgerOptions::new("bench");
        let options =
            LedgerOptions { writers: writers.unwrap_or(production.writers), ..production };
        let ledger = Ledger::start(server, pool.clone(), options, &tracker, stop.clone()).await?;
        Ok(Self { ledger, pool, owner, name: name.to_owned(), tracker, stop })
    }

    /// Starts the private server that benches share; its data stays in `directory`.
    ///
    /// # Errors
    /// PostgreSQL does not start.
    pub async fn postgres(directory: &Path) -> Result<PrivatePostgres, BenchError> {
        PrivatePostgres::start(directory).await.map_err(BenchError::new)
    }

    /// Ends the ledger and drops the database.
    ///
    /// # Errors
    /// The database is still in use.
    pub async fn close(self, postgres: &PrivatePostgres) -> Result<(), BenchError> {
        self.stop.cancel();
        drop(self.ledger);
        self.tracker.close();
        self.tracker.wait().await;
        self.pool.close().await;
        postgres.drop_database(&self.name).await.map_err(BenchError::new)
    }
}
