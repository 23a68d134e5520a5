//! `tollgate bench`: measures this machine.

use std::path::PathBuf;
use std::time::Duration;

use clap::{Args, Subcommand};

use super::CliError;
use crate::bench::{BenchError, Stage, gateway, ledger, load, percentiles};

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
        /// Writers of the ledger
        #[arg(long)]
        writers: Option<usize>,
    },
    /// The gateway as a process, with an instant upstream
    Gateway {
        /// Concurrent connections
        #[arg(long, default_value_t = 64)]
        connections: usize,
        /// Milliseconds that the upstream takes
        #[arg(long, default_value_t = 0)]
        latency_ms: u64,
        /// Streamed answers
        #[arg(long)]
        stream: bool,
        /// Seconds of measuring
        #[arg(long, default_value_t = 5)]
        seconds: u64,
    },
}

pub(super) async fn run(args: BenchArgs) -> Result<(), CliError> {
    if let What::Gateway { connections, latency_ms, stream, seconds } = args.what {
        let time = Duration::from_secs(seconds);
        return Ok(through(&args.data_dir, connections, latency_ms, stream, time).await?);
    }
    let postgres = Stage::postgres(&args.data_dir).await?;
    let outcome = match args.what {
        What::Ledger { clients, accounts, seconds, writers } => {
            commands(&postgres, clients, accounts, seconds, writers).await
        }
        What::Gateway { .. } => Ok(()),
    };
    postgres.stop().await.map_err(BenchError::new)?;
    Ok(outcome?)
}

async fn commands(
    postgres: &crate::database::private::PrivatePostgres,
    clients: usize,
    accounts: usize,
    seconds: u64,
    writers: Option<usize>,
) -> Result<(), BenchError> {
    let stage = Stage::with_writers(postgres, "bench_ledger", writers).await?;
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

async fn through(
    directory: &std::path::Path,
    connections: usize,
    latency_ms: u64,
    stream: bool,
    time: Duration,
) -> Result<(), BenchError> {
    let scene = gateway::Scene::open(directory, latency_ms, 16).await?;
    println!("resident memory at rest: {} MB", scene.resident_megabytes());
    scene.measure(connections, Duration::from_secs(1), stream).await?;
    let figures = scene.measure(connections, time, stream).await?;
    println!(
        "gateway, {connections} connections: {} requests/s, {}, first byte {}, {} failed; processor \
         time per request: gateway {} us, PostgreSQL {} us",
        figures.load.per_second,
        percentiles(&figures.load.whole),
        percentiles(&figures.load.first),
        figures.load.failed,
        figures.gateway_cpu,
        figures.postgres_cpu
    );
    let direct = load::run(&scene.direct(stream), connections, time, None).await?;
    println!(
        "direct: {} requests/s, {}, first byte {}",
        direct.per_second,
        percentiles(&direct.whole),
        percentiles(&direct.first)
    );
    scene.close().await
}
