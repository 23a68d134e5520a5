//! The body of an answer, played frame by frame at the pace of a model.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use axum::body::Body;
use bytes::Bytes;
use futures_util::stream;
use tokio::time::{Instant, sleep};

use super::meter::{End, Meter};

/// An endless answer ends after this long all the same.
const ENDLESS_LIMIT: Duration = Duration::from_secs(600);
/// Without a pause, the frames before a broken connection would be lost with it.
const BEFORE_ABORT: Duration = Duration::from_millis(30);

/// One write: what to wait before it and how many completion tokens exist once it is out.
#[derive(Debug, Clone)]
pub struct Frame {
    pub wait: Duration,
    pub bytes: Bytes,
    pub billed: u64,
}

/// What happens after the last frame.
#[derive(Debug, Clone)]
pub enum Last {
    /// The body is complete.
    Complete(End),
    /// The connection breaks.
    Abort,
    /// These frames are repeated, each generating its tokens again.
    Repeat(Vec<Frame>),
}

pub struct Script {
    pub frames: VecDeque<Frame>,
    pub last: Last,
}

struct Player {
    script: Script,
    meter: Meter,
    played: bool,
    deadline: Option<Instant>,
    billed: u64,
}

impl Script {
    pub fn into_body(self, meter: Meter) -> Body {
        let player = Player { script: self, meter, played: false, deadline: None, billed: 0 };
        Body::from_stream(stream::unfold(Some(player), |player| async move {
            let mut player = player?;
            let item = player.next().await?;
            let rest = item.is_ok().then_some(player);
            Some((item, rest))
        }))
    }
}

impl Player {
    async fn next(&mut self) -> Option<io::Result<Bytes>> {
        if self.script.frames.is_empty() {
            self.repeat();
        }
        let Some(frame) = self.script.frames.pop_front() else { return self.end().await };
        if !frame.wait.is_zero() {
            sleep(frame.wait).await;
        }
        self.played = true;
        self.billed = frame.billed;
        self.meter.advance(frame.billed);
        // Closed with the last frame, not after it: a client that leaves having read everything
        // did not cancel.
        if self.script.frames.is_empty()
            && let Last::Complete(end) = self.script.last
        {
            self.meter.close(end);
        }
        Some(Ok(frame.bytes))
    }

    fn repeat(&mut self) {
        let Last::Repeat(frames) = &self.script.last else { return };
        let deadline = *self.deadline.get_or_insert_with(|| Instant::now() + ENDLESS_LIMIT);
        if Instant::now() >= deadline {
            self.script.last = Last::Complete(End::Finished);
            return;
        }
        let before = self.billed;
        self.script.frames = frames
            .iter()
            .map(|frame| Frame { billed: before + frame.billed, ..frame.clone() })
            .collect();
    }

    async fn end(&mut self) -> Option<io::Result<Bytes>> {
        match &self.script.last {
            Last::Complete(end) => {
                self.meter.close(*end);
                None
            }
            Last::Repeat(_) => None,
            Last::Abort => {
                if self.played {
                    sleep(BEFORE_ABORT).await;
                }
                self.meter.close(End::Partial);
                let reason = "the sandbox was asked to break this connection";
                Some(Err(io::Error::new(io::ErrorKind::ConnectionReset, reason)))
            }
        }
    }
}
