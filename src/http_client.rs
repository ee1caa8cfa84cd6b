//! The HTTP client for outbound requests: webhooks and confirmations of subscriptions.

mod egress;

use crate::domain::{body::excerpt, egress::EgressPolicy};
use egress::{AddressKind, ForbiddenAddress, OnlyPrivate, PolicyResolver};
use std::{io::Read, net::IpAddr, time::Duration};
use ureq::{
    Agent,
    http::Uri,
    tls::{RootCerts, TlsConfig},
    unversioned::{resolver::DefaultResolver, transport::DefaultConnector},
};

/// A request to another server.
#[derive(Clone, Debug)]
pub struct OutboundRequest {
    /// `GET` or `POST`.
    pub method: OutboundMethod,
    /// An `http` or `https` URL.
    pub url: String,
    /// Headers beside the default ones.
    pub headers: Vec<(String, String)>,
    /// The body of a `POST`.
    pub body: Vec<u8>,
}

/// The method of an outbound request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum OutboundMethod {
    /// `GET`
    Get,
    /// `POST`
    Post,
}

impl OutboundMethod {
    /// The method as written in the request line.
    pub fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
        }
    }
}

/// The response to an outbound request.
#[derive(Clone, Debug)]
pub struct OutboundResponse {
    /// The HTTP status.
    pub status: u16,
    /// All headers.
    pub headers: Vec<(String, String)>,
    /// The beginning of the body. Empty if the address is not public, so that users cannot read
    /// internal services through this server.
    pub body: Vec<u8>,
    /// Bytes of the body that were read.
    pub body_bytes: usize,
}

/// Why a request got no response.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SendError {
    /// A retry cannot succeed.
    #[error("{0}")]
    Permanent(String),
    /// A retry may succeed.
    #[error("{0}")]
    Transient(String),
}

/// Sends requests within an [`EgressPolicy`]. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct HttpClient {
    /// Connects to public addresses only. Connections are reused, so each kind of address needs its
    /// own agent.
    public: Agent,
    /// Connects to the non-public addresses that the policy allows.
    private: Agent,
    policy: EgressPolicy,
}

const MAX_RESPONSE_BYTES: u64 = 64 << 10;

impl HttpClient {
    /// A client whose requests take no longer than `timeout`.
    pub fn new(policy: EgressPolicy, timeout: Duration) -> Self {
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
            let resolver = PolicyResolver {
                policy,
                kind,
                inner: DefaultResolver::default(),
            };
            Agent::with_parts(config.clone(), DefaultConnector::default(), resolver)
        };

        Self {
            policy,
            public: agent(AddressKind::Public),
            private: agent(AddressKind::Private),
        }
    }

    /// Sends a request and waits for the response. Blocks.
    ///
    /// # Errors
    /// The policy or the URL forbids the request; the connection or the request failed.
    pub fn send(&self, request: &OutboundRequest) -> Result<OutboundResponse, SendError> {
        self.check_url(&request.url).map_err(SendError::Permanent)?;
        let sent = match call(&self.public, request) {
            Err(error) if is_private_address(&error) => {
                call(&self.private, request).map(without_body)
            }
            sent => sent,
        };
        sent.map_err(|error| SendError::Transient(error_text(&error)))
    }

    /// Checks the URL, and its host if that is an address. The resolver checks the addresses of a
    /// name.
    fn check_url(&self, url: &str) -> Result<(), String> {
        let uri = parse_url(url).map_err(|error| format!("the URL {error}"))?;
        let host = uri.host().unwrap_or_default();
        let address = host
            .trim_start_matches('[')
            .trim_end_matches(']')
            .parse::<IpAddr>()
            .ok();

        match address.filter(|address| !self.policy.allows(*address)) {
            Some(address) => Err(ForbiddenAddress {
                host: excerpt(host),
                address,
            }
            .to_string()),
            None => Ok(()),
        }
    }
}

