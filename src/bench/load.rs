//! A load generator that costs so little that it does not measure itself: raw HTTP/1.1 over
//! kept-alive connections, one request after the other on each.

use std::io;
use std::net::SocketAddr;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use memchr::memmem;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::task::JoinSet;

use super::{BenchError, histogram};

/// What one run measured.
#[derive(Debug)]
pub struct LoadFigures {
    /// Answers per second.
    pub per_second: u64,
    /// Until the last byte, in microseconds.
    pub whole: Histogram<u64>,
    /// Until the first byte of the body, in microseconds.
    pub first: Histogram<u64>,
    /// Answers with another status than 200.
    pub failed: u64,
}

/// One request, ready to be written.
#[derive(Debug, Clone)]
pub struct Shot {
    /// Where to.
    pub address: SocketAddr,
    bytes: Vec<u8>,
}

impl Shot {
    /// A POST of JSON with a bearer key.
    #[must_use]
    pub fn post(address: SocketAddr, path: &str, key: &str, body: &str) -> Self {
        let text = format!(
            "POST {path} HTTP/1.1\r\nhost: {address}\r\nauthorization: Bearer {key}\r\n\
             content-type: application/json\r\ncontent-length: {}\r\n\r\n{body}",
            body.len()
        );
        Self { address, bytes: text.into_bytes() }
    }

    /// What is written.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }
}

/// The time over which connections begin. Those that begin in one instant, at an upstream that
/// takes equally long for all, go on in step, and what is measured is their queue at one another.
const APART: Duration = Duration::from_millis(50);

/// `connections` connections, each with one of `shots`, for `time`; at most one request every
/// `pace` on each, where a pace is given.
///
/// # Errors
/// A connection broke.
pub async fn run(
    shots: &[Shot],
    connections: usize,
    time: Duration,
    pace: Option<Duration>,
) -> Result<LoadFigures, BenchError> {
    let mut tasks = JoinSet::new();
    let begun = Instant::now();
    for connection in 0..connections {
        let shot = shots[connection % shots.len()].clone();
        tasks.spawn(async move {
            tokio::time::sleep(APART * connection as u32 / connections.max(1) as u32).await;
            let mut line = Line::connect(shot.address).await?;
            let (mut whole, mut first, mut failed) = (histogram(), histogram(), 0);
            let mut ticks = tokio::time::interval(pace.unwrap_or(Duration::from_nanos(1)));
            while begun.elapsed() < time {
                if pace.is_some() {
                    ticks.tick().await;
                }
                let at = Instant::now();
                let answer = line.exchange(&shot.bytes).await?;
                whole.saturating_record(at.elapsed().as_micros() as u64);
                first.saturating_record(answer.first.duration_since(at).as_micros() as u64);
                failed += u64::from(answer.status != 200);
            }
            Ok::<_, io::Error>((whole, first, failed))
        });
    }
    let (mut whole, mut first, mut failed) = (histogram(), histogram(), 0);
    while let Some(done) = tasks.join_next().await {
        let figures = done.map_err(BenchError::new)?.map_err(BenchError::new)?;
        whole.add(figures.0).map_err(BenchError::new)?;
        first.add(figures.1).map_err(BenchError::new)?;
        failed += figures.2;
    }
    let micros = (begun.elapsed().as_micros() as u64).max(1);
    Ok(LoadFigures { per_second: whole.len() * 1_000_000 / micros, whole, first, failed })
}

struct Answer {
    status: u16,
    first: Instant,
}

/// One kept-alive connection.
struct Line {
    stream: TcpStream,
    buffer: Vec<u8>,
}

impl Line {
    async fn connect(address: SocketAddr) -> io::Result<Self> {
        let stream = TcpStream::connect(address).await?;
        stream.set_nodelay(true)?;
        Ok(Self { stream, buffer: Vec::with_capacity(16 << 10) })
    }

    async fn exchange(&mut self, request: &[u8]) -> io::Result<Answer> {
        self.buffer.clear();
        self.stream.write_all(request).await?;
        let head = loop {
            self.read().await?;
            if let Some(end) = memmem::find(&self.buffer, b"\r\n\r\n") {
                break end + 4;
            }
        };
        let text = String::from_utf8_lossy(&self.buffer[..head]).to_ascii_lowercase();
        let status = text.get(9..12).and_then(|code| code.parse().ok()).unwrap_or(0);
        let length = text
            .split("\r\n")
            .find_map(|line| line.strip_prefix("content-length:"))
            .and_then(|value| value.trim().parse::<usize>().ok());
        if self.buffer.len() == head && length != Some(0) {
            self.read().await?;
        }
        let first = Instant::now();
        loop {
            let complete = match length {
                Some(length) => self.buffer.len() >= head + length,
                None => self.buffer.ends_with(b"\r\n0\r\n\r\n"),
            };
            if complete {
                return Ok(Answer { status, first });
            }
            self.read().await?;
        }
    }

    async fn read(&mut self) -> io::Result<()> {
        match self.stream.read_buf(&mut self.buffer).await? {
            0 => Err(io::ErrorKind::UnexpectedEof.into()),
            _ => Ok(()),
        }
    }
}
