//! How far the read models are, and waiting until they are far enough.

use std::time::Duration;

use serde::Serialize;
use sqlx::PgPool;
use tokio::sync::watch;
use tokio::time::Instant;

/// How often a reader looks at the checkpoint itself, when no runner of this process moves it.
const LOOK: Duration = Duration::from_millis(50);

/// The position that all read models have reached.
const APPLIED: &str =
    "SELECT COALESCE(min(position), 0) FROM projection_checkpoints WHERE copy = 'live'";

/// The read models did not get there in time.
#[derive(Debug, thiserror::Error)]
pub enum NotYet {
    /// They are here; the caller may ask again.
    #[error("the read models stand at position {applied}, {wanted} was asked for")]
    Behind {
        /// Where they are.
        applied: i64,
        /// What was asked for.
        wanted: i64,
    },
    /// The checkpoint could not be read.
    #[error("database: {0}")]
    Database(#[from] sqlx::Error),
}

/// A reader's view of the runner; cheap to clone.
#[derive(Debug, Clone)]
pub struct Progress {
    pool: PgPool,
    applied: watch::Receiver<i64>,
}

impl Progress {
    pub(crate) const fn new(pool: PgPool, applied: watch::Receiver<i64>) -> Self {
        Self { pool, applied }
    }

    /// The position that this process's runner has applied in every read model.
    #[must_use]
    pub fn applied(&self) -> i64 {
        *self.applied.borrow()
    }

    /// The same, to be watched.
    #[must_use]
    pub fn watch(&self) -> watch::Receiver<i64> {
        self.applied.clone()
    }

    /// Waits until every read model shows at least `position`, whoever applies it: the runner of
    /// this process wakes the waiter, that of another one is noticed by polling.
    ///
    /// # Errors
    /// [`NotYet::Behind`] after `timeout`, or the database's.
    pub async fn wait_for(&self, position: i64, timeout: Duration) -> Result<i64, NotYet> {
        let deadline = Instant::now() + timeout;
        let mut watched = self.applied.clone();
        let mut runs_here = true;
        loop {
            let here = *watched.borrow_and_update();
            if here >= position {
                return Ok(here);
            }
            let look = (Instant::now() + LOOK).min(deadline);
            tokio::select! {
                moved = watched.changed(), if runs_here => {
                    runs_here = moved.is_ok();
                    continue;
                }
                () = tokio::time::sleep_until(look) => {}
            }
            let applied = self.load_applied().await?;
            if applied >= position {
                return Ok(applied);
            }
            if Instant::now() >= deadline {
                return Err(NotYet::Behind { applied, wanted: position });
            }
        }
    }

    async fn load_applied(&self) -> Result<i64, sqlx::Error> {
        sqlx::query_scalar(APPLIED).fetch_one(&self.pool).await
    }

    /// How far the read models are behind the log.
    ///
    /// # Errors
    /// The database's.
    pub async fn lag(&self) -> Result<Lag, sqlx::Error> {
        lag(&self.pool).await
    }
}

/// How far the read models are behind the log.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
pub struct Lag {
    /// The newest position of the log.
    pub head: i64,
    /// The position that every read model has reached.
    pub applied: i64,
    /// Events that are not in every read model yet.
    pub behind: i64,
    /// The age of the oldest of them, by its own time, in seconds; 0 where there is none.
    pub seconds: f64,
}

/// Reads the lag in one statement.
///
/// # Errors
/// The database's.
pub async fn lag(pool: &PgPool) -> Result<Lag, sqlx::Error> {
    let sql = "SELECT h.position, c.applied, \
                      COALESCE(extract(epoch FROM clock_timestamp() - e.recorded_at), 0)::float8 \
               FROM ledger_head h \
               CROSS JOIN (SELECT COALESCE(min(position), 0) AS applied \
                           FROM projection_checkpoints WHERE copy = 'live') c \
               LEFT JOIN events e ON e.position = c.applied + 1";
    let (head, applied, seconds): (i64, i64, f64) = sqlx::query_as(sql).fetch_one(pool).await?;
    Ok(Lag { head, applied, behind: head - applied, seconds: seconds.max(0.0) })
}
