//! The event store engine proved: against its peers, against other nodes, against a database that
//! goes away. Every test ends with an audit of the log.

mod account;
mod append_only;
mod audit;
mod chain;
mod commands;
mod commits;
mod conformance;
mod counter;
mod crash;
mod isolation;
mod keys;
mod memory;
mod nodes;
mod order;
mod proxy;

use std::future::Future;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

use sqlx::postgres::{PgConnectOptions, PgConnection, PgPool, PgPoolOptions};
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate::ledger::{Actor, CommandContext, Engine, Ledger, LedgerOptions, Streams};

use self::audit::Log;
use self::counter::{Count, Counter};
use crate::cluster::TestDatabase;

/// Longer than anything here takes on a busy machine; what waits longer hangs.
const LONG: Duration = Duration::from_secs(40);

static IDS: AtomicU64 = AtomicU64::new(1_000);

/// An id that no other command has.
fn fresh() -> u64 {
    IDS.fetch_add(1, Ordering::Relaxed)
}

fn add(id: u64) -> Count {
    Count::Add { id, by: 1 }
}

fn by(part: &'static str) -> CommandContext {
    CommandContext::by(Actor::System(part))
}

/// One process's ledger.
struct Node {
    ledger: Ledger,
    counters: Streams<Counter>,
    tracker: TaskTracker,
    stop: CancellationToken,
}

impl Node {
    async fn start(database: &TestDatabase, name: &str) -> Self {
        Self::with(database.server.clone(), LedgerOptions::new(name)).await
    }

    async fn with(server: PgConnectOptions, options: LedgerOptions) -> Self {
        let pool = PgPoolOptions::new()
            .max_connections(4)
            .acquire_timeout(Duration::from_secs(5))
            .test_before_acquire(false)
            .connect_lazy_with(server.clone());
        let (tracker, stop) = (TaskTracker::new(), CancellationToken::new());
        let ledger = Ledger::start(server, pool, options, &tracker, stop.clone()).await.unwrap();
        let counters = ledger.engine().streams();
        Self { ledger, counters, tracker, stop }
    }

    fn engine(&self) -> &Engine {
        self.ledger.engine()
    }

    async fn add(&self, stream: &str, id: u64) -> i64 {
        self.counters.execute(stream, add(id), &by("test"), None).await.unwrap().position
    }

    async fn sum(&self, stream: &str) -> i64 {
        self.counters.peek(stream, |counter| counter.sum).await.unwrap()
    }

    /// As the process does it: stop, let go of every handle, wait for what was decided.
    async fn stop(self) {
        self.stop.cancel();
        drop((self.ledger, self.counters));
        self.tracker.close();
        soon("the engine ends", self.tracker.wait()).await;
    }
}

/// A database without nodes, and the audit that its test must end with.
struct Stage {
    database: TestDatabase,
    /// As the owner, beside the nodes.
    pool: PgPool,
}

impl Stage {
    async fn open() -> Self {
        let database = TestDatabase::migrated().await;
        let pool = database.pool().await;
        Self { database, pool }
    }

    async fn node(&self, name: &str) -> Node {
        Node::start(&self.database, name).await
    }

    async fn superuser(&self) -> PgConnection {
        self.database.superuser.connect().await.unwrap()
    }

    /// With one writer, so that what waits becomes one batch in the order in which it came.
    async fn one_writer(&self) -> Node {
        let options = LedgerOptions { writers: 1, ..LedgerOptions::new("a") };
        Node::with(self.database.server.clone(), options).await
    }

    async fn audited(&self) -> Log {
        Log::audited(&self.pool).await
    }
}

/// The row that every append has to lock, held: what is sent meanwhile waits, and what comes after
/// it becomes one batch.
struct Held(PgConnection);

impl Held {
    async fn take(stage: &Stage) -> Self {
        let mut connection = stage.database.owner.connect().await.unwrap();
        connection.execute("BEGIN; SELECT position FROM ledger_head FOR UPDATE").await.unwrap();
        Self(connection)
    }

    /// Until the writer of this database waits for the row.
    async fn until_the_writer_waits(&self, stage: &Stage) {
        eventually("an append waits for the head", || async {
            let waiting: i64 = sqlx::query_scalar(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()
                 AND application_name = 'tollgate ledger' AND wait_event_type = 'Lock'",
            )
            .fetch_one(&mut stage.superuser().await)
            .await
            .unwrap();
            waiting > 0
        })
        .await;
    }

    async fn release(mut self) {
        self.0.execute("ROLLBACK").await.unwrap();
        self.0.close().await.unwrap();
    }
}

/// The result of what has to end soon.
async fn soon<T>(what: &str, work: impl Future<Output = T>) -> T {
    tokio::time::timeout(LONG, work).await.unwrap_or_else(|_| panic!("{what}: not in {LONG:?}"))
}

/// Until the condition holds, which nobody announces.
async fn eventually<F: Future<Output = bool>>(what: &str, mut condition: impl FnMut() -> F) {
    let begun = Instant::now();
    while !condition().await {
        assert!(begun.elapsed() < LONG, "{what}: not in {LONG:?}");
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
}
