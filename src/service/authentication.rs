//! Authentication: from a credential to a caller, and from a password to a token.

mod issue;
mod named_account;
mod open_accounts;

pub use issue::TestTokenSpec;

use super::{
    throttle::Throttle,
    tokens::{Claims, TokenStatus, Tokens},
};
use crate::{
    clock::Clock,
    domain::{
        caller::{Access, Caller},
        directory::{AuthMode, Directory, User},
        ids::{AccountId, UserId},
        passwords,
        quota::Quota,
        rejection::Rejection,
    },
};
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

/// The credential of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Credential<'a> {
    /// `Authorization: <token>` or `Authorization: Bearer <token>`.
    Token(&'a [u8]),
    /// `x-api-key` with `x-api-secret`.
    Pair {
        /// The public half.
        key: &'a [u8],
        /// The secret half.
        secret: &'a [u8],
    },
}

/// Authenticates requests against one version of the configuration.
#[derive(Debug)]
pub struct Authenticator {
    directory: Directory,
    tokens: Tokens,
    clock: Clock,
    token_lifetime: u32,
    requests: Arc<Throttle>,
    logins: Arc<Throttle>,
}

/// Limits of a [`Authenticator`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AuthLimits {
    /// Seconds for which a token is valid.
    pub token_lifetime: u32,
    /// Requests per minute and account; 0 is no limit.
    pub requests_per_minute: u32,
    /// Login attempts per minute and user name, in keys mode; 0 is no limit.
    pub logins_per_minute: u32,
}

/// A user who has just logged in.
#[derive(Clone, Debug)]
pub struct LoggedIn {
    /// The token.
    pub token: String,
    /// The user that it names.
    pub user: UserId,
    /// The user's account.
    pub account: AccountId,
}

impl Authenticator {
    /// An authenticator for the users and keys of `directory`. It keeps the counts of `before`.
    pub fn new(
        directory: Directory,
        tokens: Tokens,
        clock: Clock,
        limits: AuthLimits,
        before: Option<&Self>,
    ) -> Arc<Self> {
        let [requests, logins] = [
            before.map(|before| &before.requests),
            before.map(|before| &before.logins),
        ];
        let (each_account, each_name) = (limits.requests_per_minute, limits.logins_per_minute);

        Arc::new(Self {
            directory,
            tokens,
            token_lifetime: limits.token_lifetime,
            requests: Throttle::reloaded(
                requests,
                &clock,
                each_account,
                "requests",
                "requests of this account",
            ),
            logins: Throttle::reloaded(
                logins,
                &clock,
                each_name,
                "logins",
                "login attempts for this user name",
            ),
            clock,
        })
    }

    /// The caller, and what is left of the account's rate limit, if there is one.
    ///
    /// # Errors
    /// [`Rejection::Unauthenticated`] without a valid credential; [`Rejection::TooMany`].
    pub fn authenticate(
        &self,
        credential: Option<Credential<'_>>,
        alias: Option<&str>,
    ) -> Result<(Caller, Option<Quota>), Rejection> {
        let caller = self.identify_caller(credential, alias)?;
        let quota = self
            .requests
            .check(caller.account.as_str(), Some(&caller.account))?;

        Ok((caller, quota))
    }

    /// The caller, without counting a request. With an alias, it acts in the account of that name
    /// beneath its own.
    ///
    /// # Errors
    /// [`Rejection::Unauthenticated`] without a valid credential.
    pub fn identify_caller(
        &self,
        credential: Option<Credential<'_>>,
        alias: Option<&str>,
    ) -> Result<Caller, Rejection> {
        let credential = credential.ok_or_else(|| {
            Rejection::Unauthenticated(
                "No credential: send 'Authorization: <token>', or 'x-api-key' with 'x-api-secret'"
                    .into(),
            )
        })?;
        let mut caller = match self.directory.mode() {
            AuthMode::Open => self.authenticate_open(credential),
            AuthMode::Keys => self.authenticate_declared(credential),
        }?;
        if let Some(name) = alias {
            let own = caller.account.as_str();
            caller.account = open_accounts::account_of(&[b"as", name.as_bytes(), own.as_bytes()])?;
        }

        Ok(caller)
    }

    /// Whether only declared keys and users are accepted.
    pub fn requires_key(&self) -> bool {
        self.directory.mode() == AuthMode::Keys
    }

    /// Whether [`login`](Self::login) hashes a password, which is slow.
    pub fn is_login_slow(&self) -> bool {
        self.requires_key()
    }

    /// Applies the rate limit of logins. Must be called before each [`login`](Self::login). Each
    /// network has its own count, so that an attacker cannot lock a user out. In open mode there is
    /// no limit.
    ///
    /// # Errors
    /// [`Rejection::TooMany`]
    pub fn check_login_rate(
        &self,
        username: &str,
        from: Option<IpAddr>,
    ) -> Result<Option<Quota>, Rejection> {
        match self.directory.mode() {
            AuthMode::Open => Ok(None),
            AuthMode::Keys => {
                let from = from
                    .map(|from| network(from).to_string())
                    .unwrap_or_default();
                let user = self.directory.user_named(username);
                self.logins.check(
                    &format!("{from} {username}"),
                    user.map(|user| &user.account),
                )
            }
        }
    }

