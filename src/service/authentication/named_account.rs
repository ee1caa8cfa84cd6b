//! The account that a request is about even if it is refused.

use super::{
    Authenticator, Credential,
    open_accounts::{account_of, user_and_account},
    split_token,
};
use crate::domain::{directory::AuthMode, ids::AccountId};

impl Authenticator {
    /// The account that a credential names, whether or not it is valid.
    pub fn named_account(&self, credential: Credential<'_>) -> Option<AccountId> {
        if let Credential::Token(token) = credential
            && let Some(account) = self.tokens.named_account(token)
        {
            return Some(account);
        }

        match (self.directory.mode(), credential) {
            (AuthMode::Open, Credential::Token(token)) => account_of(&[b"token", token]).ok(),
            (AuthMode::Open, Credential::Pair { key, secret }) => {
                account_of(&[b"pair", key, secret]).ok()
            }
            (AuthMode::Keys, Credential::Token(token)) => {
                split_token(token).and_then(|(key, _)| self.account_of_key(key))
            }
            (AuthMode::Keys, Credential::Pair { key, .. }) => self.account_of_key(key),
        }
    }

    /// The account that a user name logs in to.
    pub fn login_account(&self, username: &str) -> Option<AccountId> {
        match self.directory.mode() {
            AuthMode::Open => user_and_account(username).ok().map(|(_, account)| account),
            AuthMode::Keys => self
                .directory
                .user_named(username)
                .map(|user| user.account.clone()),
        }
    }

    fn account_of_key(&self, key: &[u8]) -> Option<AccountId> {
        let key = self.directory.key(std::str::from_utf8(key).ok()?)?;
        Some(key.account.clone())
    }
}
