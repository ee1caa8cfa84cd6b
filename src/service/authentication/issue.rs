//! Issuing tokens for tests.

use super::{Authenticator, open_accounts};
use crate::{
    domain::{
        directory::AuthMode,
        ids::{AccountId, UserId},
        rejection::Rejection,
        timestamp::Timestamp,
    },
    service::tokens::Claims,
};

/// A token to be issued for a test.
#[derive(Clone, Debug)]
pub struct TestTokenSpec {
    /// The id of the token.
    pub id: String,
    /// The account that it gives access to.
    pub account: AccountId,
    /// Whether it may only read.
    pub is_read_only: bool,
    /// Milliseconds until it expires; `None` for the lifetime of tokens of logins.
    pub expires_in: Option<i64>,
    /// A user name or the id of a user; `None` for a user named after the account.
    pub user: Option<String>,
}

impl Authenticator {
    /// Issues a token for a test. Returns it with its user and its time of expiry.
    ///
    /// # Errors
    /// In keys mode: the user is not one of the account's; the token would outlive those of logins,
    /// which would let it outlive a key that is removed.
    pub fn issue_test_token(
        &self,
        spec: TestTokenSpec,
    ) -> Result<(String, UserId, Timestamp), Rejection> {
        let user = self.token_user(&spec)?;
        let lifetime = i64::from(self.token_lifetime).saturating_mul(1000);
        let expires_in = spec.expires_in.unwrap_or(lifetime);
        if self.requires_key() && expires_in > lifetime {
            return Err(Rejection::invalid(format!(
                "'expires_in' must be at most {} seconds in keys mode (auth.token_seconds)",
                self.token_lifetime
            )));
        }

        let now = self.clock.now_in(&spec.account);
        let expiry = now.saturating_add_millis(expires_in);
        let claims = Claims {
            id: user.clone(),
            sid: spec.account,
            iat: now.seconds(),
            exp: expiry.seconds(),
            test: None,
        };
        let token = self
            .tokens
            .issue_test_token(claims, spec.id, spec.is_read_only)
            .map_err(Rejection::invalid)?;
        Ok((token, user, expiry))
    }

    fn token_user(&self, spec: &TestTokenSpec) -> Result<UserId, Rejection> {
        let id = match &spec.user {
            None => {
                let tail = spec.account.as_str().trim_start_matches(AccountId::PREFIX);
                UserId::parse(&format!("{}{tail}", UserId::PREFIX)).ok()
            }
            Some(text) => match (UserId::parse(text), self.directory.user_named(text)) {
                (Ok(id), _) => Some(id),
                (Err(_), Some(user)) => Some(user.id.clone()),
                (Err(_), None) => open_accounts::user_and_account(text).ok().map(|(id, _)| id),
            },
        };
        let id = id.ok_or_else(|| Rejection::invalid("'user' is not a user name or id"))?;

        let is_declared = || {
            let user = self.directory.user(&id);
            user.is_some_and(|user| user.account == spec.account)
        };
        let must_be_declared =
            self.directory.mode() == AuthMode::Keys && spec.user.is_some() && !is_declared();
        if must_be_declared {
            return Err(Rejection::invalid(
                "'user' must be a declared user of the account in keys mode",
            ));
        }
        Ok(id)
    }
}
