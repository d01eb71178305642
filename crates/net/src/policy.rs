//! Which addresses a tenant's connection may reach.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::str::FromStr;

/// A range of addresses in CIDR form, for example `10.0.0.0/8` or `fd00::/8`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

/// A text that is not a network.
#[derive(Debug, thiserror::Error)]
#[error("not a network in CIDR form such as 10.0.0.0/8")]
pub struct ParseNetworkError;

impl FromStr for Network {
    type Err = ParseNetworkError;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let (address, prefix) = match text.split_once('/') {
            Some((address, prefix)) => (address, Some(prefix)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| ParseNetworkError)?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            Some(prefix) => prefix
                .parse()
                .ok()
                .filter(|bits| *bits <= width)
                .ok_or(ParseNetworkError)?,
            None => width,
        };
        Ok(Self { address, prefix })
    }
}

impl Network {
    fn contains(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(network), IpAddr::V4(address)) => {
                let shift = 32 - u32::from(self.prefix);
                u32::from(network).checked_shr(shift).unwrap_or(0)
                    == u32::from(address).checked_shr(shift).unwrap_or(0)
            }
            (IpAddr::V6(network), IpAddr::V6(address)) => {
                let shift = 128 - u32::from(self.prefix);
                u128::from(network).checked_shr(shift).unwrap_or(0)
                    == u128::from(address).checked_shr(shift).unwrap_or(0)
            }
            _ => false,
        }
    }
}

/// The operator's rules. Link-local and metadata addresses are never reachable; loopback and private ranges only when
/// `private` is on or a network of `allow` names them; `deny` beats `allow`.
#[derive(Clone, Debug, Default)]
pub struct NetworkPolicy {
    pub private: bool,
    pub allow: Vec<Network>,
    pub deny: Vec<Network>,
}

impl NetworkPolicy {
    /// Whether a tenant's connection may go to `address`.
    pub fn permits(&self, address: IpAddr) -> bool {
        let address = canonical(address);
        if never(address) || self.deny.iter().any(|network| network.contains(address)) {
            return false;
        }
        self.private
            || !private(address)
            || self.allow.iter().any(|network| network.contains(address))
    }
}

/// An IPv4 address in IPv6 clothes (`::ffff:a.b.c.d`) is judged as what it is.
fn canonical(address: IpAddr) -> IpAddr {
    match address {
        IpAddr::V6(v6) => v6.to_ipv4_mapped().map_or(address, IpAddr::V4),
        IpAddr::V4(_) => address,
    }
}

/// Link-local (the clouds' metadata services live there), unspecified, broadcast and multicast.
fn never(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            v4.is_link_local()
                || v4.is_unspecified()
                || v4.is_broadcast()
                || v4.is_multicast()
                || v4.octets()[0] == 0
        }
        IpAddr::V6(v6) => {
            (v6.segments()[0] & 0xffc0) == 0xfe80
                || v6.is_unspecified()
                || v6.is_multicast()
                // The IPv6 metadata address of one large cloud.
                || v6 == Ipv6Addr::new(0xfd00, 0x0ec2, 0, 0, 0, 0, 0, 0x0254)
        }
    }
}

fn private(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, ..] = v4.octets();
            v4.is_loopback()
                || v4.is_private()
                || (a == 100 && (64..128).contains(&b))
                || v4 == Ipv4Addr::new(192, 0, 0, 192)
        }
        // Unique local, loopback, and the translations that may hide a private IPv4 address.
        IpAddr::V6(v6) => {
            let head = v6.segments()[0];
            v6.is_loopback()
                || (head & 0xfe00) == 0xfc00
                || head == 0x2002
                || (head == 0x64 && v6.segments()[1] == 0xff9b)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn metadata_addresses_are_never_reachable() {
        let policy = NetworkPolicy {
            private: true,
            allow: vec!["0.0.0.0/0".parse().unwrap()],
            deny: vec![],
        };
        for never in [
            "169.254.169.254",
            "::ffff:169.254.169.254",
            "fe80::1",
            "fd00:ec2::254",
            "0.0.0.0",
            "224.0.0.1",
        ] {
            assert!(!policy.permits(address(never)), "{never}");
        }
    }

    #[test]
    fn private_ranges_need_the_operators_word() {
        let strict = NetworkPolicy::default();
        for private in [
            "127.0.0.1",
            "10.1.2.3",
            "192.168.0.9",
            "100.64.0.1",
            "::1",
            "fd12::1",
            "::ffff:127.0.0.1",
        ] {
            assert!(!strict.permits(address(private)), "{private}");
        }
        assert!(strict.permits(address("93.184.216.34")));
        let allowing = NetworkPolicy {
            allow: vec!["10.0.0.0/8".parse().unwrap()],
            ..NetworkPolicy::default()
        };
        assert!(allowing.permits(address("10.1.2.3")));
        assert!(!allowing.permits(address("127.0.0.1")));
        let denying = NetworkPolicy {
            private: true,
            allow: vec![],
            deny: vec!["10.9.0.0/16".parse().unwrap()],
        };
        assert!(denying.permits(address("10.8.0.1")));
        assert!(!denying.permits(address("10.9.0.1")));
    }

    #[test]
    fn networks_are_cidr() {
        for bad in ["", "10.0.0.0/33", "10.0.0/8", "host", "::/129"] {
            assert!(bad.parse::<Network>().is_err(), "{bad:?} parsed");
        }
    }
}
