//! All benches in one run, so that ratios compare like with like.

use std::path::Path;
use std::time::Duration;

use hdrhistogram::Histogram;
use tollgate_projections::bench as models;

use super::gateway::Scene;
use super::ledger::{self, LedgerFigures};
use super::report::Report;
use super::{BenchError, Stage, histogram, load, peers, percentiles, streams};
use crate::config::kept;
use crate::database::private::PrivatePostgres;

/// How much of everything.
#[derive(Debug, Clone, Copy)]
pub struct Scale {
    /// Seconds of each measure.
    pub time: Duration,
    /// Events for rebuild and audit.
    pub events: usize,
    /// Events that a full log has, for the comparison with an empty one.
    pub full_log: usize,
    /// Open streams for the measure of memory.
    pub open_streams: usize,
}

/// Runs everything and answers the report.
///
/// # Errors
/// A bench could not go on.
pub async fn run(directory: &Path, scale: Scale) -> Result<Report, BenchError> {
    let mut report = Report::default();
    let postgres = Stage::postgres(directory).await?;
    commands(&mut report, &postgres, directory, scale).await?;
    read_models(&mut report, &postgres, scale).await?;
    long_log(&mut report, &postgres, scale).await?;
    postgres.stop().await.map_err(BenchError::new)?;
    gateway(&mut report, directory, scale).await?;
    Ok(report)
}

fn ms(micros: u64) -> String {
    format!("{}.{:02} ms", micros / 1_000, micros % 1_000 / 10)
}

fn rate(figures: &LedgerFigures) -> String {
    format!("{}/s, {}", figures.per_second, percentiles(&figures.latency))
}

async fn commands(
    report: &mut Report,
    postgres: &PrivatePostgres,
    directory: &Path,
    scale: Scale,
) -> Result<(), BenchError> {
    let stage = Stage::open(postgres, "bench_ledger").await?;
    let many = ledger::open_accounts(&stage.ledger, 10_000).await?;
    let one = &many[..1];
    ledger::run(&stage, &many, 64, Duration::from_secs(4)).await?;
    let spread = ledger::run(&stage, &many, 64, scale.time).await?;
    let p99 = spread.latency.value_at_quantile(0.99);
    report.add(
        "durable ledger commands, 64 clients on 10,000 accounts",
        rate(&spread),
        "45,000/s, p99 4 ms",
        Some(spread.per_second >= 45_000 && p99 <= 4_000),
    );
    let wide = ledger::run(&stage, &many, 256, scale.time).await?;
    report.add(
        "the same with 256 clients",
        rate(&wide),
        "70,000/s",
        Some(wide.per_second >= 70_000),
    );
    let hot = ledger::run(&stage, one, 64, scale.time).await?;
    report.add(
        "the same on one hot account, 64 clients",
        rate(&hot),
        "no slower than spread",
        Some(hot.per_second >= spread.per_second),
    );
    let batch = usize::try_from(spread.events_per_batch).unwrap_or(64);
    let raw = peers::raw_insert(&stage, &stage.owner, batch, scale.time).await?;
    let share = spread.per_second * 100 / raw.max(1);
    report.add(
        format!("event store against the bare insert of the same rows ({batch} a statement)"),
        format!("{share} % of {raw} rows/s"),
        "60 %",
        Some(share >= 60),
    );
    let password = kept::find(directory, "postgres-owner-password").map_err(BenchError::new)?;
    let password = password.unwrap_or_default();
    let seconds = scale.time.as_secs();
    let spread_peer = peers::mutable(&stage.owner, &password, 64, 10_000, seconds).await?;
    let hot_peer = peers::mutable(&stage.owner, &password, 64, 1, seconds).await?;
    for (name, ours, theirs, bound, least) in [
        ("spread", spread.per_second, spread_peer, 35, "3.5 times"),
        ("hot", hot.per_second, hot_peer, 200, "20 times"),
    ] {
        let tenths = ours * 10 / theirs.max(1);
        report.add(
            format!("against UPDATE balance + INSERT log (pgbench, 64 clients), {name}"),
            format!("{}.{} times ({theirs}/s)", tenths / 10, tenths % 10),
            least,
            Some(tenths >= bound),
        );
    }
    stage.close(postgres).await
}

