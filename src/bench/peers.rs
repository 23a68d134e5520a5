//! What the ledger is compared with, in the same run on the same server: the mutable design by
//! pgbench, and the bare insert of the same rows.

use std::path::PathBuf;
use std::process::Stdio;
use std::time::{Duration, Instant};

use chrono::Utc;
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _};
use tokio::process::Command;

use super::{BenchError, Stage};

/// A balance per account and a log: what most gateways do for each request, twice.
const MUTABLE: &str = "
    CREATE TABLE balances (id int PRIMARY KEY, balance numeric NOT NULL) WITH (fillfactor = 70);
    CREATE TABLE charge_log (id bigserial PRIMARY KEY, account int, amount numeric, entry text,
        at timestamptz DEFAULT now());
    INSERT INTO balances SELECT i, 1000000 FROM generate_series(1, 10000) AS i;
    ANALYZE balances;";

/// Transactions per second of `UPDATE balance` and `INSERT log`, by `clients` on `accounts`.
///
/// # Errors
/// pgbench is not installed, or failed.
pub async fn mutable(
    options: &PgConnectOptions,
    password: &str,
    clients: u32,
    accounts: u32,
    seconds: u64,
) -> Result<u64, BenchError> {
    let mut connection = options.clone().disable_statement_logging().connect().await?;
    connection.execute("DROP TABLE IF EXISTS balances, charge_log").await?;
    connection.execute(MUTABLE).await?;
    connection.close().await?;
    let entry = "x".repeat(200);
    let script = format!(
        "\\set id random(1, {accounts})\nBEGIN;\n\
         UPDATE balances SET balance = balance - 0.0001 WHERE id = :id;\n\
         INSERT INTO charge_log (account, amount, entry) VALUES (:id, 0.0001, '{entry}');\nEND;\n"
    );
    let file = std::env::temp_dir().join(format!("tollgate-bench-{}.sql", std::process::id()));
    std::fs::write(&file, script).map_err(BenchError::new)?;
    let output = Command::new(pgbench()?)
        .args(["-n", "-M", "prepared", "-j", "2"])
        .args(["-c", &clients.to_string(), "-T", &seconds.to_string(), "-f"])
        .arg(&file)
        .env(
            "PGHOST",
            options.get_socket().map_or_else(
                || options.get_host().to_owned(),
                |socket| socket.display().to_string(),
            ),
        )
        .env("PGPORT", options.get_port().to_string())
        .env("PGUSER", options.get_username())
        .env("PGPASSWORD", password)
        .env("PGDATABASE", options.get_database().unwrap_or("postgres"))
        .stdin(Stdio::null())
        .output()
        .await
        .map_err(BenchError::new)?;
    // The file is in the system's own directory for such things; leaving it would do no harm.
    let _ = std::fs::remove_file(&file);
    let text = String::from_utf8_lossy(&output.stdout);
    text.lines()
        .find_map(|line| line.strip_prefix("tps = ")?.split('.').next()?.parse().ok())
        .ok_or_else(|| BenchError::new(String::from_utf8_lossy(&output.stderr)))
}

fn pgbench() -> Result<PathBuf, BenchError> {
    let on_path = std::env::var_os("PATH").into_iter().flat_map(|path| {
        std::env::split_paths(&path).map(|dir| dir.join("pgbench")).collect::<Vec<_>>()
    });
    let debian = std::fs::read_dir("/usr/lib/postgresql")
        .into_iter()
        .flatten()
        .flatten()
        .map(|version| version.path().join("bin/pgbench"));
    on_path.chain(debian).find(|path| path.is_file()).ok_or_else(|| {
        BenchError::new("pgbench was not found: install PostgreSQL's server package")
    })
}

/// Rows per second of the bare `INSERT … SELECT FROM unnest` of production events, `batch` rows a
/// statement, on one connection and without ledger, hashes or answers.
///
/// # Errors
/// The database refuses.
pub async fn raw_insert(
    stage: &Stage,
    options: &PgConnectOptions,
    batch: usize,
    time: Duration,
) -> Result<u64, BenchError> {
    let mut connection = options.clone().disable_statement_logging().connect().await?;
    connection.execute("DROP TABLE IF EXISTS raw_events").await?;
    connection
        .execute("CREATE TABLE raw_events (LIKE events INCLUDING DEFAULTS INCLUDING INDEXES)")
        .await?;
    let sample: Vec<(String, String, String)> = sqlx::query_as(
        "SELECT event_type, payload::text, metadata::text FROM events
         WHERE event_type IN ('FundsReserved', 'ReservationSettled')
         ORDER BY position DESC LIMIT $1",
    )
    .bind(batch as i64)
    .fetch_all(&stage.pool)
    .await?;
    let ids: Vec<String> = (0..sample.len())
        .map(|_| tollgate_domain::ids::AccountId::from_uuid(uuid::Uuid::now_v7()).to_string())
        .collect();
    let types: Vec<&str> = sample.iter().map(|(kind, ..)| kind.as_str()).collect();
    let payloads: Vec<&str> = sample.iter().map(|(_, payload, _)| payload.as_str()).collect();
    let metadata: Vec<&str> = sample.iter().map(|(.., metadata)| metadata.as_str()).collect();
    let (begun, mut rows) = (Instant::now(), 0_u64);
    while begun.elapsed() < time {
        let sequences: Vec<i64> = (0..sample.len() as i64).map(|at| rows as i64 + at + 1).collect();
        sqlx::query(
            "INSERT INTO raw_events (aggregate_type, aggregate_id, sequence, event_type,
                event_version, payload, metadata, position, recorded_at, hash)
             SELECT 'account', id, sequence, kind, '1', payload::json, metadata::json, sequence,
                at, hash
             FROM unnest($1::text[], $2::bigint[], $3::text[], $4::text[], $5::text[],
                $6::timestamptz[], $7::bytea[])
                AS e (id, sequence, kind, payload, metadata, at, hash)",
        )
        .bind(&ids)
        .bind(&sequences)
        .bind(&types)
        .bind(&payloads)
        .bind(&metadata)
        .bind(vec![Utc::now(); sample.len()])
        .bind(vec![&[7_u8; 32][..]; sample.len()])
        .execute(&mut connection)
        .await?;
        rows += sample.len() as u64;
    }
    let micros = (begun.elapsed().as_micros() as u64).max(1);
    connection.execute("DROP TABLE raw_events").await?;
    Ok(rows * 1_000_000 / micros)
}
