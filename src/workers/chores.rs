//! What has to be done about people from time to time.

use std::time::Duration;

use sqlx::PgPool;
use tokio::time::{Instant, MissedTickBehavior};
use tokio_util::sync::CancellationToken;

use crate::identity::{People, alerts, invitations, links};

/// How often balances are compared with what their owners want to be told of.
const LOOK: Duration = Duration::from_secs(15);
/// How often what is of no use any more is removed.
const SWEEP: Duration = Duration::from_secs(60 * 60);

/// Until `stop`.
pub async fn do_chores(people: People, pool: PgPool, stop: CancellationToken) {
    let mut tick = tokio::time::interval(LOOK);
    tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut sweep_at = Instant::now();
    loop {
        tokio::select! {
            () = stop.cancelled() => return,
            _ = tick.tick() => {}
        }
        match alerts::tell(&pool).await {
            Ok(0) => {}
            Ok(_) => people.outbox.wake.notify_one(),
            Err(error) => tracing::warn!(%error, "low balances could not be told"),
        }
        if Instant::now() >= sweep_at {
            sweep_at = Instant::now() + SWEEP;
            if let Err(error) = sweep(&people, &pool).await {
                tracing::warn!(%error, "what is of no use any more was not removed");
            }
        }
    }
}

/// Removes sessions, links and mails of long ago, and gives up mails that have lost their point.
///
/// # Errors
/// The database's.
pub async fn sweep(people: &People, pool: &PgPool) -> Result<(), sqlx::Error> {
    people.sessions.sweep().await?;
    // Also where nobody sends them.
    people.outbox.give_up_pointless().await?;
    people.outbox.sweep().await?;
    links::sweep(pool).await?;
    invitations::sweep(pool).await
}
