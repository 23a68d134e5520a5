//! A PostgreSQL server of our own, for those who have none.
//!
//! The same engine with the same durability as in production, under the data directory, reachable
//! only through a Unix socket that other users can't enter. Several processes may use one data
//! directory at once: the first starts the server, the last stops it.

mod binaries;
mod error;
mod layout;
mod server;
#[cfg(test)]
mod tests;
mod user;

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgSslMode};
use sqlx::{ConnectOptions, Connection, Executor};

use error::Doing;
pub use error::PrivatePostgresError;
use layout::Layout;
use server::{Server, Starting};

use crate::config::kept;

const DATABASE: &str = "tollgate";
const SUPERUSER: &str = "postgres";
const OWNER: &str = "tollgate_owner";
const SERVER: &str = "tollgate";

/// How long a living server may take until it accepts connections; recovery after a crash reads up
/// to 2 GB.
const READY_TIMEOUT: Duration = Duration::from_secs(300);
/// How long a server that exits at once is started again: the one before it may still be shutting
/// down.
const EXIT_RETRY: Duration = Duration::from_secs(20);

/// A running private PostgreSQL. It is stopped when this is dropped, unless another process uses it
/// too.
#[must_use = "the server stops when this guard is dropped"]
#[derive(Debug)]
pub struct PrivatePostgres {
    server: Arc<Server>,
    passwords: Passwords,
    stopped: bool,
}

#[derive(Clone)]
struct Passwords {
    superuser: String,
    owner: String,
    server: String,
}

impl std::fmt::Debug for Passwords {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.write_str("***")
    }
}

impl PrivatePostgres {
    /// Starts the server of `data_dir`, or joins the one that runs, and makes sure that the
    /// database and its two roles exist.
    pub async fn start(data_dir: &Path) -> Result<Self, PrivatePostgresError> {
        let data_dir = data_dir.to_owned();
        let (private, starting) = blocking(move || Self::open(&data_dir)).await?;
        let started = private.start_and_bootstrap().await;
        // Released before an error drops `private`, which takes the lock again to stop the server.
        drop(starting);
        started.map(|()| private)
    }

    fn open(data_dir: &Path) -> Result<(Self, Starting), PrivatePostgresError> {
        let data_dir = kept::prepare_data_dir(data_dir).doing("creating", data_dir)?;
        let starting = Starting::lock(&data_dir)?;
        let layout = Layout::prepare(&data_dir)?;
        let password = |role: &str| {
            let name = format!("postgres-{role}-password");
            kept::keep(&data_dir, &name, || kept::random_text(24))
                .doing("keeping", kept::kept_path(&data_dir, &name))
        };
        let passwords = Passwords {
            superuser: password("superuser")?,
            owner: password("owner")?,
            server: password("server")?,
        };
        let server = Server::open(layout, &passwords.superuser, &starting)?;
        Ok((Self { server: Arc::new(server), passwords, stopped: false }, starting))
    }

    async fn start_and_bootstrap(&self) -> Result<(), PrivatePostgresError> {
        let mut connection = self.connect_or_start().await?;
        self.bootstrap(&mut connection).await?;
        Ok(connection.close().await?)
    }

    /// Starts the server again if it doesn't answer. Returns whether that was necessary.
    pub async fn ensure_running(&self) -> Result<bool, PrivatePostgresError> {
        if self.try_connect().await.is_ok() {
            return Ok(false);
        }
        let data_dir = self.server.layout.data_dir.clone();
        let _starting = blocking(move || Starting::lock(&data_dir)).await?;
        self.connect_or_start().await?.close().await?;
        Ok(true)
    }

    /// Connection options of the role that owns the tables and migrates them.
    pub fn owner_options(&self) -> PgConnectOptions {
        self.options(OWNER, &self.passwords.owner).database(DATABASE)
    }

    /// Connection options of the role that serves: it has what the migrations grant, no more.
    pub fn server_options(&self) -> PgConnectOptions {
        self.options(SERVER, &self.passwords.server).database(DATABASE)
    }

    /// Connection options of the superuser, for repairs and for tests that tamper.
    pub fn superuser_options(&self) -> PgConnectOptions {
        self.options(SUPERUSER, &self.passwords.superuser).database(DATABASE)
    }

    /// The process id of the server, if it runs.
    pub fn pid(&self) -> Option<u32> {
        self.server.pid()
    }

    /// Creates an empty database beside the first, and returns the owner's and the server's options
    /// for it.
    pub async fn create_database(
        &self,
        name: &str,
    ) -> Result<(PgConnectOptions, PgConnectOptions), PrivatePostgresError> {
        self.create_database_from("template1", name).await
    }

    /// Creates a database as a copy of `template`, to which nobody may be connected meanwhile.
    pub async fn create_database_from(
        &self,
        template: &str,
        name: &str,
    ) -> Result<(PgConnectOptions, PgConnectOptions), PrivatePostgresError> {
        let (template, name) = (database_name(template)?, database_name(name)?);
        let mut connection = self.superuser_options().connect().await?;
        let create = format!("CREATE DATABASE {name} OWNER {OWNER} TEMPLATE {template}");
        connection.execute(create.as_str()).await?;
        connection.close().await?;
        Ok((self.owner_options().database(name), self.server_options().database(name)))
    }

