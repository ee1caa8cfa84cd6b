//! The kinds of objects there are, for whoever goes through all of a store: what each is called,
//! and how a record is read.

use super::{
    collection::{ALERTS, Collection, INTEGRATIONS, LOGS},
    dedup::DedupKey,
    trees::{self, Tree},
};
use crate::domain::{alert::Alert, ids::AccountId, integration::Integration, log::Log, webhook};
use serde::{Serialize, de::DeserializeOwned};

/// One kind.
#[derive(Clone, Copy, Debug)]
pub(super) struct RecordKind {
    pub(super) collection: Collection,
    /// For sentences about one of them.
    pub(super) singular: &'static str,
    read: fn(&[u8]) -> serde_json::Result<RecordMeta>,
}

/// What a record says about itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct RecordMeta {
    pub(super) sid: AccountId,
    pub(super) id: String,
    pub(super) tiny_id: u64,
    /// What leads to it besides its id and number.
    pub(super) secondary_key: Option<SecondaryKey>,
    /// The record as this program writes it.
    pub(super) canonical: Vec<u8>,
}

/// An entry of another tree that leads to an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SecondaryKey {
    pub(super) tree: Tree,
    pub(super) key: Vec<u8>,
}

/// In the order in which they are shown.
pub(super) const RECORD_KINDS: [RecordKind; 3] = [
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
];

/// The kind of a collection's objects.
pub(super) fn record_kind_of(collection: Collection) -> Option<RecordKind> {
    RECORD_KINDS
        .into_iter()
        .find(|kind| kind.collection == collection)
}

impl RecordKind {
    /// Reads a record.
    ///
    /// # Errors
    /// It is none of this kind.
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

/// Reads an integration.
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

fn log(record: &[u8]) -> serde_json::Result<RecordMeta> {
    read(
        record,
        |Log {
             sid, id, tiny_id, ..
         }| (sid, id.into(), tiny_id, None),
    )
}
