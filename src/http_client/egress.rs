//! DNS resolution that enforces the egress policy.
//!
//! A defence against server-side request forgery (SSRF). Users with write access choose the URLs,
//! so the policy is applied to the addresses that a name resolves to, for each attempt: the address
//! that is checked is the address that is connected to.

use crate::domain::{
    body::excerpt,
    egress::{EgressPolicy, is_public},
};
use std::net::{IpAddr, SocketAddr};
use ureq::{
    config::Config,
    http::Uri,
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::NextTimeout,
    },
};

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
