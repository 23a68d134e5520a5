//! Throws away what nobody needs any more.

use std::sync::Arc;
use std::time::Duration;

use sqlx::PgPool;
use tokio_util::sync::CancellationToken;

use crate::proxy::Gateway;

/// How often it looks.
const EVERY: Duration = Duration::from_secs(60);
/// Rows of one statement at most, so that none is long.
const MOST_ROWS: i64 = 20_000;

/// Once a minute, until `stop`.
pub async fn tidy_up(gateway: Arc<Gateway>, pool: PgPool, stop: CancellationToken) {
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            () = tokio::time::sleep(EVERY) => {}
        }
        if let Err(error) = tidy_up_once(&pool, gateway.lifetime() * 2).await {
            tracing::debug!(%error, "old notes are thrown away later");
        }
    }
}

/// Handles of requests that have ended long ago, except those whose bill is still asked for, and
/// nodes that have not been seen for a day.
async fn tidy_up_once(pool: &PgPool, older_than: Duration) -> Result<(), sqlx::Error> {
    sqlx::query(
        "DELETE FROM generations WHERE reservation_id IN (
             SELECT g.reservation_id FROM generations g
             WHERE g.recorded_at < now() - make_interval(secs => $1::bigint)
               AND NOT EXISTS (SELECT FROM read.awaited_bills a
                               WHERE a.reservation_id = g.reservation_id
                                 AND a.ended_at > now() - interval '25 hours')
             ORDER BY g.recorded_at LIMIT $2)",
    )
    .bind(i64::try_from(older_than.as_secs()).unwrap_or(i64::MAX))
    .bind(MOST_ROWS)
    .execute(pool)
    .await?;
    sqlx::query("DELETE FROM nodes WHERE seen_at < now() - interval '1 day'").execute(pool).await?;
    Ok(())
}
