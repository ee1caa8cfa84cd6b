//! The base URL of this server as the client knows it.
//!
//! A proxy passes it on in `Forwarded` (RFC 7239) or in the customary `X-Forwarded-…` headers.
//! Clients can forge them, so each is validated, and ignored if it is malformed.

use crate::domain::web_origin::Authority;
use crate::http::transport::connection_state::ConnectionState;
use actix_web::{
    HttpRequest,
    dev::RequestHead,
    http::header::{FORWARDED, HOST, X_FORWARDED_HOST, X_FORWARDED_PROTO},
};

const X_FORWARDED_PORT: &str = "x-forwarded-port";
const X_FORWARDED_PREFIX: &str = "x-forwarded-prefix";
const MAX_PREFIX_LEN: usize = 256;

/// `http://host:port/prefix` without a trailing slash. Without a valid host only the prefix, which
/// makes URLs relative to the server.
pub(crate) fn of(request: &HttpRequest) -> String {
    let prefix = prefix(request.head());
    let scheme = scheme(request);
    match authority(request.head(), scheme) {
        Some(authority) => format!("{scheme}://{authority}{prefix}"),
        None => prefix.to_owned(),
    }
}

/// The scheme that the client uses. A proxy knows better than the connection from the proxy.
pub(crate) fn scheme(request: &HttpRequest) -> &'static str {
    let head = request.head();
    let proto = forwarded(head, "proto").or_else(|| first(head, X_FORWARDED_PROTO.as_str()));
    match proto {
        Some(proto) if proto.eq_ignore_ascii_case("https") => "https",
        None if ConnectionState::is_encrypted(request) => "https",
        _ => "http",
    }
}

/// The host and port. Some proxies pass on their port in a header of its own.
fn authority(request: &RequestHead, scheme: &str) -> Option<Authority> {
    let by_proxy = forwarded(request, "host")
        .and_then(Authority::parse)
        .or_else(|| first(request, X_FORWARDED_HOST.as_str()).and_then(Authority::parse));
    let port = || first(request, X_FORWARDED_PORT).and_then(|port| port.parse::<u16>().ok());

    match by_proxy {
        Some(authority) if authority.port().is_some() => Some(authority),
        Some(authority) => Some(with_port(authority, port(), scheme)),
        None => {
            let own = request
                .uri
                .authority()
                .map(|authority| authority.as_str())
                .or_else(|| first(request, HOST.as_str()));
            let own = own.and_then(Authority::parse)?;
            Some(if port().is_some() {
                with_port(own, port(), scheme)
            } else {
                own
            })
        }
    }
}

/// Sets the port, unless it is the default of the scheme.
fn with_port(authority: Authority, port: Option<u16>, scheme: &str) -> Authority {
    let default = if scheme == "https" { 443 } else { 80 };
    authority.with_port(port.filter(|port| *port != default && *port != 0))
}

/// The path prefix under which a proxy serves this server: segments of characters that need no
/// encoding.
fn prefix(request: &RequestHead) -> &str {
    let prefix =
        first(request, X_FORWARDED_PREFIX).map_or("", |prefix| prefix.trim_end_matches('/'));
    let segments = prefix
        .strip_prefix('/')
        .into_iter()
        .flat_map(|rest| rest.split('/'));
    let is_plain = |segment: &str| {
        let plain =
            |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~');
        !segment.is_empty()
            && segment.bytes().all(plain)
            && !segment.bytes().all(|byte| byte == b'.')
    };

    let is_path = prefix.starts_with('/')
        && prefix.len() <= MAX_PREFIX_LEN
        && segments.into_iter().all(is_plain);

    if is_path { prefix } else { "" }
}

/// The first element of a list header, which comes from the proxy nearest to the client.
fn first<'a>(request: &'a RequestHead, name: &str) -> Option<&'a str> {
    let value = request.headers.get(name)?.to_str().ok()?;
    value.split(',').next().map(str::trim)
}

