//! Settings from the environment: `PAGERTREE_LOCAL_` followed by the setting's path in upper case,
//! with `_` for each dot, as in `PAGERTREE_LOCAL_AUTH_MODE=keys`. Lists are comma-separated. An
//! empty variable counts as unset.

use super::{ConfigError, Settings};
use std::{collections::BTreeMap, ffi::OsString, path::PathBuf};
use toml::{Table, Value};

pub(super) const PREFIX: &str = "PAGERTREE_LOCAL_";
/// Path of the configuration file.
pub(super) const CONFIG: &str = "PAGERTREE_LOCAL_CONFIG";

/// The variable in which `run` gives its command the URL of the server.
pub const URL_VARIABLE: &str = "PAGERTREE_LOCAL_URL";
/// The variable in which `run` gives its command a credential.
pub const TOKEN_VARIABLE: &str = "PAGERTREE_LOCAL_TOKEN";
/// The variable in which `run` gives its command the URL of the mail server.
pub const MAIL_VARIABLE: &str = "PAGERTREE_LOCAL_MAIL";

/// The variable in which `run` gives its command the certificate of the server's authority.
pub const CA_FILE_VARIABLE: &str = "PAGERTREE_LOCAL_CA_FILE";

/// Variables with our prefix that are not settings.
const NOT_SETTINGS: [&str; 5] = [
    CONFIG,
    URL_VARIABLE,
    TOKEN_VARIABLE,
    MAIL_VARIABLE,
    CA_FILE_VARIABLE,
];

/// The value of `RUST_LOG`. An empty one counts as unset, since it would silence everything.
pub(crate) fn rust_log_filter() -> Option<String> {
    std::env::var("RUST_LOG")
        .ok()
        .filter(|filter| !filter.is_empty())
}

/// The socket of the service manager that started this process, if it wants to be notified.
/// Source: `sd_notify(3)`.
pub(crate) fn notify_socket() -> Option<OsString> {
    std::env::var_os("NOTIFY_SOCKET").filter(|path| !path.is_empty())
}

/// The credential that the environment names, for a command of `run`.
pub(crate) fn given_token() -> Option<OsString> {
    std::env::var_os(TOKEN_VARIABLE).filter(|token| !token.is_empty())
}

/// The file of trusted authorities that a variable of another program names.
pub(crate) fn ca_bundle(variable: &str) -> Option<PathBuf> {
    let path = std::env::var_os(variable).filter(|path| !path.is_empty());
    path.map(PathBuf::from)
}

/// Overrides settings with their variables.
/// This goes through a TOML table, so that new settings get their variables without a change here.
pub(super) fn apply(
    settings: &mut Settings,
    variables: &BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    let mut variables = variables.clone();
    variables.retain(|name, value| !value.is_empty() && !NOT_SETTINGS.contains(&name.as_str()));

    if variables.is_empty() {
        return Ok(());
    }

    let mut table =
        Table::try_from(&*settings).map_err(|error| ConfigError::new(error.to_string()))?;
    replace(&mut table, PREFIX, &mut variables)?;

    if let Some((name, _)) = variables
        .iter()
        .find(|(name, value)| !is_injected(name, value))
    {
        return Err(ConfigError::new(format!(
            "the environment variable {name} does not name a setting; see config.toml"
        )));
    }

    let source = toml::to_string(&table).map_err(|error| ConfigError::new(error.to_string()))?;
    *settings = toml::from_str(&source).map_err(|error| {
        ConfigError::new(format!(
            "in the environment ({PREFIX}…): {}",
            error.message().trim()
        ))
    })?;

    Ok(())
}

fn replace(
    table: &mut Table,
    prefix: &str,
    variables: &mut BTreeMap<String, String>,
) -> Result<(), ConfigError> {
    for (key, value) in table.iter_mut() {
        let name = format!("{prefix}{}", key.to_uppercase());
        if let Value::Table(inner) = value {
            replace(inner, &format!("{name}_"), variables)?;
        } else if let Some(text) = variables.remove(&name) {
            *value = read(value, &text).ok_or_else(|| {
                ConfigError::new(format!("{name} must be {}, but was '{text}'", kind(value)))
            })?;
        }
    }
    Ok(())
}

