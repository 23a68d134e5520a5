//! The application out of its parts.

use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::{Notify, Semaphore};
use tokio_util::sync::CancellationToken;
use tollgate_projections::{Runner, Tail};
use uuid::Uuid;

use super::presence::Presence;
use super::{Scopes, ServeError, people, upstreams};
use crate::billing::{Books, MasterAccounts, PriceList};
use crate::config::{Config, RecoveryTimes};
use crate::database::{Database, DatabaseSource, PoolLimits, await_server, migrate};
use crate::http::{App, AppState, Changes};
use crate::identity::{ApiKeys, Sealer, UpstreamKeys};
use crate::ledger::{Ledger, LedgerOptions};
use crate::limits::Gate;
use crate::operations;
use crate::proxy::{Gateway, GatewayParts, GenerationNotes, KeptAnswers, Once};
use crate::telemetry::live::Live;
use crate::telemetry::metrics::Metrics;
use crate::upstream::UpstreamClient;
use crate::workers;

/// How often the private PostgreSQL is looked after.
const SUPERVISION: Duration = Duration::from_secs(1);
/// How long the database may take to start.
const DATABASE_STARTS: Duration = Duration::from_secs(30);
/// What may be done after answers at once; the database's pool has to serve others too.
const AFTERWARDS: usize = 32;
/// Events that wait in memory for the read models, at most; those of half a second under full load.
const TAIL_BYTES: usize = 8 << 20;
/// How long the first prices may take before serving begins without them.
const FIRST_PRICES: Duration = Duration::from_secs(15);

/// Migrates, starts the ledger, the read models, the gateway and the loops.
pub(super) async fn assemble(
    config: Config,
    source: &Arc<DatabaseSource>,
    scopes: &Scopes,
) -> Result<AppState, ServeError> {
    await_server(&source.owner_options(), DATABASE_STARTS).await?;
    migrate(&source.owner_options()).await?;
    let database = Database::connect(source.server_options(), PoolLimits::default()).await?;
    let pool = database.pool().clone();
    let node = format!("node_{}", Uuid::now_v7().simple());
    let previous = config.encryption_key_previous.as_ref();
    let sealer = Sealer::new(&config.encryption_key).opening_also(previous);
    let presence = Presence::new(pool.clone(), node.clone(), &sealer);
    presence.sign_on().await?;
    let (beat, stop) = (config.recovery.heartbeat(), scopes.loops.clone());
    scopes.workers.spawn(presence.keep(beat, stop));
    let tail = Arc::new(Tail::new(TAIL_BYTES));
    let ledger = Ledger::start(
        source.server_options(),
        pool.clone(),
        LedgerOptions { tail: Some(tail.clone()), ..LedgerOptions::new(node) },
        &scopes.writer,
        scopes.loops.clone(),
    )
    .await?;
    // Before anybody reads: a read model without a table would be an error instead of an empty
    // list.
    tollgate_projections::ensure(&pool).await?;
    let runner = Runner::new(pool.clone()).with_tail(tail);
    let progress = runner.progress();
    scopes.workers.spawn(project(runner, ledger.clone(), scopes.loops.clone()));

    let upstream_keys = UpstreamKeys::new(pool.clone(), sealer);
    let keys = ApiKeys::new(pool.clone());
    let people = people::start(&config, &pool, &ledger, &keys, scopes).await?;
    operations::prices::ensure_default_ratio(&ledger, config.default_sale_ratio).await?;
    upstreams::register(&config, &ledger, &pool, &upstream_keys, scopes).await?;

    let gateway = gateway(&config, &pool, &ledger, scopes)?;
    let metrics = gateway.books().metrics.clone();
    let changes = Changes::default();
    let recovery = config.recovery;
    start_workers(&gateway, &pool, &upstream_keys, &changes, recovery, source, scopes).await;
    Ok(AppState::new(App {
        gate: Gate::default(),
        afterwards: Arc::new(Semaphore::new(AFTERWARDS)),
        in_flight: Arc::new(Semaphore::new(config.max_concurrent_requests)),
        keys,
        config,
        database,
        ledger,
        people,
        upstream_keys,
        progress,
        gateway,
        changes,
        tasks: scopes.settlements.clone(),
        closing: scopes.accept.clone(),
        live: Live::default(),
        stop: scopes.loops.clone(),
        metrics,
        started: Instant::now(),
    }))
}

