//! Every setting and its validation.

mod defaults;
mod ranges;
mod test_settings;
mod text_list;
mod tls;
mod validation;

pub use test_settings::TestSettings;
pub use tls::TlsSettings;

use super::{
    ConfigError,
    credentials::{self, AccountEntry, KeyEntry, UserEntry},
    listen::Listen,
};
use crate::domain::{
    directory::{AuthMode, Directory},
    egress::EgressPolicy,
    web_origin::{AllowedHosts, AllowedOrigins},
};
use serde::{Deserialize, Serialize};
use std::{
    net::{SocketAddr, ToSocketAddrs},
    path::PathBuf,
};

/// All settings. `config.toml` at the top level of the repository explains each.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// Addresses with ports, and Unix sockets. Port 0 picks a free port.
    pub listen: Listen,
    /// Data folder.
    pub data: PathBuf,
    /// Keep the store in a temporary folder that is deleted at exit.
    pub ephemeral: bool,
    /// Refuse requests that PagerTree's documentation does not allow.
    pub strict: bool,
    /// Allow open mode on an address that other machines can reach.
    pub open_to_network: bool,
    /// Additional host names of the server. Requests for others get 421 in open mode, and in keys
    /// mode if the list is not empty.
    pub allowed_hosts: Vec<String>,
    /// File to write the port to once the server is ready. Empty for none.
    pub port_file: PathBuf,
    /// Threads that serve requests. 0 means one per core.
    pub workers: usize,
    /// Authentication.
    pub auth: AuthSettings,
    /// Limits of requests and connections.
    pub limits: LimitsSettings,
    /// The store.
    pub store: StoreSettings,
    /// Retention of alerts and logs.
    pub retention: RetentionSettings,
    /// Outgoing webhooks.
    pub outgoing: OutgoingSettings,
    /// HTTPS.
    pub tls: TlsSettings,
    /// Mail server.
    pub smtp: SmtpSettings,
    /// Cross-origin requests.
    pub cors: CorsSettings,
    /// Format and extent of the log.
    pub log: LogSettings,
    /// How the server stops.
    pub shutdown: ShutdownSettings,
    /// The control plane for tests.
    pub test: TestSettings,
    /// Accounts of keys mode.
    pub accounts: Vec<AccountEntry>,
    /// API keys of keys mode.
    pub keys: Vec<KeyEntry>,
    /// Users of keys mode.
    pub users: Vec<UserEntry>,
}

/// `[auth]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct AuthSettings {
    /// Which credentials are accepted.
    pub mode: Mode,
    /// Lifetime of tokens issued by `/public/login`, in seconds.
    pub token_seconds: u32,
}

/// `auth.mode`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Mode {
    /// Any non-empty credential, each its own account.
    #[default]
    Open,
    /// Declared keys and users only.
    Keys,
}

/// `[limits]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LimitsSettings {
    /// Maximum size of a body, in bytes. 413 beyond.
    pub body_bytes: usize,
    /// Maximum length of path and query, in bytes. 414 beyond.
    pub url_bytes: usize,
    /// Timeout for the head of a request, in seconds.
    pub head_seconds: u64,
    /// Timeout for the body of a request, in seconds. 408 beyond.
    pub body_seconds: u64,
    /// Seconds after which an idle connection is closed.
    pub idle_seconds: u64,
    /// Maximum number of connections, over all threads.
    pub connections: usize,
    /// Requests per minute and account. 429 beyond; 0 means no limit.
    pub requests_per_minute: u32,
    /// Login attempts per minute and user name in keys mode. 429 beyond; 0 means no limit.
    pub logins_per_minute: u32,
    /// Events per minute and integration. 429 beyond; 0 means no limit.
    pub events_per_minute: u32,
}

/// `[store]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// Size of the engine's cache, in bytes.
    pub cache_bytes: u64,
    /// Size of the cache of list pages, in bytes. 0 disables it.
    pub list_cache_bytes: u64,
    /// Memory for list indexes, in bytes. 0 disables them.
    pub index_bytes: u64,
    /// Memory for old versions that open snapshots still need, in bytes. Beyond it the oldest
    /// snapshot is dropped, and its reader must start over.
    pub snapshot_bytes: u64,
    /// Maximum number of queued writes. 503 beyond.
    pub queue: usize,
    /// Maximum number of writes that share one sync to disk, up to 64.
    pub batch: usize,
}

/// `[retention]`: how much is kept of each account. 0 means no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// Number of alerts. The oldest are deleted first.
    pub alerts: u64,
    /// Days after which a closed alert is deleted.
    pub alert_days: u64,
    /// Number of logs. The oldest are deleted first.
    pub logs: u64,
    /// Days after which a log is deleted.
    pub log_days: u64,
    /// Seconds between two sweeps.
    pub sweep_seconds: u64,
}

/// `[outgoing]`: webhooks of integrations of type `outgoingwebhook`, and other outgoing requests.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutgoingSettings {
    /// Which private addresses outgoing requests may reach.
    pub reach: EgressSetting,
    /// Maximum number of delivery attempts.
    pub attempts: u32,
    /// Delay before the first retry, in seconds. It triples with each further retry.
    pub first_retry_seconds: u64,
    /// Timeout of an attempt, in seconds.
    pub timeout_seconds: u64,
    /// Maximum number of queued webhooks for an integration.
    pub queue: u64,
    /// Maximum number of `outgoingwebhook` integrations of an account. 409 beyond.
    pub senders: usize,
    /// Whether to confirm Amazon SNS subscriptions.
    pub confirm_subscriptions: bool,
}