/// Whether Kubernetes or Docker injected the variable for a service or container whose name starts
/// with `pagertree-local`: `PAGERTREE_LOCAL_SERVICE_HOST`, `PAGERTREE_LOCAL_PORT=tcp://…`,
/// `PAGERTREE_LOCAL_PORT_7243_TCP_ADDR`, `PAGERTREE_LOCAL_NAME=/web/db`,
/// `PAGERTREE_LOCAL_ENV_PATH`, and the same with a longer service name.
fn is_injected(name: &str, value: &str) -> bool {
    let parts: Vec<&str> = name
        .strip_prefix(PREFIX)
        .unwrap_or(name)
        .split('_')
        .collect();
    let is_number = |text: &str| text.parse::<u16>().is_ok();
    let is_address = ["tcp://", "udp://", "sctp://"]
        .iter()
        .any(|scheme| value.starts_with(scheme));
    let names_a_port = parts.windows(3).any(
        |part| matches!(part, ["PORT", number, protocol] if is_number(number) && ["TCP", "UDP", "SCTP"].contains(protocol)),
    );
    let names_a_service =
        parts.windows(2).any(|part| part == ["SERVICE", "PORT"]) && is_number(value);

    match parts.as_slice() {
        [.., "SERVICE", "HOST"] | ["ENV", _, ..] | [_, "ENV", _, ..] => true,
        [.., "PORT"] if is_address => true,
        [.., "NAME"] if value.starts_with('/') => true,
        _ => names_a_port || names_a_service,
    }
}

/// Parses a text as the type of the current value. Lists of tables have no textual form.
fn read(current: &Value, text: &str) -> Option<Value> {
    match current {
        Value::String(_) => Some(Value::String(text.into())),
        Value::Integer(_) => text.parse().ok().map(Value::Integer),
        Value::Boolean(_) => boolean(text).map(Value::Boolean),
        Value::Array(items) if items.iter().all(Value::is_str) => {
            let items = text
                .split(',')
                .map(str::trim)
                .filter(|item| !item.is_empty());
            Some(Value::Array(
                items.map(|item| Value::String(item.into())).collect(),
            ))
        }
        Value::Array(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "true" | "1" | "yes" | "on" => Some(true),
        "false" | "0" | "no" | "off" => Some(false),
        _ => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false (or 1, 0, yes or no)",
        Value::Array(_) => "set in config.toml",
        Value::String(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => "a text",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn variables_of_kubernetes_and_docker_links_are_told_from_mistakes() {
        for (name, value) in [
            ("SERVICE_HOST", "10.0.0.1"),
            ("SERVICE_PORT", "7243"),
            ("SERVICE_PORT_HTTP", "7243"),
            ("PORT", "tcp://10.0.0.1:7243"),
            ("PORT_7243_TCP", "tcp://10.0.0.1:7243"),
            ("PORT_7243_TCP_PROTO", "tcp"),
            ("PORT_7243_TCP_PORT", "7243"),
            ("PORT_7243_TCP_ADDR", "10.0.0.1"),
            ("PORT_53_UDP_ADDR", "10.0.0.1"),
            ("SMTP_SERVICE_HOST", "10.0.0.1"),
            ("SMTP_PORT_25_TCP_ADDR", "10.0.0.1"),
            ("NAME", "/web/pagertree_local"),
            ("ENV_RUST_LOG", "info"),
        ] {
            assert!(
                is_injected(&format!("{PREFIX}{name}"), value),
                "{name}={value}"
            );
        }

        for (name, value) in [
            ("PORT", "7243"),
            ("HOST", "127.0.0.1"),
            ("SERVICE_PORT", "http"),
            ("NAME", "ops"),
            ("LISTN", "tcp://10.0.0.1:7243"),
            ("PORT_FILES", "x"),
            ("PORT_7243", "x"),
            ("ENV", "production"),
        ] {
            assert!(
                !is_injected(&format!("{PREFIX}{name}"), value),
                "{name}={value}"
            );
        }
    }

    #[test]
    fn booleans_are_read_as_people_write_them() {
        for (text, expected) in [
            ("1", Some(true)),
            ("YES", Some(true)),
            ("0", Some(false)),
            ("no", Some(false)),
        ] {
            assert_eq!(boolean(text), expected);
        }
        assert_eq!(["", "2", "perhaps"].map(boolean), [None; 3]);
    }
}
