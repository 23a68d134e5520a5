//! A mail server that keeps what it is given.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncRead, AsyncWrite, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::TlsAcceptor;
use tokio_rustls::rustls::{
    self,
    pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _},
};
use tokio_util::task::AbortOnDropHandle;

/// What one mail looked like when it came.
#[derive(Debug, Clone)]
pub struct Received {
    /// The recipient of the envelope.
    pub to: String,
    /// Headers, unfolded.
    pub headers: String,
    /// The text, decoded.
    pub text: String,
}

/// Listens on a port of its own until it is dropped.
pub struct Sink {
    address: std::net::SocketAddr,
    shared: Arc<Shared>,
    _task: AbortOnDropHandle<()>,
}

/// How a mail server hides the conversation.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Encryption {
    /// Not at all.
    #[default]
    None,
    /// From the first byte.
    Implicit,
    /// After STARTTLS; before it neither a password nor a mail is taken.
    StartTls,
}

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    /// Answers to the next recipients, before they are taken.
    refusals: Mutex<VecDeque<&'static str>>,
    encryption: Encryption,
    /// The only user's password; none: everybody may send.
    password: Mutex<Option<&'static str>>,
    /// Conversations that began, and passwords that were tried.
    calls: AtomicUsize,
    tried: AtomicUsize,
}

impl Sink {
    pub async fn start() -> Self {
        Self::start_with(Encryption::None, None).await
    }

    /// A server that hides the conversation, and that wants this password of `gate`.
    pub async fn start_with(encryption: Encryption, password: Option<&'static str>) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let password = Mutex::new(password);
        let shared = Arc::new(Shared { encryption, password, ..Shared::default() });
        let task = tokio::spawn(serve(listener, shared.clone()));
        Self { address, shared, _task: AbortOnDropHandle::new(task) }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
    }

    /// With this password, over an encrypted connection.
    pub fn url_with(&self, password: &str) -> String {
        let Self { address, shared, .. } = self;
        match shared.encryption {
            Encryption::Implicit => format!("smtps://gate:{password}@{address}"),
            Encryption::None | Encryption::StartTls => {
                format!("smtp://gate:{password}@{address}?tls=required")
            }
        }
    }

    /// Another password from now on.
    pub fn set_password(&self, password: &'static str) {
        *self.shared.password.lock().unwrap() = Some(password);
    }

    /// Conversations that began.
    pub fn calls(&self) -> usize {
        self.shared.calls.load(Ordering::Relaxed)
    }

    /// Passwords that came.
    pub fn tried(&self) -> usize {
        self.shared.tried.load(Ordering::Relaxed)
    }

    /// The next recipient is refused in these words.
    pub fn refuse_next(&self, answer: &'static str) {
        self.shared.refusals.lock().unwrap().push_back(answer);
    }

    pub fn received(&self) -> Vec<Received> {
        self.shared.received.lock().unwrap().clone()
    }