fn call(agent: &Agent, request: &OutboundRequest) -> Result<OutboundResponse, ureq::Error> {
    let headers = request.headers.iter();
    let sent = match request.method {
        OutboundMethod::Get => headers
            .fold(agent.get(&request.url), |request, (name, value)| {
                request.header(name, value)
            })
            .call(),
        OutboundMethod::Post => headers
            .fold(agent.post(&request.url), |request, (name, value)| {
                request.header(name, value)
            })
            .send(&request.body[..]),
    };

    let (parts, body) = sent?.into_parts();
    let headers = parts.headers.iter().map(|(name, value)| {
        (
            name.as_str().to_owned(),
            String::from_utf8_lossy(value.as_bytes()).into_owned(),
        )
    });

    let mut beginning = Vec::new();
    // The status decides, so an incomplete body is no error.
    let _ignored = body
        .into_reader()
        .take(MAX_RESPONSE_BYTES)
        .read_to_end(&mut beginning);

    let body_bytes = beginning.len();
    Ok(OutboundResponse {
        status: parts.status.as_u16(),
        headers: headers.collect(),
        body: beginning,
        body_bytes,
    })
}

fn without_body(response: OutboundResponse) -> OutboundResponse {
    OutboundResponse {
        body: Vec::new(),
        ..response
    }
}

/// Whether the name has only non-public addresses, of which the policy allows some.
fn is_private_address(error: &ureq::Error) -> bool {
    matches!(error, ureq::Error::Other(other) if other.is::<OnlyPrivate>())
}

/// Why requests to this URL are impossible, whatever the policy.
pub fn url_error(url: &str) -> Option<String> {
    parse_url(url).err()
}

fn parse_url(url: &str) -> Result<Uri, String> {
    let parsed = url
        .parse::<Uri>()
        .ok()
        .filter(|uri| matches!(uri.scheme_str(), Some("http" | "https")));
    let parsed = parsed.filter(|uri| uri.host().is_some_and(|host| !host.is_empty()));
    parsed.ok_or_else(|| "must be an http or https URL, like 'https://example.com/hook'".into())
}

fn error_text(error: &ureq::Error) -> String {
    match error {
        ureq::Error::Other(other) => other.to_string(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forbidden_address_is_not_connected_to() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let client = HttpClient::new(EgressPolicy::Public, Duration::from_secs(5));
        let port = listener.local_addr().unwrap().port();

        for (host, is_address) in [
            ("127.0.0.1", true),
            ("[::ffff:127.0.0.1]", true),
            ("localhost", false),
            ("2130706433", false),
            ("0x7f.1", false),
        ] {
            for method in [OutboundMethod::Get, OutboundMethod::Post] {
                let url = format!("http://{host}:{port}/");
                let request = OutboundRequest {
                    method,
                    url,
                    headers: Vec::new(),
                    body: Vec::new(),
                };

                let error = client.send(&request).unwrap_err();
                assert_eq!(
                    matches!(error, SendError::Permanent(_)),
                    is_address,
                    "{host}: {error}"
                );
                assert!(listener.accept().is_err(), "{host}: {error}");
            }
        }
    }

    #[test]
    fn url_with_another_scheme_is_refused() {
        for url in [
            "http://x",
            "https://me:pass@example.com:8080/hook?a=b",
            "HTTP://[::1]/",
        ] {
            assert_eq!(url_error(url), None, "{url}");
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
            let request = OutboundRequest {
                method: OutboundMethod::Get,
                url: url.into(),
                headers: Vec::new(),
                body: Vec::new(),
            };
            let failure = HttpClient::new(EgressPolicy::All, Duration::from_secs(5))
                .send(&request)
                .unwrap_err();
            let expected = format!("the URL {}", url_error(url).unwrap());
            assert_eq!(failure, SendError::Permanent(expected), "{url}");
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
        let request = OutboundRequest {
            method: OutboundMethod::Get,
            url,
            headers,
            body: b"never sent".to_vec(),
        };

        let answer = HttpClient::new(EgressPolicy::Loopback, Duration::from_secs(5))
            .send(&request)
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
