//! The catch-up loop: `position > checkpoint ORDER BY position`, one transaction per batch.
//!
//! It is woken by this process's writer; polling is the truth. Any number of processes may run it:
//! the compare-and-set of the checkpoint decides whose batch counts, the loser backs off.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use sqlx::pool::PoolConnection;
use sqlx::{PgConnection, PgPool, Postgres};
use tokio::sync::watch;
use tokio::task::JoinError;
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;

use crate::batch::{Batch, Copy, Statements, Written, write};
use crate::error::ProjectionError;
use crate::models::{Projection, find};
use crate::progress::Progress;
use crate::schema::{Ensured, ensure};
use crate::tail::Tail;

/// How the runner paces itself.
#[derive(Debug, Clone, Copy)]
pub struct RunnerOptions {
    /// The most events in one transaction. Larger batches touch each row less often.
    pub batch: i64,
    /// Rest after a batch that was not full, so that events gather instead of becoming many tiny
    /// transactions.
    pub pause: Duration,
    /// How often the log is looked at without being woken.
    pub poll: Duration,
    /// How long a worker stays away that another one has overtaken.
    pub back_off: Duration,
}

impl Default for RunnerOptions {
    fn default() -> Self {
        Self {
            batch: 20_000,
            pause: Duration::from_millis(60),
            poll: Duration::from_millis(500),
            back_off: Duration::from_millis(500),
        }
    }
}

/// Keeps the live read models up to date.
#[derive(Debug)]
pub struct Runner {
    pool: PgPool,
    options: RunnerOptions,
    statements: Statements,
    applied: watch::Sender<i64>,
    tail: Option<Arc<Tail>>,
}

/// One connection reads ahead while the other writes. The reader's is never handed back in the
/// middle of an answer: after an error both are closed.
struct Connections {
    /// Away while a task reads ahead with it.
    reader: Option<PoolConnection<Postgres>>,
    writer: PoolConnection<Postgres>,
}

/// A batch that is being read in a task of its own, so that decoding and writing use two cores.
/// Dropping it stops the task.
type Ahead = AbortOnDropHandle<Result<(PoolConnection<Postgres>, Batch), ProjectionError>>;

/// Reads and folds `after < position <= until`, from memory where all of that is still there.
async fn read(
    mut reader: PoolConnection<Postgres>,
    tail: Option<Arc<Tail>>,
    group: Vec<&'static Projection>,
    after: i64,
    until: i64,
) -> Result<(PoolConnection<Postgres>, Batch), ProjectionError> {
    let mut batch = Batch::new(&group, after);
    match tail.and_then(|tail| tail.since(after, until.saturating_sub(after))) {
        Some(stretches) => batch.take_stretches(stretches).await?,
        None => batch.read(&mut reader, until).await?,
    }
    batch.prepare();
    Ok((reader, batch))
}

/// Where the projections stand.
#[derive(Debug, Default)]
struct Standing {
    /// Those of this build's version, by position.
    mine: BTreeMap<i64, Vec<&'static Projection>>,
    /// The least advanced of all others: they are shown too, so they count for readers.
    others: Option<i64>,
}

impl Standing {
    fn applied(&self) -> i64 {
        let mine = self.mine.keys().next().copied();
        mine.into_iter().chain(self.others).min().unwrap_or(0)
    }

    /// The hindmost group, and where it will meet the next one.
    fn hindmost(&self) -> Option<(i64, Vec<&'static Projection>, Option<i64>)> {
        let mut groups = self.mine.iter();
        let (after, group) = groups.next()?;
        Some((*after, group.clone(), groups.next().map(|(position, _)| *position)))
    }

    fn advance(&mut self, from: i64, to: i64) {
        if let Some(group) = self.mine.remove(&from) {
            self.mine.entry(to).or_default().extend(group);
        }
    }
}

/// What the loop does next.
enum Step {
    /// There may be more.
    Again,
    /// Let events gather first.
    Pause,
    /// Everything is applied.
    Idle,
    /// Another worker does it.
    BackOff,
}

