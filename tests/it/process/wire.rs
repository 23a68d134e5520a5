//! A wire to PostgreSQL that breaks at any byte.

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicI64, AtomicU32, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, AsyncWrite, AsyncWriteExt as _};
use tokio::net::{UnixListener, UnixStream};
use tokio_util::task::AbortOnDropHandle;

const SOCKET: &str = ".s.PGSQL.5432";

/// A Unix socket that forwards to the server's, both ways, until the byte at which it is cut.
pub struct Wire {
    directory: PathBuf,
    shared: Arc<Shared>,
    _accepting: AbortOnDropHandle<()>,
}

#[derive(Default)]
struct Shared {
    /// Bytes that may still pass before a connection is cut; below zero: all may.
    left: AtomicI64,
    cuts: AtomicU32,
}

impl Wire {
    /// In front of the server whose socket is in `server`.
    pub fn before(server: &Path, directory: PathBuf) -> Self {
        std::fs::create_dir_all(&directory).expect("the directory is writable");
        let listener = UnixListener::bind(directory.join(SOCKET)).expect("a socket");
        let shared = Arc::new(Shared { left: AtomicI64::new(-1), cuts: AtomicU32::new(0) });
        let accepting = tokio::spawn(accept(listener, server.join(SOCKET), shared.clone()));
        Self { directory, shared, _accepting: AbortOnDropHandle::new(accepting) }
    }

    /// Where its socket is.
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// Cuts the connection that carries the n-th byte from now, in the middle of whatever it says.
    pub fn cut_after(&self, bytes: u32) {
        self.shared.left.store(i64::from(bytes), Ordering::SeqCst);
    }

    /// How often it was cut.
    pub fn cuts(&self) -> u32 {
        self.shared.cuts.load(Ordering::SeqCst)
    }
}

impl Shared {
    /// How many of these bytes may pass: fewer where the cut falls among them.
    fn passes(&self, bytes: usize) -> usize {
        let bytes = i64::try_from(bytes).expect("a buffer is small");
        let before = self.left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, |left| {
            (left >= 0).then(|| (left - bytes).max(-1))
        });
        let Ok(left) = before else { return bytes as usize };
        if left < bytes {
            self.cuts.fetch_add(1, Ordering::SeqCst);
        }
        left.min(bytes) as usize
    }
}

async fn accept(listener: UnixListener, server: PathBuf, shared: Arc<Shared>) {
    // Dropped with the wire, and every connection with it.
    let mut connections = tokio::task::JoinSet::new();
    while let Ok((client, _)) = listener.accept().await {
        connections.spawn(forward(client, server.clone(), shared.clone()));
        while connections.try_join_next().is_some() {}
    }
}

/// Either direction's end is the end of both.
async fn forward(client: UnixStream, server: PathBuf, shared: Arc<Shared>) -> io::Result<()> {
    let (from_server, to_server) = UnixStream::connect(server).await?.into_split();
    let (from_client, to_client) = client.into_split();
    tokio::select! {
        ended = pass(from_client, to_server, &shared) => ended,
        ended = pass(from_server, to_client, &shared) => ended,
    }
}

async fn pass(
    mut from: impl AsyncRead + Unpin,
    mut to: impl AsyncWrite + Unpin,
    shared: &Shared,
) -> io::Result<()> {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = from.read(&mut buffer).await?;
        if read == 0 {
            return Ok(());
        }
        let passes = shared.passes(read);
        to.write_all(&buffer[..passes]).await?;
        if passes < read {
            return Ok(());
        }
    }
}