    /// Exchanges a password for a token. In open mode any password is accepted.
    ///
    /// # Errors
    /// [`Rejection::Unauthenticated`], which is the same for an unknown user and a wrong password.
    pub fn login(&self, username: &str, password: &str) -> Result<LoggedIn, Rejection> {
        let (id, sid) = match self.directory.mode() {
            AuthMode::Open => open_accounts::user_and_account(username)?,
            AuthMode::Keys => self.identify(username, password)?,
        };
        let now = self.clock.now_in(&sid);
        let token = self
            .tokens
            .issue(id.clone(), sid.clone(), now, self.token_lifetime)
            .map_err(Rejection::Unauthenticated)?;
        Ok(LoggedIn {
            token,
            user: id,
            account: sid,
        })
    }

    fn identify(&self, username: &str, password: &str) -> Result<(UserId, AccountId), Rejection> {
        let user = self.directory.user_named(username);
        let known = passwords::verify(password, user.map(|user| user.password_argon2.as_str()));
        match user {
            Some(user) if known => Ok((user.id.clone(), user.account.clone())),
            _ => Err(Rejection::Unauthenticated(
                "Wrong user name or password".into(),
            )),
        }
    }

    fn authenticate_open(&self, credential: Credential<'_>) -> Result<Caller, Rejection> {
        let account = match credential {
            Credential::Pair { key, secret } => open_accounts::account_of(&[b"pair", key, secret])?,
            Credential::Token(token) => match self.tokens.verify(token, &self.clock) {
                TokenStatus::Valid(claims) => {
                    // The declared access of a user holds in open mode too.
                    let declared = self.directory.user(&claims.id).map(|user| user.access);
                    return Ok(token_caller(claims, declared));
                }
                TokenStatus::Foreign => open_accounts::account_of(&[b"token", token])?,
                status => return Err(refused_token(&status)),
            },
        };

        Ok(Caller {
            account,
            access: Access::ReadWrite,
            user: None,
        })
    }

    fn authenticate_declared(&self, credential: Credential<'_>) -> Result<Caller, Rejection> {
        let (key, secret) = match credential {
            Credential::Pair { key, secret } => (key, secret),
            Credential::Token(token) => match self.tokens.verify(token, &self.clock) {
                TokenStatus::Valid(claims) if claims.test.is_some() => {
                    let user = self.directory.user(&claims.id).map(|user| user.access);
                    return self
                        .directory
                        .has_account(&claims.sid)
                        .then(|| token_caller(claims, user))
                        .ok_or_else(invalid_credential);
                }
                TokenStatus::Valid(claims) => {
                    // Looked up each time, so that a change of the configuration takes effect at
                    // once.
                    let user = self
                        .directory
                        .user(&claims.id)
                        .filter(|user| user.account == claims.sid);
                    return user.map(caller).ok_or_else(invalid_credential);
                }
                TokenStatus::Foreign => split_token(token).ok_or_else(invalid_credential)?,
                // In keys mode the response does not say why a credential is wrong: that would help to guess.
                TokenStatus::Damaged => return Err(invalid_credential()),
                status => return Err(refused_token(&status)),
            },
        };

        let key = std::str::from_utf8(key)
            .ok()
            .and_then(|key| self.directory.key(key))
            .ok_or_else(invalid_credential)?;

        if !passwords::matches(secret, &key.secret_sha256) {
            return Err(invalid_credential());
        }

        Ok(Caller {
            account: key.account.clone(),
            access: key.access,
            user: None,
        })
    }
}

/// The network of a client: the address, or with IPv6 its /64, in which one machine may use any
/// number of addresses.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V4(address) => address.into(),
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
    }
}

fn caller(user: &User) -> Caller {
    Caller {
        account: user.account.clone(),
        access: user.access,
        user: Some(user.id.clone()),
    }
}

/// Splits a key written as one token: `<public half>.<secret half>`.
fn split_token(token: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = token.iter().position(|byte| *byte == b'.')?;
    Some((token.get(..dot)?, token.get(dot.saturating_add(1)..)?))
}

fn invalid_credential() -> Rejection {
    Rejection::Unauthenticated("The credential is not valid".into())
}

/// Why a token of this program is not accepted.
fn refused_token(status: &TokenStatus) -> Rejection {
    let message = match status {
        TokenStatus::Expired => "The token has expired; log in again",
        TokenStatus::Revoked => "The token was revoked, or the server has been restarted since",
        TokenStatus::Damaged => "The token is damaged, or of another server; log in again",
        TokenStatus::Valid(_) | TokenStatus::Foreign => "The credential is not valid",
    };
    Rejection::Unauthenticated(message.into())
}

/// The caller with a valid token, whose user may have a declared access.
fn token_caller(claims: Claims, declared: Option<Access>) -> Caller {
    let access = match claims.test {
        Some(test) if test.read_only => Access::ReadOnly,
        _ => declared.unwrap_or(Access::ReadWrite),
    };
    Caller {
        account: claims.sid,
        access,
        user: Some(claims.id),
    }
}

#[cfg(test)]
mod tests;