/// A parameter of the first element of `Forwarded`.
fn forwarded<'a>(request: &'a RequestHead, name: &str) -> Option<&'a str> {
    let pairs = first(request, FORWARDED.as_str())?
        .split(';')
        .filter_map(|pair| pair.split_once('='));
    let value = pairs
        .map(|(key, value)| (key.trim(), value.trim()))
        .find(|(key, _)| key.eq_ignore_ascii_case(name))?
        .1;

    Some(
        value
            .strip_prefix('"')
            .and_then(|value| value.strip_suffix('"'))
            .unwrap_or(value),
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use actix_web::test::TestRequest;

    fn url(headers: &[(&str, &str)]) -> String {
        let request = headers
            .iter()
            .fold(TestRequest::default(), |request, header| {
                request.append_header(*header)
            });
        of(&request.to_http_request())
    }

    #[test]
    fn base_url_has_the_host_of_the_request() {
        assert_eq!(url(&[("host", "localhost:7243")]), "http://localhost:7243");
        assert_eq!(url(&[("host", "[::1]:7243")]), "http://[::1]:7243");
    }

    #[test]
    fn base_url_has_the_forwarded_host() {
        let host = ("host", "127.0.0.1:7243");
        for (headers, expected) in [
            (
                vec![("x-forwarded-host", "alerts.example")],
                "http://alerts.example",
            ),
            (
                vec![
                    ("x-forwarded-host", "a.example:81, b.example"),
                    ("x-forwarded-proto", "HTTPS, http"),
                ],
                "https://a.example:81",
            ),
            (
                vec![(
                    "forwarded",
                    "for=1.2.3.4;host=\"a.example:8443\";proto=https, host=b",
                )],
                "https://a.example:8443",
            ),
            (
                vec![
                    ("forwarded", "Proto=https; Host=a.example"),
                    ("x-forwarded-host", "b.example"),
                ],
                "https://a.example",
            ),
            (
                vec![
                    ("x-forwarded-host", "a.example"),
                    ("x-forwarded-port", "8443"),
                    ("x-forwarded-proto", "https"),
                ],
                "https://a.example:8443",
            ),
            (
                vec![
                    ("x-forwarded-host", "a.example"),
                    ("x-forwarded-port", "443"),
                    ("x-forwarded-proto", "https"),
                ],
                "https://a.example",
            ),
            (
                vec![
                    ("x-forwarded-host", "a.example:81"),
                    ("x-forwarded-port", "82"),
                ],
                "http://a.example:81",
            ),
            (vec![("x-forwarded-port", "8080")], "http://127.0.0.1:8080"),
            (
                vec![("x-forwarded-prefix", "/pager/tree/")],
                "http://127.0.0.1:7243/pager/tree",
            ),
        ] {
            assert_eq!(
                url(&[&[host][..], &headers].concat()),
                expected,
                "{headers:?}"
            );
        }
    }

    #[test]
    fn malformed_header_is_ignored() {
        let host = ("host", "localhost:7243");
        for header in [
            ("x-forwarded-host", "a>; rel=\"x\""),
            ("x-forwarded-host", "a.example/path"),
            ("x-forwarded-host", "me@a.example"),
            ("x-forwarded-host", ""),
            ("x-forwarded-proto", "javascript"),
            ("x-forwarded-port", "-1"),
            ("x-forwarded-port", "99999"),
            ("x-forwarded-prefix", "//evil.example"),
            ("x-forwarded-prefix", "pager"),
            ("x-forwarded-prefix", "/a b"),
            ("x-forwarded-prefix", "/../x"),
            ("x-forwarded-prefix", "/<a>"),
            ("forwarded", "host=a b"),
            ("forwarded", "host"),
        ] {
            assert_eq!(url(&[host, header]), "http://localhost:7243", "{header:?}");
        }
    }

    #[test]
    fn base_url_without_a_valid_host_is_relative() {
        for headers in [&[][..], &[("host", "")], &[("host", "a b")]] {
            assert_eq!(url(headers), "", "{headers:?}");
        }
        assert_eq!(url(&[("x-forwarded-prefix", "/pager")]), "/pager");
    }
}
