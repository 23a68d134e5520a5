//! What can go wrong with the private PostgreSQL, each with what to do about it.

use std::io;
use std::path::PathBuf;

/// Why the private PostgreSQL could not be started.
#[derive(Debug, thiserror::Error)]
pub enum PrivatePostgresError {
    /// No directory with `postgres`, `initdb` and `pg_ctl` was found.
    #[error(
        "no PostgreSQL server binaries were found (looked in PATH, `pg_config --bindir`, \
         /usr/lib/postgresql/*/bin and Homebrew); install them with `apt-get install postgresql` \
         or `brew install postgresql`, or set DATABASE_URL to a server that runs already"
    )]
    NoBinaries,
    /// The cluster was made by another major version than any that is installed.
    #[error(
        "the private database in {path} was made by PostgreSQL {needed}, but only {found} is \
         installed; install PostgreSQL {needed}, or dump and restore the database"
    )]
    WrongMajorVersion {
        /// The cluster.
        path: PathBuf,
        /// The major version that made it.
        needed: String,
        /// The versions that are installed.
        found: String,
    },
    /// PostgreSQL refuses to run as root and there is nobody else to run it.
    #[error(
        "PostgreSQL refuses to run as root, and /etc/passwd has neither `postgres` nor `nobody`; \
         create one of them, run Tollgate as another user, or set DATABASE_URL"
    )]
    NobodyToRunAs,
    /// The cluster belongs to a user that this process can't act for.
    #[error(
        "the private database in {path} belongs to user id {owner}, this process runs as {current}; \
         run Tollgate as the same user as before, or choose another TOLLGATE_DATA_DIR"
    )]
    ForeignCluster {
        /// The cluster.
        path: PathBuf,
        /// Who owns it.
        owner: u32,
        /// Who we are.
        current: u32,
    },
    /// There was a cluster, and it isn't there any more.
    #[error(
        "the private database was in {path} and is gone; mount or restore it, or, to begin with empty \
         books, remove the file `postgres.path` from the data directory"
    )]
    ClusterGone {
        /// Where it was.
        path: PathBuf,
    },
    /// The user that runs PostgreSQL can't reach its files.
    #[error(
        "user id {uid}, which runs the private PostgreSQL, cannot enter {path}; allow it with \
         `chmod o+x {path}`, or choose another TOLLGATE_DATA_DIR"
    )]
    Unreachable {
        /// The directory that is closed.
        path: PathBuf,
        /// Who has to enter it.
        uid: u32,
    },
    /// The directory for the socket exists and is not ours.
    #[error(
        "{path} exists but belongs to somebody else or is open to others; remove it, or choose a \
         TOLLGATE_DATA_DIR with a shorter path so that the socket can stand inside it"
    )]
    ForeignSocketDirectory {
        /// The directory.
        path: PathBuf,
    },
    /// `initdb` failed.
    #[error("initdb could not create {path}: {output}")]
    Initdb {
        /// The cluster.
        path: PathBuf,
        /// What initdb said.
        output: String,
    },
    /// The server stopped by itself while it was starting.
    #[error("the private PostgreSQL did not start; the end of {log} says: {tail}")]
    DidNotStart {
        /// Its log file.
        log: PathBuf,
        /// The last lines of it.
        tail: String,
    },
    /// The server runs and does not accept the password that we keep.
    #[error(
        "the private PostgreSQL in {path} refuses the password kept in the `secrets` directory of the \
         data directory; restore that directory from the backup that belongs to this database"
    )]
    PasswordRefused {
        /// The cluster.
        path: PathBuf,
    },
    /// A database name that would need quoting.
    #[error("`{0}` is not a database name: use lower-case letters, digits and `_`, at most 63")]
    DatabaseName(String),
    /// The server answered with an error.
    #[error("the private PostgreSQL answered: {0}")]
    Sql(#[from] sqlx::Error),
    /// A file operation failed.
    #[error("{doing} {path} failed: {source}")]
    Io {
        /// What was tried.
        doing: &'static str,
        /// On which file.
        path: PathBuf,
        /// The system's reason.
        source: io::Error,
    },
}

/// Adds what was done and to which file to an [`io::Error`].
pub(super) trait Doing<T> {
    fn doing(
        self,
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> Result<T, PrivatePostgresError>;
}

impl<T> Doing<T> for io::Result<T> {
    fn doing(
        self,
        doing: &'static str,
        path: impl Into<PathBuf>,
    ) -> Result<T, PrivatePostgresError> {
        self.map_err(|source| PrivatePostgresError::Io { doing, path: path.into(), source })
    }
}
