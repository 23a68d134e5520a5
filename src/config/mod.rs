//! Configuration from environment variables.
//!
//! A run without `DATABASE_URL` is *private*: the database and every secret that isn't given live
//! in the data directory. With `DATABASE_URL` there may be several nodes, so nothing is generated.

mod edge;
pub(crate) mod kept;
mod people;
mod reader;
mod secret;
pub(crate) mod sections;
#[cfg(test)]
mod tests;

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Duration;

use axum::http::HeaderValue;
use rust_decimal::Decimal;
use sqlx::postgres::PgConnectOptions;

pub use edge::EdgeConfig;
pub use people::{EmailVerification, MailConfig, PeopleConfig, Registration};
use reader::Reader;
pub use reader::{ConfigError, ConfigErrors};
pub use secret::{EncryptionKey, Secret};

/// Everything that `serve` needs to know.
#[derive(Debug, Clone)]
pub struct Config {
    /// `LISTEN_ADDR`
    pub listen: SocketAddr,
    /// `METRICS_ADDR`: where figures are told; absent, nowhere.
    pub metrics: Option<SocketAddr>,
    /// `DATABASE_URL`, `DATABASE_OWNER_URL`, `TOLLGATE_DATA_DIR`
    pub database: DatabaseConfig,
    /// `OPENROUTER_MASTER_KEYS`, `OPENROUTER_BASE_URL`
    pub upstream: UpstreamConfig,
    /// `UPSTREAM_*_TIMEOUT_SECONDS`
    pub upstream_timeouts: UpstreamTimeouts,
    /// `CLIENT_STALL_TIMEOUT_SECONDS`: a client that takes nothing of its answer for so long is
    /// taken for gone.
    pub client_stall: Duration,
    /// `SECRET_KEY`: signs sessions; at least 32 bytes.
    pub secret_key: Secret,
    /// `SECRET_KEY_PREVIOUS`: what was signed under it is still believed, while it is replaced.
    pub secret_key_previous: Option<Secret>,
    /// `ENCRYPTION_KEY`: seals upstream keys.
    pub encryption_key: EncryptionKey,
    /// `ENCRYPTION_KEY_PREVIOUS`: what was sealed under it still opens, while it is replaced.
    pub encryption_key_previous: Option<EncryptionKey>,
    /// `ADMIN_EMAIL`, `ADMIN_PASSWORD`: the first admin, where one is to be created.
    pub admin: Option<AdminConfig>,
    /// `RESERVE`
    pub reserve: ReserveMode,
    /// `DEFAULT_SALE_RATIO`: charge = list cost × this.
    pub default_sale_ratio: Decimal,
    /// `BODY_LIMIT_BYTES`
    pub body_limit_bytes: usize,
    /// `RECOVERY_GONE_SECONDS`, `RECOVERY_LOOK_SECONDS`, `RECOVERY_PATIENCE_SECONDS`
    pub recovery: RecoveryTimes,
    /// `IDEMPOTENCY_ANSWER_BYTES`, `IDEMPOTENCY_STORE_BYTES`
    pub idempotency: IdempotencyConfig,
    /// `MAX_CONCURRENT_REQUESTS`: requests in flight on this node; more are refused with 503.
    pub max_concurrent_requests: usize,
    /// `CORS_ALLOWED_ORIGINS`: pages of these origins may call this server from a browser.
    pub cors_allowed_origins: Vec<HeaderValue>,
    /// `TRUSTED_PROXIES`, and what a client may send and how slowly.
    pub edge: EdgeConfig,
    /// `REGISTRATION`, `EMAIL_VERIFICATION`, `PUBLIC_URL`, `SMTP_URL`, `MAIL_FROM`, `SMTP_CA_FILE`
    pub people: PeopleConfig,
    /// `LOG_FORMAT`, `LOG_FILTER`
    pub log: LogConfig,
}

/// Where the books are.
#[derive(Clone)]
pub enum DatabaseConfig {
    /// A PostgreSQL of our own in this data directory.
    Private {
        /// `TOLLGATE_DATA_DIR`
        data_dir: PathBuf,
    },
    /// A server that somebody else runs.
    Server {
        /// `DATABASE_URL`: the role that serves.
        server: Box<PgConnectOptions>,
        /// `DATABASE_OWNER_URL`: the role that owns the tables and migrates; absent, the one that
        /// serves.
        owner: Box<PgConnectOptions>,
    },
}

