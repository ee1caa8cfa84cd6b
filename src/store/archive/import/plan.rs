//! What an export would add to a store, and everything that is wrong with it.

use super::{
    super::{
        ArchiveError, Progress,
        format::{self, AccountLine, Line, ObjectLine},
    },
    read_old,
    source::{ObjectPosition, Source, SourceLine},
};
use crate::{
    domain::ids::AccountId,
    store::{
        Collection, StoreError,
        local::Engine,
        record_kinds::SecondaryKey,
        trees::{self, Counters, Tree},
    },
};
use std::{
    collections::{BTreeMap, HashMap, hash_map},
    fmt,
    sync::Arc,
};

/// A problem with one line.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ImportIssue {
    line: u64,
    sentence: String,
}

impl fmt::Display for ImportIssue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}: {}", self.line, self.sentence)
    }
}

/// An object of the file. There may be millions.
pub(super) struct Object {
    pub(super) collection: Collection,
    /// The entry of another tree that points to it.
    pub(super) secondary_key: Option<SecondaryKey>,
    pub(super) account: Arc<AccountId>,
    pub(super) id: Box<str>,
    pub(super) tiny_id: u64,
    pub(super) line: u64,
    pub(super) position: ObjectPosition,
}

/// An account line.
pub(super) struct ImportedAccount {
    pub(super) sid: Arc<AccountId>,
    pub(super) line: u64,
    pub(super) last_tiny_id: u64,
    pub(super) objects: u64,
    /// The counters in the store.
    pub(super) old: Counters,
}

/// The validated contents of the file. Accounts are keyed and ordered as in the store.
#[derive(Default)]
pub(super) struct Plan {
    pub(super) accounts: BTreeMap<Vec<u8>, ImportedAccount>,
    pub(super) objects: Vec<Object>,
    pub(super) order: ImportOrder,
    /// The first line is not that of an export, so the other lines are ignored.
    pub(super) is_not_an_export: bool,
    pub(super) issues: Vec<ImportIssue>,
}

/// The order of the objects.
#[derive(Clone, Copy, Default, PartialEq, Eq)]
pub(super) enum ImportOrder {
    #[default]
    File,
    Numbers,
    Ids,
}

impl Plan {
    /// Validates the file by itself.
    pub(super) fn read(source: &Source, progress: &Progress) -> Result<Self, ArchiveError> {
        let mut plan = Self::default();
        progress.begin("checking", source.length());
        let mut lines = 0;

        source.for_each_line(|line| {
            lines = line.number;
            plan.line(&line);
            Ok(progress.advance(
                u64::try_from(line.bytes.len())
                    .unwrap_or_default()
                    .saturating_add(1),
            )?)
        })?;

        if lines == 0 {
            plan.issue(1, "the file is empty".into());
        }

        plan.find_duplicates();
        progress.end();
        Ok(plan)
    }

    /// Validates an export that is in memory.
    pub(super) fn read_text(text: &[u8]) -> Self {
        let mut plan = Self::default();
        let mut offset = 0_u64;
        let lines = text.split_inclusive(|byte| *byte == b'\n');
        for (number, line) in (1_u64..).zip(lines) {
            plan.line(&SourceLine {
                number,
                offset,
                bytes: line.strip_suffix(b"\n").unwrap_or(line).to_vec(),
                is_too_long: false,
            });
            offset = offset.saturating_add(u64::try_from(line.len()).unwrap_or(u64::MAX));
        }

        if text.is_empty() {
            plan.issue(1, "the export is empty".into());
        }

        plan.find_duplicates();
        plan
    }

    fn issue(&mut self, line: u64, sentence: String) {
        self.issues.push(ImportIssue { line, sentence });
    }

    fn line(&mut self, raw: &SourceLine) {
        if raw.is_too_long {
            return self.issue(
                raw.number,
                "longer than any exported line; the rest of the file was not read".into(),
            );
        }

        if raw.number == 1 {
            if let Err(sentence) = format::read_header(&raw.bytes) {
                self.is_not_an_export = true;
                self.issue(1, sentence);
            }
            return;
        }

        if self.is_not_an_export {
            return;
        }

        if raw.bytes.trim_ascii().is_empty() {
            return self.issue(
                raw.number,
                "the line is empty; every line of an export holds an account or an object".into(),
            );
        }

        match format::read(&raw.bytes) {
            Ok(Line::Account(line)) => self.account(raw.number, line),
            Ok(Line::Object(object)) => self.object(raw, &object),
            Err(sentences) => sentences
                .into_iter()
                .for_each(|sentence| self.issue(raw.number, sentence)),
        }
    }

