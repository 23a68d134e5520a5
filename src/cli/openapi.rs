//! `tollgate openapi`

use std::path::PathBuf;

use clap::Args;

use super::CliError;

/// What to do with the document.
#[derive(Debug, Args)]
pub struct OpenapiArgs {
    /// Compare with this file instead of printing, and fail if they differ
    #[arg(long, value_name = "FILE")]
    check: Option<PathBuf>,
}

/// The document as it is committed.
pub fn text() -> Result<String, serde_json::Error> {
    Ok(format!("{}\n", serde_json::to_string_pretty(&crate::http::document())?))
}

pub(super) fn run(args: &OpenapiArgs) -> Result<(), CliError> {
    let document = text().map_err(CliError::Document)?;
    let Some(path) = &args.check else {
        print!("{document}");
        return Ok(());
    };
    let committed = std::fs::read_to_string(path)
        .map_err(|cause| CliError::Read { path: path.clone(), cause })?;
    match committed == document {
        true => Ok(()),
        false => Err(CliError::Drift(path.clone())),
    }
}
