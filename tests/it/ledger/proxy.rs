//! A wire to PostgreSQL that can be cut at an exact place.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::{env, fs, io, process};

use parking_lot::Mutex;
use sqlx::postgres::PgConnectOptions;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::unix::{OwnedReadHalf, OwnedWriteHalf};
use tokio::net::{UnixListener, UnixStream};
use tokio::sync::Notify;
use tokio_util::sync::CancellationToken;
use tokio_util::task::TaskTracker;

const SOCKET: &str = ".s.PGSQL.5432";
static NEXT: AtomicU32 = AtomicU32::new(0);

/// Where the wire is cut.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cut {
    /// The server never hears of the append.
    BeforeTheServer,
    /// The server may be in the middle of it.
    Meanwhile,
    /// The server has committed, and its answer is lost.
    BeforeTheAnswer,
    /// The server has committed, and the wire stays open and silent.
    SilentBeforeTheAnswer,
}

/// The append's statement, by a part of it.
const APPEND: &str = "UPDATE ledger_head";

/// Cuts when so many more statements with this text were sent.
struct Plan {
    text: &'static str,
    times: u32,
    cut: Cut,
}

#[derive(Default)]
struct Shared {
    plans: Mutex<Vec<Plan>>,
    away: AtomicBool,
    cuts: AtomicU32,
    cut: Notify,
}

/// A Unix socket that forwards to the server's.
pub struct Proxy {
    directory: PathBuf,
    options: PgConnectOptions,
    shared: Arc<Shared>,
    stop: CancellationToken,
    tracker: TaskTracker,
}

impl Proxy {
    pub fn before(server: &PgConnectOptions) -> Self {
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let directory = env::temp_dir().join(format!("tollgate-wire-{}-{number}", process::id()));
        fs::create_dir_all(&directory).expect("the temporary directory is writable");
        let listener = UnixListener::bind(directory.join(SOCKET)).expect("a socket");
        let real = server.get_socket().expect("the private server has a socket").join(SOCKET);
        let (stop, tracker) = (CancellationToken::new(), TaskTracker::new());
        let shared = Arc::new(Shared::default());
        let accepting = accept(listener, real, shared.clone(), tracker.clone(), stop.clone());
        tracker.spawn(accepting);
        let options = server.clone().socket(&directory);
        Self { directory, options, shared, stop, tracker }
    }

    /// For a client that comes through here.
    pub fn options(&self) -> PgConnectOptions {
        self.options.clone()
    }

    /// Cuts at the n-th append from now, counted from 1.
    pub fn cut(&self, appends: u32, cut: Cut) {
        self.cut_at(APPEND, appends, cut);
    }

    /// Cuts at the n-th statement with this text.
    pub fn cut_at(&self, text: &'static str, times: u32, cut: Cut) {
        self.shared.plans.lock().push(Plan { text, times, cut });
    }

    /// How often it was cut.
    pub fn cuts(&self) -> u32 {
        self.shared.cuts.load(Ordering::SeqCst)
    }

    /// Until it was cut so often.
    pub async fn until_cut(&self, times: u32) {
        while self.cuts() < times {
            self.shared.cut.notified().await;
        }
    }

    /// While it is away, nobody is let in.
    pub fn set_away(&self, away: bool) {
        self.shared.away.store(away, Ordering::SeqCst);
    }

    pub async fn stop(self) {
        self.stop.cancel();
        self.tracker.close();
        self.tracker.wait().await;
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.stop.cancel();
        let _ = fs::remove_dir_all(&self.directory);
    }
}

async fn accept(
    listener: UnixListener,
    real: PathBuf,
    shared: Arc<Shared>,
    tracker: TaskTracker,
    stop: CancellationToken,
) {
    loop {
        let client = tokio::select! {
            () = stop.cancelled() => return,
            accepted = listener.accept() => accepted.expect("a client").0,
        };
        if shared.away.load(Ordering::SeqCst) {
            continue;
        }
        let (wire, stop) = (forward(client, real.clone(), shared.clone()), stop.clone());
        tracker.spawn(async move {
            tokio::select! { () = stop.cancelled() => {}, _ = wire => {} }
        });
    }
}

