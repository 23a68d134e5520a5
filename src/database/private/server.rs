//! The server process: created, started, stopped.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::{Child, Stdio};

use parking_lot::Mutex;

use super::binaries::Binaries;
use super::error::{Doing, PrivatePostgresError};
use super::layout::Layout;

const LOG_MAX_BYTES: u64 = 16 * 1024 * 1024;

/// Full durability, and sizes that suit one gateway on a small machine.
///
/// A long checkpoint interval, because every page's first change after a checkpoint writes the
/// whole page to the log.
const SETTINGS: &[&str] = &[
    "fsync=on",
    "full_page_writes=on",
    "synchronous_commit=on",
    "wal_compression=off",
    "wal_buffers=16MB",
    "max_wal_size=2GB",
    // Files of the log that were made once are kept and used again.
    "min_wal_size=1GB",
    "checkpoint_timeout=15min",
    "shared_buffers=256MB",
    "max_connections=100",
    "autovacuum=on",
    "port=5432",
    "password_encryption=scram-sha-256",
    "logging_collector=off",
    "log_timezone=UTC",
    "timezone=UTC",
];

/// How the C library of its processes keeps memory. A statement of the append path takes and gives
/// back a megabyte; by default that goes back to the kernel each time, and a tenth of PostgreSQL's
/// processor time goes into faulting the same pages in again.
const ALLOCATOR: &[(&str, &str)] = &[
    ("MALLOC_TOP_PAD_", "4194304"),
    ("MALLOC_TRIM_THRESHOLD_", "33554432"),
    ("MALLOC_MMAP_THRESHOLD_", "33554432"),
];

/// A cluster on the disk, its process if this one started it, and the lock that says we use it.
#[derive(Debug)]
pub(super) struct Server {
    pub(super) layout: Layout,
    binaries: Binaries,
    child: Mutex<Option<Child>>,
    /// Held shared by everybody who uses the server, so that the last one stops it.
    users: File,
}

/// Held while somebody starts or stops the server.
pub(super) struct Starting {
    _lock: File,
}

impl Starting {
    /// Waits until nobody else starts or stops the server.
    pub(super) fn lock(data_dir: &Path) -> Result<Self, PrivatePostgresError> {
        let path = data_dir.join("postgres.starting.lock");
        let lock = open_lock(&path)?;
        lock.lock().doing("locking", &path)?;
        Ok(Self { _lock: lock })
    }
}

impl Server {
    /// Opens the cluster, which is created if it isn't there.
    pub(super) fn open(
        layout: Layout,
        superuser_password: &str,
        _starting: &Starting,
    ) -> Result<Self, PrivatePostgresError> {
        let cluster = layout.cluster.exists().then_some(layout.cluster.as_path());
        let binaries = Binaries::find(cluster, layout.run_as)?;
        let path = layout.data_dir.join("postgres.users.lock");
        let users = open_lock(&path)?;
        users.lock_shared().doing("locking", &path)?;
        let server = Self { layout, binaries, child: Mutex::new(None), users };
        if cluster_is_missing(&server.layout) {
            server.initdb(superuser_password)?;
        }
        server.layout.note()?;
        Ok(server)
    }

    /// Creates the cluster beside its place and moves it there when it is complete, so that an
    /// initdb which was interrupted is simply done again.
    fn initdb(&self, superuser_password: &str) -> Result<(), PrivatePostgresError> {
        let draft = self.layout.cluster.with_extension("new");
        if draft.exists() {
            fs::remove_dir_all(&draft).doing("removing", &draft)?;
        }
        let password_file = self.layout.cluster.with_extension("password");
        fs::write(&password_file, superuser_password).doing("writing", &password_file)?;
        self.layout.run_as.give(&password_file)?;
        let output = self
            .layout
            .run_as
            .command(&self.binaries.program("initdb"))
            .arg("--pgdata")
            .arg(&draft)
            .arg("--pwfile")
            .arg(&password_file)
            .args(["--username=postgres", "--auth=scram-sha-256", "--data-checksums"])
            // The same order of text everywhere, whatever the machine speaks.
            .args(["--encoding=UTF8", "--locale=C"])
            .current_dir("/")
            .output();
        fs::remove_file(&password_file).doing("removing", &password_file)?;
        let output = output.doing("running initdb for", &draft)?;
        if !output.status.success() {
            let text = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            return Err(PrivatePostgresError::Initdb { path: draft, output: text });
        }
        fs::rename(&draft, &self.layout.cluster).doing("moving into place", &self.layout.cluster)
    }

