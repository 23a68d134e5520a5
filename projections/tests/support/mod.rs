//! A real PostgreSQL for tests: one throwaway cluster for those that run at the same time, one
//! database for each.

#![allow(dead_code)]

pub mod ledger;

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};
use std::time::Duration;

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgPool};
use tokio::sync::watch;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use tollgate_projections::audit::{Options, Report, verify};
use tollgate_projections::bench::catch_up;
use tollgate_projections::{PROJECTIONS, Progress, ProjectionError, Runner, RunnerOptions};

static CLUSTER: Mutex<Weak<Cluster>> = Mutex::new(Weak::new());
static DATABASES: AtomicU32 = AtomicU32::new(0);

/// A running server; stopped and removed with its last user.
struct Cluster {
    bin: PathBuf,
    home: PathBuf,
    user: Option<(u32, u32)>,
}

/// A database with the migrations applied.
pub struct Database {
    pub pool: PgPool,
    _cluster: Arc<Cluster>,
}

impl Database {
    pub async fn new() -> Self {
        let cluster = Cluster::shared();
        let name = format!("t{}", DATABASES.fetch_add(1, Ordering::Relaxed));
        let mut admin = cluster.options("postgres").connect().await.expect("the server answers");
        admin.execute(format!("CREATE DATABASE {name}").as_str()).await.expect("a database");
        let pool = PgPoolOptions::new()
            .max_connections(12)
            .connect_with(cluster.options(&name))
            .await
            .expect("a pool");
        sqlx::migrate!("../migrations").run(&pool).await.expect("the migrations apply");
        Self { pool, _cluster: cluster }
    }
}

impl Cluster {
    fn shared() -> Arc<Self> {
        let mut known = CLUSTER.lock().expect("no test panics while it starts the server");
        if let Some(running) = known.upgrade() {
            return running;
        }
        let started = Arc::new(Self::start());
        *known = Arc::downgrade(&started);
        started
    }

    fn start() -> Self {
        static CLUSTERS: AtomicU32 = AtomicU32::new(0);
        let nth = CLUSTERS.fetch_add(1, Ordering::Relaxed);
        let home = std::env::temp_dir().join(format!("tgp-{}-{nth}", std::process::id()));
        std::fs::create_dir_all(&home).expect("a directory");
        let user = other_user();
        if let Some((uid, gid)) = user {
            std::os::unix::fs::chown(&home, Some(uid), Some(gid)).expect("root may give it away");
        }
        let cluster = Self { bin: binaries(), home, user };
        let data = cluster.home.join("data");
        let init = ["-A", "trust", "-U", "postgres", "-E", "UTF8", "--no-locale", "-N", "-D"];
        cluster.run("initdb", &init, &data);
        let sockets = cluster.home.display();
        let options = format!(
            "-k {sockets} -c listen_addresses='' -c max_connections=200 -c shared_buffers=256MB \
             -c max_wal_size=4GB"
        );
        let log = cluster.home.join("log").display().to_string();
        cluster.run("pg_ctl", &["start", "-w", "-l", &log, "-o", &options, "-D"], &data);
        cluster
    }

    fn run(&self, program: &str, arguments: &[&str], data: &Path) {
        let mut command = Command::new(self.bin.join(program));
        command.args(arguments).arg(data).current_dir(&self.home).stdout(Stdio::null());
        if let Some((uid, gid)) = self.user {
            command.uid(uid).gid(gid);
        }
        let status = command.status().expect("PostgreSQL's programs can be started");
        assert!(status.success(), "{program} failed");
    }

    fn options(&self, database: &str) -> PgConnectOptions {
        PgConnectOptions::new_without_pgpass()
            .socket(&self.home)
            .username("postgres")
            .database(database)
    }
}

impl Drop for Cluster {
    fn drop(&mut self) {
        self.run("pg_ctl", &["stop", "-w", "-m", "immediate", "-D"], &self.home.join("data"));
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// On PATH, else the highest version where Debian puts it.
fn binaries() -> PathBuf {
    let on_path = std::env::var_os("PATH").and_then(|path| {
        std::env::split_paths(&path).find(|directory| directory.join("initdb").exists())
    });
    let installed = || {
        let versions = std::fs::read_dir("/usr/lib/postgresql").ok()?;
        let bins = versions.flatten().map(|entry| entry.path().join("bin"));
        bins.filter(|bin| bin.join("initdb").exists()).max()
    };
    on_path.or_else(installed).expect("the tests need PostgreSQL's server programs")
}

/// PostgreSQL refuses to run as root.
fn other_user() -> Option<(u32, u32)> {
    if std::fs::metadata("/proc/self").ok()?.uid() != 0 {
        return None;
    }
    let users = std::fs::read_to_string("/etc/passwd").ok()?;
    let user = |name: &str| {
        let line = users.lines().find(|line| line.starts_with(&format!("{name}:")))?;
        let mut fields = line.split(':').skip(2);
        Some((fields.next()?.parse().ok()?, fields.next()?.parse().ok()?))
    };
    user("postgres").or_else(|| user("nobody"))
}

/// A runner in the background.
pub struct Running {
    pub progress: Progress,
    shutdown: CancellationToken,
    task: JoinHandle<Result<(), ProjectionError>>,
    _head: watch::Sender<i64>,
}

impl Running {
    /// With short pauses and small batches, so that little data makes many transactions.
    pub fn start(pool: &PgPool, batch: i64) -> Self {
        let pause = Duration::from_millis(1);
        let back_off = Duration::from_millis(5);
        let poll = Duration::from_millis(10);
        let options = RunnerOptions { batch, pause, poll, back_off };
        let runner = Runner::with_options(pool.clone(), options);
        let progress = runner.progress();
        let shutdown = CancellationToken::new();
        let (head, watched) = watch::channel(0);
        let task = tokio::spawn(runner.run(watched, shutdown.clone()));
        Self { progress, shutdown, task, _head: head }
    }

    pub async fn stop(self) -> Result<(), ProjectionError> {
        self.shutdown.cancel();
        self.task.await.expect("the runner does not panic")
    }

    /// Stops it in the middle of whatever it does.
    pub async fn kill(self) {
        self.task.abort();
        let _ = self.task.await;
    }

    pub async fn ended(self) -> Result<(), ProjectionError> {
        self.task.await.expect("the runner does not panic")
    }
}

/// Applies everything and stops.
pub async fn project(pool: &PgPool) {
    catch_up(pool).await.expect("the projections catch up");
}

/// How most tests end: the log is sound and every read model equals its fold.
pub async fn assert_clean(pool: &PgPool) {
    let report = audit(pool).await;
    assert!(report.is_clean(), "{report}");
    assert!(report.read_models.iter().all(|model| model.outcome == "equal"), "{report}");
    assert_eq!(report.read_models.len(), PROJECTIONS.len(), "{report}");
}

/// In a task of its own, as a server would run it.
pub async fn audit(pool: &PgPool) -> Report {
    let pool = pool.clone();
    let task = tokio::spawn(async move { verify(&pool, &Options::default(), |_| {}).await });
    task.await.expect("the audit does not panic").expect("the audit runs")
}
