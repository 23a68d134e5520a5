//! The event store engine: one implementation of cqrs-es's `EventStore` that may carry money.
//!
//! - Aggregates stay in memory ([`streams`]); a stream's lock is held only while a command is
//!   decided, and its new state is published before the commit is awaited.
//! - A writer ([`writer`]) appends what is waiting, of all streams, in ONE statement, and
//!   acknowledges each command after the commit, while the next writer appends.
//! - Several nodes may append: the primary key decides, the losers reload ([`trouble`]).
//! - A commit whose answer was lost is read back, never guessed.

mod append;
mod context;
mod error;
mod load;
mod residents;
mod snapshots;
mod statement;
mod stats;
mod store;
mod streams;
mod trouble;
mod writer;

pub use append::{Idempotency, KeptResult};
pub use context::{Actor, CommandContext, now};
pub use error::{CommandError, LedgerError};
pub use stats::{WriterStats, WriterStatsSnapshot};
pub use store::StreamStore;
pub use streams::{Committed, Pending, Streams};

use std::sync::Arc;

use sqlx::PgPool;
use sqlx::postgres::PgConnectOptions;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_domain::{Account, MasterAccount, PriceBook};
use tollgate_projections::Tail;

/// Bounds of the engine.
#[derive(Debug, Clone)]
pub struct LedgerOptions {
    /// This process in the metadata of every event.
    pub node: String,
    /// Aggregates of one type that stay in memory.
    pub resident: usize,
    /// Writers with a connection each, one of which appends at a time: while PostgreSQL works for
    /// one, the commands of another are answered and the next ones decided. Two keep it busy.
    pub writers: usize,
    /// Appends that may wait for a writer; beyond that commands wait before they decide.
    pub queue: usize,
    /// Rows in one statement at most.
    pub batch_rows: usize,
    /// Payload bytes in one statement at most.
    pub batch_bytes: usize,
    /// A snapshot is written each time a stream has grown by this many events.
    pub snapshot_every: u64,
    /// Where committed events are kept for the projections of this process, if it has any.
    pub tail: Option<Arc<Tail>>,
}

impl LedgerOptions {
    /// The bounds that production runs with.
    #[must_use]
    pub fn new(node: impl Into<String>) -> Self {
        Self {
            node: node.into(),
            resident: 100_000,
            writers: 2,
            queue: 8_192,
            batch_rows: 1_024,
            batch_bytes: 1 << 20,
            snapshot_every: 500,
            tail: None,
        }
    }
}

/// The ledger of this process: every aggregate type over one writer.
#[derive(Debug, Clone)]
pub struct Ledger {
    /// Customers' accounts.
    pub accounts: Streams<Account>,
    /// Upstream accounts.
    pub master_accounts: Streams<MasterAccount>,
    /// Prices.
    pub prices: Streams<PriceBook>,
    engine: Engine,
}

/// What all aggregate types share: the way to the writer and the way to stored events.
#[derive(Debug, Clone)]
pub struct Engine(Arc<EngineParts>);

#[derive(Debug)]
struct EngineParts {
    options: LedgerOptions,
    queue: tokio::sync::mpsc::Sender<append::Append>,
    pool: PgPool,
    head: watch::Receiver<i64>,
    stats: Arc<WriterStats>,
}

impl Engine {
    /// Starts the writer on `tracker`. It ends after `stop` was cancelled *and* the last handle is
    /// gone, so that what was decided is still written.
    ///
    /// # Errors
    /// The database cannot be reached, or has no ledger (run the migrations).
    pub async fn start(
        connect: PgConnectOptions,
        pool: PgPool,
        options: LedgerOptions,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, LedgerError> {
        let snapshots = snapshots::start(pool.clone(), tracker, stop.clone());
        let (queue, appends) = tokio::sync::mpsc::channel(options.queue);
        let shared = writer::Shared::new(&pool, snapshots, appends, options.tail.clone()).await?;
        for _ in 0..options.writers.max(1) {
            let writer = writer::Writer::connect(connect.clone(), &options, shared.clone()).await?;
            tracker.spawn(writer.run());
        }
        let (head, stats) = (shared.head(), shared.stats());
        Ok(Self(Arc::new(EngineParts { options, queue, pool, head, stats })))
    }

    /// The streams of one aggregate type.
    #[must_use]
    pub fn streams<A: tollgate_domain::Eventful>(&self) -> Streams<A> {
        Streams::new(self.clone(), self.0.options.resident)
    }

    /// The position of the newest event that this process knows to be committed.
    #[must_use]
    pub fn head(&self) -> watch::Receiver<i64> {
        self.0.head.clone()
    }

    /// Counters of the writer.
    #[must_use]
    pub fn stats(&self) -> WriterStatsSnapshot {
        self.0.stats.snapshot()
    }

    /// The same for whoever shows them.
    #[must_use]
    pub fn collectors(&self) -> Vec<Box<dyn prometheus::core::Collector>> {
        self.0.stats.collectors()
    }

    /// Appends that wait for the writer.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.0.queue.max_capacity() - self.0.queue.capacity()
    }

    /// This process in metadata.
    #[must_use]
    pub fn node(&self) -> &str {
        &self.0.options.node
    }
}

impl Ledger {
    /// [`Engine::start`], and the streams of every aggregate type.
    ///
    /// # Errors
    /// As [`Engine::start`].
    pub async fn start(
        connect: PgConnectOptions,
        pool: PgPool,
        options: LedgerOptions,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Result<Self, LedgerError> {
        let engine = Engine::start(connect, pool, options, tracker, stop).await?;
        Ok(Self {
            accounts: engine.streams(),
            master_accounts: engine.streams(),
            prices: engine.streams(),
            engine,
        })
    }

    /// What the aggregate types share.
    #[must_use]
    pub const fn engine(&self) -> &Engine {
        &self.engine
    }

    /// Those of the idempotency keys that were used, with what is kept under each.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn find_all_kept(
        &self,
        scope: &str,
        keys: &[String],
    ) -> Result<Vec<(String, KeptResult)>, LedgerError> {
        append::find_all_kept(&self.engine.0.pool, scope, keys).await
    }

    /// What was recorded under an idempotency key.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn find_kept(
        &self,
        scope: &str,
        key: &str,
    ) -> Result<Option<KeptResult>, LedgerError> {
        append::find_kept(&self.engine.0.pool, scope, key).await
    }
}
