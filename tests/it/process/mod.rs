//! The program as a process of its own: stopped, killed, started again.

mod admin;
mod keyed;
mod kill;
mod load;
mod recovery;
mod shutdown;
mod torture;
mod wire;

use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use reqwest::{Client, Method, RequestBuilder};
use serde_json::{Value, json};
use sqlx::PgPool;
use sqlx::postgres::PgPoolOptions;
use tokio::sync::OnceCell;
use tollgate::database::PrivatePostgres;
use tollgate_projections::audit;

use crate::cluster::CaredDirectory;

const PROGRAM: &str = env!("CARGO_BIN_EXE_tollgate");
/// Longer than a start takes on a busy machine, the repair of a killed database included.
const START: Duration = Duration::from_secs(60);
/// Longer than a stop may take: connections, settlements and the rest have 70 seconds together.
const STOP: Duration = Duration::from_secs(80);
/// What its log says, before the address.
const SERVES: &str = "\"tollgate serves\",\"address\":\"";
const PASSWORD: &str = "correct horse battery";
const ADMIN: &str = "admin@example.com";

static NEXT: AtomicU32 = AtomicU32::new(0);

/// Looks until there is something.
async fn until<T>(what: &str, within: Duration, mut look: impl AsyncFnMut() -> Option<T>) -> T {
    let deadline = Instant::now() + within;
    loop {
        if let Some(found) = look().await {
            return found;
        }
        assert!(Instant::now() < deadline, "{what} took longer than {within:?}");
        tokio::time::sleep(Duration::from_millis(25)).await;
    }
}

fn signal(name: &str, pid: u32) {
    let sent = Command::new("kill").arg(format!("-{name}")).arg(pid.to_string()).status();
    assert!(sent.expect("kill can be run").success(), "{name} for {pid}");
}

/// A data directory with its private PostgreSQL, which the caretaker of the directory ends.
struct Place {
    postgres: OnceCell<PrivatePostgres>,
    directory: CaredDirectory,
}

impl Place {
    fn new() -> Self {
        Self { directory: CaredDirectory::new(), postgres: OnceCell::new() }
    }

    fn path(&self) -> &Path {
        self.directory.path()
    }

    /// The server. From now on this process uses it too, so it outlives the gateways. One of them
    /// must have started it: killed, a child of this process would stay as a zombie, which
    /// PostgreSQL takes for a living server.
    async fn postgres(&self) -> &PrivatePostgres {
        let join = async || {
            let postgres = PrivatePostgres::start(self.path()).await.expect("PostgreSQL");
            let server = postgres.pid().expect("it runs").to_string();
            let parent = Command::new("ps").args(["-o", "ppid=", "-p", &server]).output();
            let parent = String::from_utf8(parent.expect("ps can be run").stdout).expect("text");
            assert_ne!(parent.trim(), std::process::id().to_string(), "start a gateway first");
            postgres
        };
        self.postgres.get_or_init(join).await
    }

    async fn pool(&self) -> PgPool {
        let pool = PgPoolOptions::new().max_connections(2).acquire_timeout(START);
        pool.connect_with(self.postgres().await.server_options()).await.expect("a connection")
    }

    /// For a gateway beside the one that cares for PostgreSQL: it comes over this socket.
    async fn variables_beside(&self, socket: &Path) -> Vec<(&'static str, String)> {
        let kept = |name: &str| {
            let path = self.path().join("secrets").join(name);
            fs::read_to_string(path).expect("a kept secret").trim().to_owned()
        };
        let options = self.postgres().await.server_options();
        let database = options.get_database().expect("it has a name");
        let url = |role: &str, user: &str| {
            let password = kept(&format!("postgres-{role}-password"));
            let socket = socket.display();
            format!("postgres://{user}:{password}@localhost/{database}?host={socket}")
        };
        vec![
            ("DATABASE_URL", url("server", options.get_username())),
            ("DATABASE_OWNER_URL", url("owner", "tollgate_owner")),
            ("SECRET_KEY", kept("secret-key")),
            ("ENCRYPTION_KEY", kept("encryption-key")),
        ]
    }

    /// The books are right by the library's audit and by the command's, which must agree.
    async fn audit(&self) {
        let pool = self.pool().await;
        let report = audit::verify(&pool, &audit::Options::default(), |_| {}).await;
        pool.close().await;
        let report = report.expect("the audit is carried out");
        assert!(report.is_clean(), "{report}");
        let mut command = Command::new(PROGRAM);
        command.args(["audit", "verify"]).env("TOLLGATE_DATA_DIR", self.path());
        let output = command.env_remove("DATABASE_URL").output().expect("the program runs");
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    }
}

/// A running `tollgate`; killed where a test forgets to stop it.
struct Process {
    child: Child,
    log: PathBuf,
}

