//! Hosts and origins as requests name them, and which of them are trusted.
//!
//! A server that asks for no key is protected by where it listens alone, and a browser on the same
//! machine carries the requests of any page there. Two headers that a page cannot choose tell such
//! requests apart: `Host` names what the page believes to talk to, and `Origin` where the page came
//! from.
//!
//! Sources: RFC 9110 section 7.2 (`Host`), RFC 6454 section 7 (`Origin`), RFC 6761 (`localhost`),
//! the `Sec-Fetch-Site` header of Fetch Metadata Request Headers.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A host and perhaps a port, as in `Host: example.com:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// In lower case, without a dot at its end; an IPv6 address in brackets.
    host: String,
    port: Option<u16>,
}

/// The longest name that DNS knows.
const MAX_HOST_LEN: usize = 253;

impl Authority {
    /// Reads `host` or `host:port`. `None` for anything else, such as a text with blanks, a path,
    /// or a user name.
    pub fn parse(text: &str) -> Option<Self> {
        // Colons within brackets belong to an IPv6 address.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(parse_port(port)?)),
            _ => (text, None),
        };
        parse_host(host).map(|host| Self { host, port })
    }

    /// The host without its port: in lower case, without a dot at its end, an IPv6 address in
    /// brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if it is named.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// The same host with this port, or without one.
    pub fn with_port(self, port: Option<u16>) -> Self {
        Self { port, ..self }
    }

    /// The address, if the host is one and not a name.
    fn address(&self) -> Option<IpAddr> {
        match self
            .host
            .strip_prefix('[')
            .and_then(|host| host.strip_suffix(']'))
        {
            Some(inner) => inner.parse::<Ipv6Addr>().ok().map(IpAddr::V6),
            None => self.host.parse::<Ipv4Addr>().ok().map(IpAddr::V4),
        }
    }

    /// Whether the host can only be this machine: `localhost`, a name below it, or a loopback
    /// address.
    pub fn is_loopback(&self) -> bool {
        let named = self.host == "localhost" || self.host.ends_with(".localhost");
        named
            || self
                .address()
                .is_some_and(|address| address.to_canonical().is_loopback())
    }

    /// Whether strangers on the Internet cannot make this host lead here: an address, `localhost`
    /// and names below it, names without a dot (services of compose files and of Kubernetes), and
    /// names below `internal`, which no public name server answers.
    pub fn is_private_name(&self) -> bool {
        self.is_loopback()
            || self.address().is_some()
            || !self.host.contains('.')
            || self.host.ends_with(".internal")
    }
}

impl fmt::Display for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.port {
            Some(port) => write!(f, "{}:{port}", self.host),
            None => f.write_str(&self.host),
        }
    }
}

fn parse_port(text: &str) -> Option<u16> {
    text.bytes()
        .all(|byte| byte.is_ascii_digit())
        .then(|| text.parse().ok())
        .flatten()
}

fn parse_host(text: &str) -> Option<String> {
    if let Some(inner) = text.strip_prefix('[') {
        let address = inner.strip_suffix(']')?.parse::<Ipv6Addr>().ok()?;
        return Some(format!("[{address}]"));
    }
    let name = text.strip_suffix('.').unwrap_or(text);
    let labels = !name.is_empty() && name.split('.').all(|label| !label.is_empty());
    let fits = name.len() <= MAX_HOST_LEN
        && name
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_'));
    (labels && fits).then(|| name.to_ascii_lowercase())
}

/// Where a page came from: `http(s)://host[:port]`, as browsers send it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin {
    is_https: bool,
    authority: Authority,
}

impl WebOrigin {
    /// Reads an origin as a browser writes it. `None` for anything else, such as `null` or one with
    /// a path.
    pub fn parse(text: &str) -> Option<Self> {
        let (is_https, rest) = match text.strip_prefix("http://") {
            Some(rest) => (false, rest),
            None => (true, text.strip_prefix("https://")?),
        };
        Authority::parse(rest).map(|authority| Self {
            is_https,
            authority,
        })
    }
}

/// Further names under which a server may be reached, from the setting `allowed_hosts`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<HostPattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    Exact(String),
    /// With its leading dot.
    Below(String),
}

