//! Rebuilding read models beside the live ones.
//!
//! A new copy is filled in the schema `read_next`, follows the log, and is compared with the live
//! copy while that one stands still; then one transaction drops the old tables and moves the new
//! ones into `read`. Readers see one or the other.

mod compare;
mod fill;
mod report;
mod switch;

use sqlx::pool::PoolConnection;
use sqlx::{Executor, PgConnection, PgPool, Postgres};
use tokio_util::sync::CancellationToken;

pub use report::{Compared, RebuildOptions, RebuildReport, RebuildStage, TableReport};

use crate::batch::{Batch, Copy, Statements, Written, write};
use crate::error::ProjectionError;
use crate::log;
use crate::models::{PROJECTIONS, Projection, find};

/// One rebuild at a time. The number only has to be ours.
const REBUILD_LOCK: i64 = 0x746f_6c6c_6e65_7874;
/// Behind this many events the last part is done while the live copy stands still.
const NEAR: i64 = 2_000;

/// What a rebuild works with: one connection reads the log, one writes. Both are closed at the
/// end, which also gives the lock back, however it ends.
struct Workshop {
    reader: PoolConnection<Postgres>,
    writer: PoolConnection<Postgres>,
    projections: Vec<&'static Projection>,
    options: RebuildOptions,
}

/// Rebuilds these projections, or all where no name is given.
///
/// Where a table's version is the stored one, the copies must be equal: if they are not, the report
/// says how, and the live copy stays unless the options say otherwise.
///
/// # Errors
/// [`ProjectionError::Busy`] while another rebuild runs; those of the folds and the database. The
/// live copy is unchanged then.
pub async fn rebuild(
    pool: &PgPool,
    names: &[&str],
    options: RebuildOptions,
    mut progress: impl FnMut(RebuildStage) + Send,
) -> Result<RebuildReport, ProjectionError> {
    if let Some(unknown) = names.iter().find(|name| find(name).is_none()) {
        return Err(ProjectionError::Unknown((*unknown).to_owned()));
    }
    let wanted = |p: &&Projection| names.is_empty() || names.contains(&p.name);
    let projections: Vec<_> = PROJECTIONS.iter().filter(wanted).collect();
    let mut shop = Workshop::open(pool, projections, options).await?;
    let position = fill::fill(&mut shop, &mut progress).await?;
    let position = shop.follow(position, &mut progress).await?;
    let known = compare::unchanging(&mut shop, position, &mut progress).await?;
    let mut last = Err(ProjectionError::Busy);
    for _ in 0..options.attempts.max(1) {
        last = switch::finish(&mut shop, &known, &mut progress).await;
        match &last {
            // A reader holds a table, or the other way round: let it finish and try again.
            Err(ProjectionError::Database(error)) if switch::is_contention(error) => {
                tokio::time::sleep(std::time::Duration::from_millis(200)).await;
            }
            Ok(_) | Err(_) => break,
        }
    }
    last
}

/// Rebuilds what an older build has left; see [`crate::Runner::run`].
pub(crate) async fn outdated(pool: &PgPool, names: &[&'static str], shutdown: &CancellationToken) {
    if names.is_empty() {
        return;
    }
    let mut wait = std::time::Duration::from_secs(1);
    loop {
        tokio::select! {
            () = shutdown.cancelled() => return,
            done = rebuild(pool, names, RebuildOptions::default(), |_| {}) => match done {
                Ok(report) => {
                    tracing::info!(position = report.position, ?names, "read models were rebuilt");
                    return;
                }
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, "read models could not be rebuilt yet");
                }
                Err(error) => {
                    tracing::error!(%error, "read models cannot be rebuilt");
                    return;
                }
            },
        }
        tokio::select! {
            () = shutdown.cancelled() => return,
            () = tokio::time::sleep(wait) => {}
        }
        wait = (wait * 2).min(std::time::Duration::from_secs(60));
        // Another process may have done it meanwhile.
        if let Ok(ensured) = crate::schema::ensure(pool).await
            && names.iter().all(|name| !ensured.outdated.contains(name))
        {
            return;
        }
    }
}

