//! The `[[accounts]]`, `[[keys]]` and `[[users]]` of the configuration file.

use super::ConfigError;
use crate::domain::{
    caller::Access,
    directory::{ApiKey, AuthMode, Directory, User},
    ids::{AccountId, KeyId, UserId},
    passwords,
};
use serde::{Deserialize, Serialize};

/// An entry of `[[accounts]]`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct AccountEntry {
    /// `acc_…`, the `sid` of every object in the account.
    pub sid: AccountId,
    /// A name that the commands accept instead of the sid.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub name: String,
}

/// An API key, as `pagertree-local keys new` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KeyEntry {
    /// `key_…`, the public half.
    pub id: KeyId,
    /// The account it belongs to.
    pub account: AccountId,
    /// SHA-256 of the secret half, in hexadecimal.
    pub secret_sha256: String,
    /// Whether it permits reading only.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

/// A user, as `pagertree-local users new` prints it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct UserEntry {
    /// `usr_…`
    pub id: UserId,
    /// Name used to log in.
    pub username: String,
    /// The account the user belongs to.
    pub account: AccountId,
    /// Argon2 hash of the password in PHC form.
    pub password_argon2: String,
    /// Whether the user may only read.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub read_only: bool,
}

pub(super) fn directory(
    mode: AuthMode,
    accounts: &[AccountEntry],
    keys: &[KeyEntry],
    users: &[UserEntry],
) -> Result<Directory, ConfigError> {
    let accounts = accounts.iter().map(|account| account.sid.clone()).collect();
    let keys = keys.iter().map(key).collect::<Result<_, _>>()?;
    let users = users.iter().map(user).collect::<Result<_, _>>()?;
    Directory::new(mode, accounts, keys, users)
        .map_err(|faults| ConfigError::new(faults.join("; ")))
}

fn key(entry: &KeyEntry) -> Result<ApiKey, ConfigError> {
    let secret_sha256 = from_hex(&entry.secret_sha256).ok_or_else(|| {
        ConfigError::new(format!(
            "'secret_sha256' of key '{}' must be 64 hexadecimal digits",
            entry.id
        ))
    })?;

    Ok(ApiKey {
        id: entry.id.clone(),
        account: entry.account.clone(),
        secret_sha256,
        access: access(entry.read_only),
    })
}

fn user(entry: &UserEntry) -> Result<User, ConfigError> {
    if entry.username.is_empty() {
        return Err(ConfigError::new(format!(
            "'username' of user '{}' must not be empty",
            entry.id
        )));
    }

    if !passwords::is_hash(&entry.password_argon2) {
        return Err(ConfigError::new(format!(
            "'password_argon2' of user '{}' must be an argon2 hash, as 'pagertree-local users new' prints it",
            entry.username
        )));
    }

    Ok(User {
        id: entry.id.clone(),
        username: entry.username.clone(),
        account: entry.account.clone(),
        password_argon2: entry.password_argon2.clone(),
        access: access(entry.read_only),
    })
}

fn access(read_only: bool) -> Access {
    if read_only {
        Access::ReadOnly
    } else {
        Access::ReadWrite
    }
}

/// Encodes 32 bytes as hexadecimal digits.
pub(crate) fn to_hex(bytes: &[u8; 32]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

fn from_hex(text: &str) -> Option<[u8; 32]> {
    let digits = text.as_bytes();
    if digits.len() != 64 || !digits.iter().all(u8::is_ascii_hexdigit) {
        return None;
    }
    let bytes = digits
        .chunks_exact(2)
        .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).ok()?, 16).ok());
    bytes.collect::<Option<Vec<u8>>>()?.try_into().ok()
}

impl KeyEntry {
    /// Creates the entry for a key with this secret.
    pub fn new(id: KeyId, account: AccountId, secret: &str, read_only: bool) -> Self {
        Self {
            id,
            account,
            secret_sha256: to_hex(&passwords::digest(secret.as_bytes())),
            read_only,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_survives_hexadecimal() {
        let bytes: [u8; 32] = std::array::from_fn(|position| position as u8 * 8);
        assert_eq!(from_hex(&to_hex(&bytes)), Some(bytes));
        for bad in ["", "zz", &"g0".repeat(32), &"ä".repeat(32)] {
            assert_eq!(from_hex(bad), None, "{bad}");
        }
    }
}
