//! A request that is sent twice is carried out once.

use serde::Serialize;
use serde::de::DeserializeOwned;
use tollgate_domain::Eventful;

use crate::http::ApiError;
use crate::ledger::{CommandContext, CommandError, Idempotency, KeptResult, Ledger, Streams};

/// A client's `Idempotency-Key` with what it was sent for.
#[derive(Debug, Clone)]
pub struct RequestKey {
    scope: &'static str,
    key: String,
    content: String,
}

/// What a command led to.
#[derive(Debug, Clone, Copy)]
pub struct Outcome<T> {
    /// What its caller is told.
    pub answer: T,
    /// A position of the log that holds it.
    pub position: i64,
    /// Was it carried out by an earlier request?
    pub replayed: bool,
}

impl RequestKey {
    /// A key for one kind of request with this content.
    pub fn new(
        scope: &'static str,
        key: String,
        content: &impl Serialize,
    ) -> Result<Self, ApiError> {
        let content = serde_json::to_string(content).map_err(ApiError::internal)?;
        Ok(Self { scope, key, content })
    }

    fn idempotency(&self, result: String) -> Idempotency {
        Idempotency::new(self.scope, &self.key, &self.content, result)
    }

    /// The first answer, if the content is the same.
    fn replay<T: DeserializeOwned>(
        &self,
        kept: &KeptResult,
        ledger: &Ledger,
    ) -> Result<Outcome<T>, ApiError> {
        let same = self.idempotency(String::new()).fingerprint[..] == kept.fingerprint[..];
        if !same {
            return Err(ApiError::IdempotencyMismatch);
        }
        let answer = serde_json::from_str(&kept.result).map_err(ApiError::internal)?;
        // Its own position is not kept; the head is behind it in any case.
        let position = *ledger.engine().head().borrow();
        Ok(Outcome { answer, position, replayed: true })
    }
}

/// The answer to an earlier request with this key.
pub async fn find<T: DeserializeOwned>(
    ledger: &Ledger,
    key: Option<&RequestKey>,
) -> Result<Option<Outcome<T>>, ApiError> {
    let Some(key) = key else { return Ok(None) };
    let kept = ledger.find_kept(key.scope, &key.key).await?;
    kept.map(|kept| key.replay(&kept, ledger)).transpose()
}

/// Carries out a command and keeps `answer` under the key, in one statement: of two requests with
/// one key that come at once, the second is told what the first was.
pub async fn execute<A, T>(
    ledger: &Ledger,
    streams: &Streams<A>,
    stream: &str,
    command: A::Command,
    context: &CommandContext,
    key: Option<&RequestKey>,
    answer: T,
) -> Result<Outcome<T>, ApiError>
where
    A: Eventful,
    A::Command: Clone + Send,
    A::Error: Into<ApiError>,
    T: Serialize + DeserializeOwned,
{
    execute_with(ledger, streams, stream, |_| command.clone(), context, key, answer).await
}

/// The same for a command that depends on the state, as in [`Streams::execute_with`].
pub async fn execute_with<A, T>(
    ledger: &Ledger,
    streams: &Streams<A>,
    stream: &str,
    make: impl FnMut(&A) -> A::Command,
    context: &CommandContext,
    key: Option<&RequestKey>,
    answer: T,
) -> Result<Outcome<T>, ApiError>
where
    A: Eventful,
    A::Command: Clone + Send,
    A::Error: Into<ApiError>,
    T: Serialize + DeserializeOwned,
{
    let result = serde_json::to_string(&answer).map_err(ApiError::internal)?;
    let idempotency = key.map(|key| key.idempotency(result));
    match (streams.execute_with(stream, context, idempotency, make).await, key) {
        (Ok(committed), _) => Ok(Outcome { answer, position: committed.position, replayed: false }),
        (Err(CommandError::KeyUsed(kept)), Some(key)) => key.replay(&kept, ledger),
        (Err(error), _) => Err(error.into()),
    }
}
