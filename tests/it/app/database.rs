//! One PostgreSQL for all tests of this process, and a database for each.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Weak};

use sqlx::postgres::PgConnectOptions;
use tokio::sync::Mutex;
use tollgate::database::{PrivatePostgres, migrate};

/// Gone when no test uses it: a static would leave the server running after the process.
static SHARED: Mutex<Weak<Shared>> = Mutex::const_new(Weak::new());
static NEXT: AtomicU32 = AtomicU32::new(0);

/// The server, with a database to copy from.
pub struct Shared {
    postgres: PrivatePostgres,
    template: String,
    /// PostgreSQL copies a database only while nobody else does.
    copying: Mutex<()>,
}

/// A test's own database.
pub struct TestDatabase {
    name: String,
    /// The role that owns the tables.
    pub owner: PgConnectOptions,
    /// The role that serves.
    pub server: PgConnectOptions,
}

fn fresh(purpose: &str) -> String {
    let number = NEXT.fetch_add(1, Ordering::Relaxed);
    format!("{purpose}_{}_{number}", std::process::id())
}

fn directory() -> PathBuf {
    Path::new(env!("CARGO_TARGET_TMPDIR")).join("postgres")
}

impl Shared {
    /// The server, started if this is the first test that needs it.
    pub async fn get() -> Arc<Self> {
        let mut shared = SHARED.lock().await;
        if let Some(shared) = shared.upgrade() {
            return shared;
        }
        let postgres = PrivatePostgres::start(&directory()).await.expect("PostgreSQL starts");
        let template = fresh("template");
        postgres.drop_database(&template).await.expect("an old template goes");
        let (owner, _) = postgres.create_database(&template).await.expect("a template");
        migrate(&owner).await.expect("the migrations apply");
        let started = Arc::new(Self { postgres, template, copying: Mutex::new(()) });
        *shared = Arc::downgrade(&started);
        started
    }

    /// Where configuration may keep things.
    pub fn directory(&self) -> PathBuf {
        directory()
    }

    /// An empty database with the whole schema.
    pub async fn create(&self) -> TestDatabase {
        let _copying = self.copying.lock().await;
        let name = fresh("test");
        self.postgres.drop_database(&name).await.expect("an old database goes");
        let made = self.postgres.create_database_from(&self.template, &name).await;
        let (owner, server) = made.expect("the template can be copied");
        TestDatabase { name, owner, server }
    }
}

impl TestDatabase {
    /// Drops the database.
    pub async fn remove(self, shared: &Shared) {
        shared.postgres.drop_database(&self.name).await.expect("the database goes");
    }
}
