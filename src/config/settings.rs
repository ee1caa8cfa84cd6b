//! Every setting, its default, and what makes it valid.

mod defaults;
mod text_list;

use super::{
    ConfigError,
    credentials::{self, AccountEntry, KeyEntry, UserEntry},
    listen::Listen,
};
use crate::{
    domain::{
        directory::{AuthMode, Directory},
        web_origin::{AllowedHosts, AllowedOrigins},
    },
    http_client::EgressPolicy,
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
    /// Addresses and ports, and Unix sockets; port 0 picks a free one.
    pub listen: Listen,
    /// Folder of the store.
    pub data: PathBuf,
    /// Keep the store in a temporary folder that goes away at exit.
    pub ephemeral: bool,
    /// Refuse whatever the documents do not allow.
    pub strict: bool,
    /// Allow open mode on an address that others can reach.
    pub open_to_network: bool,
    /// Further host names under which the server is reached; others are answered 421 in open mode,
    /// and in keys mode if there are some.
    pub allowed_hosts: Vec<String>,
    /// File to write the port to, once it is known; empty for none.
    pub port_file: PathBuf,
    /// Threads that serve requests; 0 is one per core.
    pub workers: usize,
    /// Credentials.
    pub auth: Auth,
    /// What one client may ask for.
    pub limits: Limits,
    /// The store.
    pub store: StoreSettings,
    /// What is taken away when it is old.
    pub retention: RetentionSettings,
    /// What is sent to third parties.
    pub outgoing: OutgoingSettings,
    /// What comes as mail.
    pub smtp: SmtpSettings,
    /// Browsers.
    pub cors: Cors,
    /// Logs.
    pub log: Log,
    /// The end.
    pub shutdown: Shutdown,
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
pub struct Auth {
    /// Who gets in.
    pub mode: Mode,
    /// Seconds for which a token of `/public/login` is good.
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
pub struct Limits {
    /// Largest body, in bytes; 413 beyond.
    pub body_bytes: usize,
    /// Longest path with query, in bytes; 414 beyond.
    pub url_bytes: usize,
    /// Seconds in which a request's head must have arrived.
    pub head_seconds: u64,
    /// Seconds in which a request's body must have arrived; 408 beyond.
    pub body_seconds: u64,
    /// Seconds for which an idle connection is kept.
    pub idle_seconds: u64,
    /// Connections at once, all threads together.
    pub connections: usize,
    /// Requests per minute and account; 0 is no limit; 429 beyond.
    pub requests_per_minute: u32,
    /// Login attempts per minute and user name in keys mode; 0 is no limit; 429 beyond.
    pub logins_per_minute: u32,
    /// Events per minute and integration; 0 is no limit; 429 beyond.
    pub events_per_minute: u32,
}

/// `[store]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct StoreSettings {
    /// Bytes of memory for what is read often.
    pub cache_bytes: u64,
    /// Bytes of memory for pages of lists that may be asked for again; 0 for none.
    pub list_cache_bytes: u64,
    /// Memory for indexes of lists, in bytes; 0 for none.
    pub index_bytes: u64,
    /// Memory for what was changed since somebody began to read, in bytes; beyond, whoever began
    /// first has to begin again.
    pub snapshot_bytes: u64,
    /// Writes that may wait; 503 beyond.
    pub queue: usize,
    /// Writes that may share one sync to disk, at most 64.
    pub batch: usize,
}

/// `[retention]`: how much is kept of each account; 0 is no limit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct RetentionSettings {
    /// Alerts; the oldest go first.
    pub alerts: u64,
    /// Days after which an alert goes that is over.
    pub alert_days: u64,
    /// Logs; the oldest go first.
    pub logs: u64,
    /// Days after which a log goes.
    pub log_days: u64,
    /// Seconds from one look at what is to go to the next.
    pub sweep_seconds: u64,
}

