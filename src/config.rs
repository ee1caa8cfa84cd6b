//! Settings: defaults, `config.toml`, environment and flags, in rising order of precedence; and what they mean together.
//!
//! Nobody else reads the environment or the configuration file. Everything that is wrong with a setting is said before
//! anything starts, by name, and for the file with its line.

mod environment;
mod people;
mod settings;

pub use people::{AccountEntry, KeyEntry, UserEntry};
pub use settings::{Auth, Cors, Limits, Log, LogFormat, Mode, Settings, Shutdown, StoreSettings};

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

/// The file that is read when it exists and no other is named.
pub const DEFAULT_FILE: &str = "config.toml";

/// A setting that cannot be used, in a sentence.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct ConfigError(String);

impl ConfigError {
    fn new(sentence: impl Into<String>) -> Self {
        Self(sentence.into())
    }
}

/// What the command line says; `None` and `false` leave a setting as it is.
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

/// Where settings come from. Kept, so that a reload reads the same places again.
#[derive(Clone, Debug, Default)]
pub struct Sources {
    overrides: Overrides,
    environment: BTreeMap<String, String>,
}

impl Sources {
    /// The command line and this process's environment.
    pub fn of_process(overrides: Overrides) -> Self {
        Self::new(
            overrides,
            std::env::vars_os().filter_map(|(k, v)| Some((k.into_string().ok()?, v.into_string().ok()?))),
        )
    }

    /// The command line and a given environment, of which only our own variables count.
    pub fn new(overrides: Overrides, environment: impl IntoIterator<Item = (String, String)>) -> Self {
        let ours = environment.into_iter().filter(|(name, _)| name.starts_with(environment::PREFIX));
        Self { overrides, environment: ours.collect() }
    }

    /// The settings as they are now.
    ///
    /// # Errors
    /// The first thing that is wrong, in a sentence.
    pub fn load(&self) -> Result<Settings, ConfigError> {
        let mut settings = self.read_file()?;
        environment::apply(&mut settings, &self.environment)?;
        let Overrides { config: _, listen, data, port_file, ephemeral, strict, open_to_network } =
            self.overrides.clone();
        settings.listen = listen.unwrap_or(settings.listen);
        settings.data = data.unwrap_or(settings.data);
        settings.port_file = port_file.unwrap_or(settings.port_file);
        settings.ephemeral |= ephemeral;
        settings.strict |= strict;
        settings.open_to_network |= open_to_network;
        settings.validate()?;
        Ok(settings)
    }

    fn read_file(&self) -> Result<Settings, ConfigError> {
        let named =
            self.overrides.config.clone().or_else(|| self.environment.get(environment::CONFIG).map(PathBuf::from));
        match named {
            Some(path) => read_settings(&path),
            None if Path::new(DEFAULT_FILE).is_file() => read_settings(Path::new(DEFAULT_FILE)),
            None => Ok(Settings::default()),
        }
    }
}

fn read_settings(path: &Path) -> Result<Settings, ConfigError> {
    let text = std::fs::read_to_string(path)
        .map_err(|error| ConfigError::new(format!("the configuration '{}' cannot be read: {error}", path.display())))?;
    parse(&text).map_err(|ConfigError(fault)| ConfigError::new(format!("{}{fault}", path.display())))
}

