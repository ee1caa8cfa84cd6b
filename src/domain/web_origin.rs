//! Hosts and origins named by requests, and which of them are trusted.
//!
//! In open mode only the listening address protects a server, and a browser on the same machine
//! carries requests of any web page to it. Two headers that pages cannot forge identify such
//! requests: `Host` names the server that the page believes to address, and `Origin` the site that
//! the page came from.
//!
//! Sources: RFC 9110 section 7.2 (`Host`), RFC 6454 section 7 (`Origin`), RFC 6761 (`localhost`),
//! the `Sec-Fetch-Site` header of Fetch Metadata Request Headers.

use std::{
    fmt,
    net::{IpAddr, Ipv4Addr, Ipv6Addr},
};

/// A host with an optional port, as in `Host: example.com:8080`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Authority {
    /// Lower-case, without a trailing dot; IPv6 addresses in brackets.
    host: String,
    port: Option<u16>,
}

/// The limit of DNS.
const MAX_HOST_LEN: usize = 253;

impl Authority {
    /// Parses `host` or `host:port`. `None` for anything else, such as a text with spaces, a path
    /// or a user name.
    pub fn parse(text: &str) -> Option<Self> {
        // Colons within brackets belong to an IPv6 address.
        let (host, port) = match text.rsplit_once(':') {
            Some((host, port)) if !port.ends_with(']') => (host, Some(parse_port(port)?)),
            _ => (text, None),
        };
        parse_host(host).map(|host| Self { host, port })
    }

    /// The host without its port: lower-case, without a trailing dot; IPv6 addresses in brackets.
    pub fn host(&self) -> &str {
        &self.host
    }

    /// The port, if given.
    pub fn port(&self) -> Option<u16> {
        self.port
    }

    /// Replaces the port.
    pub fn with_port(self, port: Option<u16>) -> Self {
        Self { port, ..self }
    }

    /// The address, unless the host is a name.
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

    /// Whether the host always means this machine: `localhost`, a subdomain of it, or a loopback
    /// address.
    pub fn is_loopback(&self) -> bool {
        let named = self.host == "localhost" || self.host.ends_with(".localhost");
        named
            || self
                .address()
                .is_some_and(|address| address.to_canonical().is_loopback())
    }

    /// Whether an attacker on the Internet cannot point this host here by DNS rebinding: an
    /// address, `localhost` and its subdomains, names without a dot (services of Compose and
    /// Kubernetes), and names below `internal`, which public DNS never resolves.
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

/// The origin of a web page: `http(s)://host[:port]`, as sent by browsers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WebOrigin {
    is_https: bool,
    authority: Authority,
}

impl WebOrigin {
    /// Parses an origin as sent by browsers. `None` for anything else, such as `null` or a URL with
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

/// The additional host names of the setting `allowed_hosts`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedHosts(Vec<HostPattern>);

#[derive(Clone, Debug, PartialEq, Eq)]
enum HostPattern {
    Any,
    Exact(String),
    /// A suffix with its leading dot.
    Below(String),
}

impl AllowedHosts {
    /// Parses `"name"`, `"*.name"` for all subdomains, and `"*"`.
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

    /// Whether the list is empty.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Whether the list has the host, whatever its port.
    pub fn contains(&self, authority: &Authority) -> bool {
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

/// The origins of the setting `cors.origins`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct AllowedOrigins {
    any: bool,
    auto: bool,
    listed: Vec<WebOrigin>,
}

impl AllowedOrigins {
    /// Parses any combination of `"auto"`, `"*"` and origins.
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

    /// Whether pages of this origin may call the API and read responses. If requests need a key,
    /// `auto` allows every origin, since pages do not have the key; otherwise only those of this
    /// machine.
    pub fn allow(&self, origin: &str, key_needed: bool) -> bool {
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

/// The headers by which a browser describes the page that sends a request.
#[derive(Clone, Copy, Debug, Default)]
pub struct PageHeaders<'a> {
    /// The header `Origin`.
    pub origin: Option<&'a str>,
    /// The header `Sec-Fetch-Site`.
    pub fetch_site: Option<&'a str>,
    /// The header `Host`, if it is valid.
    pub host: Option<&'a Authority>,
}

impl PageHeaders<'_> {
    /// Whether the request comes from an untrusted page: one that is neither from this machine, nor
    /// from this server, nor listed by name in `allowed`. Requests of other clients than browsers
    /// are not.
    pub fn is_foreign(&self, allowed: &AllowedOrigins) -> bool {
        let Some(origin) = self.origin else {
            // Browsers omit `Origin` from most GET requests, such as images and links.
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
mod tests;
