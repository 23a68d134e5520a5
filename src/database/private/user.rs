//! Who runs PostgreSQL: it refuses root.

use std::fs::{self, Metadata, OpenOptions};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::{Doing, PrivatePostgresError};

/// The identity under which the server's programs run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum RunAs {
    /// We are not root: the programs run as we do.
    Ourselves { uid: u32 },
    /// We are root and step down to this user.
    Other { uid: u32, gid: u32 },
}

impl RunAs {
    /// Us, or, when we are root, `postgres` or `nobody`.
    pub(super) fn choose(our_uid: u32) -> Result<Self, PrivatePostgresError> {
        if our_uid != 0 {
            return Ok(Self::Ourselves { uid: our_uid });
        }
        let passwd = fs::read_to_string("/etc/passwd").unwrap_or_default();
        ["postgres", "nobody"]
            .iter()
            .find_map(|name| lookup(&passwd, name))
            .ok_or(PrivatePostgresError::NobodyToRunAs)
    }

    /// The owner of a cluster that exists already.
    pub(super) fn owner_of(path: &Path, our_uid: u32) -> Result<Self, PrivatePostgresError> {
        let metadata = fs::metadata(path).doing("inspecting", path)?;
        match (our_uid, metadata.uid()) {
            (0, 0) => Self::choose(0),
            (0, uid) => Ok(Self::Other { uid, gid: metadata.gid() }),
            (ours, owner) if ours == owner => Ok(Self::Ourselves { uid: ours }),
            (current, owner) => {
                Err(PrivatePostgresError::ForeignCluster { path: path.to_owned(), owner, current })
            }
        }
    }

    pub(super) fn uid(self) -> u32 {
        match self {
            Self::Ourselves { uid } | Self::Other { uid, .. } => uid,
        }
    }

    /// A command under this identity. PostgreSQL's own variables must not leak into it: a `PGPORT`
    /// or `PGDATA` of the caller's shell belongs to another server.
    pub(super) fn command(self, program: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("PG") {
                command.env_remove(name);
            }
        }
        if let Self::Other { uid, gid } = self {
            command.uid(uid).gid(gid);
        }
        command
    }

    /// Gives a path that we created to this user.
    pub(super) fn give(self, path: &Path) -> Result<(), PrivatePostgresError> {
        match self {
            Self::Ourselves { .. } => Ok(()),
            Self::Other { uid, gid } => std::os::unix::fs::chown(path, Some(uid), Some(gid))
                .doing("changing owner of", path),
        }
    }

    /// The first directory on the way to `path` that this user can't enter.
    pub(super) fn closed_ancestor(self, path: &Path) -> Option<PathBuf> {
        let Self::Other { uid, gid } = self else { return None };
        let mut ancestors: Vec<&Path> = path.ancestors().filter(|one| one.is_dir()).collect();
        ancestors.reverse();
        ancestors
            .into_iter()
            .find(|one| !fs::metadata(one).is_ok_and(|metadata| may_enter(&metadata, uid, gid)))
            .map(Path::to_owned)
    }
}

fn may_enter(metadata: &Metadata, uid: u32, gid: u32) -> bool {
    let bit = match () {
        () if metadata.uid() == uid => 0o100,
        () if metadata.gid() == gid => 0o010,
        () => 0o001,
    };
    metadata.mode() & bit != 0
}

fn lookup(passwd: &str, name: &str) -> Option<RunAs> {
    let fields: Vec<&str> =
        passwd.lines().map(|line| line.split(':').collect()).find(|f: &Vec<_>| f[0] == name)?;
    let number = |index: usize| fields.get(index)?.parse().ok();
    // An account with id 0 is root by another name, and PostgreSQL refuses it as well.
    Some(RunAs::Other { uid: number(2).filter(|uid| *uid != 0)?, gid: number(3)? })
}

/// The user id of this process: that of a file which it makes. The standard library has no other
/// way, and /proc exists on Linux only.
pub(super) fn current_uid(directory: &Path) -> io::Result<u32> {
    let probe = directory.join(format!(".owner-{}", uuid::Uuid::now_v7().simple()));
    let file = OpenOptions::new().write(true).create_new(true).open(&probe)?;
    let uid = file.metadata().map(|metadata| metadata.uid());
    fs::remove_file(&probe)?;
    uid
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_found_by_its_exact_name_and_never_root() {
        let passwd =
            "root:x:0:0::/root:/bin/sh\npostgres2:x:7:7::/:\npostgres:x:101:104:a,b:/var:/bin/sh\n";
        assert_eq!(lookup(passwd, "postgres"), Some(RunAs::Other { uid: 101, gid: 104 }));
        assert_eq!(lookup(passwd, "root"), None);
        assert_eq!(lookup(passwd, "nobody"), None);
    }
}
