//! The application under test.

mod people;

use reqwest::{Method, StatusCode, header};
use serde_json::{Value, json};
use tollgate::config::{Config, DatabaseConfig};
use tollgate::http::AppState;
use tollgate::serve::{self, Running};
use tollgate_projections::audit;

use crate::cluster::TestDatabase;
pub use people::Person;

/// How long the read models may take to reach the end of the log.
const CAUGHT_UP: std::time::Duration = std::time::Duration::from_secs(10);

/// A running application with a database of its own.
pub struct TestApp {
    running: Option<Running>,
    /// Dropped after the application has stopped.
    database: TestDatabase,
    client: reqwest::Client,
    base: String,
    config: Config,
    audited: bool,
}

/// Another node on a [`TestApp`]'s database.
pub struct Node {
    running: Running,
    client: reqwest::Client,
    base: String,
}

impl Node {
    /// A request that is not sent yet.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// Ends it in order.
    pub async fn stop(self) {
        self.running.stop().await;
    }
}

/// An answer, read to its end.
#[derive(Debug)]
pub struct Answer {
    /// The status.
    pub status: StatusCode,
    /// The headers.
    pub headers: header::HeaderMap,
    /// The body, if it is JSON; else null.
    pub body: Value,
    /// The body as it came.
    pub text: String,
}

impl Answer {
    /// The answer's body, if the status is as expected.
    #[track_caller]
    pub fn expect(self, status: u16) -> Value {
        assert_eq!(self.status, status, "{}", self.text);
        self.body
    }

    /// That the answer is a problem with this status and code.
    #[track_caller]
    pub fn expect_problem(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        assert_eq!(self.headers[header::CONTENT_TYPE], "application/problem+json");
        assert_eq!(self.body["code"], code, "{}", self.text);
        assert_eq!(self.body["status"], status);
    }

    /// That the answer is an error in OpenAI's shape with this status and code.
    #[track_caller]
    pub fn expect_model_error(&self, status: u16, code: &str) {
        assert_eq!(self.status, status, "{}", self.text);
        let error = self.body["error"].as_object().expect("an error in OpenAI's shape");
        assert_eq!(error["code"], code, "{}", self.text);
        assert!(error["message"].is_string() && error["type"].is_string(), "{}", self.text);
        assert!(error.contains_key("param"), "{}", self.text);
    }
}

impl TestApp {
    /// Starts an application with an empty database.
    pub async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts an application with an empty database and another configuration.
    pub async fn start_with(change: impl FnOnce(&mut Config)) -> Self {
        let database = TestDatabase::migrated().await;
        let mut config = configuration();
        config.database = DatabaseConfig::Server {
            server: Box::new(database.server.clone()),
            owner: Box::new(database.owner.clone()),
        };
        change(&mut config);
        let running = serve::start(config.clone()).await.expect("the application starts");
        let base = format!("http://{}", running.address());
        let client = reqwest::Client::builder().no_proxy().build().expect("a client");
        let audited = false;
        Self { running: Some(running), database, client, base, config, audited }
    }

    /// Another process, as it were, on the same database.
    pub async fn another_node(&self) -> Node {
        let running = serve::start(self.config.clone()).await.expect("another node starts");
        let base = format!("http://{}", running.address());
        Node { running, client: self.client.clone(), base }
    }

    /// Where it listens.
    pub fn address(&self) -> std::net::SocketAddr {
        self.running.as_ref().expect("it runs").address()
    }

    /// What `/metrics` says; the configuration has to name an address for it.
    pub async fn figures(&self) -> String {
        let address = self.running.as_ref().expect("it runs").metrics_address();
        let url = format!("http://{}/metrics", address.expect("an address for figures"));
        let answer = read(self.client.get(url)).await;
        let kind = &answer.headers[header::CONTENT_TYPE];
        assert_eq!(
            (answer.status.as_u16(), kind),
            (200, &"text/plain; version=0.0.4".parse().unwrap())
        );
        answer.text
    }

    /// The application from inside.
    pub fn state(&self) -> &AppState {
        self.running.as_ref().expect("it runs").state()
    }

    /// Its database.
    pub const fn database(&self) -> &TestDatabase {
        &self.database
    }

    /// A pool of the role that owns the tables.
    pub async fn owner_pool(&self) -> sqlx::PgPool {
        self.database.pool().await
    }

