//! The logical layout of the store: its trees and their keys.
//!
//! | tree | key | value |
//! |---|---|---|
//! | `meta` | name | schema version, token secret, number of the last commit |
//! | `accounts` | sid, 0x00, collection | [`Counters`] |
//! | `integrations` | id | JSON of the object, byte for byte as the API returns it |
//! | `integrations_by_account` | sid, 0x00, tinyId as big-endian u64 | id |
//! | `alerts` | id | JSON of the object, byte for byte as the API returns it |
//! | `alerts_by_account` | sid, 0x00, tinyId as big-endian u64 | id |
//! | `alerts_by_thirdparty` | sid, 0x00, SHA-256 of the source's id, 0x00 and the third-party id | id of the latest such alert |
//! | `alerts_by_thirdparty` | sid, 0x00, SHA-256 of the source's id, 0x00 and the id of a mail message, 0x01 | id of the latest alert in its thread |
//! | `alerts_by_thirdparty` | sid, 0x00, id of an alert, 0x00, the key of a thread without the sid | the id of the alert |
//! | `logs` | id | JSON of the object, byte for byte as the API returns it |
//! | `logs_by_account` | sid, 0x00, tinyId as big-endian u64 | id |
//! | `users`, `teams` | id | JSON of the object, byte for byte as the API returns it |
//! | `users_by_account`, `teams_by_account` | sid, 0x00, tinyId as big-endian u64 | id |
//! | `senders_by_account` | sid, 0x00, id of an integration of type webhook | empty |
//! | `queues` | sid, 0x00, id of an integration with pending messages | due time, first, next: three big-endian numbers |
//! | `deliveries` | sid, 0x00, id of the integration, 0x00, sequence number as big-endian u64 | the message |
//! | `idempotency` | sid, 0x00, the client's key | time as big-endian i64, SHA-256 of the request, the response |
//! | `idempotency_by_time` | time as big-endian i64, key in `idempotency` | empty |

use super::StoreError;
use crate::domain::ids::{AccountId, IntegrationId};

/// The version of this layout. A store with a newer one is refused.
pub const SCHEMA_VERSION: u32 = 3;

/// Key in `meta`: the schema version in decimal.
pub(super) const SCHEMA: &[u8] = b"schema";
/// Key in `meta`: the secret that signs tokens.
pub(super) const TOKEN_SECRET: &[u8] = b"token_secret";
/// Key in `meta`: the number of the last commit as big-endian u64.
pub(super) const COMMIT: &[u8] = b"commit";

/// A tree of the store.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) enum Tree {
    Meta,
    Accounts,
    Integrations,
    IntegrationsByAccount,
    Idempotency,
    IdempotencyByTime,
    Alerts,
    AlertsByAccount,
    AlertsByThirdparty,
    Logs,
    LogsByAccount,
    SendersByAccount,
    Queues,
    Deliveries,
    Users,
    UsersByAccount,
    Teams,
    TeamsByAccount,
}

impl Tree {
    pub(super) const ALL: [Self; 18] = [
        Self::Meta,
        Self::Accounts,
        Self::Integrations,
        Self::IntegrationsByAccount,
        Self::Idempotency,
        Self::IdempotencyByTime,
        Self::Alerts,
        Self::AlertsByAccount,
        Self::AlertsByThirdparty,
        Self::Logs,
        Self::LogsByAccount,
        Self::SendersByAccount,
        Self::Queues,
        Self::Deliveries,
        Self::Users,
        Self::UsersByAccount,
        Self::Teams,
        Self::TeamsByAccount,
    ];

    pub(super) fn name(self) -> &'static str {
        match self {
            Self::Meta => "meta",
            Self::Accounts => "accounts",
            Self::Integrations => "integrations",
            Self::IntegrationsByAccount => "integrations_by_account",
            Self::Idempotency => "idempotency",
            Self::IdempotencyByTime => "idempotency_by_time",
            Self::Alerts => "alerts",
            Self::AlertsByAccount => "alerts_by_account",
            Self::AlertsByThirdparty => "alerts_by_thirdparty",
            Self::Logs => "logs",
            Self::LogsByAccount => "logs_by_account",
            Self::SendersByAccount => "senders_by_account",
            Self::Queues => "queues",
            Self::Deliveries => "deliveries",
            Self::Users => "users",
            Self::UsersByAccount => "users_by_account",
            Self::Teams => "teams",
            Self::TeamsByAccount => "teams_by_account",
        }
    }
}

/// How the keys of a tree name the account that an entry belongs to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum KeyOwner {
    /// By no means: the entries belong to the store.
    Store,
    /// The keys begin with the account.
    Account,
    /// The keys are ids of records, which name their account.
    Record,
    /// The keys begin with a time, which is followed by a key of `idempotency`.
    Time,
}

impl Tree {
    pub(super) fn key_owner(self) -> KeyOwner {
        match self {
            Self::Meta => KeyOwner::Store,
            Self::Integrations | Self::Alerts | Self::Logs | Self::Users | Self::Teams => {
                KeyOwner::Record
            }
            Self::IdempotencyByTime => KeyOwner::Time,
            Self::Accounts
            | Self::IntegrationsByAccount
            | Self::Idempotency
            | Self::AlertsByAccount
            | Self::AlertsByThirdparty
            | Self::LogsByAccount
            | Self::SendersByAccount
            | Self::Queues
            | Self::Deliveries
            | Self::UsersByAccount
            | Self::TeamsByAccount => KeyOwner::Account,
        }
    }
}

