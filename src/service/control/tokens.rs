//! Tokens for tests: read-only, expired, of a certain user, or revoked.
//!
//! They end with the server, so that a token which was revoked stays revoked.

use super::{Control, ControlWriter};
use crate::{
    domain::{
        body::{self, AttributeReader, Strictness},
        duration,
        ids::{AccountId, UserId},
        rejection::Rejection,
        timestamp::Timestamp,
    },
    ids::IdBasis,
    service::authentication::{Authenticator, TestTokenSpec},
};
use serde_json::{Map, Value};
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
};

/// Tokens that have been issued and not revoked, of all accounts. Beyond it, none is issued.
const MAX_ISSUED: usize = 100_000;

/// A request for a token.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct TokenRequest {
    is_read_only: bool,
    /// Milliseconds from now, which are negative for a token that has expired. `None` for the usual
    /// lifetime.
    expires_in: Option<i64>,
    /// A user name or the id of a user. `None` for the user of the account.
    user: Option<String>,
}

impl TokenRequest {
    /// Parses `{"read_only": true, "expires_in": "-1m", "user": "alice"}`, all of it optional.
    ///
    /// # Errors
    /// Everything that is wrong.
    pub fn parse(attributes: Map<String, Value>) -> Result<Self, Rejection> {
        let mut reader = AttributeReader::new(attributes);
        let is_read_only = reader.optional("read_only", body::boolean);
        let expires_in = reader.optional("expires_in", |value| duration::parse_millis(&value));
        let user = reader.optional("user", |value| match body::text(value)? {
            user if user.is_empty() => Err("must not be empty".to_owned()),
            user => Ok(user),
        });
        reader.finish(Strictness::Strict)?;
        Ok(Self {
            is_read_only: is_read_only.unwrap_or_default(),
            expires_in,
            user,
        })
    }
}

/// A token that was issued.
#[derive(Clone, Debug)]
pub struct IssuedToken {
    /// Its id, by which it is revoked.
    pub id: String,
    /// The credential.
    pub token: String,
    /// The account that it gives access to.
    pub account: AccountId,
    /// Its user.
    pub user: UserId,
    /// Whether it may only read.
    pub is_read_only: bool,
    /// When it expires, by the clock of the account.
    pub expires_at: Timestamp,
}

/// The accounts of issued tokens by id, and how many each account was issued. Clones share them.
#[derive(Clone, Debug, Default)]
pub(super) struct IssuedTokens(Arc<Mutex<IssuedState>>);

#[derive(Debug, Default)]
struct IssuedState {
    accounts: HashMap<String, AccountId>,
    counts: HashMap<AccountId, u64>,
}

impl IssuedTokens {
    /// The number of the account's next token.
    fn next_number(&self, account: &AccountId) -> Result<u64, Rejection> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if state.accounts.len() >= MAX_ISSUED {
            return Err(Rejection::Conflict(format!(
                "{MAX_ISSUED} tokens have been issued; revoke some"
            )));
        }
        let count = state.counts.entry(account.clone()).or_default();
        *count = count.saturating_add(1);
        Ok(*count)
    }

    fn add(&self, id: String, account: AccountId) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        state.accounts.insert(id, account);
    }

    /// Forgets a token of the account, or of any. Returns whether there was one.
    fn remove(&self, id: &str, account: Option<&AccountId>) -> bool {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let owner = state.accounts.get(id);
        let is_own = owner.is_some_and(|owner| account.is_none_or(|account| account == owner));
        is_own && state.accounts.remove(id).is_some()
    }

    /// Counts the tokens of an account from 1 again, or those of all.
    pub(super) fn restart(&self, account: Option<&AccountId>) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match account {
            Some(account) => drop(state.counts.remove(account)),
            None => state.counts.clear(),
        }
    }
}

impl Control {
    /// Issues a token of the writer's account.
    ///
    /// # Errors
    /// The writer acts for all accounts; in keys mode, the user is not one of the account's, or the
    /// token would outlive those of logins.
    pub fn issue_token(
        &self,
        writer: &ControlWriter,
        request: &TokenRequest,
        authenticator: &Authenticator,
    ) -> Result<IssuedToken, Rejection> {
        let account = writer.scope().account().ok_or_else(|| {
            Rejection::invalid(
                "A token belongs to one account: send the credential of an account, without \
                 '?all=true'",
            )
        })?;
        let number = self.issued_tokens.next_number(account)?;
        let id = self.ids.token(IdBasis::new(account, number));
        let spec = TestTokenSpec {
            id: id.clone(),
            account: account.clone(),
            is_read_only: request.is_read_only,
            expires_in: request.expires_in,
            user: request.user.clone(),
        };

        let (token, user, expires_at) = authenticator.issue_test_token(spec)?;
        self.tokens.reinstate(&id);
        self.issued_tokens.add(id.clone(), account.clone());
        Ok(IssuedToken {
            id,
            token,
            account: account.clone(),
            user,
            is_read_only: request.is_read_only,
            expires_at,
        })
    }

    /// Revokes a token of the writer's account.
    ///
    /// # Errors
    /// No such token in this account.
    pub fn revoke_token(&self, writer: &ControlWriter, id: &str) -> Result<(), Rejection> {
        if !self.issued_tokens.remove(id, writer.scope().account()) {
            return Err(Rejection::NotFound("Token"));
        }
        self.tokens.revoke(id);
        Ok(())
    }
}
