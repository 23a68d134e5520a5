//! A real PostgreSQL for tests: one throwaway cluster for those that run at the same time, one
//! database for each.

#![allow(dead_code)]

use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, Weak};

use sqlx::postgres::{PgConnectOptions, PgPoolOptions};
use sqlx::{ConnectOptions, Executor, PgPool};

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