    /// Waits for so many mails.
    pub async fn wait_for(&self, count: usize) -> Vec<Received> {
        for _ in 0..400 {
            let received = self.received();
            if received.len() >= count {
                return received;
            }
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
        panic!("{count} mails did not come: {:?}", self.received());
    }
}

async fn serve(listener: TcpListener, shared: Arc<Shared>) {
    loop {
        let (stream, _) = listener.accept().await.expect("a connection");
        // One after the other is enough: the sender sends so.
        let _ = answer(stream, &shared).await;
    }
}

async fn answer(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    shared.calls.fetch_add(1, Ordering::Relaxed);
    let hidden = match shared.encryption {
        Encryption::None => return converse(stream, shared, true).await.map(drop),
        Encryption::Implicit => tls().accept(stream).await?,
        Encryption::StartTls => match converse(stream, shared, false).await? {
            Some(stream) => tls().accept(stream).await?,
            None => return Ok(()),
        },
    };
    converse(hidden, shared, true).await.map(drop)
}

/// With the certificate of 127.0.0.1 that an authority of the tests has signed.
fn tls() -> TlsAcceptor {
    let file = |name: &str| format!("{}/tests/data/smtp/{name}", env!("CARGO_MANIFEST_DIR"));
    let chain = CertificateDer::pem_file_iter(file("server.pem")).expect("a file");
    let chain = chain.collect::<Result<_, _>>().expect("certificates");
    let key = PrivateKeyDer::from_pem_file(file("server.key")).expect("a key");
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .and_then(|config| config.with_no_client_auth().with_single_cert(chain, key));
    TlsAcceptor::from(Arc::new(config.expect("a key that fits its certificate")))
}

/// RFC 5321 as far as a well-behaved client needs it. The stream is handed back where the client
/// wants to hide the rest.
async fn converse<S>(stream: S, shared: &Shared, hidden: bool) -> std::io::Result<Option<S>>
where
    S: AsyncRead + AsyncWrite + Unpin,
{
    let mut stream = BufReader::new(stream);
    let mut to = String::new();
    if !(hidden && shared.encryption == Encryption::StartTls) {
        stream.write_all(b"220 sink ESMTP\r\n").await?;
    }
    let mut line = String::new();
    let mut welcome = shared.password.lock().unwrap().is_none();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(None);
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" if !hidden => "250-sink\r\n250-STARTTLS\r\n250 8BITMIME",
            "EHLO" if !welcome => "250-sink\r\n250-AUTH PLAIN\r\n250 8BITMIME",
            "EHLO" => "250-sink\r\n250 8BITMIME",
            "STAR" if !hidden => {
                stream.write_all(b"220 go on\r\n").await?;
                return Ok(Some(stream.into_inner()));
            }
            "AUTH" => {
                shared.tried.fetch_add(1, Ordering::Relaxed);
                welcome = is_right(&line, *shared.password.lock().unwrap());
                if welcome { "235 welcome" } else { "535 5.7.8 gate@example.com: who are you?" }
            }
            "MAIL" | "RCPT" | "DATA" if !hidden || !welcome => "530 5.7.0 not yet",
            "RCPT" => {
                to = line.trim().to_owned();
                shared.refusals.lock().unwrap().pop_front().unwrap_or("250 ok")
            }
            "DATA" => {
                stream.write_all(b"354 go on\r\n").await?;
                let mail = read_mail(&mut stream).await?;
                shared.received.lock().unwrap().push(parse(to.clone(), &mail));
                "250 taken"
            }
            "QUIT" => {
                stream.write_all(b"221 bye\r\n").await?;
                return Ok(None);
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

/// `AUTH PLAIN` with `\0user\0password` in base64.
fn is_right(line: &str, password: Option<&str>) -> bool {
    use base64::Engine as _;
    let given = line.trim().rsplit(' ').next().unwrap_or_default();
    let given = base64::engine::general_purpose::STANDARD.decode(given);
    let expected = password.map(|password| format!("\0gate\0{password}").into_bytes());
    given.ok() == expected
}

async fn read_mail<S>(stream: &mut BufReader<S>) -> std::io::Result<String>
where
    S: AsyncRead + Unpin,
{
    let mut mail = String::new();
    loop {
        let mut line = String::new();
        stream.read_line(&mut line).await?;
        if line == ".\r\n" || line.is_empty() {
            return Ok(mail);
        }
        mail += line.strip_prefix('.').unwrap_or(&line);
    }
}

fn parse(to: String, mail: &str) -> Received {
    let (headers, body) = mail.split_once("\r\n\r\n").unwrap_or((mail, ""));
    let headers = headers.replace("\r\n ", " ");
    let encoding = headers
        .lines()
        .find_map(|line| line.strip_prefix("Content-Transfer-Encoding: "))
        .unwrap_or("7bit");
    let text = match encoding.trim() {
        "quoted-printable" => quoted_printable(body),
        "base64" => {
            use base64::Engine as _;
            let joined: String = body.split_whitespace().collect();
            let bytes = base64::engine::general_purpose::STANDARD.decode(joined);
            String::from_utf8(bytes.expect("base64")).expect("UTF-8")
        }
        _ => body.to_owned(),
    };
    Received { to, headers, text }
}

fn quoted_printable(body: &str) -> String {
    let body = body.replace("=\r\n", "");
    let mut bytes = vec![];
    let mut rest = body.as_bytes();
    while let Some((first, after)) = rest.split_first() {
        let digits = after.get(..2).filter(|_| *first == b'=');
        let hex =
            digits.and_then(|two| u8::from_str_radix(std::str::from_utf8(two).ok()?, 16).ok());
        bytes.push(hex.unwrap_or(*first));
        rest = if hex.is_some() { &after[2..] } else { after };
    }
    String::from_utf8(bytes).expect("UTF-8")
}
