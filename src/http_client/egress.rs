//! Egress policy: the addresses that outbound requests may connect to.
//!
//! A defence against server-side request forgery (SSRF). Users with write access choose the URLs,
//! so the policy is applied to the addresses that a name resolves to, for each attempt: the address
//! that is checked is the address that is connected to.

use crate::domain::body::excerpt;
use serde::{Deserialize, Serialize};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

/// The non-public addresses that outbound requests may connect to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EgressPolicy {
    /// None.
    Public,
    /// Loopback addresses.
    Loopback,
    /// All.
    All,
}

impl EgressPolicy {
    /// Whether requests may connect to this address.
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::All => true,
            Self::Loopback => address.is_loopback() || is_public(address),
            Self::Public => is_public(address),
        }
    }
}

/// Source: the special-purpose address registries of IANA.
fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 198 && (18..20).contains(&b));

    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let [a, b, ..] = address.segments();
    // Only 2000::/3 is public, except for addresses that embed an IPv4 address (6to4, Teredo) and
    // those reserved for protocols and documentation.
    (0x2000..0x4000).contains(&a)
        && a != 0x2002
        && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
        && a != 0x3fff
}

/// The addresses that one of the two agents connects to, as far as the policy allows them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum AddressKind {
    Public,
    Private,
}

impl AddressKind {
    fn of(address: IpAddr) -> Self {
        if is_public(address.to_canonical()) {
            Self::Public
        } else {
            Self::Private
        }
    }
}

/// Resolves names, and leaves out addresses that the policy forbids or that are of the other kind.
#[derive(Debug)]
pub(super) struct PolicyResolver {
    pub(super) policy: EgressPolicy,
    pub(super) kind: AddressKind,
    pub(super) inner: DefaultResolver,
}

/// The name has only non-public addresses, of which the policy allows some.
#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
pub(super) struct OnlyPrivate;

/// The policy forbids every address of the name.
#[derive(Debug, thiserror::Error)]
#[error("'{host}' resolves to {address}, which outgoing.reach does not allow")]
pub(super) struct ForbiddenAddress {
    pub(super) host: String,
    pub(super) address: IpAddr,
}

impl Resolver for PolicyResolver {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        let permitted = || {
            found
                .iter()
                .filter(|address| self.policy.allows(address.ip()))
        };

        for address in permitted().filter(|address| AddressKind::of(address.ip()) == self.kind) {
            allowed.push(*address);
        }

        match (
            allowed.first(),
            permitted().next(),
            found.first().map(SocketAddr::ip),
        ) {
            (None, Some(_), _) if self.kind == AddressKind::Public => {
                Err(ureq::Error::Other(Box::new(OnlyPrivate)))
            }
            (None, _, Some(address)) => {
                let host = excerpt(uri.host().unwrap_or_default());
                Err(ureq::Error::Other(Box::new(ForbiddenAddress {
                    host,
                    address,
                })))
            }
            _ => Ok(allowed),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_public_addresses_are_public() {
        for public in [
            "1.1.1.1",
            "8.8.8.8",
            "172.32.0.1",
            "100.128.0.1",
            "2606:4700::1111",
            "2a00:1450::1",
        ] {
            assert!(
                EgressPolicy::Public.allows(public.parse().unwrap()),
                "{public}"
            );
        }

        for private in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "127.9.9.9",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.1",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "64:ff9b::a00:1",
            "fc00::1",
            "fe80::1",
            "2001:db8::1",
            "2002:a00:1::",
            "ff02::1",
        ] {
            assert!(
                !EgressPolicy::Public.allows(private.parse().unwrap()),
                "{private}"
            );
            assert!(
                EgressPolicy::All.allows(private.parse().unwrap()),
                "{private}"
            );
        }

        for local in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "1.1.1.1"] {
            assert!(
                EgressPolicy::Loopback.allows(local.parse().unwrap()),
                "{local}"
            );
        }

        assert!(!EgressPolicy::Loopback.allows("10.0.0.1".parse().unwrap()));
    }
}