    fn account(
        &mut self,
        line: u64,
        AccountLine {
            sid,
            collection,
            last_tiny_id,
        }: AccountLine,
    ) {
        let key = trees::counters_key(&sid, collection.name);
        if let Some(first) = self.accounts.get(&key).map(|account| account.line) {
            return self.issue(
                line,
                format!(
                    "a second account line for the {} of account '{sid}'; the first is line {first}",
                    collection.name
                ),
            );
        }

        let account = ImportedAccount {
            sid: Arc::new(sid),
            line,
            last_tiny_id,
            objects: 0,
            old: Counters::default(),
        };

        self.accounts.insert(key, account);
    }

    fn object(&mut self, raw: &SourceLine, object: &ObjectLine) {
        let (meta, name) = (&object.meta, object.collection.name);
        let key = trees::counters_key(&meta.sid, name);
        let Some(account) = self.accounts.get_mut(&key) else {
            let sid = &meta.sid;
            return self.issue(
                raw.number,
                format!("no account line for the {name} of account '{sid}' precedes it"),
            );
        };

        account.objects = account.objects.saturating_add(1);
        let (last, counted) = (account.last_tiny_id, account.line);
        self.objects.push(Object {
            collection: object.collection,
            secondary_key: meta.secondary_key.clone(),
            account: Arc::clone(&account.sid),
            id: meta.id.as_str().into(),
            tiny_id: meta.tiny_id,
            line: raw.number,
            position: ObjectPosition {
                offset: raw.offset,
                length: raw.bytes.len(),
                is_verbatim: object.is_verbatim,
            },
        });

        if meta.tiny_id > last {
            let number = meta.tiny_id;
            self.issue(
                raw.number,
                format!(
                    "'tinyId' {number} is greater than the 'lastTinyId' {last} in line {counted}"
                ),
            );
        }
    }

    /// Reports ids and tinyIds that occur twice in the file.
    fn find_duplicates(&mut self) {
        let mut issues = Vec::new();
        let (mut ids, mut numbers) = (HashMap::new(), HashMap::new());
        for object in &self.objects {
            let Object {
                collection,
                account,
                id,
                tiny_id,
                line,
                ..
            } = object;

            if let Some(first) = first_use(&mut ids, &**id, *line) {
                issues.push(ImportIssue {
                    line: *line,
                    sentence: format!("duplicate id '{id}'; first used in line {first}"),
                });
            }

            if let Some(first) =
                first_use(&mut numbers, (collection.name, &**account, *tiny_id), *line)
            {
                let sentence = format!(
                    "duplicate 'tinyId' {tiny_id} in account '{account}'; first used in line {first}"
                );
                issues.push(ImportIssue {
                    line: *line,
                    sentence,
                });
            }
        }

        self.issues.append(&mut issues);
    }

    /// Reports conflicts with the store.
    pub(super) fn compare(&mut self, old: Option<&Engine>) -> Result<(), StoreError> {
        for (key, account) in &mut self.accounts {
            if let Some(counters) = read_old(old, Tree::Accounts, key)? {
                account.old = Counters::decode(counters.as_ref())?;
            }
        }

        for Object {
            collection,
            account,
            id,
            tiny_id,
            line,
            ..
        } in &self.objects
        {
            if read_old(old, collection.records, id.as_bytes())?.is_some() {
                let sentence = format!("the id '{id}' already exists in the store");
                self.issues.push(ImportIssue {
                    line: *line,
                    sentence,
                });
            }

            if read_old(old, collection.index, &trees::index_key(account, *tiny_id))?.is_some() {
                let sentence = format!(
                    "'tinyId' {tiny_id} of account '{account}' already exists in the store"
                );
                self.issues.push(ImportIssue {
                    line: *line,
                    sentence,
                });
            }
        }

        Ok(())
    }

    /// All problems, in line order.
    pub(super) fn issues(mut self) -> Vec<ImportIssue> {
        self.issues.sort();
        self.issues
    }

    pub(super) fn objects(&self) -> u64 {
        u64::try_from(self.objects.len()).unwrap_or(u64::MAX)
    }
}

/// Records the line where a key occurs; returns the line of an earlier occurrence.
fn first_use<K: std::hash::Hash + Eq>(
    seen: &mut HashMap<K, u64>,
    key: K,
    line: u64,
) -> Option<u64> {
    match seen.entry(key) {
        hash_map::Entry::Occupied(first) => Some(*first.get()),
        hash_map::Entry::Vacant(vacant) => {
            vacant.insert(line);
            None
        }
    }
}
