//! Verifies that the records, indexes and counters of a stopped store agree.

mod objects;

use super::{
    OpenError, StoreError,
    archive::{
        ArchiveError, Progress, ReadableStore, count_live, entries_for_objects, offline_options,
    },
    collection::{ALERTS, INTEGRATIONS},
    entries::Stored,
    idempotency::{self, IdempotencyRecord},
    local::open,
    local::{Engine, MissingTree},
    outbox::{self, Outbox},
    record_kinds::RECORD_KINDS,
    trees::{self, Counters, Tree},
};
use crate::domain::{ids::AccountId, webhook::OutboxMessage};
use objects::Objects;
use std::{collections::BTreeSet, fmt, ops::Bound, path::Path};

/// An inconsistency, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct CheckFinding(String);

impl fmt::Display for CheckFinding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The result of [`check`].
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CheckReport {
    /// Number of objects by collection.
    pub objects: Vec<(&'static str, u64)>,
    /// Number of accounts that have or had objects.
    pub accounts: u64,
    /// All inconsistencies, sorted; empty for a sound store.
    pub findings: Vec<CheckFinding>,
}

/// Reads a whole stopped store. Changes no data and does not migrate it, though the engine may
/// modify its files.
///
/// # Errors
/// The store cannot be opened or read.
pub fn check(
    folder: &Path,
    cache_bytes: u64,
    progress: &Progress,
) -> Result<CheckReport, ArchiveError> {
    if !folder.join("db").is_file() {
        return Err(OpenError::NotFound(folder.to_owned()).into());
    }

    let readable = ReadableStore::open(folder, progress)?;
    let options = offline_options(cache_bytes, None);
    let checked = open::catch_engine_panic(folder, {
        let (folder, progress) = (readable.folder(), progress.clone());
        move || {
            let engine =
                open::open_without_migration(&folder, &options, MissingTree::TreatAsEmpty)?;
            run(&engine, &progress).map_err(|error| OpenError::Damaged {
                folder: folder.clone(),
                cause: error.to_string(),
            })
        }
    });

    checked.map_err(|error| readable.attribute_error(error).into())
}

struct Checker<'a> {
    engine: &'a Engine,
    progress: &'a Progress,
    report: CheckReport,
}

fn run(engine: &Engine, progress: &Progress) -> Result<CheckReport, StoreError> {
    let mut checker = Checker {
        engine,
        progress,
        report: CheckReport::default(),
    };

    progress.begin(
        "checking",
        entries_for_objects(count_live(checker.entries(Tree::Accounts))),
    );
    checker.meta()?;
    checker.objects()?;
    checker.idempotency_records()?;
    checker.outboxes()?;
    progress.end();
    let mut report = checker.report;
    report.findings.sort();

    Ok(report)
}

