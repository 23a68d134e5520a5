//! Where a sign-in comes from.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Longer ones are cut.
const USER_AGENT_CHARS: usize = 400;

/// Where a sign-in or a refresh comes from, as its owner is shown it.
#[derive(Debug, Clone, Default)]
pub struct Origin {
    /// The client's address, where it is known.
    pub address: Option<IpAddr>,
    /// Whether the address is the client's own. A private address that no trusted proxy has named
    /// may be a proxy's that nobody has told us of: everybody comes from there, so it says nothing.
    pub telling: bool,
    /// What the client calls itself.
    pub user_agent: Option<String>,
}

/// A client's address as one that it cannot change at will: of IPv6 its network.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Place(u128);

impl Origin {
    /// From an address; `proxied` where trusted proxies are configured.
    #[must_use]
    pub fn new(address: Option<IpAddr>, proxied: bool, user_agent: Option<String>) -> Self {
        Self { address, telling: proxied || address.is_some_and(is_public), user_agent }
    }

    /// The place, where the address tells one.
    #[must_use]
    pub fn place(&self) -> Option<Place> {
        let address = self.address.filter(|_| self.telling)?;
        Some(Place(match address {
            IpAddr::V4(v4) => v4.to_ipv6_mapped().to_bits(),
            IpAddr::V6(v6) => v6.to_bits() >> 64 << 64,
        }))
    }

    pub(super) fn agent(&self) -> Option<String> {
        let text = self.user_agent.as_deref()?;
        Some(text.chars().filter(|c| !c.is_control()).take(USER_AGENT_CHARS).collect())
    }
}

fn is_public(address: IpAddr) -> bool {
    let v4 = |a: Ipv4Addr| {
        let shared = a.octets()[0] == 100 && a.octets()[1] & 0xc0 == 64;
        !(a.is_private() || a.is_loopback() || a.is_link_local() || a.is_unspecified() || shared)
    };
    let v6 = |a: Ipv6Addr| {
        let local = a.is_unique_local() || a.is_unicast_link_local();
        !(local || a.is_loopback() || a.is_unspecified())
    };
    match address {
        IpAddr::V4(address) => v4(address),
        IpAddr::V6(address) => v6(address),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn place(address: &str, proxied: bool) -> Option<Place> {
        Origin::new(Some(address.parse().unwrap()), proxied, None).place()
    }

    #[test]
    fn a_private_address_tells_something_only_where_proxies_are_known() {
        for private in ["127.0.0.1", "10.1.2.3", "172.18.0.1", "100.64.0.1", "::1", "fd00::1"] {
            assert_eq!(place(private, false), None, "{private}");
            assert!(place(private, true).is_some(), "{private}");
        }
        for public in ["203.0.113.9", "2001:470::9"] {
            assert!(place(public, false).is_some(), "{public}");
        }
    }

    #[test]
    fn an_ipv6_network_is_one_place() {
        assert_eq!(place("2001:470:1:2::9", false), place("2001:470:1:2:ffff::1", false));
        assert_ne!(place("2001:470:1:2::9", false), place("2001:470:1:3::9", false));
        assert_ne!(place("203.0.113.9", false), place("203.0.113.8", false));
    }
}
