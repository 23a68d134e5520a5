//! The whole gateway under load: an instant upstream and the gateway as processes of their own,
//! ledger and read models on, customers made through the API.

use std::net::{SocketAddr, TcpListener};
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::{Duration, Instant};

use hdrhistogram::Histogram;
use serde_json::{Value, json};
use tokio::process::{Child, Command};

use super::load::{self, LoadFigures, Shot};
use super::{BenchError, Stage, cpu, histogram};

/// A gateway process with an instant upstream, customers and their keys.
pub struct Scene {
    gateway: Child,
    upstream: Child,
    address: SocketAddr,
    upstream_address: SocketAddr,
    data_dir: PathBuf,
    keys: Vec<String>,
}

/// What one run measured.
#[derive(Debug)]
pub struct GatewayFigures {
    /// Rates and latencies.
    pub load: LoadFigures,
    /// Microseconds of processor time per request in the gateway.
    pub gateway_cpu: u64,
    /// Microseconds of processor time per request in PostgreSQL.
    pub postgres_cpu: u64,
}

fn free_address() -> Result<SocketAddr, BenchError> {
    let listener = TcpListener::bind(("127.0.0.1", 0)).map_err(BenchError::new)?;
    listener.local_addr().map_err(BenchError::new)
}

/// A request of about a kilobyte.
fn body(stream: bool) -> String {
    let words =
        "The books of a reseller balance when every charge can be computed again. ".repeat(11);
    json!({
        "model": "openai/gpt-4o-mini",
        "messages": [
            { "role": "system", "content": "You answer in one sentence." },
            { "role": "user", "content": words },
        ],
        "max_tokens": 64,
        "stream": stream,
    })
    .to_string()
}

impl Scene {
    /// Starts both processes and makes `customers` with money and a key each.
    ///
    /// # Errors
    /// A process does not start or the API refuses.
    pub async fn open(
        directory: &Path,
        latency_ms: u64,
        customers: usize,
    ) -> Result<Self, BenchError> {
        let program = std::env::current_exe().map_err(BenchError::new)?;
        let (address, upstream_address) = (free_address()?, free_address()?);
        // Of its own: the upstream of an earlier scene is gone, and its account with it.
        let data_dir = directory.join(format!("gateway-{}", upstream_address.port()));
        Stage::postgres(&data_dir).await?.stop().await.map_err(BenchError::new)?;
        let upstream = Command::new(&program)
            .args(["sandbox", "--instant", "--latency-ms", &latency_ms.to_string()])
            .args(["--listen", &upstream_address.to_string()])
            .stdout(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .map_err(BenchError::new)?;
        let gateway = Command::new(&program)
            .arg("serve")
            .env("LISTEN_ADDR", address.to_string())
            .env("TOLLGATE_DATA_DIR", &data_dir)
            .env_remove("DATABASE_URL")
            .env("OPENROUTER_MASTER_KEYS", format!("sk-bench-{}", upstream_address.port()))
            .env("OPENROUTER_BASE_URL", format!("http://{upstream_address}/api/v1"))
            .env("LOG_FILTER", "warn")
            .kill_on_drop(true)
            .spawn()
            .map_err(BenchError::new)?;
        let mut scene =
            Self { gateway, upstream, address, upstream_address, data_dir, keys: Vec::new() };
        scene.wait_until_ready().await?;
        scene.make_customers(customers).await?;
        Ok(scene)
    }

    async fn wait_until_ready(&self) -> Result<(), BenchError> {
        let deadline = Instant::now() + Duration::from_secs(60);
        let client = reqwest::Client::new();
        let url = format!("http://{}/v1/models/openai/gpt-4o-mini", self.address);
        while Instant::now() < deadline {
            if client.get(&url).send().await.is_ok_and(|answer| answer.status().is_success()) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        Err(BenchError::new("the gateway did not become ready within a minute"))
    }

    /// `POST` where there is a body, else `GET`.
    async fn call(
        &self,
        path: &str,
        token: Option<&str>,
        body: Option<Value>,
    ) -> Result<Value, BenchError> {
        let (client, url) = (reqwest::Client::new(), format!("http://{}{path}", self.address));
        let request = match body {
            Some(body) => client.post(url).json(&body),
            None => client.get(url),
        };
        let request = match token {
            Some(token) => request.bearer_auth(token),
            None => request,
        };
        let answer = request.send().await.map_err(BenchError::new)?;
        let status = answer.status();
        let value: Value = answer.json().await.map_err(BenchError::new)?;
        match status.is_success() {
            true => Ok(value),
            false => Err(BenchError::new(format!("{path}: {status} {value}"))),
        }
    }

    async fn make_customers(&mut self, count: usize) -> Result<(), BenchError> {
        let secret = self.data_dir.join("secrets/admin-password");
        let password = std::fs::read_to_string(secret).map_err(BenchError::new)?;
        let admin = json!({ "email": "admin@tollgate.local", "password": password.trim() });
        let admin = self.call("/v1/auth/login", None, Some(admin)).await?;
        let admin = admin["access_token"].as_str().unwrap_or_default().to_owned();
        for _ in 0..count {
            let email = format!("{}@bench.local", uuid::Uuid::now_v7().simple());
            let person = json!({ "email": email, "password": "a bench password", "name": "Bench" });
            self.call("/v1/auth/register", None, Some(person)).await?;
            let sign_in = json!({ "email": email, "password": "a bench password" });
            let token = self.call("/v1/auth/login", None, Some(sign_in)).await?;
            let token = token["access_token"].as_str().unwrap_or_default().to_owned();
            let me = self.call("/v1/auth/me", Some(&token), None).await?;
            let account = me["account_id"].as_str().unwrap_or_default();
            let top_up = json!({ "amount_usd": "1000000", "reference": "bench" });
            let path = format!("/v1/admin/clients/{account}/top-ups");
            self.call(&path, Some(&admin), Some(top_up)).await?;
            let name = json!({ "name": "bench" });
            let key = self.call("/v1/auth/api-keys", Some(&token), Some(name)).await?;
            self.keys.push(key["key"].as_str().unwrap_or_default().to_owned());
        }
        Ok(())
    }

    /// The requests of all customers, through the gateway.
    #[must_use]
    pub fn shots(&self, stream: bool) -> Vec<Shot> {
        let shot = |key| Shot::post(self.address, "/v1/chat/completions", key, &body(stream));
        self.keys.iter().map(|key| shot(key)).collect()
    }

    /// The same request straight to the upstream.
    #[must_use]
    pub fn direct(&self, stream: bool) -> Vec<Shot> {
        let path = "/api/v1/chat/completions";
        vec![Shot::post(self.upstream_address, path, "sk-bench", &body(stream))]
    }

    /// Load through the gateway, with the processor time that it took.
    ///
    /// # Errors
    /// A connection broke.
    pub async fn measure(
        &self,
        connections: usize,
        time: Duration,
        stream: bool,
    ) -> Result<GatewayFigures, BenchError> {
        let before = (self.gateway_time(), self.postgres_time());
        let load = load::run(&self.shots(stream), connections, time, None).await?;
        let requests = load.whole.len().max(1);
        let per_request = |used: Duration| used.as_micros() as u64 / requests;
        Ok(GatewayFigures {
            gateway_cpu: per_request(self.gateway_time().saturating_sub(before.0)),
            postgres_cpu: per_request(self.postgres_time().saturating_sub(before.1)),
            load,
        })
    }

    fn gateway_time(&self) -> Duration {
        self.gateway.id().map_or(Duration::ZERO, cpu::used)
    }

    fn postgres_time(&self) -> Duration {
        self.postmaster().map_or(Duration::ZERO, cpu::used_by_family)
    }

    fn postmaster(&self) -> Option<u32> {
        let children = cpu::children(self.gateway.id()?);
        children.first().copied()
    }

    /// The customers' keys.
    #[must_use]
    pub fn keys(&self) -> &[String] {
        &self.keys
    }

    /// An address of the gateway.
    #[must_use]
    pub fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address)
    }