impl Checker<'_> {
    fn report_finding(&mut self, what: String) {
        self.report.findings.push(CheckFinding(what));
    }

    fn entries(
        &self,
        tree: Tree,
    ) -> impl Iterator<Item = Result<(Vec<u8>, Stored), StoreError>> + use<> {
        self.engine
            .range(tree, (Bound::Unbounded, Bound::Unbounded))
    }

    fn meta(&mut self) -> Result<(), StoreError> {
        if self
            .engine
            .get(Tree::Meta, trees::TOKEN_SECRET)?
            .is_none_or(|secret| secret.as_ref().is_empty())
        {
            self.report_finding("the token secret is missing".into());
        }
        for tree in self.engine.unknown_trees() {
            self.report_finding(format!("unknown tree '{tree}'"));
        }
        Ok(())
    }

    fn objects(&mut self) -> Result<(), StoreError> {
        let mut all = Vec::new();
        for kind in RECORD_KINDS {
            all.push((kind, Objects::check(self.engine, kind, self.progress)?));
        }

        let mut counted = BTreeSet::new();
        for entry in self.entries(Tree::Accounts) {
            let (key, stored) = entry?;
            let shown = display_key(&key);
            let known = shown.split_once(' ').and_then(|(account, name)| {
                let position = all
                    .iter()
                    .position(|(kind, _)| kind.collection.name == name)?;
                Some((AccountId::parse(account).ok()?, all.get_mut(position)?))
            });

            match known {
                Some((account, (kind, objects))) => {
                    objects.check_counters(&account, Counters::decode(stored.as_ref()));
                    counted.insert((kind.collection.name, account));
                }
                None => self.report_finding(format!("counters under a malformed key: '{shown}'")),
            }
        }

        let mut accounts: BTreeSet<AccountId> =
            counted.iter().map(|(_, account)| account.clone()).collect();
        for (kind, mut objects) in all {
            objects.report_uncounted(|account| {
                counted.contains(&(kind.collection.name, account.clone()))
            });
            if kind.collection == ALERTS {
                objects.check_secondary_keys(Tree::AlertsByThirdparty, |_, id| {
                    String::from_utf8_lossy(id.as_ref()).into_owned()
                })?;
            }

            if kind.collection == INTEGRATIONS {
                objects.check_secondary_keys(Tree::SendersByAccount, |key, _| {
                    let id = key
                        .iter()
                        .position(|byte| *byte == 0)
                        .and_then(|end| key.get(end.saturating_add(1)..));
                    String::from_utf8_lossy(id.unwrap_or_default()).into_owned()
                })?;
            }

            accounts.extend(objects.counts.into_keys());
            self.report
                .objects
                .push((kind.collection.name, objects.live));
            self.report.findings.append(&mut objects.findings);
        }

        self.report.accounts = accounts.len().try_into().unwrap_or(u64::MAX);
        Ok(())
    }

    /// Outboxes have no gaps, and every message belongs to one.
    fn outboxes(&mut self) -> Result<(), StoreError> {
        for entry in self.entries(Tree::Queues) {
            let (key, value) = entry?;
            match Outbox::decode(&key, value.as_ref()) {
                Ok(queue) => {
                    if let Some(number) = self.first_gap(&queue)? {
                        let integration = queue.integration;
                        self.report_finding(format!(
                            "message {number} in the outbox of '{integration}' does not exist"
                        ));
                    }
                }
                Err(error) => self.report_finding(format!(
                    "the outbox of '{}' cannot be decoded: {error}",
                    display_key(&key)
                )),
            }
        }

        for entry in self.entries(Tree::Deliveries) {
            let (key, content) = entry?;
            let Some((account, integration, number)) = outbox::split_delivery_key(&key) else {
                self.report_finding(format!(
                    "outbox message with a malformed key: '{}'",
                    display_key(&key)
                ));
                continue;
            };

            let name = trees::sender_key(&account, &integration);
            let queue = self.engine.get(Tree::Queues, &name)?;
            let queue = queue.and_then(|value| Outbox::decode(&name, value.as_ref()).ok());

            if !queue.is_some_and(|queue| queue.numbers().contains(&number)) {
                self.report_finding(format!(
                    "message {number} of '{integration}' belongs to no outbox"
                ));
            }

            if let Err(error) = serde_json::from_slice::<OutboxMessage>(content.as_ref()) {
                self.report_finding(format!(
                    "message {number} in the outbox of '{integration}' cannot be decoded: {error}"
                ));
            }
        }

        Ok(())
    }

    /// The first missing sequence number. Stops there, however many a damaged outbox claims.
    fn first_gap(&self, queue: &Outbox) -> Result<Option<u64>, StoreError> {
        for number in queue.numbers() {
            let key = outbox::delivery_key(&queue.account, &queue.integration, number);
            if self.engine.get(Tree::Deliveries, &key)?.is_none() {
                return Ok(Some(number));
            }
        }
        Ok(None)
    }

    fn idempotency_records(&mut self) -> Result<(), StoreError> {
        for entry in self.entries(Tree::Idempotency) {
            let (key, stored) = entry?;
            let listed = match IdempotencyRecord::decode(stored.as_ref()) {
                Ok(answered) => self
                    .engine
                    .get(
                        Tree::IdempotencyByTime,
                        &idempotency::time_key(answered.at, &key),
                    )?
                    .is_some(),
                Err(_) => false,
            };

            if !listed {
                self.report_finding(format!(
                    "the idempotency record '{}' is not indexed by time",
                    display_key(&key)
                ));
            }
        }

        for entry in self.entries(Tree::IdempotencyByTime) {
            let (key, _) = entry?;
            let named = idempotency::split_time_key(&key)
                .ok()
                .map(|(_, address)| address);
            let exists = match named {
                Some(address) => self.engine.get(Tree::Idempotency, address)?.is_some(),
                None => false,
            };

            if !exists {
                self.report_finding(format!(
                    "the time index points to the idempotency record '{}', which does not exist",
                    display_key(&key)
                ));
            }
        }

        Ok(())
    }
}

/// A key as readable text.
fn display_key(key: &[u8]) -> String {
    String::from_utf8_lossy(key).replace('\0', " ")
}
