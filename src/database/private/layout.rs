//! Where the private PostgreSQL keeps its files.

use std::fs::{self, DirBuilder};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::{Path, PathBuf};

use sha2::{Digest, Sha256};

use super::error::{Doing, PrivatePostgresError};
use super::user::{self, RunAs};
use crate::config::kept;

/// `sockaddr_un` holds 108 bytes on Linux and 104 on macOS, the closing zero included.
const SOCKET_PATH_MAX_BYTES: usize = 103;
/// The file in the data directory that says where the cluster is.
const NOTE: &str = "postgres.path";
const SOCKET_FILE: &str = "/.s.PGSQL.5432";

/// The paths of one private PostgreSQL and the user that owns them.
#[derive(Debug, Clone)]
pub(super) struct Layout {
    /// Tollgate's own directory, absolute.
    pub(super) data_dir: PathBuf,
    /// PostgreSQL's data directory.
    pub(super) cluster: PathBuf,
    /// The directory of its socket, closed to other users.
    pub(super) socket: PathBuf,
    pub(super) log: PathBuf,
    pub(super) run_as: RunAs,
}

impl Layout {
    /// Chooses the paths, or reads what an earlier run chose, and creates the directories.
    ///
    /// The cluster stands in the data directory unless the user who has to run PostgreSQL can't get
    /// there (as with root's home); `postgres.path` then says where it is.
    pub(super) fn prepare(data_dir: &Path) -> Result<Self, PrivatePostgresError> {
        let our_uid = user::current_uid(data_dir).doing("writing to", data_dir)?;
        let home = match fs::read_to_string(data_dir.join(NOTE)) {
            Ok(text) => {
                let home = data_dir.join(text.trim());
                // A disk that isn't mounted must not pass for books that are empty.
                if !home.join("cluster").exists() {
                    return Err(PrivatePostgresError::ClusterGone { path: home.join("cluster") });
                }
                home
            }
            Err(_) => choose_home(data_dir, RunAs::choose(our_uid)?)?,
        };
        let run_as = match home.exists() {
            true => RunAs::owner_of(&home, our_uid)?,
            false => RunAs::choose(our_uid)?,
        };
        private_directory(&home, run_as)?;
        if let Some(path) = run_as.closed_ancestor(&home) {
            return Err(PrivatePostgresError::Unreachable { path, uid: run_as.uid() });
        }
        Ok(Self {
            data_dir: data_dir.to_owned(),
            cluster: home.join("cluster"),
            socket: socket_directory(&home, run_as)?,
            log: data_dir.join("postgres.log"),
            run_as,
        })
    }

    /// Notes where the cluster is, now that there is one.
    pub(super) fn note(&self) -> Result<(), PrivatePostgresError> {
        let path = self.data_dir.join(NOTE);
        let home = self.cluster.parent().unwrap_or(&self.cluster);
        // A path inside the data directory is noted as relative, so that the directory can be
        // moved.
        let noted = home.strip_prefix(&self.data_dir).unwrap_or(home);
        let text = format!("{}\n", noted.display());
        match fs::read_to_string(&path).is_ok_and(|known| known == text) {
            true => Ok(()),
            false => fs::write(&path, text).doing("writing", &path),
        }
    }

    /// The last lines of the server's log, for an error message.
    pub(super) fn log_tail(&self) -> String {
        let text = fs::read(&self.log).unwrap_or_default();
        let text = String::from_utf8_lossy(&text[text.len().saturating_sub(4096)..]).into_owned();
        let lines: Vec<&str> = text.lines().rev().take(8).collect();
        lines.into_iter().rev().collect::<Vec<_>>().join("\n")
    }
}

fn choose_home(data_dir: &Path, run_as: RunAs) -> Result<PathBuf, PrivatePostgresError> {
    let Some(closed) = run_as.closed_ancestor(data_dir) else {
        return Ok(data_dir.join("postgres"));
    };
    // Random, not derived from the path: who deletes the data directory gets a new database, not
    // one whose passwords are gone.
    let suffix = kept::random_text(12).doing("choosing a name beside", data_dir)?;
    ["/var/lib", "/var/tmp"]
        .into_iter()
        .map(Path::new)
        .find(|parent| parent.is_dir() && run_as.closed_ancestor(parent).is_none())
        .map(|parent| parent.join(format!("tollgate-{suffix}")))
        .ok_or(PrivatePostgresError::Unreachable { path: closed, uid: run_as.uid() })
}

fn socket_directory(home: &Path, run_as: RunAs) -> Result<PathBuf, PrivatePostgresError> {
    let inside = home.join("socket");
    if inside.as_os_str().len() + SOCKET_FILE.len() <= SOCKET_PATH_MAX_BYTES {
        private_directory(&inside, run_as)?;
        return Ok(inside);
    }
    let digest = Sha256::digest(home.as_os_str().as_bytes());
    let name: String = digest.iter().take(8).map(|byte| format!("{byte:02x}")).collect();
    let outside = Path::new("/tmp").join(format!("tollgate-{name}"));
    private_directory(&outside, run_as)?;
    // Anybody may create names in /tmp, and whoever owns the directory can put another server into
    // it.
    let metadata = fs::symlink_metadata(&outside).doing("inspecting", &outside)?;
    let ours = metadata.is_dir() && metadata.uid() == run_as.uid();
    if !ours || metadata.mode() & 0o077 != 0 {
        return Err(PrivatePostgresError::ForeignSocketDirectory { path: outside });
    }
    Ok(outside)
}

/// Creates a directory that only the server's user can enter; leaves one that exists as it is.
fn private_directory(path: &Path, run_as: RunAs) -> Result<(), PrivatePostgresError> {
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => run_as.give(path),
        Err(error) if error.kind() == std::io::ErrorKind::AlreadyExists => Ok(()),
        Err(source) => {
            Err(PrivatePostgresError::Io { doing: "creating", path: path.to_owned(), source })
        }
    }
}