impl AllowedHosts {
    /// Reads `"name"`, `"*.name"` for all names below it, and `"*"`.
    ///
    /// # Errors
    /// The first entry that is none of these.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        entries
            .iter()
            .map(|entry| HostPattern::parse(entry).ok_or_else(|| entry.clone()))
            .collect::<Result<_, _>>()
            .map(Self)
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the host is one of these, at whatever port.
    pub fn contain(&self, authority: &Authority) -> bool {
        self.0
            .iter()
            .any(|pattern| pattern.matches(&authority.host))
    }
}

impl HostPattern {
    fn parse(text: &str) -> Option<Self> {
        if text == "*" {
            return Some(Self::Any);
        }

        let (below, name) = text
            .strip_prefix("*.")
            .map_or((false, text), |name| (true, name));
        let authority = Authority::parse(name).filter(|authority| authority.port.is_none())?;

        Some(if below {
            Self::Below(format!(".{}", authority.host))
        } else {
            Self::Exact(authority.host)
        })
    }

    fn matches(&self, host: &str) -> bool {
        match self {
            Self::Any => true,
            Self::Exact(name) => host == name,
            Self::Below(suffix) => host.ends_with(suffix.as_str()),
        }
    }
}

/// Whose pages may call and read the answers, from the setting `cors.origins`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins {
    any: bool,
    auto: bool,
    listed: Vec<WebOrigin>,
}

impl AllowedOrigins {
    /// Reads `"auto"`, `"*"` and origins, together or alone.
    ///
    /// # Errors
    /// The first entry that is none of these.
    pub fn parse(entries: &[String]) -> Result<Self, String> {
        let mut allowed = Self::default();
        for entry in entries {
            match entry.as_str() {
                "*" => allowed.any = true,
                "auto" => allowed.auto = true,
                origin => allowed
                    .listed
                    .push(WebOrigin::parse(origin).ok_or_else(|| entry.clone())?),
            }
        }
        Ok(allowed)
    }

    /// Whether the pages of this origin, as the header `Origin` says it, may call and read. Where a
    /// key is needed, `auto` lets every page do so, since a page has no key of its own; where none
    /// is, only pages of this machine.
    pub fn admit(&self, origin: &str, key_needed: bool) -> bool {
        let parsed = WebOrigin::parse(origin);
        let local = || {
            parsed
                .as_ref()
                .is_some_and(|origin| origin.authority.is_loopback())
        };
        self.any
            || (self.auto && (key_needed || local()))
            || parsed
                .as_ref()
                .is_some_and(|origin| self.listed.contains(origin))
    }
}

/// What a browser says about the page that sends a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageHeaders<'a> {
    /// The header `Origin`.
    pub origin: Option<&'a str>,
    /// The header `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    /// The header `Host`, if it can be read.
    pub host: Option<&'a Authority>,
}

