//! The setting `listen`: one or more endpoints, as a comma-separated string or a list of strings.

use super::ConfigError;
use crate::domain::endpoint::Endpoint;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, Ipv6Addr, ToSocketAddrs};

/// Endpoints to listen on, as configured. Names are resolved only by
/// [`endpoints`](Self::endpoints).
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "ListenSyntax", into = "Vec<String>")]
pub struct Listen(Vec<String>);

/// The two spellings of the setting.
#[derive(Deserialize)]
#[serde(untagged, expecting = "'listen' must be a string or a list of strings")]
enum ListenSyntax {
    One(String),
    Several(Vec<String>),
}

impl From<ListenSyntax> for Listen {
    fn from(written: ListenSyntax) -> Self {
        match written {
            ListenSyntax::One(text) => text.as_str().into(),
            ListenSyntax::Several(texts) => Self(texts),
        }
    }
}

impl From<&str> for Listen {
    /// Splits the text at commas.
    fn from(text: &str) -> Self {
        Self(
            text.split(',')
                .map(str::trim)
                .filter(|one| !one.is_empty())
                .map(str::to_owned)
                .collect(),
        )
    }
}

impl From<String> for Listen {
    fn from(text: String) -> Self {
        text.as_str().into()
    }
}

impl From<Listen> for Vec<String> {
    fn from(listen: Listen) -> Self {
        listen.0
    }
}

impl Listen {
    /// The IPv4 and IPv6 loopback addresses with this port.
    pub(super) fn loopback(port: u16) -> Self {
        Self(vec![
            format!("{}:{port}", Ipv4Addr::LOCALHOST),
            format!("[{}]:{port}", Ipv6Addr::LOCALHOST),
        ])
    }

    /// The endpoints without duplicates, in the configured order. A name yields all its addresses.
    ///
    /// # Errors
    /// The list is empty, or an entry is neither an address with a port nor `unix:` and a path.
    pub fn endpoints(&self) -> Result<Vec<Endpoint>, ConfigError> {
        let mut endpoints: Vec<Endpoint> = Vec::new();
        for text in &self.0 {
            for endpoint in resolve(text)? {
                if !endpoints.contains(&endpoint) {
                    endpoints.push(endpoint);
                }
            }
        }

        if endpoints.is_empty() {
            return Err(ConfigError::new(format!(
                "'listen' must contain {EXPECTED}, but is empty"
            )));
        }

        Ok(endpoints)
    }
}

const EXPECTED: &str = "an address and a port, like 127.0.0.1:7243, or a Unix socket, like unix:/run/pagertree-local.sock";

fn resolve(text: &str) -> Result<Vec<Endpoint>, ConfigError> {
    let unusable = || {
        ConfigError::new(format!(
            "'listen' must contain {EXPECTED}, but has '{text}'"
        ))
    };
    if Endpoint::unix_path(text).is_some() {
        return text
            .parse()
            .map(|socket| vec![socket])
            .map_err(|_| unusable());
    }

    // Both families, whatever /etc/hosts says about this name.
    if let Some(port) = text.strip_prefix("localhost:") {
        let port = port.parse().map_err(|_| unusable())?;
        return Listen::loopback(port).endpoints();
    }

    let addresses = text.to_socket_addrs().map_err(|_| unusable())?;
    Ok(addresses.map(Endpoint::Tcp).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn endpoints(listen: &Listen) -> Vec<String> {
        listen
            .endpoints()
            .unwrap()
            .iter()
            .map(Endpoint::to_string)
            .collect()
    }

    fn read(toml: &str) -> Result<Listen, toml::de::Error> {
        #[derive(Deserialize)]
        struct Table {
            listen: Listen,
        }
        toml::from_str(toml).map(|table: Table| table.listen)
    }

    #[test]
    fn a_text_a_text_with_commas_and_a_list_are_read() {
        for (toml, expected) in [
            ("listen = '127.0.0.1:1'", &["127.0.0.1:1"][..]),
            (
                "listen = '127.0.0.1:1, [::1]:1,unix:/x'",
                &["127.0.0.1:1", "[::1]:1", "unix:/x"],
            ),
            (
                "listen = ['127.0.0.1:1', 'unix:/x']",
                &["127.0.0.1:1", "unix:/x"],
            ),
            ("listen = 'localhost:0'", &["127.0.0.1:0", "[::1]:0"]),
            (
                "listen = ['localhost:1', '127.0.0.1:1', '127.0.0.1:1']",
                &["127.0.0.1:1", "[::1]:1"],
            ),
        ] {
            assert_eq!(endpoints(&read(toml).unwrap()), expected, "{toml}");
        }

        let fault = read("listen = 7243").unwrap_err();
        assert!(
            fault
                .message()
                .contains("'listen' must be a string or a list of strings"),
            "{fault}"
        );
    }

    #[test]
    fn what_is_no_address_is_refused_with_what_would_be_right() {
        for text in [
            "",
            ",",
            "nowhere",
            "127.0.0.1",
            "localhost:",
            "localhost:http",
            "unix:",
            "127.0.0.1:1,x",
        ] {
            let fault = Listen::from(text).endpoints().unwrap_err().to_string();
            assert!(
                fault.starts_with("'listen' must contain ") && fault.contains("127.0.0.1:7243"),
                "{fault}"
            );
        }
    }
}
