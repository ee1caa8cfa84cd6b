//! The way out: asks for a URL or posts something to it, and only where it may go.
//!
//! A URL comes from whoever may write in an account, so where its name leads is looked at when it
//! is resolved, for each attempt anew: what is checked is what is connected to.

use crate::domain::body::excerpt;
use serde::{Deserialize, Serialize};
use std::{
    io::Read,
    net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr},
    time::Duration,
};
use ureq::{
    Agent,
    config::Config,
    http::Uri,
    tls::{RootCerts, TlsConfig},
    unversioned::{
        resolver::{DefaultResolver, ResolvedSocketAddrs, Resolver},
        transport::{DefaultConnector, NextTimeout},
    },
};

/// Which addresses may be connected to that are not public.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Reach {
    /// None.
    Public,
    /// Those of this machine.
    Loopback,
    /// All.
    All,
}

impl Reach {
    /// Whether this address may be connected to.
    pub fn allows(self, address: IpAddr) -> bool {
        let address = address.to_canonical();
        match self {
            Self::All => true,
            Self::Loopback => address.is_loopback() || is_public(address),
            Self::Public => is_public(address),
        }
    }
}

/// Whether an address is one of the open Internet. Source: the special-purpose registries of IANA.
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
    // Of all that is assigned, only 2000::/3 is public; within it, what carries an IPv4 address and
    // documentation is not.
    (0x2000..0x4000).contains(&a)
        && a != 0x2002
        && !(a == 0x2001 && (b < 0x200 || b == 0xdb8))
        && a != 0x3fff
}

/// A request to make.
#[derive(Clone, Debug)]
pub struct Parcel {
    /// How.
    pub method: Method,
    /// `http` or `https`.
    pub url: String,
    /// Beside those of every request.
    pub headers: Vec<(String, String)>,
    /// The body of a `POST`.
    pub body: Vec<u8>,
}

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

impl Method {
    /// Its name in HTTP.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// What was answered.
#[derive(Clone, Debug)]
pub struct Answer {
    /// The HTTP status.
    pub status: u16,
    /// Its headers.
    pub headers: Vec<(String, String)>,
    /// The beginning of its body; empty if it came from an address that is not public, so that
    /// nobody reads through this program what only this machine or network can.
    pub body: Vec<u8>,
    /// How much of its body was read, in bytes.
    pub body_bytes: usize,
}

/// Why there is no answer, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Failure {
    /// There never will be one.
    #[error("{0}")]
    Never(String),
    /// There may be one another time.
    #[error("{0}")]
    NotNow(String),
}

/// Whoever makes requests. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Courier {
    /// Connects to public addresses alone. Connections are kept for further requests, so that both
    /// kinds need a client of their own.
    public: Agent,
    /// Connects to the other addresses within `reach`.
    private: Agent,
    reach: Reach,
}

const MOST_OF_ANSWER: u64 = 64 << 10;

impl Courier {
    /// Goes no further than `reach`, and waits no longer than `timeout` for each.
    pub fn new(reach: Reach, timeout: Duration) -> Self {
        let tls = TlsConfig::builder()
            .root_certs(RootCerts::PlatformVerifier)
            .build();
        let config = Agent::config_builder()
            .http_status_as_error(false)
            .max_redirects(0)
            .proxy(None)
            .timeout_global(Some(timeout))
            .tls_config(tls)
            .user_agent(concat!("pagertree-local/", env!("CARGO_PKG_VERSION")))
            .build();
        let agent = |kind| {
            let resolver = Guarded {
                reach,
                kind,
                inner: DefaultResolver::default(),
            };
            Agent::with_parts(config.clone(), DefaultConnector::default(), resolver)
        };

        Self {
            reach,
            public: agent(AddressKind::Public),
            private: agent(AddressKind::Private),
        }
    }

