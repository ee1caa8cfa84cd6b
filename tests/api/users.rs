//! Who there is in keys mode: two accounts, three keys and two users.

use crate::{callers::Caller, response::Response, server::TestServer};
use pagertree_local::{
    config::{AccountEntry, KeyEntry, Mode, Settings, UserEntry},
    domain::{
        ids::{AccountId, KeyId, UserId},
        passwords,
    },
};
use serde_json::json;
use std::sync::OnceLock;

/// The account of everybody here but one.
pub(crate) const OURS: &str = "acc_ours";
/// The account of [`TestServer::stranger`].
pub(crate) const THEIRS: &str = "acc_theirs";
/// The password of both users.
pub(crate) const PASSWORD: &str = "correct horse battery staple";

/// Settings in which they are all declared.
pub(crate) fn declared(settings: &mut Settings) {
    let key = |id: &str, account: &str, read_only| {
        let (id, account) = (
            KeyId::parse(id).unwrap(),
            AccountId::parse(account).unwrap(),
        );
        let secret = secret_of(id.as_str());
        KeyEntry::new(id, account, &secret, read_only)
    };

    let user = |username: &str, read_only| UserEntry {
        id: UserId::parse(&format!("usr_{username}")).unwrap(),
        username: username.into(),
        account: AccountId::parse(OURS).unwrap(),
        password_argon2: password_hash(),
        read_only,
    };

    settings.auth.mode = Mode::Keys;
    settings.accounts = [OURS, THEIRS].map(account).into();
    settings.keys = vec![
        key("key_writer", OURS, false),
        key("key_reader", OURS, true),
        key("key_stranger", THEIRS, false),
    ];
    settings.users = vec![user("alice", false), user("bob", true)];
}

impl TestServer {
    /// Keys mode, with everybody declared.
    pub(crate) fn with_people() -> Self {
        Self::with(declared)
    }

    /// A key of [`OURS`], as one token.
    pub(crate) fn key(&self) -> Caller {
        self.account(&token_of("key_writer"))
    }

    /// The same key, as a pair.
    pub(crate) fn key_pair(&self) -> Caller {
        self.pair("key_writer", &secret_of("key_writer"))
    }

    /// A key of [`OURS`] that may only read.
    pub(crate) fn read_only_key(&self) -> Caller {
        self.account(&token_of("key_reader"))
    }

    /// A key of [`THEIRS`].
    pub(crate) fn stranger(&self) -> Caller {
        self.account(&token_of("key_stranger"))
    }

    /// `x-api-key` with `x-api-secret`.
    pub(crate) fn pair(&self, key: &str, secret: &str) -> Caller {
        self.anonymous()
            .with("x-api-key", key)
            .with("x-api-secret", secret)
    }

    /// Alice of [`OURS`], logged in.
    pub(crate) fn user(&self) -> Caller {
        self.account(&self.token("alice"))
    }

    /// Bob of [`OURS`], who may only read, logged in.
    pub(crate) fn read_only_user(&self) -> Caller {
        self.account(&self.token("bob"))
    }

    /// What a login gives to a user.
    pub(crate) fn token(&self, username: &str) -> String {
        self.log_in(username, PASSWORD).assert_status(200).json()["token"]
            .as_str()
            .unwrap()
            .to_owned()
    }

    pub(crate) fn log_in(&self, username: &str, password: &str) -> Response {
        let body = json!({"username": username, "password": password}).to_string();
        self.anonymous().send("POST", "/public/login", Some(&body))
    }
}

/// A key in one piece.
pub(crate) fn token_of(key: &str) -> String {
    format!("{key}.{}", secret_of(key))
}

/// The secret half of a key.
pub(crate) fn secret_of(key: &str) -> String {
    format!("secret-of-{key}")
}

fn account(sid: &str) -> AccountEntry {
    AccountEntry {
        sid: AccountId::parse(sid).unwrap(),
        name: String::new(),
    }
}

/// Hashed once for all tests: it is slow on purpose.
fn password_hash() -> String {
    static HASH: OnceLock<String> = OnceLock::new();
    HASH.get_or_init(|| passwords::hash(PASSWORD).unwrap())
        .clone()
}
