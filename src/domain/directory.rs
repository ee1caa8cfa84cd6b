//! Who exists when credentials are checked: accounts, API keys and users, as the configuration
//! declares them.
//!
//! A directory is built whole, and refuses contradictions, so that looking something up needs no
//! further checks.

use super::{
    caller::Access,
    ids::{AccountId, KeyId, UserId},
};
use std::collections::{BTreeSet, HashMap};

/// Who gets in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum AuthMode {
    /// Any non-empty credential; each different one is its own account.
    #[default]
    Open,
    /// Only the keys and users of the directory.
    Keys,
}

/// An API key. The secret itself is nowhere.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ApiKey {
    /// The public half.
    pub id: KeyId,
    /// Whose it is.
    pub account: AccountId,
    /// SHA-256 of the secret half. A plain hash is enough: the secret is random, not chosen.
    pub secret_sha256: [u8; 32],
    /// What it may do.
    pub access: Access,
}

/// Somebody who logs in with a password.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct User {
    /// The identifier.
    pub id: UserId,
    /// What they type.
    pub username: String,
    /// Whose they are.
    pub account: AccountId,
    /// The password's argon2 hash in PHC form (`$argon2id$…`).
    pub password_argon2: String,
    /// What they may do.
    pub access: Access,
}

/// Everybody who may get in.
#[derive(Clone, Debug, Default)]
pub struct Directory {
    mode: AuthMode,
    keys: HashMap<KeyId, ApiKey>,
    users: HashMap<String, User>,
    usernames: HashMap<UserId, String>,
}

impl Directory {
    /// Puts a directory together.
    ///
    /// # Errors
    /// Every contradiction, one sentence each: something declared twice, an account that is not
    /// declared.
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

        if faults.is_empty() {
            Ok(directory)
        } else {
            Err(faults)
        }
    }

    /// Who gets in.
    pub fn mode(&self) -> AuthMode {
        self.mode
    }

    /// The key with this public half.
    pub fn key(&self, id: &str) -> Option<&ApiKey> {
        self.keys.get(&KeyId::parse(id).ok()?)
    }

    /// The user of this name.
    pub fn user_named(&self, username: &str) -> Option<&User> {
        self.users.get(username)
    }

    /// The user with this id.
    pub fn user(&self, id: &UserId) -> Option<&User> {
        self.users.get(self.usernames.get(id)?)
    }
}
