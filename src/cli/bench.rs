//! `tollgate bench`: measures this machine.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::CliError;
use crate::bench::{BenchError, Stage, ledger, percentiles};

/// What to measure.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Where the bench's own PostgreSQL keeps its data
    #[arg(long, default_value = "target/bench", global = true)]
    data_dir: PathBuf,
    #[command(subcommand)]
    what: What,
}

#[derive(Debug, Subcommand)]
enum What {
    /// Durable ledger commands
    Ledger {
        /// Concurrent clients
        #[arg(long, default_value_t = 64)]
        clients: usize,
        /// Accounts that they use; 1 is one hot account
        #[arg(long, default_value_t = 10_000)]
        accounts: usize,
        /// Seconds of measuring
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
}

pub(super) async fn run(args: BenchArgs) -> Result<(), CliError> {
    let postgres = Stage::postgres(&args.data_dir).await?;
    let outcome = match args.what {
        What::Ledger { clients, accounts, seconds } => {
            commands(&postgres, clients, accounts, seconds).await
        }
    };
    postgres.stop().await.map_err(BenchError::new)?;
    Ok(outcome?)
}

async fn commands(
    postgres: &crate::database::private::PrivatePostgres,
    clients: usize,
    accounts: usize,
    seconds: u64,
) -> Result<(), BenchError> {
    let stage = Stage::open(postgres, "bench_ledger").await?;
    let funded = ledger::open_accounts(&stage.ledger, accounts).await?;
    ledger::run(&stage, &funded, clients, Duration::from_secs(1)).await?;
    let figures = ledger::run(&stage, &funded, clients, Duration::from_secs(seconds)).await?;
    println!(
        "{clients} clients on {accounts} accounts: {} commands/s, {}, {} events a statement",
        figures.per_second,
        percentiles(&figures.latency),
        figures.events_per_batch
    );
    stage.close(postgres).await
}
