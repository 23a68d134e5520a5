//! Proving the books right, and keeping what was found.

use std::sync::Arc;
use std::time::Duration;

use chrono::{DateTime, Utc};
use parking_lot::Mutex;
use serde_json::Value;
use sqlx::types::Json;
use sqlx::{FromRow, PgPool};
use tokio_util::sync::CancellationToken;
use tollgate_projections::audit::{self, Options, Report, Stage};

/// How often a verification says how far it is.
const TICK: Duration = Duration::from_secs(1);
/// A verification that said nothing for so long has stopped with its process.
const GONE: &str = "30 seconds";

/// A verification, as it is kept.
#[derive(Debug, Clone, FromRow)]
pub struct Verification {
    /// Its number.
    pub verification: i64,
    /// `running`, `right`, `wrong` or `failed`.
    pub state: String,
    /// When it began.
    pub started_at: DateTime<Utc>,
    /// When it ended.
    pub ended_at: Option<DateTime<Utc>>,
    /// Who began it: a user's id, or `system:cli`.
    pub started_by: String,
    /// The last event that was read.
    pub position: i64,
    /// The last event that is to be read.
    pub head: i64,
    /// `events`, or the read model that is compared.
    pub stage: String,
    /// What was found.
    pub report: Option<Json<Value>>,
}

const VERIFICATION: &str = "SELECT verification, state, started_at, ended_at, started_by, \
    position, head, stage, report FROM verifications";

/// The verification that runs, and the last one that was carried out.
///
/// # Errors
/// The database's.
pub async fn newest(
    pool: &PgPool,
) -> Result<(Option<Verification>, Option<Verification>), sqlx::Error> {
    end_abandoned(pool).await?;
    let running = format!("{VERIFICATION} WHERE state = 'running'");
    let running = sqlx::query_as(&running).fetch_optional(pool).await?;
    let last = format!(
        "{VERIFICATION} WHERE state IN ('right', 'wrong') ORDER BY verification DESC LIMIT 1"
    );
    Ok((running, sqlx::query_as(&last).fetch_optional(pool).await?))
}

async fn end_abandoned(pool: &PgPool) -> Result<(), sqlx::Error> {
    let ended = format!(
        "UPDATE verifications SET state = 'failed', ended_at = now()
         WHERE state = 'running' AND seen_at < now() - interval '{GONE}'"
    );
    sqlx::query(&ended).execute(pool).await?;
    Ok(())
}

/// Begins one; none: another one runs.
///
/// # Errors
/// The database's.
pub async fn begin(pool: &PgPool, by: &str) -> Result<Option<Verification>, sqlx::Error> {
    end_abandoned(pool).await?;
    sqlx::query_as(
        "INSERT INTO verifications (state, started_by, head)
         SELECT 'running', $1, position FROM ledger_head
         ON CONFLICT (state) WHERE state = 'running' DO NOTHING
         RETURNING verification, state, started_at, ended_at, started_by, position, head, stage,
             report",
    )
    .bind(by)
    .fetch_optional(pool)
    .await
}

/// Carries out what was begun and keeps what it finds. Its one thread leaves the others to those
/// who are served.
pub async fn carry_out(pool: PgPool, verification: i64, stop: CancellationToken) {
    let reached = Arc::new(Mutex::new(Stage::Events { position: 0, head: 0 }));
    let tell = Arc::clone(&reached);
    let options = Options { workers: 1, ..Options::default() };
    let verified = audit::verify(&pool, &options, move |stage| *tell.lock() = stage);
    tokio::pin!(verified);
    let mut tick = tokio::time::interval(TICK);
    let ended = loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break None,
            report = &mut verified => break Some(report),
            _ = tick.tick() => {
                let stage = *reached.lock();
                if let Err(error) = advance(&pool, verification, stage).await {
                    tracing::warn!(%error, verification, "its progress could not be written");
                }
            }
        }
    };
    let kept = match &ended {
        Some(Ok(report)) => keep(&pool, Some(verification), "", report).await,
        Some(Err(error)) => {
            tracing::error!(%error, verification, "the verification could not be carried out");
            fail(&pool, verification).await
        }
        None => fail(&pool, verification).await,
    };
    if let Err(error) = kept {
        tracing::warn!(%error, verification, "the result of the verification could not be kept");
    }
}

async fn advance(pool: &PgPool, verification: i64, stage: Stage) -> Result<(), sqlx::Error> {
    let (name, position) = match stage {
        Stage::Events { position, .. } => ("events", Some(position)),
        Stage::ReadModel(name) => (name, None),
    };
    sqlx::query(
        "UPDATE verifications SET seen_at = now(), stage = $2,
             position = COALESCE(greatest(position, $3), head)
         WHERE verification = $1 AND state = 'running'",
    )
    .bind(verification)
    .bind(name)
    .bind(position)
    .execute(pool)
    .await?;
    Ok(())
}

async fn fail(pool: &PgPool, verification: i64) -> Result<(), sqlx::Error> {
    sqlx::query(
        "UPDATE verifications SET state = 'failed', ended_at = now() WHERE verification = $1",
    )
    .bind(verification)
    .execute(pool)
    .await?;
    Ok(())
}

/// Keeps a report: of a verification that was begun, or as a new one of somebody else.
///
/// # Errors
/// The database's.
pub async fn keep(
    pool: &PgPool,
    verification: Option<i64>,
    by: &str,
    report: &Report,
) -> Result<(), sqlx::Error> {
    let state = if report.is_clean() { "right" } else { "wrong" };
    let statement = match verification {
        Some(_) => {
            "UPDATE verifications SET state = $2, ended_at = now(), seen_at = now(),
                 position = $3, head = $3, report = $4
             WHERE verification = $1 AND $5 IS NOT NULL"
        }
        None => {
            "INSERT INTO verifications (state, ended_at, position, head, report, started_by)
             SELECT $2, now(), $3, $3, $4, $5 WHERE $1::bigint IS NULL"
        }
    };
    sqlx::query(statement)
        .bind(verification)
        .bind(state)
        .bind(report.head)
        .bind(Json(report))
        .bind(by)
        .execute(pool)
        .await?;
    sqlx::query(
        "DELETE FROM verifications WHERE verification <=
             (SELECT max(verification) - 100 FROM verifications)",
    )
    .execute(pool)
    .await?;
    Ok(())
}
