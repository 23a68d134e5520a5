//! A recorded trace of real demand, replayed through the gateway, and the books looked at after.

use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use bytes::Bytes;
use chrono::NaiveDateTime;
use serde_json::json;
use serde_json::value::RawValue;
use sqlx::Row as _;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tollgate_domain::account::AccountEvent;
use tollgate_domain::decimal::ListCost;
use tollgate_domain::pricing::Sale;
use tollgate_projections::audit;

use super::gateway::Scene;
use super::{BenchError, Stage};
use crate::members::Members;

/// Models that the rows are spread over.
const MODELS: [&str; 4] = [
    "openai/gpt-4o-mini",
    "anthropic/claude-haiku-4.5",
    "google/gemini-2.5-flash",
    "deepseek/deepseek-chat-v3.1",
];
/// Requests that may be open at once.
const MOST_OPEN: usize = 1_024;

/// One request of the trace.
#[derive(Debug, Clone, Copy)]
struct Row {
    after: Duration,
    prompt: u64,
    output: u64,
}

/// What a replay led to.
#[derive(Debug, Default)]
pub struct Replay {
    /// Requests sent.
    pub requests: u64,
    /// Answers that were no success, or broke.
    pub failed: u64,
    /// The sum of `usage.cost` that the clients were told.
    pub told: rust_decimal::Decimal,
    /// The sum of all charges in the log.
    pub charged: rust_decimal::Decimal,
    /// Charges that are not what their own event says they should be.
    pub wrong: u64,
    /// The audit's report.
    pub audit: String,
    /// Whether the audit found nothing.
    pub clean: bool,
    /// How long it took.
    pub took: Duration,
}

/// Reads `TIMESTAMP,ContextTokens,GeneratedTokens`.
fn read(file: &Path, speed: u32) -> Result<Vec<Row>, BenchError> {
    let text = std::fs::read_to_string(file).map_err(BenchError::new)?;
    let mut first = None;
    let rows = text.lines().skip(1).filter_map(|line| {
        let mut fields = line.split(',');
        let at = fields.next()?;
        let at = NaiveDateTime::parse_from_str(at, "%Y-%m-%d %H:%M:%S%.f").ok()?;
        let since = at - *first.get_or_insert(at);
        Some(Row {
            after: since.to_std().ok()? / speed.max(1),
            prompt: fields.next()?.trim().parse().ok()?,
            output: fields.next()?.trim().parse().ok()?,
        })
    });
    Ok(rows.collect())
}

/// Replays the trace `speed` times as fast as it was recorded, every second request streamed.
///
/// # Errors
/// The gateway does not start, or its books cannot be read.
pub async fn replay(directory: &Path, file: &Path, speed: u32) -> Result<Replay, BenchError> {
    let rows = read(file, speed)?;
    let directory = directory.join(format!("trace-{}", uuid::Uuid::now_v7().simple()));
    let scene = Scene::open(&directory, 0, 16).await?;
    let client = reqwest::Client::builder().no_proxy().build().map_err(BenchError::new)?;
    let (keys, url) = (scene.keys().to_vec(), scene.url("/v1/chat/completions"));
    let open = Arc::new(Semaphore::new(MOST_OPEN));
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for (at, row) in rows.into_iter().enumerate() {
        tokio::time::sleep_until((begun + row.after).into()).await;
        let place = open.clone().acquire_owned().await.map_err(BenchError::new)?;
        let (client, url, key) = (client.clone(), url.clone(), keys[at % keys.len()].clone());
        tasks.spawn(async move {
            let cost = send(&client, &url, &key, at, row).await;
            drop(place);
            cost
        });
    }
    let mut replay = Replay::default();
    while let Some(done) = tasks.join_next().await {
        replay.requests += 1;
        match done.map_err(BenchError::new)? {
            Some(cost) => replay.told += cost.decimal(),
            None => replay.failed += 1,
        }
    }
    replay.took = begun.elapsed();
    let data_dir = scene.close().await?;
    inspect(&data_dir, &mut replay).await?;
    std::fs::remove_dir_all(&directory).map_err(BenchError::new)?;
    Ok(replay)
}

/// What the client was told that it cost.
async fn send(
    client: &reqwest::Client,
    url: &str,
    key: &str,
    at: usize,
    row: Row,
) -> Option<ListCost> {
    let body = json!({
        "model": MODELS[at % MODELS.len()],
        "messages": [{ "role": "user", "content": "x".repeat((row.prompt as usize) * 2) }],
        "max_tokens": row.output.max(1),
        "stream": at % 2 == 1,
        "sandbox": { "tokens": [row.prompt, row.output] },
    });
    let answer = client.post(url).bearer_auth(key).json(&body).send().await.ok()?;
    let success = answer.status().is_success();
    let text: Bytes = answer.bytes().await.ok()?;
    let text = std::str::from_utf8(&text).ok().filter(|_| success)?;
    text.lines().filter_map(|line| cost(line.strip_prefix("data: ").unwrap_or(line))).next_back()
}

fn cost(json: &str) -> Option<ListCost> {
    let members = Members::read(json.trim()).ok()?;
    let usage = Members::read(members.get("usage")?).ok()?;
    ListCost::parse(usage.get("cost")?).ok()
}

/// Recomputes every charge from its event, and audits everything.
async fn inspect(data_dir: &Path, replay: &mut Replay) -> Result<(), BenchError> {
    let postgres = Stage::postgres(data_dir).await?;
    let pool = sqlx::postgres::PgPoolOptions::new()
        .max_connections(4)
        .connect_with(postgres.server_options())
        .await?;
    let rows =
        sqlx::query("SELECT payload::text FROM events WHERE event_type = 'ReservationSettled'")
            .fetch_all(&pool)
            .await?;
    for row in &rows {
        let event: Box<RawValue> = serde_json::from_str(row.get(0)).map_err(BenchError::new)?;
        let event: AccountEvent = serde_json::from_str(event.get()).map_err(BenchError::new)?;
        let AccountEvent::ReservationSettled(settled) = event else { continue };
        let again = Sale::of(settled.list_cost, settled.sale_ratio, settled.cost_rate);
        replay.charged += settled.charge.decimal();
        let same =
            again.is_ok_and(|sale| (sale.charge, sale.cost) == (settled.charge, settled.cost));
        replay.wrong += u64::from(!same);
    }
    let report =
        audit::verify(&pool, &audit::Options::default(), |_| {}).await.map_err(BenchError::new)?;
    replay.clean = report.is_clean();
    replay.audit = report.to_string();
    pool.close().await;
    postgres.stop().await.map_err(BenchError::new)
}