/// One connection, until either side or a cut ends it.
async fn forward(
    client: UnixStream,
    real: impl AsRef<Path>,
    shared: Arc<Shared>,
) -> io::Result<()> {
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = UnixStream::connect(real).await?.into_split();
    let swallow = Arc::new(AtomicBool::new(false));
    let answers = pass_answers(from_server, to_client, swallow.clone());
    tokio::select! {
        ended = pass_requests(from_client, to_server, &shared, &swallow) => ended,
        ended = answers => {
            if swallow.load(Ordering::SeqCst) {
                shared.was_cut();
            }
            ended
        }
    }
}

/// Forwards what the server says, or reads the answer to its end and keeps it.
async fn pass_answers(
    mut server: OwnedReadHalf,
    mut client: OwnedWriteHalf,
    swallow: Arc<AtomicBool>,
) -> io::Result<()> {
    loop {
        let message = read_message(&mut server).await?;
        if !swallow.load(Ordering::SeqCst) {
            client.write_all(&message).await?;
        } else if message[0] == b'Z' {
            return Ok(());
        }
    }
}

async fn pass_requests(
    mut client: OwnedReadHalf,
    mut server: OwnedWriteHalf,
    shared: &Shared,
    swallow: &AtomicBool,
) -> io::Result<()> {
    let length = client.read_u32().await?;
    let mut startup = vec![0; length as usize - 4];
    client.read_exact(&mut startup).await?;
    server.write_u32(length).await?;
    server.write_all(&startup).await?;
    let mut statements = HashMap::new();
    loop {
        let message = read_message(&mut client).await?;
        let cut = shared.at(&message, &mut statements);
        if cut == Some(Cut::BeforeTheServer) {
            shared.was_cut();
            return Ok(());
        }
        if matches!(cut, Some(Cut::BeforeTheAnswer | Cut::SilentBeforeTheAnswer)) {
            swallow.store(true, Ordering::SeqCst);
        }
        server.write_all(&message).await?;
        match cut {
            None | Some(Cut::BeforeTheServer | Cut::BeforeTheAnswer) => {}
            Some(Cut::Meanwhile) => {
                // The rest of the append, up to its Sync, and then nothing more.
                while message_kind(&mut client, &mut server).await? != b'S' {}
                shared.was_cut();
                return Ok(());
            }
            Some(Cut::SilentBeforeTheAnswer) => {
                while message_kind(&mut client, &mut server).await? != b'S' {}
                shared.was_cut();
                return std::future::pending().await;
            }
        }
    }
}

async fn message_kind(client: &mut OwnedReadHalf, server: &mut OwnedWriteHalf) -> io::Result<u8> {
    let message = read_message(client).await?;
    server.write_all(&message).await?;
    Ok(message[0])
}

async fn read_message(from: &mut OwnedReadHalf) -> io::Result<Vec<u8>> {
    let kind = from.read_u8().await?;
    let length = from.read_u32().await?;
    let mut message = vec![kind];
    message.extend(length.to_be_bytes());
    message.resize(length as usize + 1, 0);
    from.read_exact(&mut message[5..]).await?;
    Ok(message)
}

impl Shared {
    /// Whether the wire is cut at this message of the client: the Bind of a planned statement.
    fn at(&self, message: &[u8], statements: &mut HashMap<Vec<u8>, String>) -> Option<Cut> {
        let mut texts = message[5..].split(|byte| *byte == 0);
        match message[0] {
            b'P' => {
                let name = texts.next()?.to_vec();
                statements.insert(name, String::from_utf8_lossy(texts.next()?).into_owned());
                None
            }
            b'B' => {
                let sql = statements.get(texts.nth(1)?)?;
                let mut plans = self.plans.lock();
                let met = plans.iter_mut().filter(|plan| sql.contains(plan.text));
                met.for_each(|plan| plan.times -= 1);
                let due = plans.iter().position(|plan| plan.times == 0)?;
                Some(plans.remove(due).cut)
            }
            _ => None,
        }
    }

    fn was_cut(&self) {
        self.cuts.fetch_add(1, Ordering::SeqCst);
        self.cut.notify_one();
    }
}
