//! Finding the server's programs.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use super::error::PrivatePostgresError;
use super::user::RunAs;

/// A directory with `postgres`, `initdb` and `pg_ctl` of one version.
#[derive(Debug, Clone)]
pub(super) struct Binaries {
    directory: PathBuf,
    major: String,
}

impl Binaries {
    /// The first usable installation; with `cluster`, the first that fits the version that made it.
    pub(super) fn find(cluster: Option<&Path>, user: RunAs) -> Result<Self, PrivatePostgresError> {
        let installed: Vec<Self> =
            candidates().into_iter().filter_map(|path| Self::inspect(path, user)).collect();
        let Some(first) = installed.first() else { return Err(PrivatePostgresError::NoBinaries) };
        let needed = cluster
            .and_then(|path| std::fs::read_to_string(path.join("PG_VERSION")).ok())
            .map(|text| text.trim().to_owned());
        let Some(needed) = needed else { return Ok(first.clone()) };
        let found: BTreeSet<_> = installed.iter().map(|one| one.major.clone()).collect();
        installed.into_iter().find(|one| one.major == needed).ok_or_else(|| {
            PrivatePostgresError::WrongMajorVersion {
                path: cluster.unwrap_or(Path::new("")).to_owned(),
                needed,
                found: found.into_iter().collect::<Vec<_>>().join(", "),
            }
        })
    }

    /// The path of one program.
    pub(super) fn program(&self, name: &str) -> PathBuf {
        self.directory.join(name)
    }

    /// `None` where a program is missing or the user who has to run it can't.
    fn inspect(directory: PathBuf, user: RunAs) -> Option<Self> {
        if !["postgres", "initdb", "pg_ctl"].iter().all(|name| directory.join(name).is_file()) {
            return None;
        }
        let output = user
            .command(&directory.join("postgres"))
            .arg("--version")
            .current_dir("/")
            .output()
            .ok()?;
        let text = String::from_utf8(output.stdout).ok()?;
        Some(Self { directory, major: major_version(&text)? })
    }
}

/// `postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)` → `15`.
fn major_version(text: &str) -> Option<String> {
    let version =
        text.split_whitespace().find(|word| word.starts_with(|c: char| c.is_numeric()))?;
    let digits: String = version.chars().take_while(char::is_ascii_digit).collect();
    Some(digits)
}

/// Directories that may hold the programs, the best first.
fn candidates() -> Vec<PathBuf> {
    let mut found = Vec::new();
    let search = std::env::var_os("PATH").unwrap_or_default();
    for directory in std::env::split_paths(&search) {
        // A link in PATH stands alone; the other programs are where it points to.
        if let Ok(program) = directory.join("postgres").canonicalize() {
            found.extend(program.parent().map(Path::to_owned));
        }
    }
    if let Ok(output) = Command::new("pg_config").arg("--bindir").output() {
        found.push(PathBuf::from(String::from_utf8_lossy(&output.stdout).trim()));
    }
    found.extend(versions_under("/usr/lib/postgresql", "bin"));
    for prefix in ["/opt/homebrew/opt", "/usr/local/opt", "/home/linuxbrew/.linuxbrew/opt"] {
        found.extend(versions_under(prefix, "bin"));
    }
    found
}

/// `<parent>/<something with a version>/<child>`, the highest version first.
fn versions_under(parent: &str, child: &str) -> Vec<PathBuf> {
    let Ok(entries) = std::fs::read_dir(parent) else { return Vec::new() };
    let mut versions: Vec<(u32, PathBuf)> = entries
        .filter_map(Result::ok)
        .filter_map(|entry| {
            let name = entry.file_name().into_string().ok()?;
            let version = name.strip_prefix("postgresql").unwrap_or(&name).trim_start_matches('@');
            let number = if version.is_empty() { 0 } else { version.parse().ok()? };
            Some((number, entry.path().join(child)))
        })
        .collect();
    versions.sort_by_key(|(version, _)| std::cmp::Reverse(*version));
    versions.into_iter().map(|(_, path)| path).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_major_version_is_read_from_every_packager_s_wording() {
        let debian = "postgres (PostgreSQL) 15.18 (Debian 15.18-0+deb12u1)";
        assert_eq!(major_version(debian).as_deref(), Some("15"));
        assert_eq!(major_version("postgres (PostgreSQL) 18beta1").as_deref(), Some("18"));
        assert_eq!(major_version("not a server"), None);
    }
}