/// `outgoing.reach`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum EgressSetting {
    /// Loopback in open mode, public addresses only in keys mode.
    #[default]
    Auto,
    /// Public addresses only.
    Public,
    /// Public and loopback addresses.
    Loopback,
    /// Any address.
    All,
}

/// `[smtp]`: the mail server for integrations of type `email`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpSettings {
    /// Address and port. Port 0 picks a free port; empty disables the server.
    pub listen: String,
    /// Maximum size of a message, in bytes. 552 beyond.
    pub message_bytes: usize,
    /// Maximum number of connections. 421 beyond.
    pub connections: usize,
    /// Seconds after which an idle connection is closed.
    pub idle_seconds: u64,
}

/// `[cors]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct CorsSettings {
    /// Allowed origins: `auto` for this machine's in open mode and any in keys mode, `*` for any.
    /// Empty disables CORS.
    #[serde(deserialize_with = "text_list::one_or_several")]
    pub origins: Vec<String>,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct LogSettings {
    /// Format of log lines.
    pub format: LogFormat,
    /// Whether to log each request.
    pub requests: bool,
}

/// `log.format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A message followed by `key=value` pairs.
    #[default]
    Text,
    /// One JSON object per line.
    Json,
}

/// `[shutdown]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct ShutdownSettings {
    /// Seconds that requests and webhook deliveries in flight have to finish.
    pub drain_seconds: u64,
}

impl Settings {
    /// The address of the mail server, if it is enabled.
    ///
    /// # Errors
    /// The setting is not an address with a port, or its name does not resolve.
    pub fn mail_address(&self) -> Result<Option<SocketAddr>, ConfigError> {
        let SmtpSettings { listen, .. } = &self.smtp;
        (!listen.is_empty())
            .then(|| resolve("smtp.listen", listen, "127.0.0.1:2525"))
            .transpose()
    }

    /// Whether keys mode is on without any key or user, so that every request is refused.
    pub fn has_no_credentials(&self) -> bool {
        self.auth.mode == Mode::Keys && self.keys.is_empty() && self.users.is_empty()
    }

    /// The declared accounts, keys and users.
    ///
    /// # Errors
    /// An entry is malformed or contradicts another.
    pub fn directory(&self) -> Result<Directory, ConfigError> {
        let mode = match self.auth.mode {
            Mode::Open => AuthMode::Open,
            Mode::Keys => AuthMode::Keys,
        };
        credentials::directory(mode, &self.accounts, &self.keys, &self.users)
    }

    /// The additional host names of the server.
    ///
    /// # Errors
    /// An entry is not a host name.
    pub fn allowed_hosts(&self) -> Result<AllowedHosts, ConfigError> {
        AllowedHosts::parse(&self.allowed_hosts).map_err(|entry| {
            ConfigError::new(format!(
                "'allowed_hosts' must contain host names without a port, like alerts.example.com or *.example.com, but has {entry:?}"
            ))
        })
    }

    /// The origins allowed to call the API from a browser.
    ///
    /// # Errors
    /// An entry is not an origin.
    pub fn allowed_origins(&self) -> Result<AllowedOrigins, ConfigError> {
        AllowedOrigins::parse(&self.cors.origins).map_err(|entry| {
            ConfigError::new(format!(
                "'cors.origins' must contain \"auto\", \"*\" or origins like https://app.example or http://localhost:8080, without a path, but has {entry:?}"
            ))
        })
    }

    /// Names of settings that differ from `other`'s and take effect only after a restart.
    pub fn needs_restart(&self, other: &Self) -> Vec<&'static str> {
        let differing = [
            ("listen", self.listen != other.listen),
            ("data", self.data != other.data),
            ("ephemeral", self.ephemeral != other.ephemeral),
            (
                "open_to_network",
                self.open_to_network != other.open_to_network,
            ),
            ("port_file", self.port_file != other.port_file),
            ("workers", self.workers != other.workers),
            (
                "limits.head_seconds",
                self.limits.head_seconds != other.limits.head_seconds,
            ),
            (
                "limits.idle_seconds",
                self.limits.idle_seconds != other.limits.idle_seconds,
            ),
            (
                "limits.connections",
                self.limits.connections != other.limits.connections,
            ),
            ("store", self.store != other.store),
            ("retention", self.retention != other.retention),
            ("outgoing", self.outgoing != other.outgoing),
            ("smtp", self.smtp != other.smtp),
            ("log.format", self.log.format != other.log.format),
            ("shutdown", self.shutdown != other.shutdown),
            ("tls", self.tls != other.tls),
            ("test", self.test != other.test),
        ];

        differing
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name)
            .collect()
    }

    /// The egress policy of outgoing requests.
    pub fn egress_policy(&self) -> EgressPolicy {
        // A server that other machines can reach must not give them access to this machine's
        // loopback.
        let is_private = self.auth.mode == Mode::Open && !self.open_to_network;
        match self.outgoing.reach {
            EgressSetting::Auto if is_private => EgressPolicy::Loopback,
            EgressSetting::Loopback => EgressPolicy::Loopback,
            EgressSetting::Auto | EgressSetting::Public => EgressPolicy::Public,
            EgressSetting::All => EgressPolicy::All,
        }
    }
}

fn resolve(name: &str, address: &str, example: &str) -> Result<SocketAddr, ConfigError> {
    let resolved = address
        .to_socket_addrs()
        .ok()
        .and_then(|mut addresses| addresses.next());
    resolved.ok_or_else(|| {
        ConfigError::new(format!(
            "'{name}' must be an address and a port, like {example}, but was '{address}'"
        ))
    })
}