impl Process {
    fn spawn(place: &Path, arguments: &[&str], variables: &[(&str, &str)]) -> Self {
        let log = place.join(format!("process-{}.log", NEXT.fetch_add(1, Ordering::Relaxed)));
        let file = File::create(&log).expect("a log");
        let mut command = Command::new(PROGRAM);
        for inherited in ["DATABASE_URL", "OPENROUTER_MASTER_KEYS", "LOG_FILTER"] {
            command.env_remove(inherited);
        }
        command
            .args(arguments)
            .env("TOLLGATE_DATA_DIR", place)
            .env("LISTEN_ADDR", "127.0.0.1:0")
            .env("LOG_FORMAT", "json")
            .env("ADMIN_EMAIL", ADMIN)
            .env("ADMIN_PASSWORD", PASSWORD)
            .envs(variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(file.try_clone().expect("a log"))
            .stderr(file);
        Self { child: command.spawn().expect("the program starts"), log }
    }

    fn log(&self) -> String {
        fs::read_to_string(&self.log).unwrap_or_default()
    }

    /// What follows a text in the log, up to a quote or the end of the line.
    async fn said(&mut self, before: &str) -> String {
        let deadline = Instant::now() + START;
        loop {
            let log = self.log();
            let after = log.split_once(before).map(|(_, after)| after);
            // Without what ends it, only a part of it is written yet.
            let ends = |c: char| c.is_whitespace() || c == '"';
            if let Some((said, _)) = after.and_then(|after| after.split_once(ends)) {
                return said.to_owned();
            }
            let ended = self.child.try_wait().expect("a child");
            assert!(ended.is_none() && Instant::now() < deadline, "{ended:?}\n{log}");
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }

    /// Ends it without warning.
    fn kill(mut self) {
        self.stop_at_once();
    }

    /// [`Process::kill`] of one that is replaced later.
    fn stop_at_once(&mut self) {
        self.child.kill().expect("it runs");
        self.child.wait().expect("it has ended");
        assert!(!self.log().contains("panicked"), "{}", self.log());
    }

    fn terminate(&self) {
        signal("TERM", self.child.id());
    }

    async fn ended(mut self) -> ExitStatus {
        let deadline = Instant::now() + STOP;
        loop {
            if let Some(status) = self.child.try_wait().expect("a child") {
                assert!(!self.log().contains("panicked"), "{}", self.log());
                return status;
            }
            assert!(Instant::now() < deadline, "it does not stop\n{}", self.log());
            tokio::time::sleep(Duration::from_millis(25)).await;
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if std::thread::panicking() {
            let log = self.log();
            let last = log.lines().rev().take(60).collect::<Vec<_>>().into_iter().rev();
            eprintln!("{}:\n{}", self.log.display(), last.collect::<Vec<_>>().join("\n"));
        }
        // Both fail where it has ended already.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A gateway that serves, and how to talk to it.
struct Gateway {
    process: Process,
    base: String,
    http: Client,
}

impl Gateway {
    /// As [`Gateway::serve`], and again where the database went away during the start: whoever
    /// cares for processes starts what has ended.
    async fn serve_again(place: &Place, variables: &[(&str, &str)]) -> Self {
        for _ in 0..5 {
            let mut process = Process::spawn(place.path(), &["serve"], variables);
            let started = async || {
                let ended = process.child.try_wait().expect("a child").is_some();
                (ended || process.log().contains(SERVES)).then_some(ended)
            };
            if !until("a start", START, started).await {
                return Self::of(process).await;
            }
            println!("a start has failed: {}", process.log().lines().last().unwrap_or_default());
        }
        panic!("it does not start")
    }

    async fn serve(place: &Place, variables: &[(&str, &str)]) -> Self {
        Self::of(Process::spawn(place.path(), &["serve"], variables)).await
    }

    async fn of(mut process: Process) -> Self {
        let address = process.said(SERVES).await;
        let http = Client::builder().no_proxy().build().expect("a client");
        Self { process, base: format!("http://{address}"), http }
    }

    fn request(&self, method: Method, path: &str, token: &str) -> RequestBuilder {
        self.http.request(method, format!("{}{path}", self.base)).bearer_auth(token)
    }

    async fn post(&self, path: &str, token: &str, body: &Value) -> Value {
        let answer = self.request(Method::POST, path, token).json(body).send().await;
        let answer = answer.expect("an answer");
        let status = answer.status();
        let text = answer.text().await.expect("a whole answer");
        assert!(status.is_success(), "{path}: {status} {text}");
        serde_json::from_str(&text).expect("JSON")
    }

    async fn sign_in(&self, email: &str) -> String {
        let body = json!({ "email": email, "password": PASSWORD });
        let tokens = self.post("/v1/auth/login", "", &body).await;
        tokens["access_token"].as_str().expect("a token").to_owned()
    }

    /// A new customer's account and key, with this much money.
    async fn customer(&self, name: &str, dollars: &str) -> (String, String) {
        let email = format!("{name}@example.com");
        let body = json!({ "email": email, "password": PASSWORD, "name": name });
        self.post("/v1/auth/register", "", &body).await;
        let session = self.sign_in(&email).await;
        let me = self.request(Method::GET, "/v1/auth/me", &session).send().await;
        let me: Value = me.expect("an answer").json().await.expect("JSON");
        let account = me["account_id"].as_str().expect("an account").to_owned();
        let admin = self.sign_in(ADMIN).await;
        let path = format!("/v1/admin/clients/{account}/top-ups");
        self.post(&path, &admin, &json!({ "amount_usd": dollars })).await;
        let issued = self.post("/v1/auth/api-keys", &session, &json!({ "name": name })).await;
        (account, issued["key"].as_str().expect("a key").to_owned())
    }

    /// The name under which this process writes events.
    async fn node(&self) -> String {
        let health = self.request(Method::GET, "/health", "").send().await.expect("an answer");
        let health: Value = health.json().await.expect("JSON");
        health["node"].as_str().expect("a node").to_owned()
    }
}