async fn read_models(
    report: &mut Report,
    postgres: &PrivatePostgres,
    scale: Scale,
) -> Result<(), BenchError> {
    let stage = Stage::open(postgres, "bench_models").await?;
    let load = models::Load {
        events: scale.events,
        accounts: 1_000,
        open: 64,
        start_seconds: 1_790_000_000,
    };
    models::generate(&stage.pool, load).await.map_err(BenchError::new)?;
    let caught_up = models::catch_up(&stage.pool).await.map_err(BenchError::new)?;
    report.add(
        "projections, all read models together",
        format!("{} events/s", caught_up.per_second()),
        "40,000/s",
        Some(caught_up.per_second() >= 40_000),
    );
    let (rebuilt, _) = models::rebuild(&stage.pool).await.map_err(BenchError::new)?;
    report.add(
        format!("rebuild of all read models from {} events", rebuilt.events),
        format!("{} ms", rebuilt.took.as_millis()),
        "25 s (for 1,000,000)",
        Some(rebuilt.took <= Duration::from_secs(25)),
    );
    let (verified, found) = models::verify(&stage.pool).await.map_err(BenchError::new)?;
    report.add(
        format!("audit of {} events", verified.events),
        format!(
            "{} ms, {}",
            verified.took.as_millis(),
            if found.is_clean() { "clean" } else { "NOT CLEAN" }
        ),
        "10 s (for 1,000,000)",
        Some(verified.took <= Duration::from_secs(10) && found.is_clean()),
    );
    stage.close(postgres).await
}

/// The latency of a command must not grow with the log. Measured in turns, on one server: what
/// else the machine does meanwhile meets both.
async fn long_log(
    report: &mut Report,
    postgres: &PrivatePostgres,
    scale: Scale,
) -> Result<(), BenchError> {
    const TURNS: u32 = 4;
    let mut logs = Vec::new();
    for (name, events) in [("bench_short_log", 5_000), ("bench_long_log", scale.full_log)] {
        let stage = Stage::open(postgres, name).await?;
        let load = models::Load { events, accounts: 1_000, open: 64, start_seconds: 1_790_000_000 };
        models::generate(&stage.pool, load).await.map_err(BenchError::new)?;
        logs.push((stage, histogram()));
    }
    Stage::checkpoint(postgres).await?;
    let mut accounts = Vec::new();
    for (stage, _) in &logs {
        // The engine has cached nothing of what was just written beside it.
        let opened = ledger::open_accounts(&stage.ledger, 1_000).await?;
        ledger::run(stage, &opened, 16, Duration::from_secs(2)).await?;
        accounts.push(opened);
    }
    for _ in 0..TURNS {
        for ((stage, latency), accounts) in logs.iter_mut().zip(&accounts) {
            let figures = ledger::run(stage, accounts, 16, scale.time / TURNS).await?;
            latency.add(figures.latency).map_err(BenchError::new)?;
        }
    }
    let mut medians = Vec::new();
    for (stage, latency) in logs {
        medians.push(latency.value_at_quantile(0.5));
        stage.close(postgres).await?;
    }
    let hundredths = medians[1] * 100 / medians[0].max(1);
    report.add(
        format!("command latency p50 with {} stored events / with 5,000", scale.full_log),
        format!(
            "{}.{:02} ({} / {})",
            hundredths / 100,
            hundredths % 100,
            ms(medians[1]),
            ms(medians[0])
        ),
        "1.15 at most",
        Some(hundredths <= 115),
    );
    Ok(())
}

