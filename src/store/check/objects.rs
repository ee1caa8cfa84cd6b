//! Verifies that the records of one kind, their index and their counters agree.

use super::{CheckFinding, display_key};
use crate::{
    domain::ids::AccountId,
    store::{
        StoreError,
        archive::Progress,
        dedup,
        entries::Stored,
        local::{Engine, schema},
        record_kinds::{RecordKind, RecordMeta, SecondaryKey},
        trees::{self, Counters, Tree},
    },
};
use std::{collections::BTreeMap, ops::Bound};

/// What the records say about an account.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct ObjectCount {
    live: u64,
    highest: u64,
}

/// The state of checking one kind.
pub(super) struct Objects<'a> {
    engine: &'a Engine,
    kind: RecordKind,
    progress: &'a Progress,
    /// Whether the schema has `senders_by_account`.
    has_sender_index: bool,
    pub(super) counts: BTreeMap<AccountId, ObjectCount>,
    pub(super) live: u64,
    pub(super) findings: Vec<CheckFinding>,
}

impl<'a> Objects<'a> {
    pub(super) fn check(
        engine: &'a Engine,
        kind: RecordKind,
        progress: &'a Progress,
    ) -> Result<Self, StoreError> {
        let has_sender_index = schema::version(engine)?.is_some_and(|found| found >= 2);
        let mut objects = Self {
            engine,
            kind,
            progress,
            has_sender_index,
            counts: BTreeMap::new(),
            live: 0,
            findings: Vec::new(),
        };

        objects.check_records()?;
        objects.check_index()?;
        Ok(objects)
    }

    fn report_finding(&mut self, what: String) {
        self.findings.push(CheckFinding(what));
    }

    fn entries(
        &self,
        tree: Tree,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Stored), StoreError>> + use<> {
        self.engine
            .range(tree, (Bound::Unbounded, Bound::Unbounded))
    }

    fn check_records(&mut self) -> Result<(), StoreError> {
        for entry in self.entries(self.kind.collection.records) {
            let (key, stored) = entry?;
            self.live = self.live.saturating_add(1);
            self.progress.count(1);
            self.check_record(&String::from_utf8_lossy(&key), &stored)?;
        }
        Ok(())
    }

    fn check_record(&mut self, id: &str, stored: &Stored) -> Result<(), StoreError> {
        let kind = self.kind.singular;
        let RecordMeta {
            sid,
            id: own,
            tiny_id,
            canonical,
            secondary_key,
        } = match self.kind.read(stored.as_ref()) {
            Ok(meta) => meta,
            Err(error) => {
                self.report_finding(format!("{kind} '{id}' cannot be parsed: {error}"));
                return Ok(());
            }
        };

        if own != id {
            self.report_finding(format!("{kind} '{id}' contains the id '{own}'"));
        }

        if canonical != stored.as_ref() {
            self.report_finding(format!("{kind} '{id}' is not in canonical form"));
        }

        match self
            .engine
            .get(self.kind.collection.index, &trees::index_key(&sid, tiny_id))?
        {
            Some(named) if named.as_ref() == id.as_bytes() => {}
            Some(named) => {
                let named = String::from_utf8_lossy(named.as_ref()).into_owned();
                self.report_finding(format!(
                    "tinyId {tiny_id} of account '{sid}' belongs to '{id}', but the index points to '{named}'"
                ));
            }
            None => self.report_finding(format!(
                "{kind} '{id}' is missing from the index of account '{sid}'"
            )),
        }

        // Only webhook integrations must have an entry: of the alerts with one key only the latest
        // has one, and none if that was deleted.
        if let Some(SecondaryKey {
            tree: Tree::SendersByAccount,
            key,
        }) = secondary_key
            && self.has_sender_index
            && self.engine.get(Tree::SendersByAccount, &key)?.is_none()
        {
            self.report_finding(format!(
                "{kind} '{id}' is missing from the webhook integrations of account '{sid}'"
            ));
        }

        let count = self.counts.entry(sid).or_default();
        count.live = count.live.saturating_add(1);
        count.highest = count.highest.max(tiny_id);

        Ok(())
    }

