//! Replacing the key under which secrets are sealed.

use clap::Args;
use serde::Serialize;

use super::AdminError;
use super::output::Output;
use super::shell::Shell;
use crate::config::{DatabaseConfig, EncryptionKey, kept, sections};
use crate::identity::{Sealer, UpstreamKeys};
use crate::operations::rotation::{self, RotationError};

/// How.
#[derive(Debug, Args)]
pub(super) struct Rotate {
    /// In a private run: make a new key first, and forget the old one afterwards
    #[arg(long)]
    generate: bool,
}

#[derive(Serialize)]
struct Rotated {
    key: String,
    secrets: usize,
    resealed: usize,
}

pub(super) async fn rotate(shell: &Shell, args: Rotate) -> Result<Output, AdminError> {
    let private = match &shell.config.database {
        DatabaseConfig::Private { data_dir } => Some(data_dir),
        DatabaseConfig::Server { .. } => None,
    };
    let gone = shell.config.recovery.gone;
    let (keys, private) = match (private, args.generate) {
        (Some(data_dir), true) => (next_key(shell, data_dir).await?, Some(data_dir)),
        (None, true) => {
            let problem = "there are other nodes: make a key with `openssl rand -base64 32`, start \
                           them with it as ENCRYPTION_KEY and the old one as \
                           ENCRYPTION_KEY_PREVIOUS, and come again";
            return Err(AdminError::Argument { name: "--generate", problem: problem.to_owned() });
        }
        (private, false) => (shell.upstream_keys.clone(), private),
    };
    let done = rotation::rotate(shell.pool(), &keys, gone).await?;
    if let Some(data_dir) = private {
        kept::remove(data_dir, sections::PREVIOUS_ENCRYPTION_KEY).map_err(RotationError::from)?;
    }
    let key = keys.sealer().name().to_string();
    let mut lines = vec![format!(
        "{} of {} secrets were sealed again; all are under key {key} now",
        done.changed, done.all
    )];
    if private.is_none() {
        lines.push("start the nodes again without ENCRYPTION_KEY_PREVIOUS".to_owned());
    }
    Ok(Output::new(lines, &Rotated { key, secrets: done.all, resealed: done.changed })?)
}

/// Keeps a new key, and the old one beside it until everything is sealed again: so a stop at any
/// moment leaves both. One that was interrupted is continued.
async fn next_key(shell: &Shell, data_dir: &std::path::Path) -> Result<UpstreamKeys, AdminError> {
    // A server that runs here knows the old key only.
    let nobody = "a key that is not made yet";
    let running = rotation::nodes_without(shell.pool(), nobody, shell.config.recovery.gone).await?;
    if !running.is_empty() {
        return Err(RotationError::Nodes(running).into());
    }
    if shell.config.encryption_key_previous.is_some() {
        return Ok(shell.upstream_keys.clone());
    }
    let keep = || -> std::io::Result<Option<EncryptionKey>> {
        let Some(old) = kept::find(data_dir, sections::ENCRYPTION_KEY)? else { return Ok(None) };
        let new = sections::generate_encryption_key()?;
        kept::replace(data_dir, sections::PREVIOUS_ENCRYPTION_KEY, &old)?;
        kept::replace(data_dir, sections::ENCRYPTION_KEY, &new)?;
        Ok(EncryptionKey::parse(&new))
    };
    match keep().map_err(RotationError::from)? {
        Some(new) => {
            let sealer = Sealer::new(&new).opening_also(Some(&shell.config.encryption_key));
            Ok(UpstreamKeys::new(shell.pool().clone(), sealer))
        }
        None => {
            let problem = "the key comes from ENCRYPTION_KEY: replace it there, name the old one \
                           in ENCRYPTION_KEY_PREVIOUS, and come again without --generate";
            Err(AdminError::Argument { name: "--generate", problem: problem.to_owned() })
        }
    }
}