/// `[outgoing]`: what integrations of type `outgoingwebhook` send, and what else is asked for.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct OutgoingSettings {
    /// Where requests may go that is not public.
    pub reach: ReachSetting,
    /// How often each event is tried.
    pub attempts: u32,
    /// Seconds after the first attempt that failed; three times as long after each further one.
    pub first_retry_seconds: u64,
    /// Seconds in which an attempt must be answered.
    pub timeout_seconds: u64,
    /// How many may wait for one integration.
    pub queue: u64,
    /// How many integrations of an account may send; 409 beyond.
    pub senders: usize,
    /// Confirm the subscriptions that Amazon SNS asks to confirm.
    pub confirm_subscriptions: bool,
}

/// `outgoing.reach`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ReachSetting {
    /// This machine in open mode, else nowhere.
    #[default]
    Auto,
    /// Nowhere.
    Public,
    /// This machine.
    Loopback,
    /// Everywhere.
    All,
}

/// `[smtp]`: the server that takes mail for integrations of type `email`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct SmtpSettings {
    /// Address and port; port 0 picks a free one; empty for no such server.
    pub listen: String,
    /// Largest message, in bytes; 552 beyond.
    pub message_bytes: usize,
    /// Connections at once; 421 beyond.
    pub connections: usize,
    /// Seconds for which a silent connection is kept.
    pub idle_seconds: u64,
}

/// `[cors]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Cors {
    /// Origins whose pages may call: `auto` is those of this machine in open mode and every one in
    /// keys mode, `*` every one; none switches CORS off.
    #[serde(deserialize_with = "text_list::one_or_several")]
    pub origins: Vec<String>,
}

/// `[log]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Log {
    /// How lines look.
    pub format: LogFormat,
    /// Whether each request leaves a line.
    pub requests: bool,
}

/// `log.format`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum LogFormat {
    /// A sentence and `key=value`.
    #[default]
    Text,
    /// One JSON object a line.
    Json,
}

/// `[shutdown]`
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Shutdown {
    /// Seconds that requests in flight and webhooks under way have to finish.
    pub drain_seconds: u64,
}

impl Settings {
    /// The address to take mail on, if any.
    ///
    /// # Errors
    /// It is no address with a port, or its name has none.
    pub fn mail_address(&self) -> Result<Option<SocketAddr>, ConfigError> {
        let SmtpSettings { listen, .. } = &self.smtp;
        (!listen.is_empty())
            .then(|| resolve("smtp.listen", listen, "127.0.0.1:2525"))
            .transpose()
    }

    /// Whether credentials are asked for that nobody has.
    pub fn has_no_credentials(&self) -> bool {
        self.auth.mode == Mode::Keys && self.keys.is_empty() && self.users.is_empty()
    }

    /// The people who may get in.
    ///
    /// # Errors
    /// An entry that is malformed or contradicts another.
    pub fn directory(&self) -> Result<Directory, ConfigError> {
        let mode = match self.auth.mode {
            Mode::Open => AuthMode::Open,
            Mode::Keys => AuthMode::Keys,
        };
        credentials::directory(mode, &self.accounts, &self.keys, &self.users)
    }

    /// Further names under which the server is reached.
    ///
    /// # Errors
    /// An entry that is no name.
    pub fn allowed_hosts(&self) -> Result<AllowedHosts, ConfigError> {
        AllowedHosts::parse(&self.allowed_hosts).map_err(|entry| {
            ConfigError::new(format!(
                "'allowed_hosts' must hold host names without a port, like alerts.example.com or *.example.com, but one was {entry:?}"
            ))
        })
    }

    /// Whose pages may call.
    ///
    /// # Errors
    /// An entry that is no origin.
    pub fn allowed_origins(&self) -> Result<AllowedOrigins, ConfigError> {
        AllowedOrigins::parse(&self.cors.origins).map_err(|entry| {
            ConfigError::new(format!(
                "'cors.origins' must hold \"auto\", \"*\" or origins like https://app.example or http://localhost:8080, without a \
                 path, but one was {entry:?}"
            ))
        })
    }

