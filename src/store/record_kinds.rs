//! The kinds of records, for code that walks a whole store: the name of each kind and how to parse
//! one of its records.

use super::{
    collection::{ALERTS, Collection, INTEGRATIONS, LOGS, TEAMS, USERS},
    dedup::DedupKey,
    trees::{self, Tree},
};
use crate::domain::{
    alert::Alert,
    ids::AccountId,
    integration::Integration,
    log::{self, Log},
    team::Team,
    user_profile::UserProfile,
    webhook,
};
use serde::{Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

/// A kind of record.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordKind {
    pub(super) collection: Collection,
    /// The singular name, for messages.
    pub(super) singular: &'static str,
    read: fn(&[u8]) -> serde_json::Result<RecordMeta>,
}

/// The metadata of one record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordMeta {
    pub(super) sid: AccountId,
    pub(super) id: String,
    pub(super) tiny_id: u64,
    /// The entry of another tree that points to the record, besides id and tinyId.
    pub(super) secondary_key: Option<SecondaryKey>,
    /// The record as this version serializes it.
    pub(super) canonical: Vec<u8>,
}

/// An entry of another tree that points to a record.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SecondaryKey {
    pub(super) tree: Tree,
    pub(super) key: Vec<u8>,
}

/// All kinds, in the order of reports and exports.
pub(super) const RECORD_KINDS: [RecordKind; 5] = [
    RecordKind {
        collection: INTEGRATIONS,
        singular: "integration",
        read: integration,
    },
    RecordKind {
        collection: ALERTS,
        singular: "alert",
        read: alert,
    },
    RecordKind {
        collection: LOGS,
        singular: "log",
        read: log,
    },
    RecordKind {
        collection: USERS,
        singular: "user",
        read: user,
    },
    RecordKind {
        collection: TEAMS,
        singular: "team",
        read: team,
    },
];

pub(super) fn record_kind_of(collection: Collection) -> Option<RecordKind> {
    RECORD_KINDS
        .into_iter()
        .find(|kind| kind.collection == collection)
}

impl RecordKind {
    /// Parses a record.
    ///
    /// # Errors
    /// It is not a record of this kind.
    pub(super) fn read(self, record: &[u8]) -> serde_json::Result<RecordMeta> {
        (self.read)(record)
    }
}

fn read<T: Serialize + DeserializeOwned>(
    record: &[u8],
    meta: impl FnOnce(T) -> (AccountId, String, u64, Option<SecondaryKey>),
) -> serde_json::Result<RecordMeta> {
    let object: T = serde_json::from_slice(record)?;
    let canonical = serde_json::to_vec(&object)?;
    let (sid, id, tiny_id, secondary_key) = meta(object);
    Ok(RecordMeta {
        sid,
        id,
        tiny_id,
        secondary_key,
        canonical,
    })
}

pub(super) fn integration(record: &[u8]) -> serde_json::Result<RecordMeta> {
    read(
        record,
        |Integration {
             sid,
             id,
             tiny_id,
             integration_type,
             ..
         }| {
            let sends = integration_type.as_str() == webhook::TYPE;
            let secondary_key = sends.then(|| SecondaryKey {
                tree: Tree::SendersByAccount,
                key: trees::sender_key(&sid, &id),
            });
            (sid, id.into(), tiny_id, secondary_key)
        },
    )
}

fn alert(record: &[u8]) -> serde_json::Result<RecordMeta> {
    read(
        record,
        |Alert {
             sid,
             id,
             tiny_id,
             source_id,
             thirdparty_id,
             ..
         }| {
            let subject = source_id
                .zip(thirdparty_id)
                .map(|(source, thirdparty)| DedupKey::new(&sid, &source, &thirdparty));
            let secondary_key = subject.map(|subject| SecondaryKey {
                tree: Tree::AlertsByThirdparty,
                key: subject.key().to_vec(),
            });
            (sid, id.into(), tiny_id, secondary_key)
        },
    )
}

fn user(record: &[u8]) -> serde_json::Result<RecordMeta> {
    read(
        record,
        |UserProfile {
             sid, id, tiny_id, ..
         }| (sid, id.into(), tiny_id, None),
    )
}

fn team(record: &[u8]) -> serde_json::Result<RecordMeta> {
    read(
        record,
        |Team {
             sid, id, tiny_id, ..
         }| (sid, id.into(), tiny_id, None),
    )
}

/// Accepts the earlier form too, so that a store can be read before its migration. Its canonical
/// form stays the earlier one.
fn log(record: &[u8]) -> serde_json::Result<RecordMeta> {
    let present = read_log(record);
    if present.is_ok() {
        return present;
    }

    let Ok(attributes) = serde_json::from_slice::<Map<String, Value>>(record) else {
        return present;
    };
    if !log::is_earlier_form(&attributes) {
        return present;
    }

    let canonical = serde_json::to_vec(&attributes)?;
    let upgraded = serde_json::to_vec(&log::upgrade(attributes))?;
    Ok(RecordMeta {
        canonical,
        ..read_log(&upgraded)?
    })
}

fn read_log(record: &[u8]) -> serde_json::Result<RecordMeta> {
    read(
        record,
        |Log {
             sid, id, tiny_id, ..
         }| (sid, id.into(), tiny_id, None),
    )
}

/// A log of the earlier form in the present one. `None` if it has the present one, or cannot be
/// read.
pub(super) fn upgraded_log(record: &[u8]) -> Option<Vec<u8>> {
    let attributes: Map<String, Value> = serde_json::from_slice(record).ok()?;
    if !log::is_earlier_form(&attributes) {
        return None;
    }
    let upgraded = serde_json::to_vec(&log::upgrade(attributes)).ok()?;
    read_log(&upgraded).ok().map(|meta| meta.canonical)
}
