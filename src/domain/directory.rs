//! The accounts, API keys and users declared in the configuration.
//!
//! Building a directory refuses contradictions, so that lookups need no further checks.

use super::{
    caller::Access,
    ids::{AccountId, KeyId, UserId},
};
use std::collections::{BTreeSet, HashMap};

/// Which credentials are accepted.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthMode {
    /// Any non-empty credential. Each selects an account of its own.
    #[default]
    Open,
    /// Only declared keys and users.
    Keys,
}

/// An API key, without its secret.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The public half.
    pub id: KeyId,
    /// The account it belongs to.
    pub account: AccountId,
    /// SHA-256 of the secret half. A fast hash suffices, since the secret is random.
    pub secret_sha256: [u8; 32],
    /// Permissions.
    pub access: Access,
}

/// A user with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identifier.
    pub id: UserId,
    /// Name used to log in.
    pub username: String,
    /// The account the user belongs to.
    pub account: AccountId,
    /// The password's argon2 hash in PHC form (`$argon2id$…`).
    pub password_argon2: String,
    /// Permissions.
    pub access: Access,
}

/// All declared keys and users.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    mode: AuthMode,
    keys: HashMap<KeyId, ApiKey>,
    users: HashMap<String, User>,
    usernames: HashMap<UserId, String>,
    accounts: BTreeSet<AccountId>,
}

impl Directory {
    /// Builds a directory.
    ///
    /// # Errors
    /// Every contradiction, one message each: duplicates, and accounts that are not declared.
    pub fn new(
        mode: AuthMode,
        accounts: Vec<AccountId>,
        keys: Vec<ApiKey>,
        users: Vec<User>,
    ) -> Result<Self, Vec<String>> {
        let mut faults = Vec::new();
        let mut declared = BTreeSet::new();
        for account in accounts {
            if let Some(twice) = declared.replace(account) {
                faults.push(format!("account '{twice}' is declared twice"));
            }
        }

        let mut directory = Self {
            mode,
            ..Self::default()
        };

        for key in keys {
            if !declared.contains(&key.account) {
                faults.push(format!(
                    "key '{}' belongs to account '{}', which is not declared",
                    key.id, key.account
                ));
            }
            if let Some(twice) = directory.keys.insert(key.id.clone(), key) {
                faults.push(format!("key '{}' is declared twice", twice.id));
            }
        }

        for user in users {
            if !declared.contains(&user.account) {
                faults.push(format!(
                    "user '{}' belongs to account '{}', which is not declared",
                    user.id, user.account
                ));
            }

            if directory
                .usernames
                .insert(user.id.clone(), user.username.clone())
                .is_some()
            {
                faults.push(format!("user '{}' is declared twice", user.id));
            }

            if let Some(twice) = directory.users.insert(user.username.clone(), user) {
                faults.push(format!("user name '{}' is declared twice", twice.username));
            }
        }

        directory.accounts = declared;
        if faults.is_empty() {
            Ok(directory)
        } else {
            Err(faults)
        }
    }

    /// Whether an account is declared.
    pub fn has_account(&self, account: &AccountId) -> bool {
        self.accounts.contains(account)
    }

    /// Which credentials are accepted.
    pub fn mode(&self) -> AuthMode {
        self.mode
    }

    /// The key with this public half.
    pub fn key(&self, id: &str) -> Option<&ApiKey> {
        self.keys.get(&KeyId::parse(id).ok()?)
    }

    /// The user with this name.
    pub fn user_named(&self, username: &str) -> Option<&User> {
        self.users.get(username)
    }

    /// The user with this id.
    pub fn user(&self, id: &UserId) -> Option<&User> {
        self.users.get(self.usernames.get(id)?)
    }
}
