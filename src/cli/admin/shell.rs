//! The books, opened by a command that serves nobody. Servers may be running: whoever appends first
//! is first, and the other decides anew.

use std::io::{IsTerminal as _, Read as _};
use std::time::Duration;

use serde::Serialize;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_domain::ids::AccountId;
use tollgate_projections::Runner;
use uuid::Uuid;

use super::AdminError;
use crate::cli::CliError;
use crate::config::{Config, Secret};
use crate::database::{Database, DatabaseSource, PoolLimits, migrate};
use crate::http::ApiError;
use crate::identity::{ApiKeys, People, Sealer, UpstreamKeys};
use crate::ledger::{Actor, CommandContext, Ledger, LedgerOptions};
use crate::operations::{Desk, RequestKey};
use crate::serve::ServeError;

/// How long the read models may take to show everything.
const CAUGHT_UP: Duration = Duration::from_secs(60);

/// Everything that a command needs.
pub(super) struct Shell {
    pub(super) config: Config,
    pub(super) ledger: Ledger,
    pub(super) people: People,
    pub(super) keys: ApiKeys,
    pub(super) upstream_keys: UpstreamKeys,
    pub(super) context: CommandContext,
    database: Database,
    source: DatabaseSource,
    writer: TaskTracker,
    stop: CancellationToken,
}

impl Shell {
    /// Migrates and opens the books, as a server does.
    pub(super) async fn open() -> Result<Self, CliError> {
        let config = Config::from_env()?;
        let source = DatabaseSource::open(&config.database).await?;
        migrate(&source.owner_options()).await?;
        let database = Database::connect(source.server_options(), PoolLimits::default()).await?;
        let pool = database.pool().clone();
        let (writer, stop) = (TaskTracker::new(), CancellationToken::new());
        let options = LedgerOptions::new(format!("cli_{}", Uuid::now_v7().simple()));
        let connect = source.server_options();
        let ledger = Ledger::start(connect, pool.clone(), options, &writer, stop.clone())
            .await
            .map_err(ServeError::from)?;
        let previous = config.encryption_key_previous.as_ref();
        let sealer = Sealer::new(&config.encryption_key).opening_also(previous);
        Ok(Self {
            people: People::new(pool.clone(), &config.secret_key, &config.people, ledger.clone()),
            keys: ApiKeys::new(pool.clone()),
            upstream_keys: UpstreamKeys::new(pool, sealer),
            // Who sat at the keyboard is not ours to keep.
            context: CommandContext::by(Actor::System("cli")),
            config,
            ledger,
            database,
            source,
            writer,
            stop,
        })
    }

    /// The pool.
    pub(super) fn pool(&self) -> &sqlx::PgPool {
        self.database.pool()
    }

    /// The desk, with the key that makes a command safe to repeat.
    pub(super) fn desk<'a>(&'a self, key: Option<&'a RequestKey>) -> Desk<'a> {
        Desk { ledger: &self.ledger, pool: self.pool(), context: &self.context, key }
    }

    /// A key for this command and what it is about. Keys of the shell and of the API are apart.
    pub(super) fn key(
        scope: &'static str,
        key: Option<String>,
        content: &impl Serialize,
    ) -> Result<Option<RequestKey>, ApiError> {
        key.map(|key| RequestKey::new(scope, key, content)).transpose()
    }

    /// The account that an id or an e-mail address stands for.
    pub(super) async fn client(&self, text: &str) -> Result<AccountId, AdminError> {
        if let Ok(account) = text.parse() {
            return Ok(account);
        }
        let user = self.people.users.find_by_email(text).await?;
        user.map(|user| user.account).ok_or_else(|| AdminError::NoClient(text.to_owned()))
    }

    /// Lets the read models show everything that happened, also where no server is running.
    pub(super) async fn caught_up(&self) -> Result<(), AdminError> {
        let refuse = |error: Box<dyn std::error::Error + Send + Sync>| {
            AdminError::Refused(ApiError::Unavailable(error))
        };
        tollgate_projections::ensure(self.pool()).await.map_err(|error| refuse(error.into()))?;
        let runner = Runner::new(self.pool().clone());
        let progress = runner.progress();
        let stop = self.stop.child_token();
        let head = self.ledger.engine().head();
        let wanted = *head.borrow();
        let running = runner.run(head, stop.clone());
        let waiting = async {
            let reached = progress.wait_for(wanted, CAUGHT_UP).await;
            stop.cancel();
            reached
        };
        let (ended, reached) = tokio::join!(running, waiting);
        ended.map_err(|error| refuse(error.into()))?;
        reached.map(|_| ()).map_err(|error| refuse(error.into()))
    }

    /// Lets the writer end and the database go.
    pub(super) async fn close(self) -> Result<(), CliError> {
        let Self { ledger, people, keys, upstream_keys, database, source, writer, stop, .. } = self;
        drop((ledger, people, keys, upstream_keys));
        stop.cancel();
        writer.close();
        writer.wait().await;
        database.close().await;
        Ok(source.close().await?)
    }
}

/// A secret from standard input, which unlike an argument stands in no list of processes.
pub(super) fn secret_from_input(what: &str) -> Result<Secret, AdminError> {
    let mut input = std::io::stdin();
    if input.is_terminal() {
        eprintln!("Write {what} and end with Ctrl-D:");
    }
    let mut text = String::new();
    input.read_to_string(&mut text).map_err(AdminError::Input)?;
    match text.trim() {
        "" => {
            let problem = format!("{what} is expected there");
            Err(AdminError::Argument { name: "standard input", problem })
        }
        text => Ok(Secret::new(text)),
    }
}
