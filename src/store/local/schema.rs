//! The version of a store's schema, and the migration of an earlier one to the present when a store
//! is opened for writing.
//!
//! | version | what is new |
//! |---|---|
//! | 2 | trees for alerts, logs and the outbox; `senders_by_account` |
//! | 3 | logs have PagerTree's attributes; trees for users and teams |
//!
//! Opening has created the new trees. Every step can be repeated, and the version is written last,
//! so a migration that was interrupted starts again.

use super::Engine;
use crate::store::{
    StoreError,
    entries::Changes,
    record_kinds::{self, SecondaryKey},
    trees::{self, SCHEMA_VERSION, Tree},
};
use std::ops::Bound;

/// Logs that are rewritten in one transaction, which bounds its memory.
const BATCH_SIZE: usize = 256;

/// The schema version. `None` for a store in which nothing was ever written.
pub(in crate::store) fn version(engine: &Engine) -> Result<Option<u32>, StoreError> {
    let Some(found) = engine.get(Tree::Meta, trees::SCHEMA)? else {
        return match Tree::ALL.into_iter().find(|tree| !is_empty(engine, *tree)) {
            None => Ok(None),
            Some(tree) => Err(StoreError::damaged(format!(
                "no schema version, although '{}' is not empty",
                tree.name()
            ))),
        };
    };

    let version = std::str::from_utf8(found.as_ref())
        .ok()
        .and_then(|text| text.parse().ok());

    version
        .map(Some)
        .ok_or_else(|| StoreError::damaged("the schema version is not a number"))
}

fn is_empty(engine: &Engine, tree: Tree) -> bool {
    engine
        .range(tree, (Bound::Unbounded, Bound::Unbounded))
        .next()
        .is_none()
}

/// Migrates a store to the present schema.
pub(in crate::store) fn migrate(engine: &Engine) -> Result<(), StoreError> {
    let Some(found) = version(engine)?.filter(|found| *found < SCHEMA_VERSION) else {
        return Ok(());
    };

    if found < 2 {
        engine.apply(&senders(engine)?)?;
    }
    if found < 3 {
        upgrade_logs(engine)?;
    }

    // Last: a store with this version has everything above.
    let mut changes = Changes::default();
    let version = SCHEMA_VERSION.to_string().into_bytes();
    changes.insert(Tree::Meta, trees::SCHEMA.to_vec(), Some(version.into()));
    engine.apply(&changes)?;
    engine.sync()
}

/// The entries of `senders_by_account`. `check` reports records that cannot be parsed.
fn senders(engine: &Engine) -> Result<Changes, StoreError> {
    let mut changes = Changes::default();
    for entry in engine.range(Tree::Integrations, (Bound::Unbounded, Bound::Unbounded)) {
        let (_, record) = entry?;
        let meta = record_kinds::integration(record.as_ref()).ok();
        if let Some(SecondaryKey { tree, key }) = meta.and_then(|meta| meta.secondary_key) {
            changes.insert(tree, key, Some(Vec::new().into()));
        }
    }
    Ok(changes)
}

fn upgrade_logs(engine: &Engine) -> Result<(), StoreError> {
    let mut changes = Changes::default();
    let mut waiting = 0_usize;
    for entry in engine.range(Tree::Logs, (Bound::Unbounded, Bound::Unbounded)) {
        let (id, record) = entry?;
        let Some(upgraded) = record_kinds::upgraded_log(record.as_ref()) else {
            continue;
        };

        changes.insert(Tree::Logs, id, Some(upgraded.into()));
        waiting = waiting.saturating_add(1);
        if waiting == BATCH_SIZE {
            engine.apply(&std::mem::take(&mut changes))?;
            waiting = 0;
        }
    }

    engine.apply(&changes)
}