    /// Settings that differ from `other`'s and that only a new start puts to work, by name.
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
        ];

        differing
            .into_iter()
            .filter(|(_, differs)| *differs)
            .map(|(name, _)| name)
            .collect()
    }

    /// How far webhooks may go.
    pub fn reach(&self) -> EgressPolicy {
        // Whom others reach must not let them reach what only this machine does.
        let is_private = self.auth.mode == Mode::Open && !self.open_to_network;
        match self.outgoing.reach {
            ReachSetting::Auto if is_private => EgressPolicy::Loopback,
            ReachSetting::Loopback => EgressPolicy::Loopback,
            ReachSetting::Auto | ReachSetting::Public => EgressPolicy::Public,
            ReachSetting::All => EgressPolicy::All,
        }
    }

    /// Checks what a single setting's kind does not.
    pub(super) fn validate(&self) -> Result<(), ConfigError> {
        self.check_listen()?;
        self.mail_address()?;
        self.check_ranges()?;
        self.allowed_hosts()?;
        self.allowed_origins()?;
        self.directory().map(drop)
    }

    /// Numbers beyond these cannot be meant, and would fail later, without a word about the
    /// setting.
    fn check_ranges(&self) -> Result<(), ConfigError> {
        let count = |value: usize| u64::try_from(value).unwrap_or(u64::MAX);
        let Self {
            workers,
            auth,
            limits,
            store,
            retention,
            outgoing,
            smtp,
            shutdown,
            ..
        } = self;
        let ranges = [
            ("workers", count(*workers), 0, 512),
            (
                "auth.token_seconds",
                auth.token_seconds.into(),
                1,
                3_650 * DAY,
            ),
            ("limits.body_bytes", count(limits.body_bytes), 1, 64 * MIB),
            ("limits.url_bytes", count(limits.url_bytes), 64, 65_536),
            ("limits.head_seconds", limits.head_seconds, 1, DAY),
            ("limits.body_seconds", limits.body_seconds, 1, DAY),
            ("limits.idle_seconds", limits.idle_seconds, 1, DAY),
            ("limits.connections", count(limits.connections), 1, 1 << 20),
            ("store.cache_bytes", store.cache_bytes, MIB, TIB),
            ("store.list_cache_bytes", store.list_cache_bytes, 0, TIB),
            ("store.index_bytes", store.index_bytes, 0, TIB),
            ("store.snapshot_bytes", store.snapshot_bytes, MIB, TIB),
            ("store.queue", count(store.queue), 1, 1 << 20),
            // Larger commits made the engine fail to open after a power cut.
            ("store.batch", count(store.batch), 1, 64),
            ("retention.alert_days", retention.alert_days, 0, 36_500),
            ("retention.log_days", retention.log_days, 0, 36_500),
            ("retention.sweep_seconds", retention.sweep_seconds, 1, DAY),
            ("outgoing.attempts", outgoing.attempts.into(), 1, 100),
            (
                "outgoing.first_retry_seconds",
                outgoing.first_retry_seconds,
                1,
                3_600,
            ),
            ("outgoing.timeout_seconds", outgoing.timeout_seconds, 1, 300),
            ("outgoing.queue", outgoing.queue, 1, 1_000_000),
            ("outgoing.senders", count(outgoing.senders), 1, 1_000),
            (
                "smtp.message_bytes",
                count(smtp.message_bytes),
                1_024,
                64 * MIB,
            ),
            ("smtp.connections", count(smtp.connections), 1, 1_024),
            ("smtp.idle_seconds", smtp.idle_seconds, 1, 3_600),
            ("shutdown.drain_seconds", shutdown.drain_seconds, 0, 3_600),
        ];

        match ranges
            .into_iter()
            .find(|(_, value, least, most)| !(least..=most).contains(&value))
        {
            None => Ok(()),
            Some((name, value, least, most)) => Err(ConfigError::new(format!(
                "'{name}' must be from {least} to {most}, but was {value}"
            ))),
        }
    }
}

/// Bytes.
const MIB: u64 = 1 << 20;
/// Bytes.
const TIB: u64 = 1 << 40;
/// Seconds.
const DAY: u64 = 86_400;

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