impl Runner {
    /// A runner of all projections.
    #[must_use]
    pub fn new(pool: PgPool) -> Self {
        Self::with_options(pool, RunnerOptions::default())
    }

    /// A runner with its own pace.
    #[must_use]
    pub fn with_options(pool: PgPool, options: RunnerOptions) -> Self {
        let statements = Statements::of(Copy::Live);
        Self { pool, options, statements, applied: watch::Sender::new(0), tail: None }
    }

    /// Lets it take from memory what this process has just committed.
    #[must_use]
    pub fn with_tail(self, tail: Arc<Tail>) -> Self {
        Self { tail: Some(tail), ..self }
    }

    /// For readers that wait, and for the lag.
    #[must_use]
    pub fn progress(&self) -> Progress {
        Progress::new(self.pool.clone(), self.applied.subscribe())
    }

    /// Runs until `shutdown`. `head` is the newest position that this process has committed.
    ///
    /// Creates the tables first, and rebuilds beside the live ones what an older build has left.
    ///
    /// # Errors
    /// Only what trying again cannot help: an event that cannot be folded, or a hole in the log.
    /// The read models then stand still at the event before it.
    pub async fn run(
        self,
        head: watch::Receiver<i64>,
        shutdown: CancellationToken,
    ) -> Result<(), ProjectionError> {
        let Some(ensured) = self.ensured(&shutdown).await else { return Ok(()) };
        let (followed, ()) = tokio::join!(
            self.follow(head, &shutdown),
            crate::rebuild::outdated(&self.pool, &ensured.outdated, &shutdown),
        );
        followed.inspect_err(|error| tracing::error!(%error, "the projections stopped"))
    }

    async fn ensured(&self, shutdown: &CancellationToken) -> Option<Ensured> {
        let mut wait = Duration::from_millis(100);
        while !shutdown.is_cancelled() {
            match ensure(&self.pool).await {
                Ok(ensured) => return Some(ensured),
                Err(error) => tracing::warn!(%error, "read models cannot be created yet"),
            }
            rest(wait, shutdown).await;
            wait = (wait * 2).min(Duration::from_secs(5));
        }
        None
    }

    async fn follow(
        &self,
        mut head: watch::Receiver<i64>,
        shutdown: &CancellationToken,
    ) -> Result<(), ProjectionError> {
        let mut wait = Duration::from_millis(100);
        let mut stopped: Option<ProjectionError> = None;
        while !shutdown.is_cancelled() {
            let last = stopped.as_ref().and_then(ProjectionError::stops_at).map(|at| at - 1);
            match self.session(&mut head, shutdown, &mut wait, last).await {
                Err(error) if error.is_transient() => {
                    tracing::warn!(%error, "projections will try again");
                    rest(wait, shutdown).await;
                    wait = (wait * 2).min(Duration::from_secs(5));
                }
                // Everything before it in the same batch is sound and must be seen.
                Err(error) if stopped.is_none() && error.stops_at().is_some() => {
                    stopped = Some(error);
                }
                ended => return stopped.map_or(ended, Err),
            }
        }
        Ok(())
    }

    /// Works on one pair of connections until something fails, or until `last` is applied.
    async fn session(
        &self,
        head: &mut watch::Receiver<i64>,
        shutdown: &CancellationToken,
        wait: &mut Duration,
        last: Option<i64>,
    ) -> Result<(), ProjectionError> {
        let mut reader = self.pool.acquire().await?;
        let mut writer = self.pool.acquire().await?;
        // Closed and not returned: a reader that failed may be in the middle of an answer.
        reader.close_on_drop();
        writer.close_on_drop();
        let mut connections = Connections { reader: Some(reader), writer };
        let mut standing = self.load(&mut connections.writer).await?;
        let mut ahead: Option<Batch> = None;
        while !shutdown.is_cancelled() {
            head.borrow_and_update();
            let step = self.step(&mut connections, &mut standing, &mut ahead, last).await?;
            self.applied.send_if_modified(|applied| {
                let before = std::mem::replace(applied, standing.applied());
                before != *applied
            });
            *wait = Duration::from_millis(100);
            match step {
                Step::Again => {}
                Step::Pause => rest(self.options.pause, shutdown).await,
                Step::Idle if last.is_some() => return Ok(()),
                Step::Idle => {
                    self.sleep(head, shutdown).await;
                    standing = self.load(&mut connections.writer).await?;
                }
                Step::BackOff => {
                    rest(self.options.back_off, shutdown).await;
                    standing = self.load(&mut connections.writer).await?;
                }
            }
        }
        Ok(())
    }

