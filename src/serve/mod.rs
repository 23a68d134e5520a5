//! The whole application in one process: [`start`] brings it up in order, [`Running::stop`] takes it down in the
//! reverse one.

mod setup;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::net::TcpListener;
use tokio::sync::{Notify, Semaphore};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_projections::{ProjectionError, Runner};
use uuid::Uuid;

use crate::billing::{Books, MasterAccounts, PriceList};
use crate::config::Config;
use crate::database::{Database, DatabaseError, DatabaseSource, PoolLimits, migrate};
use crate::http::{self, ApiError, App, AppState};
use crate::identity::people::PeopleError;
use crate::identity::{ApiKeys, People, Sealer, UpstreamKeys};
use crate::ledger::{Ledger, LedgerError, LedgerOptions};
use crate::proxy::{Gateway, GatewayParts, GenerationNotes};
use crate::upstream::UpstreamClient;
use crate::workers;

/// How long open requests may go on after the process was asked to end.
const DRAIN: Duration = Duration::from_secs(30);
/// How long settlements may take after that; what is left then is ended by recovery.
const SETTLE: Duration = Duration::from_secs(20);
/// How long the first price list is waited for. The server starts without it, and sells nothing until it comes.
const FIRST_PRICES: Duration = Duration::from_secs(10);

