//! The same `Idempotency-Key` is the same request: it joins the one that runs, or gets its answer.
//!
//! - The key is written by the statement that reserves (`billing::OnceKey`), so of all nodes and
//!   attempts one may spend; the others learn whose answer to wait for. Such a request is forwarded
//!   only after that statement is durable.
//! - While it runs, its answer is recorded on this node ([`recording`]) and read by all who asked.
//!   Those on other nodes look again and again, for a while.
//! - Afterwards it is kept for a day ([`kept`]). Where it was not kept, the client is told so, and
//!   what was charged; it is never charged again.
//! - A request that came to nothing without a charge may be tried again under its key, because that
//!   is what clients do that send one by themselves.

mod kept;
mod past;
mod recording;

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use axum::response::Response;
use bytes::Bytes;
use futures_util::StreamExt as _;
use parking_lot::Mutex;
use sha2::{Digest as _, Sha256};
use sqlx::PgPool;
use tokio::sync::oneshot;
use tokio::time::Instant;
use tollgate_domain::ids::AccountId;

pub use kept::KeptAnswers;
use past::Past;
use recording::{Budget, Reader, Recording};

use super::endpoint::Endpoint;
use crate::billing::OnceKey;
use crate::http::error::{ApiError, both};
use crate::ledger::Ledger;

/// What all recordings of this process hold together at most.
const MOST_RECORDED: usize = 64 << 20;
/// How long a request waits for one that runs on another node.
const PATIENCE: Duration = Duration::from_secs(20);
/// When who waited in vain may ask again.
const AGAIN: Duration = Duration::from_secs(2);
/// Pauses between two looks at another node's request.
const LOOKS: [Duration; 4] = [
    Duration::from_millis(50),
    Duration::from_millis(150),
    Duration::from_millis(400),
    Duration::from_secs(1),
];
/// How long an answer that nobody reads goes on where an SDK made the key: it comes back at once
/// after a broken connection, and never after its program gave up.
const GRACE: Duration = Duration::from_secs(3);
/// The last event of an answer that was broken off because nobody read it.
const LEFT: &[u8] = b"data: {\"error\":{\"code\":499,\"message\":\"The client left, and the answer was \
    broken off.\",\"type\":\"invalid_request_error\",\"param\":null},\"choices\":[]}\n\ndata: [DONE]\n\n";
/// How soon after its end an answer is written down.
const WRITTEN_WITHIN: Duration = Duration::from_secs(5);

/// A client's key.
#[derive(Debug, Clone)]
pub struct ClientKey(String);

/// Requests with a key that run on this node, and the answers of those that ran.
#[derive(Debug, Clone)]
pub struct Once(Arc<Parts>);

#[derive(Debug)]
struct Parts {
    running: Mutex<HashMap<Slot, Arc<Recording>>>,
    budget: Arc<Budget>,
    most: usize,
    kept: KeptAnswers,
    ledger: Ledger,
    pool: PgPool,
}

/// Keys belong to accounts.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Slot {
    account: AccountId,
    key: String,
}

/// What a request with a key is to do.
#[derive(Debug)]
pub enum Turn {
    /// Answer with this, which is another request's.
    Answer(Response),
    /// Reserve under this key, and record the answer.
    Lead(Lead, OnceKey),
}

/// The right to carry out what a key was sent for on this node. Dropped before an answer began, it
/// goes to the next one.
#[derive(Debug)]
pub struct Lead {
    once: Once,
    slot: Slot,
    recording: Arc<Recording>,
}

enum Entered {
    Lead(Lead),
    Join(Reader),
    Other,
    /// It runs, and its beginning is gone.
    TooLate,
}

impl ClientKey {
    /// A key as a client sent it.
    #[must_use]
    pub const fn new(key: String) -> Self {
        Self(key)
    }

    /// Whether an SDK made it for its own retries: `stainless-node-retry-…`.
    fn is_automatic(&self) -> bool {
        self.0.starts_with("stainless-")
    }
}

impl Once {
    /// Answers up to `most` bytes are recorded whole and kept.
    #[must_use]
    pub fn new(ledger: Ledger, pool: PgPool, kept: KeptAnswers, most: usize) -> Self {
        let budget = Budget::new(MOST_RECORDED);
        Self(Arc::new(Parts { running: Mutex::default(), budget, most, kept, ledger, pool }))
    }

    /// What this request is to do. Waits for one that runs, here as long as it takes, and for one
    /// on another node for a while.
    ///
    /// # Errors
    /// The key was used for something else, its answer is not available, or the request that it
    /// was sent with first runs longer than this one waits.
    pub async fn turn(
        &self,
        account: AccountId,
        key: &ClientKey,
        endpoint: Endpoint,
        body: &[u8],
    ) -> Result<Turn, ApiError> {
        let slot = Slot { account, key: key.0.clone() };
        let fingerprint = Sha256::new_with_prefix(endpoint.path()).chain_update(body).finalize();
        let fingerprint: [u8; 32] = fingerprint.into();
        let deadline = Instant::now() + PATIENCE;
        let mut looks = LOOKS.iter();
        loop {
            match self.enter(&slot, fingerprint) {
                Entered::Other => return Err(ApiError::IdempotencyMismatch),
                Entered::TooLate => return Err(running()),
                Entered::Join(reader) => {
                    if let Some(response) = reader.response(true).await {
                        return Ok(Turn::Answer(response));
                    }
                    // The one before came to nothing before it began: now it is our turn.
                }
                Entered::Lead(lead) => {
                    if let Some(turn) = self.look(lead, fingerprint).await? {
                        return Ok(turn);
                    }
                    let pause = looks.next().copied().unwrap_or(LOOKS[LOOKS.len() - 1]);
                    if Instant::now() + pause > deadline {
                        return Err(running());
                    }
                    tokio::time::sleep(pause).await;
                }
            }
        }
    }

