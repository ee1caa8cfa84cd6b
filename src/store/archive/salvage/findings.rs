//! The records found in a damaged store, each object once. The engine's version wins over a carved
//! one, then the newest.

use super::super::format::AccountLine;
use crate::{
    domain::{ids::AccountId, timestamp::Timestamp},
    store::{
        Collection, Stored,
        record_kinds::{RECORD_KINDS, RecordKind, RecordMeta},
        trees::{self, Counters},
    },
};
use serde::Deserialize;
use std::collections::{BTreeMap, BTreeSet, HashMap};

/// Where a record was found, in ascending order of certainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Origin {
    /// Carved from a file. It may be outdated or deleted.
    File,
    /// Read through the engine, with a valid checksum.
    Engine,
}

/// Certainty first, then age.
type Rank = (Origin, Timestamp);

#[derive(Debug)]
struct Candidate {
    rank: Rank,
    record: Stored,
}

/// An object's position in an export: kind, account and tinyId.
type ExportPosition = (usize, AccountId, u64);

/// Everything that was found, in memory because an export is sorted.
#[derive(Debug, Default)]
pub(super) struct Findings {
    objects: BTreeMap<ExportPosition, Candidate>,
    positions: HashMap<String, ExportPosition>,
    counters: BTreeMap<(AccountId, &'static str), Counters>,
    /// Ids of objects that lost their tinyId to another.
    left_out: BTreeSet<String>,
}

#[derive(Deserialize)]
struct Revision {
    #[serde(rename = "updatedAt")]
    updated_at: Timestamp,
}

impl Findings {
    /// Adds counters; `false` if the key is malformed.
    pub(super) fn add_counters(&mut self, key: &[u8], counters: Counters) -> bool {
        let known = RECORD_KINDS
            .into_iter()
            .find_map(|RecordKind { collection, .. }| {
                Some((
                    trees::counted_account(key, collection.name)?,
                    collection.name,
                ))
            });
        known.is_some_and(|known| {
            self.counters.insert(known, counters);
            true
        })
    }

    /// Adds a record; `false` if it is not one.
    pub(super) fn add(&mut self, record: &[u8], origin: Origin) -> bool {
        let read = RECORD_KINDS
            .into_iter()
            .enumerate()
            .find_map(|(order, kind)| Some((order, kind.read(record).ok()?)));
        let Some((order, meta)) = read else {
            return false;
        };

        let Ok(Revision { updated_at }) = serde_json::from_slice(record) else {
            return false;
        };

        let RecordMeta {
            sid,
            id,
            tiny_id,
            canonical,
            ..
        } = meta;

        if canonical != record || tiny_id == 0 {
            return false;
        }

        let (position, rank) = ((order, sid, tiny_id), (origin, updated_at));
        if let Some(known) = self
            .positions
            .get(&id)
            .filter(|known| **known != position)
            .cloned()
        {
            // The same id under two tinyIds: only one can be right.
            if self
                .objects
                .get(&known)
                .is_some_and(|found| found.rank >= rank)
            {
                return true;
            }
            self.objects.remove(&known);
            self.positions.remove(&id);
        }

        match self
            .objects
            .get(&position)
            .map(|found| (found.rank, record_id(&found.record)))
        {
            Some((known, other)) if other != id => {
                // Two ids with the same tinyId.
                if known >= rank {
                    self.left_out.insert(id);
                    return true;
                }
                self.positions.remove(&other);
                self.left_out.insert(other);
            }
            Some((known, _)) if known >= rank => return true,
            _ => {}
        }

        self.left_out.remove(&id);
        self.positions.insert(id, position.clone());
        self.objects.insert(
            position,
            Candidate {
                rank,
                record: record.to_vec().into(),
            },
        );

        true
    }

    /// The number of objects.
    pub(super) fn len(&self) -> usize {
        self.objects.len()
    }

    /// Warnings where counters and objects disagree.
    pub(super) fn count_mismatches(&self) -> Vec<String> {
        let mut live: BTreeMap<(&AccountId, &str), u64> = BTreeMap::new();
        for (order, account, _) in self.objects.keys() {
            let name = RECORD_KINDS
                .get(*order)
                .map_or("", |kind| kind.collection.name);
            let count = live.entry((account, name)).or_default();
            *count = count.saturating_add(1);
        }

        let mut warnings = Vec::new();
        for ((account, name), counters) in &self.counters {
            let found = live.remove(&(account, *name)).unwrap_or_default();
            if found != counters.live {
                warnings.push(format!(
                    "account '{account}': the counters show {} {name}, but {found} can be read",
                    counters.live
                ));
            }
        }

        warnings.extend(
            live.into_keys()
                .map(|(account, name)| format!("account '{account}': no counters for its {name}")),
        );

        warnings
    }

    /// Warnings about what carving found.
    pub(super) fn warnings(&self, shown: usize, torn: u64) -> Vec<String> {
        let from_files = self
            .objects
            .values()
            .filter(|found| found.rank.0 == Origin::File)
            .count();
        let mut warnings = vec![format!("{shown} objects were read intact")];

        if from_files > 0 {
            warnings.push(format!(
                "{from_files} objects were recovered from raw files; some may be deleted or outdated"
            ));
        }

        if torn > 0 {
            warnings.push(format!("{torn} torn objects were skipped"));
        }

        if !self.left_out.is_empty() {
            let ids: Vec<_> = self.left_out.iter().map(String::as_str).collect();
            warnings.push(format!(
                "left out because another object has the same tinyId: {}",
                ids.join(", ")
            ));
        }

        warnings
    }

    /// The last tinyId of each account, so that no number is assigned twice.
    pub(super) fn accounts(&self) -> Vec<AccountLine> {
        let mut last: BTreeMap<(AccountId, &'static str), u64> = self
            .counters
            .iter()
            .map(|(key, counters)| (key.clone(), counters.last_tiny_id))
            .collect();

        for (order, account, tiny_id) in self.objects.keys() {
            let Some(kind) = RECORD_KINDS.get(*order) else {
                continue;
            };
            let known = last
                .entry((account.clone(), kind.collection.name))
                .or_default();
            *known = (*known).max(*tiny_id);
        }

        let lines = last.into_iter().filter_map(|((sid, name), last_tiny_id)| {
            let collection = RECORD_KINDS
                .into_iter()
                .find(|kind| kind.collection.name == name)?
                .collection;
            Some(AccountLine {
                sid,
                collection,
                last_tiny_id,
            })
        });

        lines.collect()
    }

    /// All objects in export order.
    pub(super) fn sorted(&self) -> impl Iterator<Item = (Collection, &Stored)> {
        let named = self
            .objects
            .iter()
            .map(|((order, ..), found)| (RECORD_KINDS.get(*order), &found.record));
        named.filter_map(|(kind, record)| Some((kind?.collection, record)))
    }
}

fn record_id(record: &Stored) -> String {
    let read = RECORD_KINDS
        .into_iter()
        .find_map(|kind| kind.read(record.as_ref()).ok());
    read.map(|meta| meta.id).unwrap_or_default()
}
