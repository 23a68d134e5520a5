//! A private PostgreSQL with the production schema, for one bench run.

use std::path::Path;

use sqlx::postgres::PgPoolOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgPool};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

use crate::database::private::PrivatePostgres;
use crate::database::{DatabaseError, migrate};
use crate::ledger::{Ledger, LedgerError, LedgerOptions};

/// Files of the write-ahead log that are made before anything is measured: a gigabyte, as much as
/// the private server keeps.
const LOG_FILES: usize = 64;

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

    /// Starts the private server that benches share, as one that has served for a while; its data
    /// stays in `directory`.
    ///
    /// # Errors
    /// PostgreSQL does not start.
    pub async fn postgres(directory: &Path) -> Result<PrivatePostgres, BenchError> {
        let postgres = PrivatePostgres::start(directory).await.map_err(BenchError::new)?;
        let mut connection = postgres.superuser_options().connect().await?;
        // A new server makes each file of its write-ahead log when it first needs it, and fills
        // it with zeros in the middle of a commit; later it uses the old ones again. A gateway
        // spends its first minutes in the one state and its life in the other.
        for _ in 0..LOG_FILES {
            connection.execute("SELECT pg_logical_emit_message(false, '', '')").await?;
            connection.execute("SELECT pg_switch_wal()").await?;
        }
        connection.close().await?;
        Self::checkpoint(&postgres).await?;
        Ok(postgres)
    }

    /// Writes back what waits in PostgreSQL's memory, so that no measure pays for what was done
    /// before it.
    ///
    /// # Errors
    /// PostgreSQL refuses.
    pub async fn checkpoint(postgres: &PrivatePostgres) -> Result<(), BenchError> {
        let options = postgres.superuser_options().disable_statement_logging();
        let mut connection = options.connect().await?;
        connection.execute("CHECKPOINT").await?;
        Ok(connection.close().await?)
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
