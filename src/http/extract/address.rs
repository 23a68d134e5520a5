//! Where a request comes from.

use std::convert::Infallible;
use std::net::{IpAddr, Ipv4Addr};

use axum::extract::FromRequestParts;
use axum::http::HeaderMap;
use axum::http::request::Parts;
use ipnet::IpNet;

use crate::http::AppState;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The other end of the connection, as the listener saw it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Peer(pub IpAddr);

/// The client's address: the other end of the connection, or whom a trusted proxy there names in
/// `X-Forwarded-For`. What anybody else writes into that header does not count.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct ClientAddress(pub IpAddr);

impl ClientAddress {
    /// The address that a request came from.
    pub fn of(parts: &Parts, trusted: &[IpNet]) -> Self {
        Self(client(peer(parts), &parts.headers, trusted))
    }

    /// Whether the request comes through a proxy that we believe.
    pub fn is_forwarded(parts: &Parts, trusted: &[IpNet]) -> bool {
        is_trusted(&peer(parts), trusted)
    }
}

impl FromRequestParts<AppState> for ClientAddress {
    type Rejection = Infallible;

    async fn from_request_parts(parts: &mut Parts, app: &AppState) -> Result<Self, Infallible> {
        Ok(Self::of(parts, &app.config.edge.trusted_proxies))
    }
}

fn peer(parts: &Parts) -> IpAddr {
    // Without a listener (a test that calls the router) it is nobody.
    let nobody = Peer(Ipv4Addr::UNSPECIFIED.into());
    let Peer(peer) = parts.extensions.get::<Peer>().copied().unwrap_or(nobody);
    peer.to_canonical()
}

fn is_trusted(address: &IpAddr, trusted: &[IpNet]) -> bool {
    trusted.iter().any(|range| range.contains(address))
}

/// Each proxy appends whom it got the request from, so the list is believed from its end for as
/// long as it names proxies that we trust. What is no address ends that: the proxy before it is
/// then as far as we can see.
fn client(peer: IpAddr, headers: &HeaderMap, trusted: &[IpNet]) -> IpAddr {
    if !is_trusted(&peer, trusted) {
        return peer;
    }
    let lines = headers.get_all(FORWARDED_FOR);
    let texts = lines.iter().filter_map(|line| line.to_str().ok());
    let mut named: Vec<&str> = texts.flat_map(|line| line.split(',')).collect();
    let mut nearest = peer;
    while let Some(text) = named.pop() {
        let Some(address) = address(text.trim()) else { break };
        nearest = address;
        if !is_trusted(&nearest, trusted) {
            break;
        }
    }
    nearest
}

/// An address; some proxies add the port.
fn address(text: &str) -> Option<IpAddr> {
    let with_port = || text.parse::<std::net::SocketAddr>().map(|address| address.ip());
    text.parse::<IpAddr>().or_else(|_| with_port()).ok().map(|address| address.to_canonical())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seen(peer: &str, forwarded: &[&str]) -> String {
        let trusted = ["10.0.0.0/8".parse().unwrap(), "2001:db8::/32".parse().unwrap()];
        let mut headers = HeaderMap::new();
        for line in forwarded {
            headers.append(FORWARDED_FOR, line.parse().unwrap());
        }
        client(peer.parse().unwrap(), &headers, &trusted).to_string()
    }

    #[test]
    fn only_a_trusted_proxy_may_say_who_the_client_is() {
        assert_eq!(seen("192.0.2.1", &["203.0.113.9"]), "192.0.2.1");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(seen("2001:db8::1", &["2001:470::9"]), "2001:470::9");
    }

    #[test]
    fn the_list_is_believed_from_its_end_as_far_as_proxies_are_trusted() {
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, 203.0.113.9, 10.0.0.2"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1", "203.0.113.9,10.0.0.2"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["10.0.0.3, 10.0.0.2"]), "10.0.0.3");
        assert_eq!(seen("10.0.0.1", &["1.1.1.1, unknown, 10.0.0.2"]), "10.0.0.2");
        assert_eq!(seen("10.0.0.1", &["203.0.113.9:1234"]), "203.0.113.9");
        assert_eq!(seen("10.0.0.1", &["[2001:470::9]:1234"]), "2001:470::9");
        assert_eq!(seen("10.0.0.1", &["::ffff:203.0.113.9"]), "203.0.113.9");
    }
}
