//! What a client may send and how slowly, and whom we believe where it comes from.

use std::time::Duration;

use ipnet::IpNet;

use super::reader::Reader;
use super::sections::{count, seconds};

/// Bounds of a connection, and the proxies in front of this server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdgeConfig {
    /// `TRUSTED_PROXIES`: only what comes from there may say in `X-Forwarded-For` who has sent it.
    pub trusted_proxies: Vec<IpNet>,
    /// `HEADER_LIMIT_BYTES`: all headers of a request together.
    pub header_limit_bytes: usize,
    /// `URL_LIMIT_BYTES`: path and query together.
    pub url_limit_bytes: usize,
    /// `HEADER_TIMEOUT_SECONDS`: until the headers of a connection's first request are complete.
    pub header_timeout: Duration,
    /// `KEEP_ALIVE_SECONDS`: until those of the next one are. Longer than load balancers keep a
    /// connection (a minute, mostly): or they would send a request into one that is being closed.
    pub keep_alive: Duration,
    /// `BODY_TIMEOUT_SECONDS`: between two pieces of a request's body.
    pub body_timeout: Duration,
    /// `MAX_CONNECTIONS`: open connections to this node; more wait in the kernel's queue.
    pub most_connections: usize,
}

impl Default for EdgeConfig {
    fn default() -> Self {
        Self {
            trusted_proxies: Vec::new(),
            header_limit_bytes: 32 * 1024,
            url_limit_bytes: 8 * 1024,
            header_timeout: Duration::from_secs(15),
            keep_alive: Duration::from_secs(75),
            body_timeout: Duration::from_secs(30),
            most_connections: 16_384,
        }
    }
}

pub(super) fn read(reader: &mut Reader<'_>) -> EdgeConfig {
    let default = EdgeConfig::default();
    let proxies = "addresses or ranges with commas between them, as in 10.0.0.0/8, 192.0.2.7";
    let trusted_proxies = reader.parse("TRUSTED_PROXIES", proxies, |text| {
        text.split(',').map(str::trim).filter(|part| !part.is_empty()).map(range).collect()
    });
    let bytes = "bytes from 1024 to 65536, as in 32768";
    let header_limit = count(reader, "HEADER_LIMIT_BYTES", bytes, 1024..=65_536);
    let url_limit = count(reader, "URL_LIMIT_BYTES", "bytes from 256 to 32768", 256..=32_768);
    let connections =
        count(reader, "MAX_CONNECTIONS", "a number from 1, as in 16384", 1..=1_000_000);
    EdgeConfig {
        trusted_proxies: trusted_proxies.unwrap_or_default(),
        header_limit_bytes: header_limit.unwrap_or(default.header_limit_bytes),
        url_limit_bytes: url_limit.unwrap_or(default.url_limit_bytes),
        header_timeout: seconds(reader, "HEADER_TIMEOUT_SECONDS", default.header_timeout),
        keep_alive: seconds(reader, "KEEP_ALIVE_SECONDS", default.keep_alive),
        body_timeout: seconds(reader, "BODY_TIMEOUT_SECONDS", default.body_timeout),
        most_connections: connections.unwrap_or(default.most_connections),
    }
}

/// A range, or one address as a range of one.
fn range(text: &str) -> Option<IpNet> {
    let address = || text.parse::<std::net::IpAddr>().map(IpNet::from).ok();
    text.parse().ok().or_else(address)
}