    fn check_index(&mut self) -> Result<(), StoreError> {
        for entry in self.entries(self.kind.collection.index) {
            let (key, id) = entry?;
            self.progress.count(1);
            let Some((account, tiny_id)) = trees::split_index_key(&key) else {
                self.report_finding(format!(
                    "the index has a malformed key: {:?}",
                    String::from_utf8_lossy(&key)
                ));
                continue;
            };

            let shown = String::from_utf8_lossy(id.as_ref()).into_owned();
            let Some(stored) = self.engine.get(self.kind.collection.records, id.as_ref())? else {
                self.report_finding(format!(
                    "the index of account '{account}' points from {tiny_id} to '{shown}', which does not exist"
                ));
                continue;
            };

            // An unreadable record was reported already.
            let Ok(meta) = self.kind.read(stored.as_ref()) else {
                continue;
            };

            if (&meta.sid, meta.tiny_id) != (&account, tiny_id) {
                self.report_finding(format!(
                    "the index of account '{account}' points from {tiny_id} to '{shown}', which is {} of '{}'",
                    meta.tiny_id, meta.sid
                ));
            }
        }

        Ok(())
    }

    /// Compares an account's counters with its records.
    pub(super) fn check_counters(
        &mut self,
        account: &AccountId,
        counters: Result<Counters, StoreError>,
    ) {
        let ObjectCount { live, highest } = self.counts.get(account).copied().unwrap_or_default();
        let counters = match counters {
            Ok(counters) => counters,
            Err(error) => return self.report_finding(format!("account '{account}': {error}")),
        };

        if counters.live != live {
            let objects = self.kind.collection.name;
            self.report_finding(format!(
                "account '{account}': the counters show {} {objects}, but {live} exist",
                counters.live
            ));
        }

        if counters.last_tiny_id < highest {
            self.report_finding(format!(
                "account '{account}': the last tinyId is {}, but {highest} exists",
                counters.last_tiny_id
            ));
        }
    }

    /// Reports accounts that have objects but no counters.
    pub(super) fn report_uncounted(&mut self, is_counted: impl Fn(&AccountId) -> bool) {
        let objects = self.kind.collection.name;
        let uncounted: Vec<_> = self
            .counts
            .keys()
            .filter(|account| !is_counted(account))
            .cloned()
            .collect();
        for account in uncounted {
            self.report_finding(format!("account '{account}' has {objects} but no counters"));
        }
    }

    /// Reports entries of a secondary-key tree that point to the wrong record or to none.
    pub(super) fn check_secondary_keys(
        &mut self,
        tree: Tree,
        id_of: impl Fn(&[u8], &Stored) -> String,
    ) -> Result<(), StoreError> {
        for entry in self.entries(tree) {
            let (key, value) = entry?;
            let id = id_of(&key, &value);
            let record = self
                .engine
                .get(self.kind.collection.records, id.as_bytes())?;
            let meta = record.and_then(|record| self.kind.read(record.as_ref()).ok());

            let is_thread = tree == Tree::AlertsByThirdparty && dedup::is_about_threads(&key);
            let matches = match meta {
                // Which messages an alert refers to is not in its record.
                Some(meta) if is_thread => key.starts_with(&trees::account_prefix(&meta.sid)),
                Some(meta) => {
                    meta.secondary_key
                        == Some(SecondaryKey {
                            tree,
                            key: key.clone(),
                        })
                }
                None => false,
            };
            if !matches {
                let account = display_key(&key)
                    .split_once(' ')
                    .map(|(account, _)| account.to_owned())
                    .unwrap_or_default();
                let tree = tree.name();
                self.report_finding(format!(
                    "'{tree}' of account '{account}' points to '{id}', which does not match"
                ));
            }
        }

        Ok(())
    }
}
