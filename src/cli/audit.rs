//! `tollgate audit`

use clap::{Args, Subcommand};
use tollgate_projections::audit::{self, Options};

use super::CliError;
use super::books::Books;
use crate::operations::verification;

/// What to audit.
#[derive(Debug, Args)]
pub struct AuditArgs {
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Prove the log and every read model right, or name the place where they are not
    Verify {
        /// Print the report as JSON
        #[arg(long)]
        json: bool,
        /// Problems that are printed; all are counted
        #[arg(long, default_value_t = 100)]
        most_problems: usize,
    },
}

pub(super) async fn run(args: AuditArgs) -> Result<(), CliError> {
    let What::Verify { json, most_problems } = args.what;
    let books = Books::open().await?;
    let options = Options { most_problems, ..Options::default() };
    let verified = audit::verify(books.pool(), &options, |_| {}).await;
    if let Ok(report) = &verified
        && let Err(error) = verification::keep(books.pool(), None, "system:cli", report).await
    {
        // What was found is right all the same, and printed below.
        eprintln!("the result could not be kept in the database: {error}");
    }
    books.close().await?;
    let report = verified?;
    match json {
        true => println!("{}", serde_json::to_string_pretty(&report).map_err(CliError::Document)?),
        false => print!("{report}"),
    }
    match report.is_clean() {
        true => Ok(()),
        false => Err(CliError::NotRight(report.problem_count)),
    }
}
