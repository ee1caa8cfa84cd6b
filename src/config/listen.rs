//! The setting `listen`: one address or several, as a text with commas between them or as a list of
//! texts.

use super::{ConfigError, Mode, Settings};
use crate::domain::endpoint::Endpoint;
use serde::{Deserialize, Serialize};
use std::net::{Ipv4Addr, Ipv6Addr, ToSocketAddrs};

/// Addresses to listen on, as they are written. Never resolved before they are asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(from = "Written", into = "Vec<String>")]
pub struct Listen(Vec<String>);

/// How the setting is written.
#[derive(Deserialize)]
#[serde(untagged, expecting = "'listen' must be a text or a list of texts")]
enum Written {
    One(String),
    Several(Vec<String>),
}

impl From<Written> for Listen {
    fn from(written: Written) -> Self {
        match written {
            Written::One(text) => text.as_str().into(),
            Written::Several(texts) => Self(texts),
        }
    }
}

impl From<&str> for Listen {
    /// Commas stand between several.
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
    /// The loopback addresses of both families, at this port.
    pub(super) fn loopback(port: u16) -> Self {
        Self(vec![
            format!("{}:{port}", Ipv4Addr::LOCALHOST),
            format!("[{}]:{port}", Ipv6Addr::LOCALHOST),
        ])
    }

    /// Where to listen, each once and in the order written. Names stand for all their addresses.
    ///
    /// # Errors
    /// There is none, or one that is neither an address with a port nor `unix:` and a path.
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
                "'listen' must hold {MEANT}, but is empty"
            )));
        }

        Ok(endpoints)
    }
}

impl Settings {
    /// Where to listen; at least one.
    ///
    /// # Errors
    /// One is no address with a port, or its name has none.
    pub fn endpoints(&self) -> Result<Vec<Endpoint>, ConfigError> {
        self.listen.endpoints()
    }

    /// Whether it goes together with what else is set.
    pub(super) fn check_listen(&self) -> Result<(), ConfigError> {
        let endpoints = self.endpoints()?;
        if let Some(reachable) = endpoints.iter().find(|endpoint| !endpoint.is_local())
            && self.auth.mode == Mode::Open
            && !self.open_to_network
        {
            return Err(ConfigError::new(format!(
                "'listen' has {reachable}, which others can reach, and in open mode anybody gets in: declare keys and set \
                 auth.mode = \"keys\", or say --open-to-network if you mean it"
            )));
        }

        if !self.port_file.as_os_str().is_empty()
            && endpoints.iter().all(|endpoint| endpoint.tcp().is_none())
        {
            return Err(ConfigError::new(
                "'port_file' needs an address with a port in 'listen'; there are only Unix sockets",
            ));
        }

        Ok(())
    }
}

const MEANT: &str = "an address and a port, like 127.0.0.1:7243, or a Unix socket, like unix:/run/pagertree-local.sock";

fn resolve(text: &str) -> Result<Vec<Endpoint>, ConfigError> {
    let unusable = || ConfigError::new(format!("'listen' must hold {MEANT}, but one was '{text}'"));
    if Endpoint::unix_path(text).is_some() {
        return text
            .parse()
            .map(|socket| vec![socket])
            .map_err(|_| unusable());
    }

    // Whatever the machine's files say of this name, it means both.
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
                .contains("'listen' must be a text or a list of texts"),
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
                fault.starts_with("'listen' must hold ") && fault.contains("127.0.0.1:7243"),
                "{fault}"
            );
        }
    }
}
