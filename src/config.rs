//! Settings from defaults, `config.toml`, environment and flags, in ascending order of precedence.
//!
//! No other module reads the environment or the configuration file. Invalid settings are reported
//! before anything starts, by name and, for the file, with the line.

mod credentials;
mod environment;
mod listen;
mod settings;

pub use credentials::{AccountEntry, KeyEntry, UserEntry};
pub use environment::{CA_FILE_VARIABLE, MAIL_VARIABLE, TOKEN_VARIABLE, URL_VARIABLE};
pub(crate) use environment::{ca_bundle, given_token, notify_socket, rust_log_filter};
pub use listen::Listen;
pub use settings::{
    AuthSettings, CorsSettings, EgressSetting, LimitsSettings, LogFormat, LogSettings, Mode,
    OutgoingSettings, RetentionSettings, Settings, ShutdownSettings, SmtpSettings, StoreSettings,
    TestSettings, TlsSettings,
};

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The file read by default, if it exists.
pub const DEFAULT_FILE: &str = "config.toml";

/// An invalid setting. The message names it and says what would be valid.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    /// An error with this message.
    pub(crate) fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// Settings from the command line. `None` and `false` leave a setting unchanged.
#[derive(Clone, Debug, Default)]
pub struct Overrides {
    /// `--config`
    pub config: Option<PathBuf>,
    /// `--listen`
    pub listen: Option<String>,
    /// `--data`
    pub data: Option<PathBuf>,
    /// `--port-file`
    pub port_file: Option<PathBuf>,
    /// `--ephemeral`
    pub ephemeral: bool,
    /// `--strict`
    pub strict: bool,
    /// `--open-to-network`
    pub open_to_network: bool,
    /// `--tls`
    pub tls: bool,
    /// `--tls-ca-file`
    pub tls_ca_file: Option<PathBuf>,
    /// Names to add to the created certificate and to the allowed hosts.
    pub host_names: Vec<String>,
    /// Ignore [`DEFAULT_FILE`], so that the working directory does not matter.
    pub no_default_file: bool,
    /// `--clock`
    pub clock: Option<String>,
    /// `--seed`
    pub seed: Option<String>,
    /// `--state`
    pub state: Option<PathBuf>,
}

/// Where settings come from. Kept for reloads.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    overrides: Overrides,
    environment: BTreeMap<String, String>,
    /// Names of our variables whose values are not UTF-8.
    unreadable: Vec<String>,
}

impl Sources {
    /// The command line and this process's environment.
    pub fn of_process(overrides: Overrides) -> Self {
        let mut unreadable = Vec::new();
        let variables = std::env::vars_os().filter_map(|(name, value)| {
            let name = name.into_string().ok()?;
            let value = value.into_string();
            if value.is_err() && name.starts_with(environment::PREFIX) {
                unreadable.push(name.clone());
            }
            Some((name, value.ok()?))
        });

        let variables: Vec<_> = variables.collect();
        Self {
            unreadable,
            ..Self::new(overrides, variables)
        }
    }

    /// The command line and the given environment, of which only variables with our prefix matter.
    pub fn new(
        overrides: Overrides,
        environment: impl IntoIterator<Item = (String, String)>,
    ) -> Self {
        let ours = environment
            .into_iter()
            .filter(|(name, _)| name.starts_with(environment::PREFIX));
        Self {
            overrides,
            environment: ours.collect(),
            unreadable: Vec::new(),
        }
    }

    /// Reads and validates the settings.
    ///
    /// # Errors
    /// The first invalid setting.
    pub fn load(&self) -> Result<Settings, ConfigError> {
        if let Some(name) = self.unreadable.first() {
            return Err(ConfigError::new(format!(
                "{name} must be UTF-8, but is not"
            )));
        }

        let mut settings = self.read_file()?;
        environment::apply(&mut settings, &self.environment)?;
        let Overrides {
            config: _,
            listen,
            data,
            port_file,
            ephemeral,
            strict,
            open_to_network,
            tls,
            tls_ca_file,
            host_names,
            no_default_file: _,
            clock,
            seed,
            state,
        } = self.overrides.clone();
        settings.listen = listen.map_or(settings.listen, Listen::from);
        settings.data = data.unwrap_or(settings.data);
        settings.port_file = port_file.unwrap_or(settings.port_file);
        settings.ephemeral |= ephemeral;
        settings.strict |= strict;
        settings.open_to_network |= open_to_network;
        settings.tls.generate |= tls;
        settings.tls.ca_file = tls_ca_file.unwrap_or(settings.tls.ca_file);
        settings.tls.names.extend(host_names.iter().cloned());
        settings.allowed_hosts.extend(host_names);
        settings.test.clock = clock.unwrap_or(settings.test.clock);
        settings.test.seed = seed.unwrap_or(settings.test.seed);
        settings.test.state = state.unwrap_or(settings.test.state);
        settings.validate()?;

        Ok(settings)
    }

    fn read_file(&self) -> Result<Settings, ConfigError> {
        let variable = self
            .environment
            .get(environment::CONFIG)
            .filter(|path| !path.is_empty());
        let named = self
            .overrides
            .config
            .clone()
            .or_else(|| variable.map(PathBuf::from));

        match named {
            Some(path) => read_settings(&path),
            None if !self.overrides.no_default_file && Path::new(DEFAULT_FILE).is_file() => {
                read_settings(Path::new(DEFAULT_FILE)).map_err(hint_at_foreign_file)
            }
            None => Ok(Settings::default()),
        }
    }
}

fn read_settings(path: &Path) -> Result<Settings, ConfigError> {
    let text = std::fs::read_to_string(path).map_err(|error| {
        ConfigError::new(format!(
            "cannot read the configuration file '{}': {error}",
            path.display()
        ))
    })?;
    parse(&text)
        .map_err(|ConfigError(fault)| ConfigError::new(format!("{}{fault}", path.display())))
}

/// Adds a hint: many programs use the name `config.toml`, and this one was found in the working
/// directory.
fn hint_at_foreign_file(ConfigError(fault): ConfigError) -> ConfigError {
    const REMEDY: &str =
        "choose another with --config FILE, or use the defaults with --config /dev/null";
    ConfigError(match is_mostly_foreign(Path::new(DEFAULT_FILE)) {
        Some(true) => format!("{fault}; the file seems to belong to another program: {REMEDY}"),
        Some(false) => fault,
        None => format!("{fault}; if the file belongs to another program, {REMEDY}"),
    })
}

/// Whether most top-level names are not settings of ours. `None` if the file is not TOML.
fn is_mostly_foreign(path: &Path) -> Option<bool> {
    let table: toml::Table = toml::from_str(&std::fs::read_to_string(path).ok()?).ok()?;
    let ours = toml::Table::try_from(Settings::default()).ok()?;
    let known = table.keys().filter(|name| ours.contains_key(*name)).count();
    Some(table.len().saturating_sub(known) > known)
}

/// Parses a configuration file. Messages begin with `:<line>:`, to be appended to the path.
fn parse(text: &str) -> Result<Settings, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count().saturating_add(1));
        ConfigError::new(format!(
            ":{line}: {}",
            error.message().trim().replace('\n', ", ")
        ))
    })
}

#[cfg(test)]
mod tests;