    /// Starts the process. That it is ready, only a connection tells.
    pub(super) fn spawn(&self) -> Result<(), PrivatePostgresError> {
        let path = &self.layout.log;
        if fs::metadata(path).is_ok_and(|metadata| metadata.len() > LOG_MAX_BYTES) {
            fs::rename(path, path.with_extension("log.old")).doing("rotating", path)?;
        }
        let log = OpenOptions::new()
            .create(true)
            .append(true)
            .mode(0o600)
            .open(path)
            .doing("opening", path)?;
        let program = self.binaries.program("postgres");
        let mut command = self.layout.run_as.command(&program);
        command.arg("-D").arg(&self.layout.cluster).arg("-k").arg(&self.layout.socket);
        command.args(["-c", "listen_addresses="]);
        for setting in SETTINGS {
            command.args(["-c", setting]);
        }
        let child = command
            .envs(ALLOCATOR.iter().copied())
            .current_dir("/")
            .stdin(Stdio::null())
            .stdout(log.try_clone().doing("opening", path)?)
            .stderr(log)
            // Its own group: Ctrl-C in the terminal must reach the gateway only, which still has
            // settlements to write.
            .process_group(0)
            .spawn()
            .doing("starting", &program)?;
        *self.child.lock() = Some(child);
        Ok(())
    }

    /// Whether the process that we started is alive.
    pub(super) fn child_runs(&self) -> bool {
        let mut child = self.child.lock();
        child.as_mut().is_some_and(|child| matches!(child.try_wait(), Ok(None)))
    }

    /// The postmaster's process id, as it wrote it itself.
    pub(super) fn pid(&self) -> Option<u32> {
        let text = fs::read_to_string(self.layout.cluster.join("postmaster.pid")).ok()?;
        text.lines().next()?.trim().parse().ok()
    }

    /// Stops the server unless another process uses it too. Blocks for as long as its last
    /// checkpoint takes.
    pub(super) fn stop(&self, _starting: &Starting) -> Result<(), PrivatePostgresError> {
        let path = self.layout.data_dir.join("postgres.users.lock");
        self.users.unlock().doing("unlocking", &path)?;
        match self.users.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Ok(()),
            Err(TryLockError::Error(source)) => return Err(source).doing("locking", &path),
        }
        for mode in ["fast", "immediate"] {
            let stopped = self
                .layout
                .run_as
                .command(&self.binaries.program("pg_ctl"))
                .args(["stop", "--wait", "--silent", "--timeout=60", "--mode", mode, "--pgdata"])
                .arg(&self.layout.cluster)
                .current_dir("/")
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .status();
            if stopped.is_ok_and(|status| status.success()) {
                break;
            }
        }
        if let Some(mut child) = self.child.lock().take() {
            if matches!(child.try_wait(), Ok(None))
                && self.layout.cluster.join("postmaster.pid").exists()
            {
                let _ = child.kill();
            }
            // pg_ctl waits for the pid file to go; this waits for the process, and leaves no
            // zombie.
            let _ = child.wait();
        }
        Ok(())
    }
}

fn cluster_is_missing(layout: &Layout) -> bool {
    !layout.cluster.join("PG_VERSION").exists()
}

fn open_lock(path: &Path) -> Result<File, PrivatePostgresError> {
    OpenOptions::new()
        .create(true)
        .truncate(false)
        .write(true)
        .mode(0o600)
        .open(path)
        .doing("opening", path)
}