    /// Drops a database and disconnects whoever uses it.
    pub async fn drop_database(&self, name: &str) -> Result<(), PrivatePostgresError> {
        let mut connection = self.superuser_options().connect().await?;
        let drop = format!("DROP DATABASE IF EXISTS {} WITH (FORCE)", database_name(name)?);
        connection.execute(drop.as_str()).await?;
        Ok(connection.close().await?)
    }

    /// Stops the server and waits until it has, unless another process uses it too.
    pub async fn stop(mut self) -> Result<(), PrivatePostgresError> {
        self.stopped = true;
        let server = Arc::clone(&self.server);
        blocking(move || stop(&server)).await
    }

    fn options(&self, role: &str, password: &str) -> PgConnectOptions {
        // Every field that the environment could have filled (`PGHOST`, …) is set here.
        PgConnectOptions::new_without_pgpass()
            .socket(&self.server.layout.socket)
            .port(5432)
            .username(role)
            .password(password)
            .ssl_mode(PgSslMode::Disable)
            .application_name("tollgate")
    }

    async fn try_connect(&self) -> Result<PgConnection, sqlx::Error> {
        let options = self.options(SUPERUSER, &self.passwords.superuser).database("postgres");
        let timeout = Duration::from_secs(10);
        tokio::time::timeout(timeout, options.connect())
            .await
            .unwrap_or(Err(sqlx::Error::PoolTimedOut))
    }

    /// Connects as superuser, and starts the server for it if none answers.
    async fn connect_or_start(&self) -> Result<PgConnection, PrivatePostgresError> {
        let begun = Instant::now();
        loop {
            let refusal = match self.try_connect().await {
                Ok(connection) => return Ok(connection),
                Err(error) => error,
            };
            let code = refusal.as_database_error().and_then(|error| error.code());
            if code.as_deref() == Some("28P01") {
                let path = self.server.layout.cluster.clone();
                return Err(PrivatePostgresError::PasswordRefused { path });
            }
            // 57P03: one is running, and is starting up or shutting down.
            let runs = self.server.child_runs() || code.as_deref() == Some("57P03");
            let patience = if runs { READY_TIMEOUT } else { EXIT_RETRY };
            if begun.elapsed() > patience {
                let layout = &self.server.layout;
                return Err(PrivatePostgresError::DidNotStart {
                    log: layout.log.clone(),
                    tail: layout.log_tail(),
                });
            }
            if !runs {
                self.server.spawn()?;
            }
            tokio::time::sleep(Duration::from_millis(40)).await;
        }
    }

    /// Creates what is missing, so that a first start which was interrupted is completed by the
    /// next.
    async fn bootstrap(&self, connection: &mut PgConnection) -> Result<(), PrivatePostgresError> {
        for (role, password) in [(OWNER, &self.passwords.owner), (SERVER, &self.passwords.server)] {
            let exists =
                sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_roles WHERE rolname = $1)");
            let verb = match exists.bind(role).fetch_one(&mut *connection).await? {
                true => "ALTER",
                false => "CREATE",
            };
            // The password is ours, of URL-safe letters: it holds no quote.
            let sql = format!("{verb} ROLE {role} LOGIN PASSWORD '{password}'");
            connection.execute(sql.as_str()).await?;
        }
        let exists =
            sqlx::query_scalar("SELECT EXISTS (SELECT FROM pg_database WHERE datname = $1)");
        if !exists.bind(DATABASE).fetch_one(&mut *connection).await? {
            let sql = format!("CREATE DATABASE {DATABASE} OWNER {OWNER}");
            connection.execute(sql.as_str()).await?;
        }
        Ok(())
    }
}

impl Drop for PrivatePostgres {
    fn drop(&mut self) {
        if !self.stopped
            && let Err(error) = stop(&self.server)
        {
            tracing::warn!(%error, "the private PostgreSQL was not stopped");
        }
    }
}

fn stop(server: &Server) -> Result<(), PrivatePostgresError> {
    let starting = Starting::lock(&server.layout.data_dir)?;
    server.stop(&starting)
}

fn database_name(name: &str) -> Result<&str, PrivatePostgresError> {
    let plain = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let starts_well = name.starts_with(|c: char| c.is_ascii_lowercase() || c == '_');
    match starts_well && name.len() <= 63 && name.chars().all(plain) {
        true => Ok(name),
        false => Err(PrivatePostgresError::DatabaseName(name.to_owned())),
    }
}

/// Runs file and process work off the async threads. A panic there is a panic here.
async fn blocking<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> T {
    match tokio::task::spawn_blocking(work).await {
        Ok(value) => value,
        Err(error) => std::panic::resume_unwind(error.into_panic()),
    }
}
