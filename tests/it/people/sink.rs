//! A mail server that keeps what it is given.

use std::collections::VecDeque;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt as _, AsyncWriteExt as _, BufReader};
use tokio::net::{TcpListener, TcpStream};
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

#[derive(Default)]
struct Shared {
    received: Mutex<Vec<Received>>,
    /// Answers to the next recipients, before they are taken.
    refusals: Mutex<VecDeque<&'static str>>,
}

impl Sink {
    pub async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        let shared = Arc::<Shared>::default();
        let task = tokio::spawn(serve(listener, shared.clone()));
        Self { address, shared, _task: AbortOnDropHandle::new(task) }
    }

    pub fn url(&self) -> String {
        format!("smtp://{}", self.address)
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
        let _ = converse(stream, &shared).await;
    }
}

/// RFC 5321 as far as a well-behaved client needs it.
async fn converse(stream: TcpStream, shared: &Shared) -> std::io::Result<()> {
    let mut stream = BufReader::new(stream);
    let mut to = String::new();
    stream.write_all(b"220 sink ESMTP\r\n").await?;
    let mut line = String::new();
    loop {
        line.clear();
        if stream.read_line(&mut line).await? == 0 {
            return Ok(());
        }
        let verb = line.get(..4).unwrap_or_default().to_ascii_uppercase();
        let answer = match verb.as_str() {
            "EHLO" => "250-sink\r\n250 8BITMIME",
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
                return Ok(());
            }
            _ => "250 ok",
        };
        stream.write_all(format!("{answer}\r\n").as_bytes()).await?;
    }
}

async fn read_mail(stream: &mut BufReader<TcpStream>) -> std::io::Result<String> {
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