async fn gateway(report: &mut Report, directory: &Path, scale: Scale) -> Result<(), BenchError> {
    let scene = Scene::open(directory, 0, 16).await?;
    let idle = scene.resident_megabytes();
    // Until PostgreSQL's processes have touched all of their shared memory.
    scene.measure(64, Duration::from_secs(10), false).await?;
    let figures = scene.measure(64, scale.time, false).await?;
    let (ours, postgres) = (figures.gateway_cpu, figures.postgres_cpu);
    report.add(
        "gateway, instant upstream, 64 connections, not streamed",
        format!(
            "{} requests/s, {}, {ours} us CPU in the gateway, {postgres} us in PostgreSQL, {} failed",
            figures.load.per_second,
            percentiles(&figures.load.whole),
            figures.load.failed
        ),
        "9,000/s, 90 us, 30 us",
        Some(
            figures.load.per_second >= 9_000
                && ours <= 90
                && postgres <= 30
                && figures.load.failed == 0,
        ),
    );
    lag(report, &scene, scale).await?;
    scene.discard().await?;

    let scene = Scene::open(directory, 50, 16).await?;
    let (through, direct) = by_turns(&scene, scale, false).await?;
    let (p50, p99) = (
        quantile_difference(&through.0, &direct.0, 0.5),
        quantile_difference(&through.0, &direct.0, 0.99),
    );
    report.add(
        "latency added, 50 ms upstream, 16 connections",
        format!("p50 {}, p99 {}", ms(p50), ms(p99)),
        "p50 0.8 ms, p99 4 ms at most",
        Some(p50 <= 800 && p99 <= 4_000),
    );
    let (through, direct) = by_turns(&scene, scale, true).await?;
    let added = quantile_difference(&through.1, &direct.1, 0.5);
    report.add(
        "time to first chunk added, streams, 50 ms upstream, 16 connections",
        format!("p50 {}", ms(added)),
        "1 ms at most",
        Some(added <= 1_000),
    );
    scene.discard().await?;
    memory(report, directory, idle, scale).await
}

/// Whole answers and first bytes.
type Latencies = (Histogram<u64>, Histogram<u64>);

/// Latencies through the gateway and straight to the upstream, taken in turns: what else the
/// machine does meanwhile meets both.
async fn by_turns(
    scene: &Scene,
    scale: Scale,
    stream: bool,
) -> Result<(Latencies, Latencies), BenchError> {
    const TURNS: u32 = 4;
    let mut through = (histogram(), histogram());
    let mut direct = (histogram(), histogram());
    for _ in 0..TURNS {
        let ours = scene.measure(16, scale.time / TURNS, stream).await?.load;
        let theirs = load::run(&scene.direct(stream), 16, scale.time / TURNS, None).await?;
        for (sum, figures) in [(&mut through, ours), (&mut direct, theirs)] {
            sum.0.add(figures.whole).map_err(BenchError::new)?;
            sum.1.add(figures.first).map_err(BenchError::new)?;
        }
    }
    Ok((through, direct))
}

fn quantile_difference(through: &Histogram<u64>, direct: &Histogram<u64>, quantile: f64) -> u64 {
    through.value_at_quantile(quantile).saturating_sub(direct.value_at_quantile(quantile))
}

/// The age of what the read models show, while requests come at a steady rate.
async fn lag(report: &mut Report, scene: &Scene, scale: Scale) -> Result<(), BenchError> {
    let (figures, lags) = scene.steady(5_000, scale.time.max(Duration::from_secs(5))).await?;
    let p99 = lags.value_at_quantile(0.99);
    report.add(
        format!("projection lag at {} requests/s", figures.per_second),
        format!("p50 {}, p99 {}", ms(lags.value_at_quantile(0.5)), ms(p99)),
        "p99 250 ms at most",
        Some(p99 <= 250_000),
    );
    Ok(())
}

async fn memory(
    report: &mut Report,
    directory: &Path,
    idle: u64,
    scale: Scale,
) -> Result<(), BenchError> {
    let busy = streams::resident_with_open_streams(directory, scale.open_streams).await?;
    report.add(
        format!("resident memory idle / with {} open streams", scale.open_streams),
        format!("{idle} MB / {busy} MB"),
        "120 MB / 400 MB at most",
        Some(idle <= 120 && busy <= 400),
    );
    Ok(())
}
