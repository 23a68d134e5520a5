//! One answer that several requests read: as it comes, or from its beginning.

use std::collections::{BTreeMap, VecDeque};
use std::convert::Infallible;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use axum::body::Body;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode};
use axum::response::Response;
use bytes::Bytes;
use futures_util::stream;
use parking_lot::Mutex;
use tokio::sync::Notify;

use crate::http::error::{ApiError, ErrorShape};

/// Says that an answer is another request's.
pub const REPLAYED: HeaderName = HeaderName::from_static("idempotent-replayed");
/// Headers of an answer that are true for whoever gets it, whenever. The others are about the
/// moment: a balance, a rate limit.
const LASTING: [&str; 5] = [
    "cache-control",
    "content-type",
    "x-generation-id",
    "x-tollgate-charge",
    "x-tollgate-max-tokens",
];
/// What may wait for its readers once an answer has become too long to be kept whole.
const WINDOW: usize = 256 << 10;

/// Bounds of what all recordings of a process hold together.
#[derive(Debug)]
pub struct Budget {
    used: AtomicUsize,
    most: usize,
}

impl Budget {
    /// At most so many bytes.
    pub fn new(most: usize) -> Arc<Self> {
        Arc::new(Self { used: AtomicUsize::new(0), most })
    }

    /// Counts bytes, if they fit.
    fn take(&self, bytes: usize) -> bool {
        let grown = |used: usize| used.checked_add(bytes).filter(|used| *used <= self.most);
        self.used.fetch_update(Ordering::Relaxed, Ordering::Relaxed, grown).is_ok()
    }

    fn give_back(&self, bytes: usize) {
        self.used.fetch_sub(bytes, Ordering::Relaxed);
    }
}

/// How an answer begins.
#[derive(Debug, Clone)]
enum Head {
    Answer(StatusCode, HeaderMap),
    /// The same error for all who wait.
    Failed(Arc<ApiError>),
    /// There will be none: whoever waits begins anew.
    Abandoned,
}

#[derive(Debug, Default)]
struct State {
    head: Option<Head>,
    chunks: VecDeque<Bytes>,
    /// Bytes in `chunks`.
    held: usize,
    /// Of those, what is counted in the budget.
    counted: usize,
    /// Chunks that were dropped from the front: then it can't be read from its beginning any more.
    dropped: usize,
    /// Too long, or the budget is used up: only a window is held.
    too_long: bool,
    ended: bool,
    /// Where each reader is.
    readers: BTreeMap<u64, usize>,
    next_reader: u64,
}

/// An answer on its way, and what is held of it.
#[derive(Debug)]
pub struct Recording {
    /// SHA-256 of what was asked for.
    pub fingerprint: [u8; 32],
    state: Mutex<State>,
    changed: Notify,
    budget: Arc<Budget>,
    most: usize,
}

/// Somebody who reads a recording. While there is one, the answer goes on.
#[derive(Debug)]
pub struct Reader {
    recording: Arc<Recording>,
    id: u64,
}

/// An answer that has come to its end and is held whole.
#[derive(Debug)]
pub struct Whole {
    /// HTTP.
    pub status: StatusCode,
    /// As they are given again.
    pub headers: HeaderMap,
    /// In the pieces in which it came.
    pub chunks: Vec<Bytes>,
}

/// The headers of an answer that is given again.
fn again(headers: &HeaderMap) -> HeaderMap {
    let lasting = headers.iter().filter(|(name, _)| LASTING.contains(&name.as_str()));
    let mut again: HeaderMap = lasting.map(|(name, value)| (name.clone(), value.clone())).collect();
    again.insert(REPLAYED, HeaderValue::from_static("true"));
    again
}

impl Recording {
    /// An empty one; of an answer longer than `most` bytes only a window is held.
    pub fn new(fingerprint: [u8; 32], budget: Arc<Budget>, most: usize) -> Arc<Self> {
        let state = Mutex::default();
        Arc::new(Self { fingerprint, state, changed: Notify::new(), budget, most })
    }

    /// Somebody who reads from the beginning; none where that is gone.
    pub fn join(self: &Arc<Self>) -> Option<Reader> {
        let mut state = self.state.lock();
        if state.too_long {
            return None;
        }
        let id = state.next_reader;
        state.next_reader += 1;
        state.readers.insert(id, 0);
        Some(Reader { recording: self.clone(), id })
    }

    /// Waits until `look` finds something; it is asked again after each change.
    async fn until<T>(&self, mut look: impl FnMut(&mut State) -> Option<T>) -> T {
        loop {
            let changed = self.changed.notified();
            tokio::pin!(changed);
            // Before the look, so that no change is missed between the two.
            changed.as_mut().enable();
            if let Some(found) = look(&mut self.state.lock()) {
                return found;
            }
            changed.await;
        }
    }

