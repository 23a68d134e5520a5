//! Answers that are kept for a day, sealed, for who asks again.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use memchr::memmem;
use serde::{Deserialize, Serialize};
use sqlx::PgPool;
use tokio::sync::mpsc;
use tokio::time::Instant;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;
use tollgate_domain::ids::AccountId;

use super::recording::Whole;
use crate::identity::Sealer;

const PURPOSE: &str = "kept_answer";
/// Answers that may wait to be written; more are not kept.
const QUEUE: usize = 1_024;
/// Answers in one statement.
const BATCH: usize = 64;
/// How often what is too old is removed, and the rest counted.
const TIDY: Duration = Duration::from_secs(60);
/// How often a batch is tried while the database is away.
const TRIES: u32 = 5;

/// The table of kept answers.
#[derive(Debug, Clone)]
pub struct KeptAnswers {
    pool: PgPool,
    sealer: Sealer,
    queue: mpsc::Sender<Keep>,
    /// What the table holds, as far as this node knows.
    stored: Arc<AtomicI64>,
    most: i64,
}

/// An answer that is to be kept. Whoever waits in `until` may forget it once it is written.
pub struct Keep {
    account: AccountId,
    key: String,
    whole: Whole,
    until: Box<dyn Send>,
}

/// A kept answer.
#[derive(Debug)]
pub struct KeptAnswer {
    status: StatusCode,
    headers: HeaderMap,
    body: Bytes,
    /// It came to its end: no error broke it off.
    pub complete: bool,
}

/// What stands before the body.
#[derive(Serialize, Deserialize)]
struct Head {
    status: u16,
    headers: Vec<(String, String)>,
}

impl KeptAnswers {
    /// Starts to write what is to be kept, until `stop`. All together at most `most` bytes.
    pub fn start(
        pool: PgPool,
        sealer: Sealer,
        most: u64,
        tracker: &TaskTracker,
        stop: CancellationToken,
    ) -> Self {
        let (queue, waiting) = mpsc::channel(QUEUE);
        let most = i64::try_from(most).unwrap_or(i64::MAX);
        let kept = Self { pool, sealer, queue, stored: Arc::default(), most };
        tracker.spawn(kept.clone().run(waiting, stop));
        kept
    }

    /// Keeps an answer; `until` is dropped when it is written, or when it turns out that it cannot
    /// be kept.
    pub fn keep(&self, account: AccountId, key: String, whole: Whole, until: impl Send + 'static) {
        if self.stored.load(Ordering::Relaxed) >= self.most {
            tracing::warn!("an answer is not kept: the table of kept answers is full");
            return;
        }
        let keep = Keep { account, key, whole, until: Box::new(until) };
        if self.queue.try_send(keep).is_err() {
            tracing::warn!("an answer is not kept: too many wait to be written");
        }
    }

    /// A kept answer. One that does not open any more is not there.
    ///
    /// # Errors
    /// The database cannot be reached.
    pub async fn find(
        &self,
        account: AccountId,
        key: &str,
    ) -> Result<Option<KeptAnswer>, sqlx::Error> {
        let sealed: Option<Vec<u8>> = sqlx::query_scalar(
            "SELECT sealed FROM kept_answers WHERE account_id = $1 AND key = $2",
        )
        .bind(account.to_string())
        .bind(key)
        .fetch_optional(&self.pool)
        .await?;
        let Some(sealed) = sealed else { return Ok(None) };
        let opened = self.sealer.open_bytes(PURPOSE, &place(account, key), &sealed);
        let answer = opened.ok().and_then(KeptAnswer::read);
        if answer.is_none() {
            tracing::warn!(account.id = %account, "a kept answer does not open: was the key changed?");
        }
        Ok(answer)
    }

    async fn run(self, mut waiting: mpsc::Receiver<Keep>, stop: CancellationToken) {
        let mut tidy_at = Instant::now();
        loop {
            if Instant::now() >= tidy_at {
                self.tidy().await;
                tidy_at = Instant::now() + TIDY;
            }
            let mut batch = Vec::new();
            tokio::select! {
                _ = waiting.recv_many(&mut batch, BATCH) => {}
                () = tokio::time::sleep_until(tidy_at) => continue,
                () = stop.cancelled() => {
                    waiting.close();
                    while waiting.recv_many(&mut batch, BATCH).await > 0 {}
                }
            }
            self.write(batch).await;
            if stop.is_cancelled() {
                return;
            }
        }
    }

