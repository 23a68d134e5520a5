//! When an append fails: who lost, what was used, and what really happened.

use std::collections::HashMap;
use std::time::Duration;

use chrono::{DateTime, Utc};
use sqlx::postgres::PgConnectOptions;
use sqlx::{ConnectOptions as _, Connection as _, Executor as _, PgConnection, Row as _};

use super::append::{Append, KeptResult, Lost};
use super::writer::answer;

/// What a failed append means.
#[derive(Debug)]
pub(super) enum Trouble {
    /// Another node has written a sequence of ours.
    StreamTaken,
    /// An idempotency key exists.
    KeyTaken,
    /// PostgreSQL cannot store something in the batch; nothing of it was stored.
    Objection(String),
    /// PostgreSQL cannot store anything now.
    Refused(String),
    /// The connection went: it may or may not have been stored.
    Ambiguous,
}

impl Trouble {
    pub fn of(error: &sqlx::Error) -> Self {
        let sqlx::Error::Database(database) = error else { return Self::Ambiguous };
        let code = database.code().unwrap_or_default();
        match (&*code, database.constraint()) {
            ("23505", Some("events_pkey")) => Self::StreamTaken,
            ("23505", Some("idempotency_keys_pkey")) => Self::KeyTaken,
            // Class 57P: the server stops and takes the connection along. 08: the connection broke.
            (code, _) if code.starts_with("57P") || code.starts_with("08") => Self::Ambiguous,
            // 22, 23: a value or a constraint. 54: too long for an index.
            (code, _) if ["22", "23", "54"].iter().any(|class| code.starts_with(class)) => {
                Self::Objection(database.message().to_owned())
            }
            _ => Self::Refused(database.message().to_owned()),
        }
    }
}

/// The writer's connection, and what is needed to end it from another one.
#[derive(Debug)]
pub(super) struct Link {
    pub connection: PgConnection,
    options: PgConnectOptions,
    backend: (i32, DateTime<Utc>),
}

impl Link {
    pub async fn connect(options: PgConnectOptions) -> Result<Self, sqlx::Error> {
        let options = options.application_name("tollgate ledger").disable_statement_logging();
        let (connection, backend) = open(&options).await?;
        Ok(Self { connection, options, backend })
    }

