//! From a credential to a caller, and from a password to a token.

use super::{
    throttle::Throttle,
    tokens::{TokenStatus, Tokens},
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
use sha2::{Digest, Sha256};
use std::{
    net::{IpAddr, Ipv6Addr},
    sync::Arc,
};

/// What a request carries to say who it is.
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

/// Checks credentials against one state of the configuration.
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
    /// Seconds for which a login's token is good.
    pub token_lifetime: u32,
    /// Requests per minute and account; 0 is no limit.
    pub requests_per_minute: u32,
    /// Login attempts per minute and user name, in keys mode; 0 is no limit.
    pub logins_per_minute: u32,
}

impl Authenticator {
    /// A authenticator for the people of `directory`. What the authenticator `before` it has counted still counts.
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
            clock,
            token_lifetime: limits.token_lifetime,
            requests: Throttle::renewed(
                requests,
                each_account,
                "requests",
                "requests of this account",
            ),
            logins: Throttle::renewed(
                logins,
                each_name,
                "logins",
                "login attempts for this user name",
            ),
        })
    }

    /// Who is calling, and what is left of the account's limit, if there is one.
    ///
    /// # Errors
    /// [`Rejection::Unauthenticated`] without a credential or for a wrong one;
    /// [`Rejection::TooMany`].
    pub fn authenticate(
        &self,
        credential: Option<Credential<'_>>,
    ) -> Result<(Caller, Option<Quota>), Rejection> {
        let credential = credential.ok_or_else(|| {
            Rejection::Unauthenticated(
                "No credential: send 'Authorization: <token>', or 'x-api-key' with 'x-api-secret'"
                    .into(),
            )
        })?;
        let caller = match self.directory.mode() {
            AuthMode::Open => self.authenticate_open(credential),
            AuthMode::Keys => self.authenticate_declared(credential),
        }?;
        let quota = self.requests.check(caller.account.as_str())?;

        Ok((caller, quota))
    }

    /// Whether only declared keys and users get in.
    pub fn requires_key(&self) -> bool {
        self.directory.mode() == AuthMode::Keys
    }

    /// Whether [`login`](Self::login) hashes a password, which takes long.
    pub fn is_login_slow(&self) -> bool {
        self.requires_key()
    }

    /// Counts an attempt to [`login`](Self::login), which must not be made without. In open mode
    /// any number is allowed. Attempts from elsewhere are counted apart, so that nobody can keep
    /// somebody else out.
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
                self.logins.check(&format!("{from} {username}"))
            }
        }
    }

    /// A token for whoever knows the password. In open mode that is everybody.
    ///
    /// # Errors
    /// [`Rejection::Unauthenticated`], the same for an unknown user and a wrong password.
    pub fn login(&self, username: &str, password: &str) -> Result<String, Rejection> {
        let (id, sid) = match self.directory.mode() {
            AuthMode::Open => anonymous_account(username)?,
            AuthMode::Keys => self.identify(username, password)?,
        };
        self.tokens
            .issue(id, sid, self.clock.now(), self.token_lifetime)
            .map_err(Rejection::Unauthenticated)
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
            Credential::Pair { key, secret } => account_of(&[b"pair", key, secret])?,
            Credential::Token(token) => match self.tokens.check(token, self.clock.now()) {
                TokenStatus::Valid(claims) => {
                    // A declared user keeps to what is declared, also after a change of the mode.
                    let access = self
                        .directory
                        .user(&claims.id)
                        .map_or(Access::ReadWrite, |user| user.access);
                    return Ok(Caller {
                        account: claims.sid,
                        access,
                        user: Some(claims.id),
                    });
                }
                TokenStatus::Expired => return Err(expired()),
                TokenStatus::Foreign => account_of(&[b"token", token])?,
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
            Credential::Token(token) => match self.tokens.check(token, self.clock.now()) {
                TokenStatus::Valid(claims) => {
                    // Asking for the user each time lets a change of the configuration take effect
                    // at once.
                    let user = self
                        .directory
                        .user(&claims.id)
                        .filter(|user| user.account == claims.sid);
                    return user.map(caller).ok_or_else(wrong);
                }
                TokenStatus::Expired => return Err(expired()),
                TokenStatus::Foreign => split_token(token).ok_or_else(wrong)?,
            },
        };

        let key = std::str::from_utf8(key)
            .ok()
            .and_then(|key| self.directory.key(key))
            .ok_or_else(wrong)?;

        if !passwords::matches(secret, &key.secret_sha256) {
            return Err(wrong());
        }

        Ok(Caller {
            account: key.account.clone(),
            access: key.access,
            user: None,
        })
    }
}

