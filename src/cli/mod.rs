//! Subcommands.
//!
//! To add one: a variant of [`Command`] with its arguments, an arm in [`Cli::dispatch`], and a
//! module beside this file that does the work.

mod admin;
mod audit;
mod bench;
mod books;
mod migrate;
pub mod openapi;
mod rebuild;
mod serve;

use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};

use crate::config::{ConfigErrors, LogConfig};
use crate::database::DatabaseError;
use crate::telemetry::{self, TelemetryError};

/// What the process is asked to do.
#[derive(Debug, Parser)]
#[command(name = "tollgate", version, about, propagate_version = true)]
pub struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Serve the gateway
    Serve(serve::ServeArgs),
    /// Serve only the sandbox upstream
    Sandbox(serve::SandboxArgs),
    /// Bring the database's schema up to date
    Migrate,
    /// Do what an operator does, without a server
    Admin(admin::AdminArgs),
    /// Prove the books right
    Audit(audit::AuditArgs),
    /// Fold the read models again beside the live ones, and switch
    Rebuild(rebuild::RebuildArgs),
    /// Print the API's OpenAPI document
    Openapi(openapi::OpenapiArgs),
    /// Measure this machine
    Bench(bench::BenchArgs),
}

/// Why a command failed.
#[derive(Debug, thiserror::Error)]
pub enum CliError {
    /// The environment has to be corrected.
    #[error(transparent)]
    Config(#[from] ConfigErrors),
    /// The log could not be set up.
    #[error(transparent)]
    Telemetry(#[from] TelemetryError),
    /// The database can't be used.
    #[error(transparent)]
    Database(#[from] DatabaseError),
    /// Serving did not begin.
    #[error(transparent)]
    Serve(#[from] crate::serve::ServeError),
    /// Nothing was done.
    #[error(transparent)]
    Admin(#[from] admin::AdminError),
    /// The read models could not be read or made.
    #[error(transparent)]
    Projections(#[from] tollgate_projections::ProjectionError),
    /// The audit has found something.
    #[error("the audit has found {0} problems")]
    NotRight(u64),
    /// The rebuilt read models differ from the live ones.
    #[error("the rebuilt copy differs from the live one, which was left as it is")]
    NotSwitched,
    /// A document can't be written.
    #[error("the document can't be written: {0}")]
    Document(serde_json::Error),
    /// A file can't be read.
    #[error("{path} can't be read: {cause}")]
    Read {
        /// Which.
        path: PathBuf,
        /// The system's reason.
        cause: std::io::Error,
    },
    /// The committed document is not what the code says.
    #[error("{0} is out of date; run `tollgate openapi > openapi/openapi.json`")]
    Drift(PathBuf),
    /// A bench could not go on.
    #[error(transparent)]
    Bench(#[from] crate::bench::BenchError),
    /// The operating system refuses.
    #[error("the operating system refuses: {0}")]
    Runtime(std::io::Error),
}

impl Cli {
    /// Runs the command to its end. An error is printed for people, and the exit status is 1.
    pub fn run(self) -> ExitCode {
        match self.start() {
            Ok(()) => ExitCode::SUCCESS,
            Err(error) => {
                eprintln!("tollgate: {error}");
                ExitCode::FAILURE
            }
        }
    }

    fn start(self) -> Result<(), CliError> {
        telemetry::init(&LogConfig::from_env()?)?;
        tokio::runtime::Builder::new_multi_thread()
            .enable_all()
            .build()
            .map_err(CliError::Runtime)?
            .block_on(self.dispatch())
    }

    async fn dispatch(self) -> Result<(), CliError> {
        match self.command {
            Command::Serve(args) => serve::run(args).await,
            Command::Sandbox(args) => serve::sandbox(args).await,
            Command::Migrate => migrate::run().await,
            Command::Admin(args) => admin::run(args).await,
            Command::Audit(args) => audit::run(args).await,
            Command::Rebuild(args) => rebuild::run(args).await,
            Command::Openapi(args) => openapi::run(&args),
            Command::Bench(args) => bench::run(args).await,
        }
    }
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }
}