    /// Connects anew and ends the old session first: a statement that is still on its way there
    /// must not be carried out after we have looked.
    ///
    /// Both sessions are the same role's, and a role sees and may end its own.
    async fn replace(&mut self) -> Result<(), sqlx::Error> {
        let (mut connection, backend) = open(&self.options).await?;
        let (pid, started) = self.backend;
        loop {
            let alive: bool = sqlx::query_scalar(
                "SELECT coalesce(bool_or(pg_terminate_backend(pid)), false) FROM pg_stat_activity
                 WHERE pid = $1 AND backend_start = $2",
            )
            .bind(pid)
            .bind(started)
            .fetch_one(&mut connection)
            .await?;
            if !alive {
                break;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
        self.connection = connection;
        self.backend = backend;
        Ok(())
    }
}

async fn open(
    options: &PgConnectOptions,
) -> Result<(PgConnection, (i32, DateTime<Utc>)), sqlx::Error> {
    let mut connection = PgConnection::connect_with(options).await?;
    // Whatever the server's defaults are: an acknowledged event must be on disk, and a batch must
    // wait for another node's instead of failing because it began before that one's commit.
    connection
        .execute(
            "SET synchronous_commit = on; SET default_transaction_isolation = 'read committed';
             SET plan_cache_mode = force_generic_plan",
        )
        .await?;
    let row =
        sqlx::query("SELECT pid, backend_start FROM pg_stat_activity WHERE pid = pg_backend_pid()")
            .fetch_one(&mut connection)
            .await?;
    Ok((connection, (row.try_get(0)?, row.try_get(1)?)))
}

/// Marks every stream that has grown without us.
pub(super) async fn void_losers(link: &mut Link, batch: &[Append]) -> Result<(), sqlx::Error> {
    let mut first: HashMap<(&str, &str), (i64, &Append)> = HashMap::new();
    for append in batch {
        if let Some(row) = append.rows.first() {
            let stream = (append.aggregate_type, &*append.aggregate_id);
            first.entry(stream).or_insert((row.sequence, append));
        }
    }
    let (types, ids): (Vec<&str>, Vec<&str>) = first.keys().copied().unzip();
    let rows = sqlx::query(
        "SELECT s.type, s.id, (SELECT coalesce(max(sequence), 0) FROM events
            WHERE aggregate_type = s.type AND aggregate_id = s.id)
         FROM unnest($1::text[], $2::text[]) AS s (type, id)",
    )
    .bind(types)
    .bind(ids)
    .fetch_all(&mut link.connection)
    .await?;
    let mut lost = 0;
    for row in &rows {
        let (kind, id, newest): (&str, &str, i64) = (row.get(0), row.get(1), row.get(2));
        if let Some((sequence, append)) = first.get(&(kind, id))
            && newest + 1 != *sequence
        {
            append.residency.void();
            lost += 1;
        }
    }
    if lost == 0 {
        // PostgreSQL saw a conflict that is gone now; nobody's state can be trusted.
        batch.iter().for_each(|append| append.residency.void());
    }
    Ok(())
}

/// What is recorded under a scope and a key.
pub(super) type UsedKeys = HashMap<(String, String), KeptResult>;

/// Which of the batch's keys exist.
pub(super) async fn find_used_keys(
    link: &mut Link,
    batch: &[Append],
) -> Result<UsedKeys, sqlx::Error> {
    let keys = batch.iter().filter_map(|append| append.idempotency.as_ref());
    let (scopes, names): (Vec<&str>, Vec<&str>) =
        keys.map(|key| (key.scope.as_str(), key.key.as_str())).unzip();
    let rows = sqlx::query(
        "SELECT k.scope, k.key, k.fingerprint, k.result::text FROM idempotency_keys k
         JOIN unnest($1::text[], $2::text[]) AS used (scope, key) USING (scope, key)",
    )
    .bind(scopes)
    .bind(names)
    .fetch_all(&mut link.connection)
    .await?;
    let used = rows.iter().map(|row| {
        let result = KeptResult { fingerprint: row.get(2), result: row.get(3) };
        ((row.get(0), row.get(1)), result)
    });
    Ok(used.collect())
}

/// Answers the appends whose key exists, forgets their streams, and returns the others.
pub(super) fn refuse_used_keys(mut used: UsedKeys, batch: Vec<Append>) -> Vec<Append> {
    let mut rest = Vec::with_capacity(batch.len());
    for mut append in batch {
        let key = append.idempotency.as_ref();
        match key.and_then(|key| used.remove(&(key.scope.clone(), key.key.clone()))) {
            Some(result) => {
                append.residency.void();
                answer(&mut append, Err(Lost::KeyUsed(result)));
            }
            None => rest.push(append),
        }
    }
    rest
}

/// [`Link::replace`], and then what the old session did with the batch.
pub(super) async fn replace_and_read_back(
    link: &mut Link,
    batch: &[Append],
) -> Result<Option<i64>, sqlx::Error> {
    link.replace().await?;
    read_back(link, batch).await
}

/// Whether the batch was stored, by the hash of its first event: the statement is one
/// transaction, so one event tells for all, and the hash covers what nobody else could write.
///
/// A batch of keys alone needs no look: appended again it meets itself and is told the same.
async fn read_back(link: &mut Link, batch: &[Append]) -> Result<Option<i64>, sqlx::Error> {
    let first = batch.iter().find_map(|append| Some((append, append.rows.first()?)));
    let Some((append, row)) = first else { return Ok(None) };
    let position: Option<i64> = sqlx::query_scalar(
        "SELECT position FROM events
         WHERE aggregate_type = $1 AND aggregate_id = $2 AND sequence = $3 AND hash = $4",
    )
    .bind(append.aggregate_type)
    .bind(&*append.aggregate_id)
    .bind(row.sequence)
    .bind(row.hash.as_slice())
    .fetch_optional(&mut link.connection)
    .await?;
    Ok(position.map(|position| position - 1))
}