    fn enter(&self, slot: &Slot, fingerprint: [u8; 32]) -> Entered {
        let mut all = self.0.running.lock();
        match all.get(slot) {
            Some(recording) if recording.fingerprint != fingerprint => Entered::Other,
            Some(recording) => recording.join().map_or(Entered::TooLate, Entered::Join),
            None => {
                let recording = Recording::new(fingerprint, self.0.budget.clone(), self.0.most);
                all.insert(slot.clone(), recording.clone());
                Entered::Lead(Lead { once: self.clone(), slot: slot.clone(), recording })
            }
        }
    }

    /// What the log says; none: look again in a moment.
    async fn look(&self, lead: Lead, fingerprint: [u8; 32]) -> Result<Option<Turn>, ApiError> {
        let Parts { ledger, pool, kept, .. } = &*self.0;
        let Slot { account, key } = lead.slot.clone();
        match past::look(ledger, pool, account, &key, fingerprint).await? {
            Past::Free(order) => Ok(Some(Turn::Lead(lead, order))),
            Past::Other => Err(ApiError::IdempotencyMismatch),
            Past::WornOut => Err(worn_out()),
            Past::Running => Ok(None),
            Past::Ended { key, request, charge, age, may_run_again, next } => {
                let answer = kept.find(account, &key).await?;
                match answer {
                    Some(answer) if answer.complete || !may_run_again => {
                        Ok(Some(Turn::Answer(answer.response())))
                    }
                    _ if may_run_again => match next {
                        Some(order) => Ok(Some(Turn::Lead(lead, order))),
                        None => Err(worn_out()),
                    },
                    // Its node may be writing it down this very moment.
                    _ if age < WRITTEN_WITHIN => Ok(None),
                    _ => Err(ApiError::AnswerNotKept { charge, request: request.to_string() }),
                }
            }
        }
    }
}

/// The first request with the key has not ended.
pub fn running() -> ApiError {
    ApiError::RequestInProgress { retry_after: AGAIN }
}

fn worn_out() -> ApiError {
    let message = both!(
        "Requests with this Idempotency-Key came to nothing too often: make a new key.",
        "Запросы с этим Idempotency-Key слишком часто кончались ничем: создайте новый ключ."
    );
    ApiError::Conflict { code: "idempotency_key_worn_out", message }
}

impl Lead {
    /// Records the answer and gives this request its own copy. The answer goes on when its reader
    /// leaves: who comes back reads it, and who never does has asked for it all the same. Only
    /// where an SDK made the key, an answer that nobody reads is broken off as without a key.
    ///
    /// None: another node was faster, so there is somebody to wait for.
    pub async fn record(
        self,
        key: &ClientKey,
        order: OnceKey,
        answer: oneshot::Receiver<Result<Response, ApiError>>,
        spawn: impl FnOnce(futures_util::future::BoxFuture<'static, ()>),
    ) -> Option<Response> {
        // Nobody else knows of it yet, so it can be read from its beginning.
        let reader = self.recording.join()?;
        let patience = key.is_automatic().then_some(GRACE);
        spawn(Box::pin(self.run(order, answer, patience)));
        reader.response(false).await
    }

    async fn run(
        self,
        order: OnceKey,
        answer: oneshot::Receiver<Result<Response, ApiError>>,
        patience: Option<Duration>,
    ) {
        let recording = self.recording.clone();
        let left = async {
            match patience {
                Some(patience) => recording.deserted(patience).await,
                None => std::future::pending().await,
            }
        };
        tokio::pin!(left);
        let answer = tokio::select! {
            answer = answer => answer,
            () = &mut left => return,
        };
        let response = match answer {
            Ok(Ok(response)) => response,
            // Another node has the key: whoever waits here looks at the log again.
            Ok(Err(ApiError::RequestInProgress { .. })) | Err(_) => return,
            Ok(Err(error)) => return recording.fail(error),
        };
        let (parts, body) = response.into_parts();
        recording.begin(parts.status, parts.headers);
        let mut body = body.into_data_stream();
        loop {
            let piece = tokio::select! {
                piece = body.next() => piece,
                // Dropping the body tells the relay that the client has left.
                () = &mut left => {
                    recording.push(Bytes::from_static(LEFT)).await;
                    break;
                }
            };
            match piece {
                Some(Ok(piece)) => recording.push(piece).await,
                Some(Err(_)) | None => break,
            }
        }
        drop(body);
        recording.end();
        if let Some(whole) = recording.whole() {
            let account = self.slot.account;
            self.once.0.kept.clone().keep(account, order.key, whole, self);
        }
    }
}

impl Drop for Lead {
    fn drop(&mut self) {
        let mut all = self.once.0.running.lock();
        if all.get(&self.slot).is_some_and(|known| Arc::ptr_eq(known, &self.recording)) {
            all.remove(&self.slot);
        }
        drop(all);
        self.recording.abandon();
    }
}