impl fmt::Debug for DatabaseConfig {
    /// Written by hand, because the options' own output holds the password.
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Private { data_dir } => write!(formatter, "Private({})", data_dir.display()),
            Self::Server { server, .. } => write!(formatter, "Server({})", server.get_host()),
        }
    }
}

/// Whom requests are forwarded to.
#[derive(Debug, Clone)]
pub enum UpstreamConfig {
    /// No keys: the sandbox inside this process answers.
    Sandbox,
    /// OpenRouter, or what speaks like it.
    OpenRouter {
        /// Without a slash at its end.
        base_url: String,
        /// At least one, each once.
        keys: Vec<Secret>,
    },
}

/// How long to wait for an upstream.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UpstreamTimeouts {
    /// For the connection.
    pub connect: Duration,
    /// From the request to the first byte of the answer.
    pub first_byte: Duration,
    /// Between two pieces of the answer.
    pub idle: Duration,
    /// For the whole request.
    pub total: Duration,
}

/// When reservations that a process has left open are ended by another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RecoveryTimes {
    /// A process that did not say for so long that it is alive has stopped.
    pub gone: Duration,
    /// How often somebody looks.
    pub look: Duration,
    /// How long the bill of a request that went wrong is waited for before it is estimated, or its
    /// reservation released. The upstream is asked on after that.
    pub patience: Duration,
}

impl Default for RecoveryTimes {
    fn default() -> Self {
        Self {
            gone: Duration::from_secs(20),
            look: Duration::from_secs(5),
            // With the pause between two looks that is less than a minute after the owner's end.
            patience: Duration::from_secs(50),
        }
    }
}

impl RecoveryTimes {
    /// How often a process says that it is alive: three of its words may get lost.
    #[must_use]
    pub fn heartbeat(self) -> Duration {
        self.gone / 4
    }

    /// How long after the last word of a process its open requests wait for a bill: with the
    /// defaults 45 seconds, so that they have their end within a minute after it stopped.
    #[must_use]
    pub fn recovery_patience(self) -> Duration {
        self.gone + self.patience.min(Duration::from_secs(25))
    }
}

/// Answers that are kept for requests with an `Idempotency-Key`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IdempotencyConfig {
    /// The longest answer that is kept.
    pub answer_bytes: usize,
    /// What all kept answers may take in the database.
    pub store_bytes: u64,
}

/// The first admin.
#[derive(Debug, Clone)]
pub struct AdminConfig {
    /// In lower case.
    pub email: String,
    /// Fulfils the password rules.
    pub password: Secret,
    /// Where a password that nobody gave is kept, so that it can be shown.
    pub generated_in: Option<PathBuf>,
}

/// When the upstream is called.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ReserveMode {
    /// While the reservation is being written; the first byte to the client waits for it.
    Overlapped,
    /// After the reservation is written.
    DurableFirst,
}

/// How log lines look and which are written.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogConfig {
    /// `LOG_FORMAT`
    pub format: LogFormat,
    /// `LOG_FILTER`: directives as in `info,tollgate::ledger=debug`.
    pub filter: String,
}

/// The shape of a log line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum LogFormat {
    /// For people.
    Text,
    /// One JSON object per line.
    Json,
}

impl Default for LogConfig {
    fn default() -> Self {
        Self { format: LogFormat::Text, filter: "info,sqlx=warn,hyper=warn".to_owned() }
    }
}

impl Config {
    /// Reads the process's environment. In a private run this generates what is absent and keeps
    /// it.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        Self::from_lookup(&environment)
    }

    /// Reads variables through `lookup`.
    pub fn from_lookup(lookup: &dyn Fn(&str) -> Option<String>) -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(lookup);
        let config = sections::read(&mut reader);
        reader.finish(config)
    }
}

impl DatabaseConfig {
    /// Reads only what concerns the database, for commands that serve nobody.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(&environment);
        let config = sections::database(&mut reader);
        reader.finish(config)
    }
}

impl LogConfig {
    /// Reads only what concerns the log, which has to work before everything else.
    pub fn from_env() -> Result<Self, ConfigErrors> {
        let mut reader = Reader::new(&environment);
        let config = sections::log(&mut reader);
        reader.finish(Some(config))
    }
}

fn environment(name: &str) -> Option<String> {
    // What isn't Unicode is shown with replacement characters in the error that it causes.
    std::env::var_os(name).map(|value| value.to_string_lossy().into_owned())
}