    /// Reads (unless it was read ahead) and writes one batch of the hindmost projections.
    async fn step(
        &self,
        connections: &mut Connections,
        standing: &mut Standing,
        ahead: &mut Option<Batch>,
        last: Option<i64>,
    ) -> Result<Step, ProjectionError> {
        let Some((after, group, meets)) = standing.hindmost() else { return Ok(Step::Idle) };
        let most = self.options.batch;
        let end = meets.into_iter().chain(last).min().unwrap_or(i64::MAX);
        let until = |after: i64| end.min(after.saturating_add(most));
        let mut batch = match ahead.take() {
            Some(batch) if batch.after == after && batch.folds.len() == group.len() => batch,
            _ => {
                let reader = connections.reader.take().ok_or(ProjectionError::Protocol)?;
                let (tail, group) = (self.tail.clone(), group.clone());
                let (reader, batch) = read(reader, tail, group, after, until(after)).await?;
                connections.reader = Some(reader);
                batch
            }
        };
        if batch.events() == 0 {
            return Ok(Step::Idle);
        }
        let full = batch.events() == most;
        let next: Option<Ahead> = connections.reader.take_if(|_| full).map(|reader| {
            let tail = self.tail.clone();
            let reading = read(reader, tail, group, batch.until, until(batch.until));
            AbortOnDropHandle::new(tokio::spawn(reading))
        });
        let written = write(&mut connections.writer, &self.statements, &mut batch).await?;
        if written == Written::Yes {
            standing.advance(batch.after, batch.until);
            // At once: what is wrong further on must not keep this batch from being seen.
            self.applied.send_replace(standing.applied());
        }
        if let Some(next) = next {
            let stopped = |error: JoinError| ProjectionError::Worker(error.to_string());
            let (reader, batch) = next.await.map_err(stopped)??;
            connections.reader = Some(reader);
            *ahead = Some(batch);
        }
        Ok(match written {
            Written::Lost => {
                *ahead = None;
                Step::BackOff
            }
            Written::Yes if full || meets.is_some() => Step::Again,
            Written::Yes => Step::Pause,
        })
    }

    async fn load(&self, connection: &mut PgConnection) -> Result<Standing, ProjectionError> {
        let sql = "SELECT name, version, position FROM projection_checkpoints WHERE copy = 'live'";
        let rows: Vec<(String, i32, i64)> = sqlx::query_as(sql).fetch_all(connection).await?;
        let mut standing = Standing::default();
        for (name, version, position) in rows {
            match find(&name).filter(|projection| projection.version == version) {
                Some(projection) => standing.mine.entry(position).or_default().push(projection),
                None => standing.others = Some(standing.others.unwrap_or(i64::MAX).min(position)),
            }
        }
        Ok(standing)
    }

    /// Until woken or the next poll.
    async fn sleep(&self, head: &mut watch::Receiver<i64>, shutdown: &CancellationToken) {
        tokio::select! {
            () = rest(self.options.poll, shutdown) => {}
            moved = head.changed() => match moved {
                // Whoever comes first waits a little for the others.
                Ok(()) => rest(self.options.pause, shutdown).await,
                // The writer is gone; polling goes on.
                Err(_) => rest(self.options.poll, shutdown).await,
            }
        }
    }
}

/// A rest that ends early when the process does.
async fn rest(length: Duration, shutdown: &CancellationToken) {
    tokio::select! {
        () = tokio::time::sleep(length) => {}
        () = shutdown.cancelled() => {}
    }
}