impl Workshop {
    async fn open(
        pool: &PgPool,
        projections: Vec<&'static Projection>,
        options: RebuildOptions,
    ) -> Result<Self, ProjectionError> {
        crate::schema::ensure(pool).await?;
        let mut reader = pool.acquire().await?;
        let mut writer = pool.acquire().await?;
        reader.close_on_drop();
        writer.close_on_drop();
        let free: bool = sqlx::query_scalar("SELECT pg_try_advisory_lock($1)")
            .bind(REBUILD_LOCK)
            .fetch_one(&mut *writer)
            .await?;
        match free {
            true => Ok(Self { reader, writer, projections, options }),
            false => Err(ProjectionError::Busy),
        }
    }

    fn names(&self) -> Vec<&'static str> {
        self.projections.iter().map(|projection| projection.name).collect()
    }

    /// Catches up in ordinary batches until the rest is short; so does the live copy, in case
    /// nobody else keeps it up to date.
    async fn follow(
        &mut self,
        mut position: i64,
        progress: &mut (impl FnMut(RebuildStage) + Send),
    ) -> Result<i64, ProjectionError> {
        let next = Statements::of(Copy::Next);
        loop {
            let head = head(&mut self.writer).await?;
            progress(RebuildStage::Following { position, head });
            if head - position < NEAR {
                break;
            }
            let mut batch = Batch::new(&self.projections, position);
            batch.read(&mut self.reader, position + self.options.batch).await?;
            // Nobody else writes the new copy, so it cannot be lost.
            if write(&mut self.writer, &next, &mut batch).await? == Written::Lost {
                return Err(ProjectionError::Busy);
            }
            position = batch.until;
        }
        self.follow_live(position).await?;
        Ok(position)
    }

    async fn follow_live(&mut self, position: i64) -> Result<(), ProjectionError> {
        let live = Statements::of(Copy::Live);
        loop {
            let standing = standing(&mut self.writer, &self.projections, "").await?;
            let behind = standing.iter().filter(|s| s.same && s.position + NEAR < position);
            let Some(after) = behind.map(|s| s.position).min() else { return Ok(()) };
            let group: Vec<_> = standing
                .iter()
                .filter(|s| s.same && s.position == after)
                .map(|s| s.projection)
                .collect();
            let mut batch = Batch::new(&group, after);
            batch.read(&mut self.reader, position.min(after + self.options.batch)).await?;
            // Lost to a runner: it has moved then, which is what is wanted.
            write(&mut self.writer, &live, &mut batch).await?;
        }
    }
}

/// Where a live projection stands.
struct Standing {
    projection: &'static Projection,
    position: i64,
    /// Of the version that this build writes.
    same: bool,
}

/// Reads live checkpoints in the order of their names; `lock` may be `FOR UPDATE`.
async fn standing(
    connection: &mut PgConnection,
    projections: &[&'static Projection],
    lock: &str,
) -> Result<Vec<Standing>, ProjectionError> {
    let sql = format!(
        "SELECT name, version, position FROM projection_checkpoints \
         WHERE copy = 'live' AND name = ANY($1) ORDER BY name {lock}"
    );
    let names: Vec<_> = projections.iter().map(|projection| projection.name).collect();
    let rows: Vec<(String, i32, i64)> =
        sqlx::query_as(&sql).bind(&names).fetch_all(connection).await?;
    let known = rows.into_iter().filter_map(|(name, version, position)| {
        let projection = *projections.iter().find(|projection| projection.name == name)?;
        Some(Standing { projection, position, same: projection.version == version })
    });
    Ok(known.collect())
}

async fn head(connection: &mut PgConnection) -> Result<i64, ProjectionError> {
    Ok(sqlx::query_scalar("SELECT position FROM ledger_head").fetch_one(connection).await?)
}

/// Begins a transaction for reading long stretches.
async fn begin_long_read(connection: &mut PgConnection) -> Result<(), ProjectionError> {
    connection.execute(format!("BEGIN; {}", log::LONG_READ).as_str()).await?;
    Ok(())
}