/// Where somebody is: with IPv6 the network, in which one machine may have as many addresses as it
/// likes.
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

/// A key written as one token: `<public half>.<secret half>`.
fn split_token(token: &[u8]) -> Option<(&[u8], &[u8])> {
    let dot = token.iter().position(|byte| *byte == b'.')?;
    Some((token.get(..dot)?, token.get(dot.saturating_add(1)..)?))
}

fn wrong() -> Rejection {
    Rejection::Unauthenticated("The credential is not valid".into())
}

fn expired() -> Rejection {
    Rejection::Unauthenticated("The token has expired; log in again".into())
}

/// In open mode a user name is a user and an account of its own.
fn anonymous_account(username: &str) -> Result<(UserId, AccountId), Rejection> {
    let tail = derived(&[b"user", username.as_bytes()]);
    let id = UserId::parse(&format!("{}{tail}", UserId::PREFIX)).map_err(|_| wrong())?;
    let sid = AccountId::parse(&format!("{}{tail}", AccountId::PREFIX)).map_err(|_| wrong())?;
    Ok((id, sid))
}

fn account_of(parts: &[&[u8]]) -> Result<AccountId, Rejection> {
    AccountId::parse(&format!("{}{}", AccountId::PREFIX, derived(parts))).map_err(|_| wrong())
}

/// Fourteen characters that are always the same for the same parts, and do not tell the parts.
fn derived(parts: &[&[u8]]) -> String {
    let mut hash = Sha256::new();
    for part in parts {
        // The length keeps ("a", "bc") and ("ab", "c") apart.
        hash.update(u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(part);
    }

    let alphabet = &nanoid::alphabet::SAFE;
    hash.finalize()
        .iter()
        .take(14)
        .filter_map(|byte| alphabet.get(usize::from(byte & 63)))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_open_account_is_the_same_for_ever() {
        // This literal is a promise: with another value every self-hosted open server would lose
        // its objects.
        assert_eq!(
            account_of(&[b"token", b"<token>"]).unwrap().as_str(),
            "acc_L6_iCZSMHsLD8J"
        );
        assert_ne!(derived(&[b"a", b"bc"]), derived(&[b"ab", b"c"]));
        assert_eq!(derived(&[b"x"]).len(), 14);
    }

    #[test]
    fn a_network_is_an_address_or_half_of_one() {
        let network = |address: &str| network(address.parse().unwrap()).to_string();
        assert_eq!(network("10.1.2.3"), "10.1.2.3");
        assert_eq!(network("::ffff:10.1.2.3"), "10.1.2.3");
        assert_eq!(network("2001:db8:1:2:3:4:5:6"), "2001:db8:1:2::");
    }

    /// Whoever knows a name could keep its owner out, a minute at a time.
    #[test]
    fn attempts_to_log_in_from_elsewhere_are_counted_apart() {
        let user = User {
            id: UserId::parse("usr_1").unwrap(),
            username: "alice".into(),
            account: AccountId::parse("acc_1").unwrap(),
            access: Access::ReadWrite,
            password_argon2: String::new(),
        };

        let directory = Directory::new(
            AuthMode::Keys,
            vec![user.account.clone()],
            Vec::new(),
            vec![user],
        )
        .unwrap();
        let limits = AuthLimits {
            token_lifetime: 60,
            requests_per_minute: 0,
            logins_per_minute: 2,
        };

        let authenticator = Authenticator::new(
            directory,
            Tokens::new(b"secret"),
            Clock::System,
            limits,
            None,
        );
        let from = |address: &str| Some(address.parse().unwrap());

        for _ in 0..2 {
            authenticator
                .check_login_rate("alice", from("10.0.0.1"))
                .unwrap();
        }

        assert!(
            authenticator
                .check_login_rate("alice", from("10.0.0.1"))
                .is_err()
        );
        authenticator
            .check_login_rate("alice", from("10.0.0.2"))
            .unwrap();
        authenticator
            .check_login_rate("bob", from("10.0.0.1"))
            .unwrap();
    }

    #[test]
    fn a_token_splits_at_its_first_dot() {
        assert_eq!(
            split_token(b"key_1.a.b"),
            Some((&b"key_1"[..], &b"a.b"[..]))
        );
        assert_eq!(split_token(b"key_1"), None);
    }
}
