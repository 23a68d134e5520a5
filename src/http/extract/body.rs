//! Reading a request's body: bounded in size, and in how long its sender may pause.

use std::time::Duration;

use axum::body::{Body, Bytes};
use bytes::BytesMut;
use http_body_util::BodyExt as _;
use tokio::time::{Instant, timeout_at};

use crate::config::Config;
use crate::http::ApiError;

/// A sender that never pauses for too long may still take this many times as long in all.
const PAUSES: u32 = 20;

/// Reads a whole body.
///
/// One that is too large is read on for a while, and thrown away: a client that is still sending
/// when the connection closes mostly sees a broken connection and not the answer.
///
/// # Errors
/// [`ApiError::BodyTooLarge`], [`ApiError::BodyTimedOut`], [`ApiError::ClientClosed`].
pub(super) async fn read(body: Body, config: &Config) -> Result<Bytes, ApiError> {
    let limit = config.body_limit_bytes;
    let mut pieces = Pieces::new(body, config.edge.body_timeout);
    let Some(first) = pieces.next().await? else { return Ok(Bytes::new()) };
    if first.len() > limit {
        return Err(pieces.refuse(limit).await);
    }
    // Most bodies are one piece, which needs no copy.
    let Some(second) = pieces.next().await? else { return Ok(first) };
    let mut whole = BytesMut::from(first);
    let mut piece = second;
    loop {
        if whole.len() + piece.len() > limit {
            drop(whole);
            return Err(pieces.refuse(limit).await);
        }
        whole.extend_from_slice(&piece);
        match pieces.next().await? {
            Some(next) => piece = next,
            None => return Ok(whole.freeze()),
        }
    }
}

struct Pieces {
    body: Body,
    pause: Duration,
    deadline: Instant,
}

impl Pieces {
    fn new(body: Body, pause: Duration) -> Self {
        Self { body, pause, deadline: Instant::now() + pause * PAUSES }
    }

    async fn next(&mut self) -> Result<Option<Bytes>, ApiError> {
        loop {
            let until = self.deadline.min(Instant::now() + self.pause);
            let frame = timeout_at(until, self.body.frame()).await;
            match frame.map_err(|_| ApiError::BodyTimedOut)? {
                None => return Ok(None),
                Some(Err(_)) => return Err(ApiError::ClientClosed),
                // Trailers say nothing that anybody here wants to know.
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) if !data.is_empty() => return Ok(Some(data)),
                    Ok(_) | Err(_) => {}
                },
            }
        }
    }

    /// Reads as much again, without keeping it.
    async fn refuse(mut self, limit: usize) -> ApiError {
        let mut rest = limit;
        while rest > 0 {
            match self.next().await {
                Ok(Some(piece)) => rest = rest.saturating_sub(piece.len()),
                Ok(None) | Err(_) => break,
            }
        }
        ApiError::BodyTooLarge { limit }
    }
}
