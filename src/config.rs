//! Settings from defaults, `config.toml`, environment and flags, in ascending order of precedence.
//!
//! No other module reads the environment or the configuration file. Invalid settings are reported
//! before anything starts, by name and, for the file, with the line.

mod credentials;
mod environment;
mod listen;
mod settings;

pub use credentials::{AccountEntry, KeyEntry, UserEntry};
pub(crate) use environment::rust_log_filter;
pub use listen::Listen;
pub use settings::{
    AuthSettings, CorsSettings, EgressSetting, LimitsSettings, LogFormat, LogSettings, Mode,
    OutgoingSettings, RetentionSettings, Settings, ShutdownSettings, SmtpSettings, StoreSettings,
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
        } = self.overrides.clone();
        settings.listen = listen.map_or(settings.listen, Listen::from);
        settings.data = data.unwrap_or(settings.data);
        settings.port_file = port_file.unwrap_or(settings.port_file);
        settings.ephemeral |= ephemeral;
        settings.strict |= strict;
        settings.open_to_network |= open_to_network;
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
            None if Path::new(DEFAULT_FILE).is_file() => {
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
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)], overrides: Overrides) -> Result<Settings, ConfigError> {
        let environment = environment
            .iter()
            .map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Sources::new(overrides, environment).load()
    }

    #[test]
    fn the_file_at_the_top_level_shows_every_setting_with_its_default() {
        let text =
            std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml")).unwrap();
        assert_eq!(parse(&text).unwrap(), Settings::default());

        let shown: toml::Table = toml::from_str(&text).unwrap();
        let all = toml::Table::try_from(Settings::default()).unwrap();
        assert_eq!(
            leaves(&shown),
            leaves(&all),
            "config.toml lists each setting once, none is missing"
        );

        let undocumented: Vec<_> = text
            .lines()
            .scan("", |above, line| {
                Some((std::mem::replace(above, line), line))
            })
            .filter(|(above, line)| {
                line.contains(" = ") && !line.starts_with('#') && !above.starts_with('#')
            })
            .collect();
        assert!(
            undocumented.is_empty(),
            "each setting has a comment above it: {undocumented:?}"
        );
    }

    fn leaves(table: &toml::Table) -> Vec<String> {
        let mut names: Vec<String> = table
            .iter()
            .flat_map(|(name, value)| match value {
                toml::Value::Table(inner) => leaves(inner)
                    .into_iter()
                    .map(|leaf| format!("{name}.{leaf}"))
                    .collect(),
                _ => vec![name.clone()],
            })
            .filter(|name| !["accounts", "keys", "users"].contains(&name.as_str()))
            .collect();
        names.sort();

        names
    }

    #[test]
    fn unknown_keys_are_refused_by_name_and_line() {
        let fault = parse("strict = true\n[limits]\nbody_bites = 1\n")
            .unwrap_err()
            .to_string();
        assert!(
            fault.starts_with(":3:") && fault.contains("body_bites"),
            "{fault}"
        );
    }

    #[test]
    fn flags_beat_environment_and_environment_beats_defaults() {
        let environment = [
            ("PAGERTREE_LOCAL_LISTEN", "127.0.0.1:1"),
            ("PAGERTREE_LOCAL_LIMITS_BODY_BYTES", "5000"),
            ("HOME", "/"),
        ];
        let settings = load(&environment, Overrides::default()).unwrap();

        assert_eq!(
            (settings.listen, settings.limits.body_bytes),
            ("127.0.0.1:1".into(), 5000)
        );

        let flags = Overrides {
            listen: Some("127.0.0.1:2".into()),
            ..Overrides::default()
        };

        assert_eq!(
            load(&environment, flags).unwrap().listen,
            "127.0.0.1:2".into()
        );
    }

    #[test]
    fn a_variable_that_is_no_setting_or_no_number_is_refused_by_name() {
        for (name, value) in [
            ("PAGERTREE_LOCAL_LISTN", "x"),
            ("PAGERTREE_LOCAL_LIMITS_BODY_BYTES", "many"),
        ] {
            let fault = load(&[(name, value)], Overrides::default())
                .unwrap_err()
                .to_string();
            assert!(fault.contains(name), "{fault}");
        }
    }

    #[test]
    fn open_mode_stays_on_this_machine_unless_told_otherwise() {
        let listen = |open_to_network| Overrides {
            listen: Some("0.0.0.0:0".into()),
            open_to_network,
            ..Overrides::default()
        };

        let fault = load(&[], listen(false)).unwrap_err().to_string();
        assert!(fault.contains("--open-to-network"), "{fault}");
        assert!(load(&[], listen(true)).is_ok());
        assert!(load(&[("PAGERTREE_LOCAL_AUTH_MODE", "keys")], listen(false)).is_ok());
        assert!(
            load(
                &[("PAGERTREE_LOCAL_LISTEN", "[::1]:0")],
                Overrides::default()
            )
            .is_ok()
        );
        assert!(
            load(
                &[("PAGERTREE_LOCAL_LISTEN", "localhost:0")],
                Overrides::default()
            )
            .is_ok()
        );
    }

    #[test]
    fn people_must_fit_together() {
        let text = "[[keys]]\nid = \"key_1\"\naccount = \"acc_none\"\nsecret_sha256 = \"00\"\n";
        let fault = parse(text)
            .and_then(|settings| settings.validate())
            .unwrap_err()
            .to_string();

        assert!(fault.contains("secret_sha256"), "{fault}");
        let text = format!(
            "[[keys]]\nid = \"key_1\"\naccount = \"acc_none\"\nsecret_sha256 = \"{}\"\n",
            "ab".repeat(32)
        );
        let fault = parse(&text)
            .and_then(|settings| settings.validate())
            .unwrap_err()
            .to_string();
        assert!(fault.contains("acc_none"), "{fault}");
    }

    fn fault_of(change: impl FnOnce(&mut Settings)) -> Option<String> {
        let mut settings = Settings::default();
        change(&mut settings);
        settings.validate().err().map(|error| error.to_string())
    }

    type Change = fn(&mut Settings);

    #[test]
    fn a_number_that_cannot_be_meant_is_refused_by_name() {
        let bad: [(&str, Change); 14] = [
            ("workers", |settings| settings.workers = 513),
            ("auth.token_seconds", |settings| {
                settings.auth.token_seconds = 0
            }),
            ("auth.token_seconds", |settings| {
                settings.auth.token_seconds = u32::MAX
            }),
            ("limits.head_seconds", |settings| {
                settings.limits.head_seconds = 0
            }),
            ("limits.head_seconds", |settings| {
                settings.limits.head_seconds = u64::MAX
            }),
            ("limits.body_seconds", |settings| {
                settings.limits.body_seconds = 0
            }),
            ("limits.body_seconds", |settings| {
                settings.limits.body_seconds = 86_401
            }),
            ("limits.idle_seconds", |settings| {
                settings.limits.idle_seconds = 0
            }),
            ("limits.idle_seconds", |settings| {
                settings.limits.idle_seconds = u64::MAX
            }),
            ("store.cache_bytes", |settings| {
                settings.store.cache_bytes = 0
            }),
            ("store.cache_bytes", |settings| {
                settings.store.cache_bytes = u64::MAX
            }),
            ("store.list_cache_bytes", |settings| {
                settings.store.list_cache_bytes = u64::MAX
            }),
            ("store.batch", |settings| settings.store.batch = 65),
            ("shutdown.drain_seconds", |settings| {
                settings.shutdown.drain_seconds = 3_601
            }),
        ];

        for (name, change) in bad {
            let fault = fault_of(change).unwrap_or_default();
            assert!(
                fault.starts_with(&format!("'{name}' must be from ")),
                "{name}: {fault}"
            );
        }
    }

    #[test]
    fn the_ends_of_a_range_are_in_it() {
        let ends: [Change; 2] = [
            |settings| {
                (settings.workers, settings.shutdown.drain_seconds) = (512, 3_600);
                (settings.store.cache_bytes, settings.store.list_cache_bytes) = (1 << 40, 1 << 40);
                (settings.auth.token_seconds, settings.limits.idle_seconds) = (315_360_000, 86_400);
            },
            |settings| {
                (settings.workers, settings.shutdown.drain_seconds) = (0, 0);
                (settings.store.cache_bytes, settings.store.list_cache_bytes) = (1 << 20, 0);
                (settings.auth.token_seconds, settings.limits.idle_seconds) = (1, 1);
            },
        ];

        for change in ends {
            assert_eq!(fault_of(change), None);
        }
    }

    #[test]
    fn an_origin_is_one_as_browsers_send_it() {
        let origin = |origin: &str| {
            fault_of(|settings| settings.cors.origins = vec!["*".into(), origin.into()])
        };

        for good in [
            "*",
            "https://app.example",
            "http://localhost:8080",
            "http://127.0.0.1",
            "http://[::1]",
            "http://[::1]:65535",
            "https://my_app-1.example",
        ] {
            assert_eq!(origin(good), None);
        }

        for bad in [
            "",
            "null",
            "app.example",
            "ftp://app.example",
            "http://",
            "http://a b",
            "http://a\n",
            "http://a/",
            "https://a/path",
            "https://a?x",
            "https://a#x",
            "https://user@a",
            "https://*.example",
            "http://a:",
            "http://a:65536",
            "http://a:+1",
            "http://a:1:2",
            "http://::1",
            "http://[::1",
            "http://[]:1",
            "http://b\u{fc}cher.example",
        ] {
            let fault = origin(bad).unwrap_or_default();
            assert!(
                fault.starts_with("'cors.origins' ") && fault.contains(&format!("{bad:?}")),
                "{bad}: {fault}"
            );
        }
    }
}