    fn change(&self, change: impl FnOnce(&mut State)) {
        change(&mut self.state.lock());
        self.changed.notify_waiters();
    }

    /// The answer begins.
    pub fn begin(&self, status: StatusCode, headers: HeaderMap) {
        self.change(|state| state.head = Some(Head::Answer(status, headers)));
    }

    /// There is an error instead of an answer.
    pub fn fail(&self, error: ApiError) {
        self.change(|state| state.head = Some(Head::Failed(Arc::new(error))));
    }

    /// Nothing was begun, unless something was.
    pub fn abandon(&self) {
        self.change(|state| {
            state.head.get_or_insert(Head::Abandoned);
            state.ended = true;
        });
    }

    /// The answer is whole.
    pub fn end(&self) {
        self.change(|state| state.ended = true);
    }

    /// The next piece. Waits for its readers where it is too long to be held for later ones.
    pub async fn push(&self, chunk: Bytes) {
        self.until(|state| {
            if !state.too_long {
                let fits = state.held + chunk.len() <= self.most && self.budget.take(chunk.len());
                state.counted += if fits { chunk.len() } else { 0 };
                state.too_long = !fits;
            }
            if state.too_long {
                self.forget_what_was_read(state);
                if state.readers.is_empty() {
                    // Nobody reads it and nobody will: it is read to its end for the bill.
                    return Some(());
                }
                if state.held >= WINDOW {
                    return None;
                }
            }
            state.held += chunk.len();
            state.chunks.push_back(chunk.clone());
            Some(())
        })
        .await;
        self.changed.notify_waiters();
    }

    fn forget_what_was_read(&self, state: &mut State) {
        let slowest = state.readers.values().copied().min();
        let slowest = slowest.unwrap_or(state.dropped + state.chunks.len());
        while state.dropped < slowest
            && let Some(chunk) = state.chunks.pop_front()
        {
            state.dropped += 1;
            state.held -= chunk.len();
        }
        let over = state.counted.saturating_sub(state.held);
        state.counted -= over;
        self.budget.give_back(over);
    }

    /// Resolves when nobody has read it for so long.
    pub async fn deserted(&self, patience: Duration) {
        loop {
            self.until(|state| state.readers.is_empty().then_some(())).await;
            tokio::select! {
                () = tokio::time::sleep(patience) => return,
                () = self.until(|state| (!state.readers.is_empty()).then_some(())) => {}
            }
        }
    }

    /// The answer, if it has ended and is held from its beginning.
    pub fn whole(&self) -> Option<Whole> {
        let state = self.state.lock();
        let Some(Head::Answer(status, headers)) = &state.head else { return None };
        let whole = state.ended && !state.too_long;
        whole.then(|| Whole {
            status: *status,
            headers: again(headers),
            chunks: state.chunks.iter().cloned().collect(),
        })
    }
}

impl Drop for Recording {
    fn drop(&mut self) {
        self.budget.give_back(self.state.lock().counted);
    }
}

impl Reader {
    /// The answer for this reader, as soon as it begins; none: nothing was begun.
    pub async fn response(self, replayed: bool) -> Option<Response> {
        let head = self.recording.until(|state| state.head.clone()).await;
        match head {
            Head::Answer(status, headers) => {
                let body = Body::from_stream(stream::unfold(self, |reader| async move {
                    let chunk = reader.next().await?;
                    Some((Ok::<_, Infallible>(chunk), reader))
                }));
                let mut response = Response::new(body);
                *response.status_mut() = status;
                *response.headers_mut() = match replayed {
                    true => again(&headers),
                    false => headers,
                };
                Some(response)
            }
            Head::Failed(error) => Some(ErrorShape::Model.respond(error)),
            Head::Abandoned => None,
        }
    }

    async fn next(&self) -> Option<Bytes> {
        let (chunk, window) = self
            .recording
            .until(|state| {
                let State { readers, chunks, dropped, .. } = state;
                // The reader is there until it is dropped, and holds its chunks.
                let place = readers.get_mut(&self.id)?;
                match chunks.get(place.saturating_sub(*dropped)) {
                    Some(chunk) => {
                        *place += 1;
                        Some((Some(chunk.clone()), state.too_long))
                    }
                    None => state.ended.then_some((None, false)),
                }
            })
            .await;
        if window {
            self.recording.changed.notify_waiters();
        }
        chunk
    }
}

impl Drop for Reader {
    fn drop(&mut self) {
        self.recording.change(|state| {
            state.readers.remove(&self.id);
        });
    }
}