/// Why the application did not start.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    /// The database.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// The database, in passing.
    #[error("the database answered: {0}")]
    Sql(#[from] sqlx::Error),
    /// The books.
    #[error(transparent)]
    Ledger(#[from] LedgerError),
    /// The read models.
    #[error(transparent)]
    Projections(#[from] ProjectionError),
    /// The client for upstreams.
    #[error("the client for upstreams can't be made: {0}")]
    Client(#[from] reqwest::Error),
    /// The first admin.
    #[error("the first admin can't be created: {0}")]
    Admin(#[from] PeopleError),
    /// Prices or master accounts.
    #[error("{what}: {cause}")]
    Setup {
        /// What was being set up.
        what: &'static str,
        /// Why it can't be.
        #[source]
        cause: ApiError,
    },
    /// The address.
    #[error("{addr} can't be listened on: {cause}; choose another LISTEN_ADDR")]
    Listen {
        /// `LISTEN_ADDR`
        addr: SocketAddr,
        /// The system's reason.
        #[source]
        cause: std::io::Error,
    },
}

/// The running application.
#[must_use = "the application goes on until it is stopped"]
#[derive(Debug)]
pub struct Running {
    /// Where it listens.
    pub addr: SocketAddr,
    /// Its parts, for those who run it inside their own process.
    pub app: AppState,
    source: Arc<DatabaseSource>,
    http: JoinHandle<()>,
    phases: Phases,
}

/// What ends one after another.
#[derive(Debug, Clone, Default)]
struct Phases {
    /// First: no new connections.
    accepting: CancellationToken,
    /// Then: nobody waits for anything but the books any more.
    waiting: CancellationToken,
    /// Background loops.
    working: CancellationToken,
    workers: TaskTracker,
    /// Last: the ledger.
    ledger: CancellationToken,
    writer: TaskTracker,
}

/// Brings the application up.
pub async fn start(config: Config) -> Result<Running, ServeError> {
    let source = Arc::new(DatabaseSource::open(&config.database).await?);
    let applied = migrate(&source.owner_options()).await?;
    tracing::info!(applied, "the schema is up to date");
    let database = Database::connect(source.server_options(), PoolLimits::default()).await?;
    tollgate_projections::ensure(database.pool()).await?;
    let phases = Phases::default();
    let app = build(config, database, &phases).await?;
    let sandbox = setup::sandbox(&app.config, &phases.workers, &phases.ledger).await?;
    setup::books(&app, sandbox).await?;
    spawn_workers(&app, &source, &phases).await;

    let listen = app.config.listen;
    let refused = |cause| ServeError::Listen { addr: listen, cause };
    let listener = TcpListener::bind(listen).await.map_err(refused)?;
    let addr = listener.local_addr().map_err(refused)?;
    let serving =
        http::listen::serve(listener, http::router(app.clone()), phases.accepting.clone(), DRAIN);
    let http = phases.workers.spawn(serving);
    tracing::info!(%addr, "listening");
    Ok(Running { addr, app, source, http, phases })
}

async fn build(
    config: Config,
    database: Database,
    phases: &Phases,
) -> Result<AppState, ServeError> {
    let pool = database.pool().clone();
    let node = format!("node_{}", Uuid::now_v7().simple());
    workers::node::beat(&pool, &node).await?;
    let options = LedgerOptions::new(node);
    let ledger = Ledger::start(
        database.options(),
        pool.clone(),
        options,
        &phases.writer,
        phases.ledger.clone(),
    )
    .await?;
    let runner = Runner::new(pool.clone());
    let progress = runner.progress();
    let head = ledger.engine().head();
    phases.workers.spawn(runner.run(head, phases.working.clone()));
    let tasks = TaskTracker::new();
    let gateway = Gateway::new(GatewayParts {
        books: Books {
            ledger: ledger.clone(),
            tracker: tasks.clone(),
            stop: phases.waiting.clone(),
        },
        client: UpstreamClient::new(config.upstream_timeouts)?,
        prices: PriceList::default(),
        masters: MasterAccounts::default(),
        notes: GenerationNotes::default(),
        mode: config.reserve,
    });
    Ok(AppState::new(App {
        people: People::new(pool.clone(), &config.secret_key, ledger.clone()),
        keys: ApiKeys::new(pool.clone()),
        upstream_keys: UpstreamKeys::new(pool, Sealer::new(&config.encryption_key)),
        in_flight: Arc::new(Semaphore::new(config.max_concurrent_requests)),
        changed: Arc::new(Notify::new()),
        stop: phases.accepting.clone(),
        started: Instant::now(),
        config,
        database,
        ledger,
        progress,
        gateway,
        tasks,
    }))
}

async fn spawn_workers(app: &AppState, source: &Arc<DatabaseSource>, phases: &Phases) {
    let (pool, stop) = (app.database.pool().clone(), phases.working.clone());
    let workers = &phases.workers;
    let node = app.ledger.engine().node().to_owned();
    workers.spawn(workers::supervise(Arc::clone(source), stop.clone()));
    workers.spawn(workers::node::heartbeat(pool.clone(), node, stop.clone()));
    workers.spawn(workers::node::learn_revocations(app.keys.clone(), stop.clone()));
    workers.spawn(workers::write_notes(app.gateway.clone(), pool.clone(), stop.clone()));
    workers.spawn(workers::recover(app.gateway.clone(), pool.clone(), stop.clone()));
    let ready = Arc::new(Notify::new());
    workers.spawn(workers::keep_current(
        app.gateway.clone(),
        pool,
        Sealer::new(&app.config.encryption_key),
        app.changed.clone(),
        ready.clone(),
        stop,
    ));
    if tokio::time::timeout(FIRST_PRICES, ready.notified()).await.is_err() {
        tracing::warn!("no prices yet: nothing is sold until they come");
    }
}

impl Running {
    /// Takes the application down: no new connections, open requests end, settlements are written, then the books and
    /// the database close.
    pub async fn stop(self) -> Result<(), ServeError> {
        let Self { app, source, http, phases, .. } = self;
        tracing::info!("stopping: open requests may end");
        phases.accepting.cancel();
        if let Err(error) = http.await {
            tracing::error!(%error, "the listener ended badly");
        }
        app.tasks.close();
        phases.waiting.cancel();
        if tokio::time::timeout(SETTLE, app.tasks.wait()).await.is_err() {
            tracing::warn!(open = app.tasks.len(), "settlements are left to recovery");
        }
        phases.working.cancel();
        let database = app.database.clone();
        drop(app);
        phases.ledger.cancel();
        finish("background work", &phases.workers).await;
        finish("the ledger", &phases.writer).await;
        database.close().await;
        if let Some(source) = Arc::into_inner(source) {
            source.close().await?;
        }
        tracing::info!("stopped");
        Ok(())
    }
}

async fn finish(what: &str, tracker: &TaskTracker) {
    tracker.close();
    if tokio::time::timeout(SETTLE, tracker.wait()).await.is_err() {
        tracing::warn!(open = tracker.len(), "{what} did not end and is cut off");
    }
}