    /// Streams that do not end by themselves.
    #[must_use]
    pub fn endless(&self) -> Vec<Shot> {
        let body = json!({
            "model": "openai/gpt-4o-mini",
            "messages": [{ "role": "user", "content": "Go on." }],
            "max_tokens": 64,
            "stream": true,
            "sandbox": { "fault": "endless" },
        })
        .to_string();
        let shot = |key| Shot::post(self.address, "/v1/chat/completions", key, &body);
        self.keys.iter().map(|key| shot(key)).collect()
    }

    /// Load at a steady rate, and how old the newest event was that the read models did not show
    /// yet, in microseconds, looked at every 20 ms.
    ///
    /// # Errors
    /// A connection broke.
    pub async fn steady(
        &self,
        per_second: u64,
        time: Duration,
    ) -> Result<(LoadFigures, Histogram<u64>), BenchError> {
        const CONNECTIONS: usize = 64;
        let pace = Duration::from_nanos(CONNECTIONS as u64 * 1_000_000_000 / per_second);
        let client = reqwest::Client::new();
        let url = format!("http://{}/health", self.address);
        let mut lags = histogram();
        let shots = self.shots(false);
        let load = load::run(&shots, CONNECTIONS, time, Some(pace));
        tokio::pin!(load);
        let figures = loop {
            tokio::select! {
                figures = &mut load => break figures?,
                () = tokio::time::sleep(Duration::from_millis(20)) => {
                    let health: Value = client
                        .get(&url)
                        .send()
                        .await
                        .map_err(BenchError::new)?
                        .json()
                        .await
                        .map_err(BenchError::new)?;
                    let lag = health["projections"]["lag_ms"].as_u64().unwrap_or(u64::MAX);
                    lags.saturating_record(lag.saturating_mul(1_000).max(1));
                }
            }
        };
        Ok((figures, lags))
    }

    /// Resident megabytes of the gateway.
    #[must_use]
    pub fn resident_megabytes(&self) -> u64 {
        self.gateway.id().map_or(0, cpu::resident_megabytes)
    }

    /// As [`Scene::close`], and removes the books.
    ///
    /// # Errors
    /// The gateway did not end well, or its files stay.
    pub async fn discard(self) -> Result<(), BenchError> {
        let data_dir = self.close().await?;
        std::fs::remove_dir_all(data_dir).map_err(BenchError::new)
    }

    /// Stops both processes, the gateway in good order, and answers where its books are.
    ///
    /// # Errors
    /// The gateway did not end well.
    pub async fn close(mut self) -> Result<PathBuf, BenchError> {
        if let Some(pid) = self.gateway.id() {
            let pid = pid.to_string();
            Command::new("kill").args(["-TERM", &pid]).status().await.map_err(BenchError::new)?;
        }
        let status = self.gateway.wait().await.map_err(BenchError::new)?;
        self.upstream.kill().await.map_err(BenchError::new)?;
        match status.success() {
            true => Ok(self.data_dir),
            false => Err(BenchError::new(format!("the gateway ended with {status}"))),
        }
    }
}
