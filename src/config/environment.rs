//! Settings from the environment: `PAGERTREE_LOCAL_` and the setting's path in capitals, `_` for the dot, as in
//! `PAGERTREE_LOCAL_AUTH_MODE=keys`. Lists are comma separated.

use super::{ConfigError, Settings};
use std::collections::BTreeMap;
use toml::{Table, Value};

pub(super) const PREFIX: &str = "PAGERTREE_LOCAL_";
/// Names the configuration file; it is the one variable that is no setting.
pub(super) const CONFIG: &str = "PAGERTREE_LOCAL_CONFIG";

/// Puts each variable in the place of its setting.
///
/// The settings are turned into a table and back, so that a new setting has its variable without a line here.
pub(super) fn apply(settings: &mut Settings, variables: &BTreeMap<String, String>) -> Result<(), ConfigError> {
    let mut variables = variables.clone();
    variables.remove(CONFIG);
    if variables.is_empty() {
        return Ok(());
    }
    let mut table = Table::try_from(&*settings).map_err(|error| ConfigError::new(error.to_string()))?;
    replace(&mut table, PREFIX, &mut variables)?;
    if let Some(name) = variables.keys().next() {
        return Err(ConfigError::new(format!("the environment variable {name} names no setting; see config.toml")));
    }
    let source = toml::to_string(&table).map_err(|error| ConfigError::new(error.to_string()))?;
    *settings = toml::from_str(&source)
        .map_err(|error| ConfigError::new(format!("in the environment ({PREFIX}…): {}", error.message().trim())))?;
    Ok(())
}

fn replace(table: &mut Table, prefix: &str, variables: &mut BTreeMap<String, String>) -> Result<(), ConfigError> {
    for (key, value) in table.iter_mut() {
        let name = format!("{prefix}{}", key.to_uppercase());
        if let Value::Table(inner) = value {
            replace(inner, &format!("{name}_"), variables)?;
        } else if let Some(text) = variables.remove(&name) {
            *value = read(value, &text)
                .ok_or_else(|| ConfigError::new(format!("{name} must be {}, but was '{text}'", kind(value))))?;
        }
    }
    Ok(())
}

/// Reads a text as the kind of value that stands there now. Lists of tables have no such form.
fn read(current: &Value, text: &str) -> Option<Value> {
    match current {
        Value::String(_) => Some(Value::String(text.into())),
        Value::Integer(_) => text.parse().ok().map(Value::Integer),
        Value::Boolean(_) => text.parse().ok().map(Value::Boolean),
        Value::Array(items) if items.iter().all(Value::is_str) => {
            let items = text.split(',').map(str::trim).filter(|item| !item.is_empty());
            Some(Value::Array(items.map(|item| Value::String(item.into())).collect()))
        }
        Value::Array(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => None,
    }
}

fn kind(value: &Value) -> &'static str {
    match value {
        Value::Integer(_) => "a whole number",
        Value::Boolean(_) => "true or false",
        Value::Array(_) => "left to config.toml",
        Value::String(_) | Value::Float(_) | Value::Datetime(_) | Value::Table(_) => "a text",
    }
}