    /// Makes the request, and waits for the answer. Blocks.
    ///
    /// # Errors
    /// Why there is no answer, in a sentence.
    pub fn carry(&self, parcel: &Parcel) -> Result<Answer, Failure> {
        self.check(&parcel.url).map_err(Failure::Never)?;
        let sent = match send(&self.public, parcel) {
            Err(error) if is_private_address(&error) => {
                send(&self.private, parcel).map(without_body)
            }
            sent => sent,
        };
        sent.map_err(|error| Failure::NotNow(said(&error)))
    }

    /// What a name leads to may be another place the next time, an address never is.
    fn check(&self, url: &str) -> Result<(), String> {
        let uri = understood(url).map_err(|fault| format!("the URL {fault}"))?;
        let host = uri.host().unwrap_or_default();
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .ok();

        match address.filter(|address| !self.reach.allows(*address)) {
            Some(address) => Err(OutOfReach {
                host: excerpt(host),
                address,
            }
            .to_string()),
            None => Ok(()),
        }
    }
}

fn send(agent: &Agent, parcel: &Parcel) -> Result<Answer, ureq::Error> {
    let headers = parcel.headers.iter();
    let sent = match parcel.method {
        Method::Get => headers
            .fold(agent.get(&parcel.url), |request, (name, value)| {
                request.header(name, value)
            })
            .call(),
        Method::Post => headers
            .fold(agent.post(&parcel.url), |request, (name, value)| {
                request.header(name, value)
            })
            .send(&parcel.body[..]),
    };

    let (parts, body) = sent?.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });

    let mut beginning = Vec::new();
    // The status counts, whatever becomes of the rest.
    let _cut_off = body
        .into_reader()
        .take(MOST_OF_ANSWER)
        .read_to_end(&mut beginning);

    let body_bytes = beginning.len();
    Ok(Answer {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: beginning,
        body_bytes,
    })
}

fn without_body(answer: Answer) -> Answer {
    Answer {
        body: Vec::new(),
        ..answer
    }
}

/// Whether a name has no public address, but one within reach.
fn is_private_address(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Other(other) if other.is::<OnlyPrivate>())
}

/// Why no request can be made to this URL, whatever the reach.
pub fn refusal(url: &str) -> Option<String> {
    understood(url).err()
}

fn understood(url: &str) -> Result<Uri, String> {
    let parsed = url
        .parse::<Uri>()
        .ok()
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    let parsed = parsed.filter(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    parsed.ok_or_else(|| "must be an http or https URL, like 'https://example.com/hook'".into())
}

fn said(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Other(other) => other.to_string(),
        other => other.to_string(),
    }
}

/// Which addresses within reach a client connects to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum AddressKind {
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

/// Resolves names, and leaves out addresses that are out of reach or of the other kind.
#[derive(Debug)]
struct Guarded {
    reach: Reach,
    kind: AddressKind,
    inner: DefaultResolver,
}

/// A name has no public address, but one that is within reach.
#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct OnlyPrivate;

/// Every address of a name lies where nobody may go.
#[derive(Debug, thiserror::Error)]
#[error("'{host}' leads to {address}, where outgoing.reach does not let requests go")]
struct OutOfReach {
    host: String,
    address: IpAddr,
}

