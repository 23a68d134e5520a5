//! PostgreSQL: a private server, connections, migrations.

mod durability;
pub mod health;
mod migrate;
pub mod private;
pub(crate) mod rows;
mod source;

use std::fmt;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions, Connection};

pub use durability::{Durability, check_durability, read_durability};
pub use migrate::{MIGRATOR, migrate};
pub use private::{PrivatePostgres, PrivatePostgresError};
pub use source::DatabaseSource;

/// Why the database can't be used.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// No connection.
    #[error("the database does not accept a connection; check DATABASE_URL and the server: {0}")]
    Connect(#[source] sqlx::Error),
    /// The server may lose committed events.
    #[error(
        "the database runs with {setting} = off and may lose money that it has acknowledged; run \
         `ALTER SYSTEM SET {setting} = on; SELECT pg_reload_conf();` on it and start Tollgate again"
    )]
    NotDurable {
        /// `fsync` or `full_page_writes`.
        setting: &'static str,
    },
    /// The database of a private run.
    #[error(transparent)]
    Private(#[from] PrivatePostgresError),
    /// A migration failed.
    #[error(
        "the schema could not be brought up to date: {0}; the role in DATABASE_URL must own the \
         tables, and the database must not come from a newer version of Tollgate"
    )]
    Migrate(#[from] sqlx::migrate::MigrateError),
    /// The server answered with an error.
    #[error("the database answered: {0}")]
    Sql(#[from] sqlx::Error),
}

/// How the shared pool is bounded.
#[derive(Debug, Clone, Copy)]
pub struct PoolLimits {
    /// Connections at most.
    pub max_connections: u32,
    /// How long a caller waits for one.
    pub acquire_timeout: Duration,
    /// How long one statement may run.
    pub statement_timeout: Duration,
}

impl Default for PoolLimits {
    fn default() -> Self {
        Self {
            max_connections: 16,
            acquire_timeout: Duration::from_secs(5),
            statement_timeout: Duration::from_secs(30),
        }
    }
}

/// A checked database: a pool for short statements, and dedicated connections for those who keep
/// one.
#[derive(Clone)]
pub struct Database {
    pool: PgPool,
    options: PgConnectOptions,
    durability: Durability,
}

impl fmt::Debug for Database {
    /// Written by hand, because the options' own output holds the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "Database({})", self.options.get_host())
    }
}

/// Waits for a server that is still starting, as everything does that is started together with it.
/// What time cannot mend (a wrong password, no such database) is said at once.
///
/// # Errors
/// [`DatabaseError::Connect`] with the last reason.
pub async fn await_server(options: &PgConnectOptions, most: Duration) -> Result<(), DatabaseError> {
    let begun = Instant::now();
    loop {
        let error = match options.connect().await {
            Ok(connection) => return Ok(connection.close().await?),
            Err(error) => error,
        };
        if !is_away(&error) || begun.elapsed() >= most {
            return Err(DatabaseError::Connect(error));
        }
        tracing::warn!(%error, "waiting for the database");
        tokio::time::sleep(Duration::from_millis(500)).await;
    }
}

/// Whether a server may be there a moment later.
fn is_away(error: &sqlx::Error) -> bool {
    match error {
        sqlx::Error::Database(database) => {
            // 57P: it starts or stops. 53: it has no room for now.
            database.code().is_some_and(|code| code.starts_with("57P") || code.starts_with("53"))
        }
        sqlx::Error::Io(_) | sqlx::Error::Protocol(_) => true,
        _ => false,
    }
}

