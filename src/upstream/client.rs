//! One pooled client for all upstream accounts.

use std::sync::Arc;
use std::sync::atomic::{AtomicI64, Ordering};
use std::time::Duration;

use bytes::Bytes;
use reqwest::header::{AUTHORIZATION, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use tollgate_domain::decimal::Ratio;
use tollgate_domain::ids::MasterAccountId;

use super::credits::CreditsStatement;
use super::generation::GenerationRecord;
use super::models::{Listing, read_listings};
use crate::config::{Secret, UpstreamTimeouts};
use crate::ledger::now;

/// Until when a master account is left out because it could not serve; microseconds, zero where it
/// serves. Requests still go to it where nothing else is left.
#[derive(Debug, Default)]
pub struct Rest(AtomicI64);

impl Rest {
    /// Leaves it out for this long.
    pub fn begin(&self, long: Duration) {
        let micros = i64::try_from(long.as_micros()).unwrap_or(i64::MAX);
        self.0.store(now().micros().saturating_add(micros), Ordering::Relaxed);
    }

    /// Whether it is left out now.
    #[must_use]
    pub fn lasts(&self) -> bool {
        match self.0.load(Ordering::Relaxed) {
            0 => false,
            until => now().micros() < until,
        }
    }
}

/// A master account as requests see it.
#[derive(Debug, Clone)]
pub struct Upstream {
    /// Whose books it is in.
    pub id: MasterAccountId,
    /// `openrouter` or `sandbox`.
    pub provider: String,
    /// Without a slash at its end.
    pub base_url: String,
    /// What one dollar of list cost costs us there.
    pub cost_rate: Ratio,
    /// Whether it is left out for a while; the same for all copies, and over changes of its key.
    pub rest: Arc<Rest>,
    authorization: HeaderValue,
}

impl Upstream {
    /// Nothing if the key cannot stand in a header.
    #[must_use]
    pub fn new(
        id: MasterAccountId,
        provider: String,
        base_url: &str,
        key: &Secret,
        cost_rate: Ratio,
    ) -> Option<Self> {
        let mut authorization = HeaderValue::try_from(format!("Bearer {}", key.expose())).ok()?;
        authorization.set_sensitive(true);
        let base_url = base_url.trim_end_matches('/').to_owned();
        Some(Self { id, provider, base_url, cost_rate, rest: Arc::default(), authorization })
    }

    /// With the memory of an earlier copy.
    #[must_use]
    pub fn remembering(self, rest: Arc<Rest>) -> Self {
        Self { rest, ..self }
    }

    /// Whether it is the sandbox, to which a request may say how it shall misbehave.
    #[must_use]
    pub fn is_sandbox(&self) -> bool {
        self.provider == "sandbox"
    }
}

/// Why an upstream gave no answer.
#[derive(Debug, thiserror::Error)]
pub enum UpstreamError {
    /// The request never reached it.
    #[error("the upstream cannot be reached: {0}")]
    Unreachable(String),
    /// It was reached, and then the connection broke: it may have worked, and billed.
    #[error("the upstream's answer broke off: {0}")]
    Broke(String),
    /// Nothing came in time.
    #[error("the upstream did not answer in time")]
    TimedOut,
    /// An answer that makes no sense.
    #[error("the upstream's answer cannot be read: {0}")]
    Unreadable(String),
    /// It refused with this status.
    #[error("the upstream answered {0}")]
    Status(u16),
}

impl From<reqwest::Error> for UpstreamError {
    fn from(error: reqwest::Error) -> Self {
        // The address may carry nothing secret, but it is noise in a message.
        let connect = error.is_connect();
        let timeout = error.is_timeout();
        let text = error.without_url().to_string();
        match (connect, timeout) {
            (true, _) => Self::Unreachable(text),
            (false, true) => Self::TimedOut,
            (false, false) => Self::Broke(text),
        }
    }
}

/// Headers of the client that the upstream gets to see. Everything else stays here: above all
/// `X-OpenRouter-Cache*`, which on a shared account would serve one customer's answer to another.
#[derive(Debug, Clone, Default)]
pub struct PassedOn(HeaderMap);

const ATTRIBUTION: [&str; 4] =
    ["http-referer", "x-title", "x-openrouter-title", "x-openrouter-categories"];

impl PassedOn {
    /// Picks what may be passed on.
    #[must_use]
    pub fn of(headers: &HeaderMap) -> Self {
        let mut picked = HeaderMap::new();
        for (name, value) in headers {
            let text = name.as_str();
            if ATTRIBUTION.contains(&text) || text.starts_with("x-sandbox-") {
                picked.insert(name.clone(), value.clone());
            }
        }
        Self(picked)
    }

    fn for_upstream(&self, upstream: &Upstream) -> HeaderMap {
        let mut headers = self.0.clone();
        if !upstream.is_sandbox() {
            let control: Vec<HeaderName> = headers
                .keys()
                .filter(|name| name.as_str().starts_with("x-sandbox-"))
                .cloned()
                .collect();
            for name in control {
                headers.remove(name);
            }
        }
        headers
    }
}

/// Calls upstreams over kept-alive connections.
#[derive(Debug, Clone)]
pub struct UpstreamClient {
    http: reqwest::Client,
    timeouts: UpstreamTimeouts,
}

/// Longest answer of `/generation` and `/models`.
const MOST_RECORD_BYTES: usize = 32 << 20;

impl UpstreamClient {
    /// A client with these patience limits.
    ///
    /// # Errors
    /// TLS cannot be set up.
    pub fn new(timeouts: UpstreamTimeouts) -> Result<Self, reqwest::Error> {
        let http = reqwest::Client::builder()
            .connect_timeout(timeouts.connect)
            .pool_idle_timeout(Duration::from_secs(60))
            .pool_max_idle_per_host(4_096)
            .tcp_nodelay(true)
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .user_agent(concat!("tollgate/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { http, timeouts })
    }

    /// The patience limits.
    #[must_use]
    pub const fn timeouts(&self) -> UpstreamTimeouts {
        self.timeouts
    }

    /// Sends a request for a model's answer; returns when the headers are here.
    ///
    /// # Errors
    /// No answer at all. Any status is an answer.
    pub async fn post(
        &self,
        upstream: &Upstream,
        path: &str,
        passed_on: &PassedOn,
        body: Bytes,
    ) -> Result<reqwest::Response, UpstreamError> {
        let url = format!("{}{path}", upstream.base_url);
        let mut headers = passed_on.for_upstream(upstream);
        headers.insert(AUTHORIZATION, upstream.authorization.clone());
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        let send = self.http.post(url).headers(headers).body(body).send();
        match tokio::time::timeout(self.timeouts.first_byte, send).await {
            Ok(answer) => Ok(answer?),
            Err(_) => Err(UpstreamError::TimedOut),
        }
    }

    /// The upstream's record of a generation; nothing while it is not written yet.
    ///
    /// # Errors
    /// The upstream cannot be asked.
    pub async fn find_generation(
        &self,
        upstream: &Upstream,
        id: &str,
    ) -> Result<Option<GenerationRecord>, UpstreamError> {
        // It came from the upstream, but what stands in an address is checked all the same.
        if !id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte)) {
            return Ok(None);
        }
        let request = self.http.get(format!("{}/generation?id={id}", upstream.base_url));
        match self.record(upstream, request).await {
            Ok(bytes) => GenerationRecord::read(&bytes)
                .map(Some)
                .map_err(|error| UpstreamError::Unreadable(error.to_string())),
            Err(UpstreamError::Status(404)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The upstream's own statement of credits.
    ///
    /// # Errors
    /// The upstream cannot be asked, or says something else.
    pub async fn load_credits(
        &self,
        upstream: &Upstream,
    ) -> Result<CreditsStatement, UpstreamError> {
        let request = self.http.get(format!("{}/credits", upstream.base_url));
        let bytes = self.record(upstream, request).await?;
        CreditsStatement::read(&bytes).map_err(|error| UpstreamError::Unreadable(error.to_string()))
    }

    /// The upstream's catalogue with its prices.
    ///
    /// # Errors
    /// The upstream cannot be asked, or says something else.
    pub async fn load_models(&self, upstream: &Upstream) -> Result<Vec<Listing>, UpstreamError> {
        let mut models = self.listings(upstream, "/models").await?;
        // Those that make vectors have a list of their own. An upstream that has none answers 404.
        match self.listings(upstream, "/embeddings/models").await {
            Ok(more) => {
                models.extend(more);
                Ok(models)
            }
            Err(UpstreamError::Status(404)) => Ok(models),
            Err(error) => Err(error),
        }
    }

    async fn listings(
        &self,
        upstream: &Upstream,
        path: &str,
    ) -> Result<Vec<Listing>, UpstreamError> {
        let request = self.http.get(format!("{}{path}", upstream.base_url));
        let bytes = self.record(upstream, request).await?;
        read_listings(&bytes).map_err(|error| UpstreamError::Unreadable(error.to_string()))
    }

    async fn record(
        &self,
        upstream: &Upstream,
        request: reqwest::RequestBuilder,
    ) -> Result<Vec<u8>, UpstreamError> {
        let mut answer = request
            .header(AUTHORIZATION, upstream.authorization.clone())
            .timeout(Duration::from_secs(30))
            .send()
            .await?;
        if !answer.status().is_success() {
            return Err(UpstreamError::Status(answer.status().as_u16()));
        }
        let mut bytes = Vec::new();
        while let Some(chunk) = answer.chunk().await? {
            if bytes.len() + chunk.len() > MOST_RECORD_BYTES {
                return Err(UpstreamError::Unreadable("it is too long".into()));
            }
            bytes.extend_from_slice(&chunk);
        }
        Ok(bytes)
    }
}