impl PageHeaders<'_> {
    /// Whether the request comes from a page of a stranger: neither of this machine, nor of this
    /// server itself, nor one that `allowed` lists by name. What no browser sent is not.
    pub fn is_foreign(&self, allowed: &AllowedOrigins) -> bool {
        let Some(origin) = self.origin else {
            // Browsers leave `Origin` out of most GET requests, images and links among them.
            return self.fetch_site == Some("cross-site");
        };
        !WebOrigin::parse(origin).is_some_and(|origin| {
            origin.authority.is_loopback()
                || Some(&origin.authority) == self.host
                || allowed.listed.contains(&origin)
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn authority(text: &str) -> Authority {
        Authority::parse(text).unwrap_or_else(|| panic!("'{text}' is a host"))
    }

    fn texts(entries: &[&str]) -> Vec<String> {
        entries.iter().map(|entry| (*entry).to_owned()).collect()
    }

    #[test]
    fn a_host_is_a_name_or_an_address_with_or_without_a_port() {
        for (text, written) in [
            ("localhost", "localhost"),
            ("LocalHost.:7243", "localhost:7243"),
            ("127.0.0.1:80", "127.0.0.1:80"),
            ("[::1]", "[::1]"),
            ("[0:0::1]:443", "[::1]:443"),
            ("my_service-1", "my_service-1"),
        ] {
            assert_eq!(authority(text).to_string(), written);
        }

        for text in [
            "",
            ".",
            ":80",
            "a:",
            "a:x",
            "a:+1",
            "a:65536",
            "a b",
            "a/b",
            "a\r\nb",
            "me@a",
            "[::1",
            "::1",
            "[x]",
            "a..b",
            "<a>",
            "b\u{fc}cher",
        ] {
            assert_eq!(Authority::parse(text), None, "{text:?}");
        }

        assert_eq!(Authority::parse(&"x".repeat(254)), None);
    }

    #[test]
    fn names_that_strangers_cannot_own_are_private() {
        for name in [
            "127.0.0.1:7243",
            "10.1.2.3",
            "203.0.113.9",
            "[fe80::1]",
            "localhost",
            "localhost.",
            "app.localhost:1",
            "pagertree",
            "host.docker.internal",
        ] {
            assert!(authority(name).is_private_name(), "{name}");
        }

        for name in [
            "example.com",
            "localhost.example.com",
            "127.0.0.1.example.com",
            "mylocalhost.com",
            "internal.com",
            "a.local",
        ] {
            assert!(!authority(name).is_private_name(), "{name}");
        }

        for (name, loopback) in [
            ("127.9.9.9", true),
            ("[::ffff:127.0.0.1]", true),
            ("10.0.0.1", false),
            ("pagertree", false),
        ] {
            assert_eq!(authority(name).is_loopback(), loopback, "{name}");
        }
    }

    #[test]
    fn further_hosts_are_listed_alone_or_with_all_below() {
        let allowed =
            AllowedHosts::parse(&texts(&["Alerts.example.com", "*.example.org"])).unwrap();
        for (name, expected) in [
            ("alerts.example.com:443", true),
            ("example.com", false),
            ("x.alerts.example.com", false),
            ("a.b.example.org", true),
            ("example.org", false),
            ("badexample.org", false),
        ] {
            assert_eq!(allowed.contain(&authority(name)), expected, "{name}");
        }

        assert!(
            AllowedHosts::parse(&texts(&["*"]))
                .unwrap()
                .contain(&authority("any.example"))
        );

        for bad in ["", "a:80", "http://a", "*.", "*a", "a b"] {
            assert_eq!(
                AllowedHosts::parse(&texts(&["a", bad])),
                Err(bad.to_owned())
            );
        }
    }

    #[test]
    fn auto_admits_pages_of_this_machine_and_where_keys_are_needed_all() {
        let auto = AllowedOrigins::parse(&texts(&["auto"])).unwrap();
        for origin in [
            "http://localhost:3000",
            "https://app.localhost",
            "http://127.0.0.1:1",
            "http://[::1]:8080",
        ] {
            assert!(auto.admit(origin, false), "{origin}");
        }

        for origin in [
            "https://evil.example",
            "null",
            "http://localhost.evil.example",
            "file://",
            "http://10.0.0.1",
        ] {
            assert!(!auto.admit(origin, false), "{origin}");
            assert!(auto.admit(origin, true), "{origin}");
        }
    }

    #[test]
    fn listed_origins_are_admitted_to_the_letter() {
        let listed = AllowedOrigins::parse(&texts(&["https://app.example"])).unwrap();
        assert!(listed.admit("https://app.example", false));
        for origin in [
            "http://app.example",
            "https://app.example:444",
            "http://localhost",
        ] {
            assert!(!listed.admit(origin, true), "{origin}");
        }

        assert!(
            AllowedOrigins::parse(&texts(&["*"]))
                .unwrap()
                .admit("null", false)
        );
        assert!(!AllowedOrigins::default().admit("http://localhost", true));
    }

    #[test]
    fn a_page_is_foreign_unless_it_is_ours_listed_or_of_this_machine() {
        let allowed = AllowedOrigins::parse(&texts(&["*", "https://app.example"])).unwrap();
        let host = authority("alerts.internal:7243");
        let foreign = |origin, fetch_site| {
            PageHeaders {
                origin,
                fetch_site,
                host: Some(&host),
            }
            .is_foreign(&allowed)
        };

        for origin in [
            "https://app.example",
            "http://localhost:3000",
            "http://alerts.internal:7243",
        ] {
            assert!(!foreign(Some(origin), Some("cross-site")), "{origin}");
        }

        for origin in ["https://evil.example", "null", "http://alerts.internal", ""] {
            assert!(foreign(Some(origin), None), "{origin}");
        }

        assert!(foreign(None, Some("cross-site")));
        for fetch_site in [None, Some("none"), Some("same-origin"), Some("same-site")] {
            assert!(!foreign(None, fetch_site), "{fetch_site:?}");
        }
    }
}