fn gateway(
    config: &Config,
    pool: &sqlx::PgPool,
    ledger: &Ledger,
    scopes: &Scopes,
) -> Result<Arc<Gateway>, ServeError> {
    Ok(Gateway::new(GatewayParts {
        once: once(config, pool, ledger, scopes),
        books: Books {
            ledger: ledger.clone(),
            tracker: scopes.settlements.clone(),
            stop: scopes.books.clone(),
            metrics: Metrics::with(ledger.engine().collectors()),
        },
        client: UpstreamClient::new(config.upstream_timeouts)?,
        prices: PriceList::default(),
        masters: MasterAccounts::default(),
        notes: GenerationNotes::default(),
        mode: config.reserve,
        patience: config.recovery.patience,
        client_stall: config.client_stall,
    }))
}

/// Requests with an idempotency key, and the answers that are kept for them.
fn once(config: &Config, pool: &sqlx::PgPool, ledger: &Ledger, scopes: &Scopes) -> Once {
    let previous = config.encryption_key_previous.as_ref();
    let sealer = Sealer::new(&config.encryption_key).opening_also(previous);
    let most = config.idempotency.store_bytes;
    let (workers, stop) = (&scopes.workers, scopes.loops.clone());
    let kept = KeptAnswers::start(pool.clone(), sealer, most, workers, stop);
    Once::new(ledger.clone(), pool.clone(), kept, config.idempotency.answer_bytes)
}

async fn start_workers(
    gateway: &Arc<Gateway>,
    pool: &sqlx::PgPool,
    keys: &UpstreamKeys,
    changes: &Changes,
    recovery: RecoveryTimes,
    source: &Arc<DatabaseSource>,
    scopes: &Scopes,
) {
    let (workers, stop) = (&scopes.workers, &scopes.loops);
    let ready = Arc::new(Notify::new());
    workers.spawn(workers::keep_current(
        gateway.clone(),
        pool.clone(),
        keys.clone(),
        changes.clone(),
        ready.clone(),
        stop.clone(),
    ));
    workers.spawn(workers::recover(gateway.clone(), pool.clone(), recovery, stop.clone()));
    workers.spawn(workers::follow_bills(gateway.clone(), pool.clone(), recovery, stop.clone()));
    workers.spawn(workers::tidy_up(gateway.clone(), pool.clone(), stop.clone()));
    let ledger = gateway.books().ledger.clone();
    workers.spawn(workers::expire_grants(ledger, pool.clone(), stop.clone()));
    workers.spawn(workers::write_notes(gateway.clone(), pool.clone(), stop.clone()));
    workers.spawn(supervise(source.clone(), stop.clone()));
    if tokio::time::timeout(FIRST_PRICES, ready.notified()).await.is_err() {
        tracing::warn!("serving begins without prices: nothing can be sold until they are there");
    }
}

async fn project(runner: Runner, ledger: Ledger, stop: CancellationToken) {
    let head = ledger.engine().head();
    drop(ledger);
    if let Err(error) = runner.run(head, stop).await {
        tracing::error!(%error, "the read models stand still; the ledger goes on");
    }
}

/// A private PostgreSQL that was killed is started again.
async fn supervise(source: Arc<DatabaseSource>, stop: CancellationToken) {
    let Some(private) = source.private() else { return };
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(SUPERVISION) => {}
        }
        match private.ensure_running().await {
            Ok(false) => {}
            Ok(true) => tracing::warn!("PostgreSQL was gone and has been started again"),
            Err(error) => tracing::error!(%error, "PostgreSQL is gone and does not start"),
        }
    }
}
