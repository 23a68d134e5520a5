//! Memory of the gateway while many streams are open.

use std::path::Path;
use std::time::{Duration, Instant};

use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use super::BenchError;
use super::gateway::Scene;

/// Resident megabytes of the gateway while `count` streams are open and flowing.
///
/// # Errors
/// A stream did not begin.
pub async fn resident_with_open_streams(directory: &Path, count: usize) -> Result<u64, BenchError> {
    let scene = Scene::open(directory, 0, 16).await?;
    let shots = scene.endless();
    let mut open = Vec::with_capacity(count);
    for at in 0..count {
        let shot = &shots[at % shots.len()];
        let mut stream = TcpStream::connect(shot.address).await.map_err(BenchError::new)?;
        stream.write_all(shot.bytes()).await.map_err(BenchError::new)?;
        open.push(stream);
    }
    let mut buffer = vec![0; 4_096];
    for stream in &mut open {
        let begun = Instant::now();
        let read = tokio::time::timeout(Duration::from_secs(30), stream.read(&mut buffer)).await;
        match read {
            Ok(Ok(bytes)) if bytes > 0 => {}
            _ => return Err(BenchError::new(format!("no stream after {:?}", begun.elapsed()))),
        }
        if !buffer.starts_with(b"HTTP/1.1 200") {
            return Err(BenchError::new(String::from_utf8_lossy(&buffer[..200])));
        }
    }
    let megabytes = scene.resident_megabytes();
    drop(open);
    scene.discard().await?;
    Ok(megabytes)
}