/// The counters of one collection of an account.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Counters {
    /// The last tinyId assigned; 0 before the first. It never decreases, so no number is used
    /// twice.
    pub(super) last_tiny_id: u64,
    /// The number of objects that exist.
    pub(super) live: u64,
}

impl Counters {
    /// Two big-endian u64.
    pub(super) fn encode(self) -> Vec<u8> {
        [self.last_tiny_id.to_be_bytes(), self.live.to_be_bytes()].concat()
    }

    /// As [`decode`](Self::decode). An account without counters has never had an object.
    pub(super) fn decode_optional(value: Option<impl AsRef<[u8]>>) -> Result<Self, StoreError> {
        value.map_or(Ok(Self::default()), |value| Self::decode(value.as_ref()))
    }

    pub(super) fn decode(bytes: &[u8]) -> Result<Self, StoreError> {
        let decoded = bytes.split_at_checked(8).and_then(|(last, live)| {
            Some(Self {
                last_tiny_id: u64::from_be_bytes(last.try_into().ok()?),
                live: u64::from_be_bytes(live.try_into().ok()?),
            })
        });
        decoded.ok_or_else(|| {
            StoreError::damaged(format!("counters have {} bytes; expected 16", bytes.len()))
        })
    }
}

/// The prefix of an account's keys in a tree keyed by account. No id contains 0x00, so no account's
/// prefix is a prefix of another's.
pub(super) fn account_prefix(account: &AccountId) -> Vec<u8> {
    let mut key = Vec::with_capacity(account.as_str().len() + 9);
    key.extend_from_slice(account.as_str().as_bytes());
    key.push(0);
    key
}

/// The account that a key begins with, in a tree whose [`KeyOwner`] is the account.
pub(super) fn account_in_key(key: &[u8]) -> Option<AccountId> {
    let sid = key.split(|byte| *byte == 0).next()?;
    AccountId::parse(std::str::from_utf8(sid).ok()?).ok()
}

/// Key in an index tree.
pub(super) fn index_key(account: &AccountId, tiny_id: u64) -> Vec<u8> {
    let mut key = account_prefix(account);
    key.extend_from_slice(&tiny_id.to_be_bytes());
    key
}

/// The account and tinyId of a key in an index tree.
pub(super) fn split_index_key(key: &[u8]) -> Option<(AccountId, u64)> {
    let (head, tiny_id) = key.split_at_checked(key.len().checked_sub(8)?)?;
    let account = std::str::from_utf8(head.strip_suffix(&[0])?).ok()?;
    Some((
        AccountId::parse(account).ok()?,
        u64::from_be_bytes(tiny_id.try_into().ok()?),
    ))
}

/// Key in `accounts`.
pub(super) fn counters_key(account: &AccountId, collection: &str) -> Vec<u8> {
    let mut key = account_prefix(account);
    key.extend_from_slice(collection.as_bytes());
    key
}

/// Key in `senders_by_account` and `queues`.
pub(super) fn sender_key(account: &AccountId, id: &IntegrationId) -> Vec<u8> {
    let mut key = account_prefix(account);
    key.extend_from_slice(id.as_str().as_bytes());
    key
}

/// The account of a key in `accounts`, if the key belongs to this collection.
pub(super) fn counted_account(key: &[u8], collection: &str) -> Option<AccountId> {
    let (account, name) = std::str::from_utf8(key).ok()?.split_once('\0')?;
    AccountId::parse(account)
        .ok()
        .filter(|_| name == collection)
}

/// The first key after all keys with `prefix`, which must not end in 0xff. Ours end in 0x00.
pub(super) fn prefix_end(prefix: &[u8]) -> Vec<u8> {
    let mut end = prefix.to_vec();
    if let Some(last) = end.last_mut() {
        *last = last.saturating_add(1);
    }
    end
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(text: &str) -> AccountId {
        AccountId::parse(text).unwrap()
    }

    #[test]
    fn index_keys_sort_by_account_and_then_by_number() {
        let keys = [
            index_key(&account("acc_a"), 2),
            index_key(&account("acc_a"), 255),
            index_key(&account("acc_a"), 256),
            index_key(&account("acc_a-"), 1),
            index_key(&account("acc_b"), 0),
        ];
        assert!(keys.is_sorted());
        assert_eq!(split_index_key(&keys[2]), Some((account("acc_a"), 256)));
        assert!(keys[2] < prefix_end(&account_prefix(&account("acc_a"))));
        assert!(keys[3] > prefix_end(&account_prefix(&account("acc_a"))));
    }

    #[test]
    fn counters_survive_their_encoding_and_other_lengths_are_refused() {
        let counters = Counters {
            last_tiny_id: u64::MAX,
            live: 7,
        };
        assert_eq!(Counters::decode(&counters.encode()).unwrap(), counters);
        assert!(Counters::decode(b"short").is_err());
        assert!(Counters::decode(&[0; 17]).is_err());
    }

    #[test]
    fn malformed_index_keys_are_refused() {
        for key in [
            &b""[..],
            b"acc_a",
            b"acc_a\x01\0\0\0\0\0\0\0\x01",
            b"int_a\0\0\0\0\0\0\0\0\x01",
        ] {
            assert_eq!(split_index_key(key), None, "{key:?}");
        }
    }
}