    async fn write(&self, batch: Vec<Keep>) {
        let (mut accounts, mut keys, mut sealed, mut waiters) = (vec![], vec![], vec![], vec![]);
        for Keep { account, key, whole, until } in batch {
            let text = write(&whole);
            if let Ok(bytes) = self.sealer.seal_bytes(PURPOSE, &place(account, &key), &text) {
                accounts.push(account.to_string());
                keys.push(key);
                sealed.push(bytes);
            }
            waiters.push(until);
        }
        for attempt in 1..=TRIES {
            let written = sqlx::query(
                "INSERT INTO kept_answers (account_id, key, sealed, bytes, expires_at)
                 SELECT account_id, key, sealed, length(sealed), now() + interval '24 hours'
                 FROM unnest($1::text[], $2::text[], $3::bytea[]) AS k (account_id, key, sealed)
                 ON CONFLICT (account_id, key) DO NOTHING",
            )
            .bind(&accounts)
            .bind(&keys)
            .bind(&sealed)
            .execute(&self.pool)
            .await;
            match written {
                Ok(_) => break,
                Err(error) => tracing::warn!(%error, attempt, "answers could not be kept"),
            }
            tokio::time::sleep(Duration::from_millis(100 << attempt)).await;
        }
        let bytes: usize = sealed.iter().map(Vec::len).sum();
        self.stored.fetch_add(i64::try_from(bytes).unwrap_or(i64::MAX), Ordering::Relaxed);
        drop(waiters);
    }

    /// Removes what is too old, in small steps, and counts the rest.
    async fn tidy(&self) {
        loop {
            let removed = sqlx::query(
                "DELETE FROM kept_answers WHERE (account_id, key) IN (
                    SELECT account_id, key FROM kept_answers WHERE expires_at < now() LIMIT 500)",
            )
            .execute(&self.pool)
            .await;
            match removed {
                Ok(removed) if removed.rows_affected() == 500 => {}
                Ok(_) => break,
                Err(error) => {
                    tracing::warn!(%error, "old answers could not be removed");
                    break;
                }
            }
        }
        let stored = sqlx::query_scalar("SELECT coalesce(sum(bytes), 0)::bigint FROM kept_answers");
        match stored.fetch_one(&self.pool).await {
            Ok(stored) => self.stored.store(stored, Ordering::Relaxed),
            Err(error) => tracing::warn!(%error, "kept answers could not be counted"),
        }
    }
}

fn place(account: AccountId, key: &str) -> String {
    format!("{account}:{key}")
}

fn write(whole: &Whole) -> Vec<u8> {
    let headers = whole.headers.iter().filter_map(|(name, value)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    });
    let head = Head { status: whole.status.as_u16(), headers: headers.collect() };
    // A number and texts: writing them cannot fail. One line, because JSON breaks none.
    let mut bytes = serde_json::to_vec(&head).unwrap_or_default();
    bytes.push(b'\n');
    whole.chunks.iter().for_each(|chunk| bytes.extend_from_slice(chunk));
    bytes
}

impl KeptAnswer {
    fn read(bytes: Vec<u8>) -> Option<Self> {
        let bytes = Bytes::from(bytes);
        let end = memchr::memchr(b'\n', &bytes)?;
        let head: Head = serde_json::from_slice(&bytes[..end]).ok()?;
        let headers = head.headers.iter().filter_map(|(name, value)| {
            Some((HeaderName::try_from(name).ok()?, HeaderValue::try_from(value).ok()?))
        });
        let body = bytes.slice(end + 1..);
        Some(Self {
            status: StatusCode::from_u16(head.status).ok()?,
            headers: headers.collect(),
            complete: is_complete(&body),
            body,
        })
    }

    /// The same answer again.
    #[must_use]
    pub fn response(self) -> Response {
        let mut response = Response::new(Body::from(self.body));
        *response.status_mut() = self.status;
        *response.headers_mut() = self.headers;
        response
    }
}

/// Whether no error broke it off. Inside texts the quotes are escaped, so it is a member.
fn is_complete(body: &[u8]) -> bool {
    memmem::find(body, b"\"error\":{").is_none()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_read_as_it_was_written() {
        let mut headers = HeaderMap::new();
        headers.insert("content-type", HeaderValue::from_static("text/event-stream"));
        let chunks = vec![Bytes::from("data: {\"a\":\"\\\"error\\\":{\"}\n\n"), Bytes::from("x\n")];
        let whole = Whole { status: StatusCode::OK, headers: headers.clone(), chunks };
        let read = KeptAnswer::read(write(&whole)).expect("an answer");
        assert_eq!((read.status, &read.headers), (StatusCode::OK, &headers));
        assert_eq!(read.body, "data: {\"a\":\"\\\"error\\\":{\"}\n\nx\n");
        assert!(read.complete, "the word stands in a text");
        assert!(!is_complete(b"data: {\"error\":{\"code\":502}}\n\n"));
        assert!(KeptAnswer::read(b"{}".to_vec()).is_none());
    }
}