impl Resolver for Guarded {
    fn resolve(
        &self,
        uri: &Uri,
        config: &Config,
        timeout: NextTimeout,
    ) -> Result<ResolvedSocketAddrs, ureq::Error> {
        let found = self.inner.resolve(uri, config, timeout)?;
        let mut allowed = self.empty();
        let within_reach = || {
            found
                .iter()
                .filter(|address| self.reach.allows(address.ip()))
        };

        for address in within_reach().filter(|address| AddressKind::of(address.ip()) == self.kind) {
            allowed.push(*address);
        }

        match (
            allowed.first(),
            within_reach().next(),
            found.first().map(SocketAddr::ip),
        ) {
            (None, Some(_), _) if self.kind == AddressKind::Public => {
                Err(ureq::Error::Other(Box::new(OnlyPrivate)))
            }
            (None, _, Some(address)) => {
                let host = excerpt(uri.host().unwrap_or_default());
                Err(ureq::Error::Other(Box::new(OutOfReach { host, address })))
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
            assert!(Reach::Public.allows(public.parse().unwrap()), "{public}");
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
            assert!(!Reach::Public.allows(private.parse().unwrap()), "{private}");
            assert!(Reach::All.allows(private.parse().unwrap()), "{private}");
        }

        for local in ["127.0.0.1", "::1", "::ffff:127.0.0.1", "1.1.1.1"] {
            assert!(Reach::Loopback.allows(local.parse().unwrap()), "{local}");
        }

        assert!(!Reach::Loopback.allows("10.0.0.1".parse().unwrap()));
    }

    #[test]
    fn a_name_that_leads_out_of_reach_is_not_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let courier = Courier::new(Reach::Public, Duration::from_secs(5));
        let port = listener.local_addr().unwrap().port();

        for (host, is_address) in [
            ("127.0.0.1", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost", false),
            ("2130706433", false),
            ("0x7f.1", false),
        ] {
            for method in [Method::Get, Method::Post] {
                let url = format!("http://{host}:{port}/");
                let parcel = Parcel {
                    method,
                    url,
                    headers: Vec::new(),
                    body: Vec::new(),
                };

                let fault = courier.carry(&parcel).unwrap_err();
                assert_eq!(
                    matches!(fault, Failure::Never(_)),
                    is_address,
                    "{host}: {fault}"
                );
                assert!(listener.accept().is_err(), "{host}: {fault}");
            }
        }
    }

    #[test]
    fn only_urls_of_http_are_asked_for() {
        for url in [
            "http://x",
            "https://me:pass@example.com:8080/hook?a=b",
            "HTTP://[::1]/",
        ] {
            assert_eq!(refusal(url), None, "{url}");
        }

        for url in [
            "",
            "x",
            "/hook",
            "example.com/hook",
            "ftp://x/",
            "file:///etc/passwd",
            "http://",
            "http://a b/",
        ] {
            let parcel = Parcel {
                method: Method::Get,
                url: url.into(),
                headers: Vec::new(),
                body: Vec::new(),
            };
            let failure = Courier::new(Reach::All, Duration::from_secs(5))
                .carry(&parcel)
                .unwrap_err();
            let expected = format!("the URL {}", refusal(url).unwrap());
            assert_eq!(failure, Failure::Never(expected), "{url}");
        }
    }

    #[test]
    fn a_get_has_its_headers_and_no_body() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("http://{}/confirm?token=t", listener.local_addr().unwrap());
        let server = std::thread::spawn(move || {
            let mut stream = std::io::BufReader::new(listener.accept().unwrap().0);
            let lines = std::io::BufRead::lines(&mut stream).map(Result::unwrap);
            let head: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
            let answer = b"HTTP/1.1 302 Found\r\nlocation: /further\r\ncontent-length: 2\r\n\r\nhi";
            std::io::Write::write_all(stream.get_mut(), answer).unwrap();
            head
        });

        let headers = vec![("x-one".to_owned(), "1".to_owned())];
        let parcel = Parcel {
            method: Method::Get,
            url,
            headers,
            body: b"never sent".to_vec(),
        };

        let answer = Courier::new(Reach::Loopback, Duration::from_secs(5))
            .carry(&parcel)
            .unwrap();

        // A redirect is an answer, and not followed.
        assert_eq!(answer.status, 302);
        // Nobody reads through this program what only this machine reaches.
        assert_eq!(
            (answer.body.as_slice(), answer.body_bytes),
            (b"".as_slice(), 2)
        );

        let head = server.join().unwrap();
        assert_eq!(head[0], "GET /confirm?token=t HTTP/1.1");
        assert!(head.contains(&"x-one: 1".to_owned()), "{head:?}");
        assert!(
            !head.iter().any(|line| line.starts_with("content-length")),
            "{head:?}"
        );
    }
}
