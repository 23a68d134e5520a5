//! `tollgate rebuild`

use clap::Args;
use tollgate_projections::rebuild::{RebuildOptions, rebuild};

use super::CliError;
use super::books::Books;

/// What to rebuild.
#[derive(Debug, Args)]
pub struct RebuildArgs {
    /// Read models by name, as in account_balances; without a name all of them
    names: Vec<String>,
    /// Take the new copy although it differs from the live one
    #[arg(long)]
    despite_differences: bool,
}

pub(super) async fn run(args: RebuildArgs) -> Result<(), CliError> {
    let books = Books::open().await?;
    let names: Vec<&str> = args.names.iter().map(String::as_str).collect();
    let options = RebuildOptions {
        switch_despite_differences: args.despite_differences,
        ..RebuildOptions::default()
    };
    let rebuilt = rebuild(books.pool(), &names, options, |_| {}).await;
    books.close().await?;
    let report = rebuilt?;
    print!("{report}");
    match report.switched {
        true => Ok(()),
        false => Err(CliError::NotSwitched),
    }
}