/// Reads the text of a configuration file. Faults begin with `:<line>:`, to stand behind the file's name.
fn parse(text: &str) -> Result<Settings, ConfigError> {
    toml::from_str(text).map_err(|error| {
        let before = error.span().and_then(|span| text.get(..span.start));
        let line = before.map_or(1, |before| before.matches('\n').count().saturating_add(1));
        ConfigError::new(format!(":{line}: {}", error.message().trim().replace('\n', ", ")))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn load(environment: &[(&str, &str)], overrides: Overrides) -> Result<Settings, ConfigError> {
        let environment = environment.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Sources::new(overrides, environment).load()
    }

    #[test]
    fn the_file_at_the_top_level_shows_every_setting_with_its_default() {
        let text = std::fs::read_to_string(concat!(env!("CARGO_MANIFEST_DIR"), "/config.toml")).unwrap();
        assert_eq!(parse(&text).unwrap(), Settings::default());

        let shown: toml::Table = toml::from_str(&text).unwrap();
        let all = toml::Table::try_from(Settings::default()).unwrap();
        assert_eq!(leaves(&shown), leaves(&all), "config.toml lists each setting once, none is missing");
        let undocumented: Vec<_> = text
            .lines()
            .scan("", |above, line| Some((std::mem::replace(above, line), line)))
            .filter(|(above, line)| line.contains(" = ") && !line.starts_with('#') && !above.starts_with('#'))
            .collect();
        assert!(undocumented.is_empty(), "each setting has a comment above it: {undocumented:?}");
    }

    fn leaves(table: &toml::Table) -> Vec<String> {
        let mut names: Vec<String> = table
            .iter()
            .flat_map(|(name, value)| match value {
                toml::Value::Table(inner) => leaves(inner).into_iter().map(|leaf| format!("{name}.{leaf}")).collect(),
                _ => vec![name.clone()],
            })
            .filter(|name| !["accounts", "keys", "users"].contains(&name.as_str()))
            .collect();
        names.sort();
        names
    }

    #[test]
    fn unknown_keys_are_refused_by_name_and_line() {
        let fault = parse("strict = true\n[limits]\nbody_bites = 1\n").unwrap_err().to_string();
        assert!(fault.starts_with(":3:") && fault.contains("body_bites"), "{fault}");
    }

    #[test]
    fn flags_beat_environment_and_environment_beats_defaults() {
        let environment =
            [("PAGERTREE_LOCAL_LISTEN", "127.0.0.1:1"), ("PAGERTREE_LOCAL_LIMITS_BODY_BYTES", "5000"), ("HOME", "/")];
        let settings = load(&environment, Overrides::default()).unwrap();
        assert_eq!((settings.listen.as_str(), settings.limits.body_bytes), ("127.0.0.1:1", 5000));
        let flags = Overrides { listen: Some("127.0.0.1:2".into()), ..Overrides::default() };
        assert_eq!(load(&environment, flags).unwrap().listen, "127.0.0.1:2");
    }

    #[test]
    fn a_variable_that_is_no_setting_or_no_number_is_refused_by_name() {
        for (name, value) in [("PAGERTREE_LOCAL_LISTN", "x"), ("PAGERTREE_LOCAL_LIMITS_BODY_BYTES", "many")] {
            let fault = load(&[(name, value)], Overrides::default()).unwrap_err().to_string();
            assert!(fault.contains(name), "{fault}");
        }
    }

    #[test]
    fn open_mode_stays_on_this_machine_unless_told_otherwise() {
        let listen =
            |open_to_network| Overrides { listen: Some("0.0.0.0:0".into()), open_to_network, ..Overrides::default() };
        let fault = load(&[], listen(false)).unwrap_err().to_string();
        assert!(fault.contains("--open-to-network"), "{fault}");
        assert!(load(&[], listen(true)).is_ok());
        assert!(load(&[("PAGERTREE_LOCAL_AUTH_MODE", "keys")], listen(false)).is_ok());
        assert!(load(&[("PAGERTREE_LOCAL_LISTEN", "[::1]:0")], Overrides::default()).is_ok());
        assert!(load(&[("PAGERTREE_LOCAL_LISTEN", "localhost:0")], Overrides::default()).is_ok());
    }

    #[test]
    fn people_must_fit_together() {
        let text = "[[keys]]\nid = \"key_1\"\naccount = \"acc_none\"\nsecret_sha256 = \"00\"\n";
        let fault = parse(text).and_then(|settings| settings.validate()).unwrap_err().to_string();
        assert!(fault.contains("secret_sha256"), "{fault}");
        let text =
            format!("[[keys]]\nid = \"key_1\"\naccount = \"acc_none\"\nsecret_sha256 = \"{}\"\n", "ab".repeat(32));
        let fault = parse(&text).and_then(|settings| settings.validate()).unwrap_err().to_string();
        assert!(fault.contains("acc_none"), "{fault}");
    }
}
