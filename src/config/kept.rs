//! Values that are generated once and kept in the data directory, readable by their owner only.

use std::fs::{self, DirBuilder, OpenOptions, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use rand::TryRng;
use rand::rngs::SysRng;

/// Random bytes from the operating system, as URL-safe text without padding.
pub(crate) fn random_text(bytes: usize) -> io::Result<String> {
    let mut buffer = vec![0; bytes];
    SysRng.try_fill_bytes(&mut buffer).map_err(io::Error::other)?;
    Ok(URL_SAFE_NO_PAD.encode(buffer))
}

/// Creates the data directory if it isn't there, and makes its path absolute.
pub(crate) fn prepare_data_dir(data_dir: &Path) -> io::Result<PathBuf> {
    if !data_dir.exists() {
        fs::create_dir_all(data_dir)?;
        // Enterable, not readable: the private PostgreSQL may run as another user than we do, and
        // everything in the directory that is secret is closed by itself.
        fs::set_permissions(data_dir, Permissions::from_mode(0o711))?;
    }
    data_dir.canonicalize()
}

/// Reads `<data_dir>/secrets/<name>`, or fills it by `generate` first.
///
/// A value that is being written can't be read half: it is linked to its name when it is complete
/// and on the disk, and of two processes that generate at once both return what the first one
/// linked.
pub(crate) fn keep(
    data_dir: &Path,
    name: &str,
    generate: impl FnOnce() -> io::Result<String>,
) -> io::Result<String> {
    let path = kept_path(data_dir, name);
    match fs::read_to_string(&path) {
        Ok(text) => return Ok(text.trim().to_owned()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    let (draft, directory) = draft(data_dir, name, &generate()?)?;
    let linked = fs::hard_link(&draft, &path);
    fs::remove_file(&draft)?;
    match linked {
        Ok(()) => fs::File::open(&directory)?.sync_all()?,
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => return Err(error),
    }
    Ok(fs::read_to_string(&path)?.trim().to_owned())
}

/// Where [`keep`] stores the value called `name`.
pub(crate) fn kept_path(data_dir: &Path, name: &str) -> PathBuf {
    data_dir.join("secrets").join(name)
}

/// Reads `<data_dir>/secrets/<name>`, if it is there.
pub(crate) fn find(data_dir: &Path, name: &str) -> io::Result<Option<String>> {
    match fs::read_to_string(kept_path(data_dir, name)) {
        Ok(text) => Ok(Some(text.trim().to_owned())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// Puts a value in the place of whatever `<data_dir>/secrets/<name>` holds: at every moment it is
/// the old one or the new one.
pub(crate) fn replace(data_dir: &Path, name: &str, value: &str) -> io::Result<()> {
    let (draft, directory) = draft(data_dir, name, value)?;
    fs::rename(&draft, kept_path(data_dir, name))?;
    fs::File::open(&directory)?.sync_all()
}

/// Forgets `<data_dir>/secrets/<name>`, if it is there.
pub(crate) fn remove(data_dir: &Path, name: &str) -> io::Result<()> {
    match fs::remove_file(kept_path(data_dir, name)) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        Ok(()) | Err(_) => Ok(()),
    }
}

/// The value in a file of its own, complete and on the disk; and the directory of both.
fn draft(data_dir: &Path, name: &str, value: &str) -> io::Result<(PathBuf, PathBuf)> {
    let directory = prepare_data_dir(data_dir)?.join("secrets");
    DirBuilder::new().recursive(true).mode(0o700).create(&directory)?;
    let draft = directory.join(format!(".{name}.{}", random_text(6)?));
    let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
    writeln!(file, "{value}")?;
    file.sync_all()?;
    Ok((draft, directory))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;
    use crate::test_directory::TestDirectory;

    #[test]
    fn a_kept_value_is_generated_once_and_readable_by_its_owner_only() {
        let directory = TestDirectory::new();
        let first = keep(directory.path(), "key", || random_text(32)).unwrap();
        let second = keep(directory.path(), "key", || panic!("generated twice")).unwrap();
        assert_eq!(first, second);
        assert_eq!(first.len(), 43);
        let mode = fs::metadata(kept_path(directory.path(), "key")).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let left = fs::read_dir(directory.path().join("secrets")).unwrap().count();
        assert_eq!(left, 1, "a draft was left behind");
    }
}