    /// Sends a request and reads the whole answer.
    pub async fn send(
        &self,
        method: Method,
        path: &str,
        bearer: Option<&str>,
        body: Option<&Value>,
    ) -> Answer {
        let mut request = self.request(method, path);
        if let Some(token) = bearer {
            request = request.bearer_auth(token);
        }
        if let Some(body) = body {
            request = request.json(body);
        }
        read(request).await
    }

    /// A request that is not sent yet.
    pub fn request(&self, method: Method, path: &str) -> reqwest::RequestBuilder {
        self.client.request(method, format!("{}{path}", self.base))
    }

    /// `GET`
    pub async fn get(&self, path: &str, bearer: &str) -> Answer {
        self.send(Method::GET, path, Some(bearer), None).await
    }

    /// `POST`
    pub async fn post(&self, path: &str, bearer: &str, body: &Value) -> Answer {
        self.send(Method::POST, path, Some(bearer), Some(body)).await
    }

    /// A chat completion that is not streamed.
    pub async fn chat(&self, key: &str, content: &str) -> Answer {
        let body = json!({
            "model": "openai/gpt-4o-mini",
            "messages": [{ "role": "user", "content": content }],
            "max_tokens": 64,
        });
        self.post("/v1/chat/completions", key, &body).await
    }

    /// Waits until the read models have everything that happened so far.
    pub async fn caught_up(&self) -> i64 {
        // The log's own head: what a test has read there may be ahead of what the process was told.
        let head = sqlx::query_scalar("SELECT position FROM ledger_head")
            .fetch_one(self.state().database.pool())
            .await
            .expect("the head of the log");
        let waited = self.state().progress.wait_for(head, CAUGHT_UP).await;
        waited.expect("the read models reach the end of the log")
    }

    /// Ends the test: settlements end, nothing stays reserved, and the audit finds the books right.
    pub async fn audit(mut self) {
        self.audited = true;
        self.settled().await;
        let pool = self.state().database.pool().clone();
        let report = audit::verify(&pool, &audit::Options::default(), |_| {}).await;
        let report = report.expect("the audit is carried out");
        drop(pool);
        self.running.take().expect("it runs").stop().await;
        assert!(report.is_clean(), "{report}");
    }

    /// Waits until every request has come to its end in the books, which is a moment after its
    /// answer, and the read models have it. Returns their position.
    pub async fn settled(&self) -> i64 {
        use tollgate_projections::queries::{OpenFilter, PageRequest, open_reservations};
        for _ in 0..100 {
            let position = self.caught_up().await;
            let (filter, page) = (OpenFilter::default(), PageRequest::default());
            let open = open_reservations(self.state().database.pool(), &filter, &page).await;
            if open.expect("the read model can be read").items.is_empty() {
                return position;
            }
            tokio::time::sleep(std::time::Duration::from_millis(100)).await;
        }
        panic!("reservations stayed open");
    }
}

impl Drop for TestApp {
    fn drop(&mut self) {
        if !self.audited && !std::thread::panicking() {
            panic!("a test ends with app.audit().await");
        }
    }
}

/// Sends a request and reads the whole answer.
pub async fn read(request: reqwest::RequestBuilder) -> Answer {
    let response = request.send().await.expect("an answer");
    let (status, headers) = (response.status(), response.headers().clone());
    let text = response.text().await.expect("a whole answer");
    let body = serde_json::from_str(&text).unwrap_or(Value::Null);
    Answer { status, headers, body, text }
}

fn configuration() -> Config {
    let lookup = |name: &str| match name {
        // Everything that would be kept there is given.
        "TOLLGATE_DATA_DIR" => Some("/nonexistent".to_owned()),
        "LISTEN_ADDR" => Some("127.0.0.1:0".to_owned()),
        "SECRET_KEY" => Some("a secret key that only tests know of".to_owned()),
        "ENCRYPTION_KEY" => Some("42".repeat(32)),
        "ADMIN_EMAIL" => Some(people::ADMIN_EMAIL.to_owned()),
        "ADMIN_PASSWORD" => Some(people::ADMIN_PASSWORD.to_owned()),
        _ => None,
    };
    Config::from_lookup(&lookup).expect("the configuration is right")
}