impl Database {
    /// Connects as the serving role and refuses a server that isn't durable.
    pub async fn connect(
        options: PgConnectOptions,
        limits: PoolLimits,
    ) -> Result<Self, DatabaseError> {
        let mut options = options.application_name("tollgate");
        let mut first = options.connect().await.map_err(DatabaseError::Connect)?;
        let durability = check_durability(&mut first).await?;
        first.close().await?;
        if durability.synchronous_commit == "off" {
            options = options.options([("synchronous_commit", "on")]);
        }
        let timeout = limits.statement_timeout.as_millis().to_string();
        let pool = PgPoolOptions::new()
            .max_connections(limits.max_connections)
            .acquire_timeout(limits.acquire_timeout)
            // Saves a round trip per use. A connection that broke costs one statement its answer,
            // and sqlx doesn't take it back.
            .test_before_acquire(false)
            .connect_lazy_with(options.clone().options([("statement_timeout", timeout.as_str())]));
        Ok(Self { pool, options, durability })
    }

    /// The pool for reads and other short statements.
    pub fn pool(&self) -> &PgPool {
        &self.pool
    }

    /// How the pool connects, for those who need a connection under their own rules.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// The settings as they were at the start.
    pub fn durability(&self) -> &Durability {
        &self.durability
    }

    /// A connection of its own without a statement timeout, named in `pg_stat_activity` after
    /// `purpose`.
    pub async fn dedicated(&self, purpose: &str) -> Result<PgConnection, DatabaseError> {
        let name = format!("tollgate {purpose}");
        let options = self.options.clone().application_name(&name);
        options.connect().await.map_err(DatabaseError::Connect)
    }

    /// Closes the pool once what was lent is back.
    pub async fn close(&self) {
        self.pool.close().await;
    }
}

#[cfg(test)]
mod tests {
    use sqlx::Executor;

    use super::*;
    use crate::test_directory::TestDirectory;

    #[tokio::test]
    async fn a_server_that_may_lose_commits_is_refused_with_the_remedy() {
        let directory = TestDirectory::new();
        let private = PrivatePostgres::start(directory.path()).await.unwrap();
        migrate(&private.owner_options()).await.unwrap();
        assert_eq!(migrate(&private.owner_options()).await.unwrap(), 0, "migrated twice");
        let limits = PoolLimits { max_connections: 2, ..PoolLimits::default() };
        let database = Database::connect(private.server_options(), limits).await.unwrap();
        let durability = database.durability();
        assert!(durability.fsync && durability.full_page_writes && durability.data_checksums);
        assert_eq!(durability.synchronous_commit, "on");
        let timeout: String = sqlx::query_scalar("SELECT current_setting('statement_timeout')")
            .fetch_one(database.pool())
            .await
            .unwrap();
        assert_eq!(timeout, "30s");
        let mut writer = database.dedicated("writer").await.unwrap();
        let settings: (String, String) = sqlx::query_as(
            "SELECT current_setting('statement_timeout'), current_setting('application_name')",
        )
        .fetch_one(&mut writer)
        .await
        .unwrap();
        assert_eq!(settings, ("0".to_owned(), "tollgate writer".to_owned()));

        for setting in ["fsync", "full_page_writes"] {
            let (_, server) = private.create_database(setting).await.unwrap();
            // Settings of the whole server stand on its command line here, so the test says what a
            // connection sees by shadowing the function.
            let mut connection = private
                .superuser_options()
                .database(setting)
                .options([("search_path", "shadow,pg_catalog")])
                .connect()
                .await
                .unwrap();
            let shadow = format!(
                "CREATE SCHEMA shadow;
                 CREATE FUNCTION shadow.current_setting(text, boolean) RETURNS text LANGUAGE sql AS
                 $$ SELECT CASE $1 WHEN '{setting}' THEN 'off'
                    ELSE pg_catalog.current_setting($1, $2) END $$;
                 GRANT USAGE ON SCHEMA shadow TO PUBLIC"
            );
            connection.execute(shadow.as_str()).await.unwrap();
            let server = server.options([("search_path", "shadow,pg_catalog")]);
            let refused = Database::connect(server, limits).await.unwrap_err();
            assert!(matches!(refused, DatabaseError::NotDurable { setting: s } if s == setting));
            assert!(refused.to_string().contains(&format!("ALTER SYSTEM SET {setting} = on")));
            connection.close().await.unwrap();
        }
        database.close().await;
        private.stop().await.unwrap();
    }
}
