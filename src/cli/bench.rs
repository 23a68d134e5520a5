//! `tollgate bench`: measures this machine.

use std::path::{Path, PathBuf};
use std::time::Duration;

use clap::{Args, Subcommand};

use super::CliError;
use crate::bench::{BenchError, Stage, gateway, ledger, load, percentiles, suite, trace};

/// What to measure.
#[derive(Debug, Args)]
pub struct BenchArgs {
    /// Where the bench's own PostgreSQL keeps its data
    #[arg(long, default_value = "target/bench", global = true)]
    data_dir: PathBuf,
    /// Absent: everything, with a report in `<data dir>/report.md`
    #[command(subcommand)]
    what: Option<What>,
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
    /// A recorded trace (TIMESTAMP,ContextTokens,GeneratedTokens) through the gateway
    Trace {
        /// The CSV file
        #[arg(long)]
        file: PathBuf,
        /// So many times as fast as it was recorded
        #[arg(long, default_value_t = 20)]
        speed: u32,
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
    let directory = &args.data_dir;
    match args.what {
        None => everything(directory).await?,
        Some(What::Ledger { clients, accounts, seconds, writers }) => {
            let postgres = Stage::postgres(directory).await?;
            commands(&postgres, clients, accounts, seconds, writers).await?;
            postgres.stop().await.map_err(BenchError::new)?;
        }
        Some(What::Gateway { connections, latency_ms, stream, seconds }) => {
            let time = Duration::from_secs(seconds);
            through(directory, connections, latency_ms, stream, time).await?;
        }
        Some(What::Trace { file, speed }) => replayed(directory, &file, speed).await?,
    }
    Ok(())
}

async fn everything(directory: &Path) -> Result<(), BenchError> {
    let scale = suite::Scale {
        time: Duration::from_secs(5),
        events: 1_000_000,
        full_log: 5_000_000,
        open_streams: 2_000,
    };
    let report = suite::run(directory, scale).await?.markdown();
    let file = directory.join("report.md");
    std::fs::write(&file, &report).map_err(BenchError::new)?;
    println!("\n{report}\nkept in {}", file.display());
    Ok(())
}

async fn replayed(directory: &Path, file: &Path, speed: u32) -> Result<(), BenchError> {
    let replay = trace::replay(directory, file, speed).await?;
    println!("{}", replay.audit);
    println!(
        "{} requests in {} s at {speed} times the recorded speed, {} failed; clients were told {}, \
         charged {}, {} charges differ from their event; the audit is {}",
        replay.requests,
        replay.took.as_secs(),
        replay.failed,
        replay.told.normalize(),
        replay.charged.normalize(),
        replay.wrong,
        if replay.clean { "clean" } else { "NOT clean" }
    );
    match replay.clean && replay.wrong == 0 && replay.told == replay.charged {
        true => Ok(()),
        false => Err(BenchError::new("the books do not balance")),
    }
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
    directory: &Path,
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
    scene.discard().await
}
