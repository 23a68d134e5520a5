//! The audit: one pass over the whole log proves it right, or names the place where it is not.
//!
//! - positions are dense from 1 to `ledger_head`, sequences in every stream from 1;
//! - every event's hash continues the chain of its stream, over the bytes as stored;
//! - every event decodes, and is what the rules make of the state before it;
//! - debits equal credits, in every entry and in total;
//! - snapshots equal the fold at their sequence, idempotency keys point to streams that exist;
//! - every read model equals a fold of the log up to its checkpoint.
//!
//! It reads in one REPEATABLE READ transaction, so it can run against a live system.

mod report;
mod rest;
mod rules;
mod tables;
mod worker;

use std::collections::HashMap;
use std::sync::Arc;

use sqlx::{Executor, PgConnection, PgPool};

pub use report::{Place, Problem, ReadModel, Report, TrialLine};

use crate::error::ProjectionError;
use crate::fold::Fold;
use crate::log;
use crate::models::{Projection, find};
use crate::shards::{parallelism, spread};
use report::Problems;
use worker::{Checker, Claims, Followed};

/// How to audit.
#[derive(Debug, Clone, Copy)]
pub struct Options {
    /// The layout of snapshots that this build writes; others are skipped, as the engine does.
    pub snapshot_layout: i64,
    /// Problems that the report keeps; all are counted.
    pub most_problems: usize,
    /// Threads that check.
    pub workers: usize,
}

impl Default for Options {
    fn default() -> Self {
        Self { snapshot_layout: 2, most_problems: 100, workers: parallelism() }
    }
}

/// How far the audit is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stage {
    /// Reading the log.
    Events {
        /// Read so far.
        position: i64,
        /// The last one to be read.
        head: i64,
    },
    /// Comparing a read model.
    ReadModel(&'static str),
}

/// Audits everything up to the newest event at the time of the call.
///
/// # Errors
/// Only what keeps the audit from being carried out; what it finds is in the report.
pub async fn verify(
    pool: &PgPool,
    options: &Options,
    mut progress: impl FnMut(Stage) + Send,
) -> Result<Report, ProjectionError> {
    let mut connection = pool.acquire().await?;
    // Closed at the end, which ends the transaction too, whatever happens on the way.
    connection.close_on_drop();
    let begin = format!("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; {}", log::LONG_READ);
    connection.execute(begin.as_str()).await?;
    let start = Start::load(&mut connection, options).await?;
    let mut passed = start.pass(&mut connection, options, &mut progress).await?;
    rest::snapshots(&mut connection, options, &mut passed).await?;
    rest::idempotency_keys(&mut connection, &mut passed.problems).await?;
    let trial_balance = rest::trial_balance(passed.journal.as_ref(), &mut passed.problems);
    let read_models = tables::compare(&mut connection, &mut passed, progress).await?;
    Ok(Report {
        events: passed.events,
        streams: passed.streams,
        head: start.head,
        trial_balance,
        snapshots: passed.snapshots,
        read_models,
        problems: passed.problems.kept,
        problem_count: passed.problems.count,
    })
}

/// What the pass begins with.
struct Start {
    head: i64,
    claims: Claims,
    checkpoints: Vec<Checkpoint>,
}

/// A checkpoint of the live copy.
struct Checkpoint {
    name: String,
    version: i32,
    position: i64,
}

impl Checkpoint {
    /// The projection that folds the table as it is stored.
    fn projection(&self) -> Option<&'static Projection> {
        find(&self.name).filter(|projection| projection.version == self.version)
    }
}

/// What the pass leaves.
struct Passed {
    events: i64,
    streams: u64,
    snapshots: u64,
    problems: Problems,
    journal: Box<dyn Fold>,
    followed: Vec<Followed>,
    checkpoints: Vec<Checkpoint>,
    folded: HashMap<worker::StreamName, [u8; 32]>,
}

impl Start {
    async fn load(
        connection: &mut PgConnection,
        options: &Options,
    ) -> Result<Self, ProjectionError> {
        let head = sqlx::query_scalar("SELECT position FROM ledger_head")
            .fetch_one(&mut *connection)
            .await?;
        let sql = "SELECT name, version, position FROM projection_checkpoints \
                   WHERE copy = 'live' ORDER BY name";
        let rows: Vec<(String, i32, i64)> = sqlx::query_as(sql).fetch_all(&mut *connection).await?;
        let checkpoints = rows
            .into_iter()
            .map(|(name, version, position)| Checkpoint { name, version, position })
            .collect();
        let claims = Arc::new(rest::claims(connection, options).await?);
        Ok(Self { head, claims, checkpoints })
    }

    async fn pass(
        &self,
        connection: &mut PgConnection,
        options: &Options,
        progress: &mut (impl FnMut(Stage) + Send),
    ) -> Result<Passed, ProjectionError> {
        let checkers = (0..options.workers.max(1)).map(|_| {
            let known = self.checkpoints.iter();
            let followed = known.filter_map(|c| Some(Followed::new(c.projection()?, c.position)));
            Checker::new(followed.collect(), Arc::clone(&self.claims), options.most_problems)
        });
        let mut problems = Problems::new(options.most_problems);
        let (mut last, mut events) = (0, 0);
        let each = |position: i64| {
            if position != last + 1 {
                problems.add(at(last + 1), missing(last + 1, position - 1));
            }
            last = position;
            events += 1;
            if events % 65_536 == 0 {
                progress(Stage::Events { position, head: self.head });
            }
            Ok(())
        };
        // Beyond the head there must be nothing, so everything is read. The least bigint is no
        // bigint in SQL's grammar, and comparing with a NUMERIC would cost a cast per row.
        let range = (-i64::MAX, i64::MAX);
        let checkers = spread(connection, log::WHOLE, range, checkers.collect(), each).await?;
        if last < self.head {
            problems.add(at(last + 1), missing(last + 1, self.head));
        } else if last > self.head {
            problems.add(at(last), format!("is beyond the head of the log, {}", self.head));
        }
        self.add_up(checkers, problems, events)
    }

    fn add_up(
        &self,
        checkers: Vec<Checker>,
        problems: Problems,
        events: i64,
    ) -> Result<Passed, ProjectionError> {
        let mut passed = Passed {
            events,
            streams: 0,
            snapshots: 0,
            problems,
            journal: crate::models::journal(),
            followed: vec![],
            checkpoints: vec![],
            folded: HashMap::new(),
        };
        let fits = |source| ProjectionError::Event { position: self.head, source };
        for mut checker in checkers {
            passed.streams += checker.streams();
            passed.problems.merge(std::mem::take(&mut checker.problems));
            passed.folded.extend(std::mem::take(&mut checker.folded));
            passed.journal.absorb(checker.journal).map_err(fits)?;
            if passed.followed.is_empty() {
                passed.followed = checker.followed;
                continue;
            }
            for (sum, part) in passed.followed.iter_mut().zip(checker.followed) {
                sum.absorb(part).map_err(fits)?;
            }
        }
        for known in &self.checkpoints {
            let Checkpoint { name, version, position } = known;
            let copy = Checkpoint { name: name.clone(), version: *version, position: *position };
            passed.checkpoints.push(copy);
        }
        Ok(passed)
    }
}

fn at(position: i64) -> Place {
    Place { position: Some(position), ..Place::default() }
}

fn missing(from: i64, to: i64) -> String {
    match from == to {
        true => "is missing from the log".to_owned(),
        false => format!("and all up to {to} are missing from the log"),
    }
}
