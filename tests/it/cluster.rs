//! One private PostgreSQL for all tests of this process, and a database of its own for each.

use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::{env, fs, process, thread};

use sqlx::postgres::{PgConnectOptions, PgPool, PgPoolOptions};
use tokio::sync::OnceCell;
use tollgate::database::{self, PrivatePostgres};

/// Migrated once; every test's database is a copy of it.
const TEMPLATE: &str = "template_tollgate";

/// Waits for its standard input to close, which the end of this process does however it ends, and
/// then stops the server of the directory and removes both.
const CARETAKER: &str = r#"
cat >/dev/null
home=$(cat "$0/postgres.path") || exit 0
case $home in /*) ;; *) home="$0/$home" ;; esac
pid=$(head -n 1 "$home/cluster/postmaster.pid") && kill -QUIT "$pid"
while kill -0 "$pid"; do sleep 0.1; done
rm -rf "$home" "$0"
"#;

static CLUSTER: OnceCell<Cluster> = OnceCell::const_new();
static NEXT: AtomicU32 = AtomicU32::new(0);

struct Cluster {
    postgres: PrivatePostgres,
    _directory: CaredDirectory,
}

/// A directory for a private PostgreSQL. A static is never dropped and a test may be killed, so
/// somebody else cleans up.
pub struct CaredDirectory {
    path: PathBuf,
    _caretaker: Child,
}

impl CaredDirectory {
    pub fn new() -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = env::temp_dir().join(format!("tollgate-it-{}-{number}", process::id()));
        fs::create_dir_all(&path).expect("the temporary directory is writable");
        let mut command = Command::new("sh");
        command.arg("-c").arg(CARETAKER).arg(&path).stdin(Stdio::piped());
        // Its own group: Ctrl-C must not take it along.
        std::os::unix::process::CommandExt::process_group(&mut command, 0);
        let caretaker = command.stdout(Stdio::null()).stderr(Stdio::null()).spawn().expect("sh");
        Self { path, _caretaker: caretaker }
    }

    pub fn path(&self) -> &Path {
        &self.path
    }
}

async fn cluster() -> &'static Cluster {
    CLUSTER
        .get_or_init(|| async {
            let directory = CaredDirectory::new();
            let postgres = PrivatePostgres::start(directory.path()).await.expect("PostgreSQL");
            let (owner, _) = postgres.create_database(TEMPLATE).await.expect("the template");
            database::migrate(&owner).await.expect("the migrations");
            Cluster { postgres, _directory: directory }
        })
        .await
}

/// A database of one test; dropped with this value.
pub struct TestDatabase {
    /// The role that owns the tables.
    pub owner: PgConnectOptions,
    /// The role that serves.
    pub server: PgConnectOptions,
    /// Whom nothing is refused.
    pub superuser: PgConnectOptions,
    name: String,
    postgres: &'static PrivatePostgres,
}

impl TestDatabase {
    /// With the production schema.
    pub async fn migrated() -> Self {
        Self::from_template(TEMPLATE).await
    }

    /// Without a table.
    pub async fn empty() -> Self {
        Self::from_template("template1").await
    }

    async fn from_template(template: &str) -> Self {
        let postgres = &cluster().await.postgres;
        let name = format!("it_{}", NEXT.fetch_add(1, Ordering::Relaxed));
        let (owner, server) =
            postgres.create_database_from(template, &name).await.expect("a database");
        let superuser = postgres.superuser_options().database(&name);
        Self { owner, server, superuser, name, postgres }
    }

    /// A pool for the owner's looks at the tables.
    pub async fn pool(&self) -> PgPool {
        let options = PgPoolOptions::new().max_connections(3);
        options.connect_with(self.owner.clone()).await.expect("a connection")
    }
}

impl Drop for TestDatabase {
    fn drop(&mut self) {
        let (postgres, name) = (self.postgres, self.name.clone());
        // On a thread of its own: a failing test unwinds inside its runtime.
        let dropped = thread::spawn(move || {
            let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
            runtime.expect("a runtime").block_on(postgres.drop_database(&name))
        });
        if let Ok(Err(error)) = dropped.join() {
            eprintln!("{} was not dropped: {error}", self.name);
        }
    }
}
