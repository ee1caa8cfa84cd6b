//! `check`: whether records, index and counters of a stopped store agree.

use super::{
    Durability, OpenError, Options, StoreError,
    collection::INTEGRATIONS,
    engine::{Engine, Stored},
    idempotency::{self, Answered},
    open,
    trees::{self, Counters, Tree},
};
use crate::domain::{ids::AccountId, integration::Integration};
use std::{collections::BTreeMap, fmt, ops::Bound, path::Path};

/// Something that is not as it must be, as a sentence.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Damage(String);

impl fmt::Display for Damage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What a check found.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Report {
    /// Integrations looked at.
    pub integrations: u64,
    /// Accounts that have or had any.
    pub accounts: u64,
    /// Everything that is wrong, sorted; empty for a sound store.
    pub damages: Vec<Damage>,
}

/// Reads a whole store that no process has open. Changes nothing that is stored, though the engine may tidy its files.
///
/// # Errors
/// The store cannot be opened or read at all.
pub fn check(folder: &Path, cache_bytes: u64) -> Result<Report, OpenError> {
    if !folder.join("db").is_file() {
        let source = std::io::Error::new(std::io::ErrorKind::NotFound, "there is no store in it");
        return Err(OpenError::Io { folder: folder.to_owned(), source });
    }
    let options =
        Options { cache_bytes, index_bytes: 0, queue: 1, batch: 1, durability: Durability::Synced, token_secret: None };
    open::guarded(folder, {
        let folder = folder.to_owned();
        move || {
            let engine = open::open_here(&folder, &options)?;
            examine(&engine).map_err(|error| OpenError::Damaged { folder: folder.clone(), cause: error.to_string() })
        }
    })
}

/// What the records say about an account.
#[derive(Default)]
struct Tally {
    live: u64,
    highest: u64,
}

struct Examination<'a> {
    engine: &'a Engine,
    tallies: BTreeMap<AccountId, Tally>,
    report: Report,
}

fn examine(engine: &Engine) -> Result<Report, StoreError> {
    let mut examination = Examination { engine, tallies: BTreeMap::new(), report: Report::default() };
    examination.meta()?;
    examination.records()?;
    examination.index()?;
    examination.counters()?;
    examination.remembered_answers()?;
    let mut report = examination.report;
    report.accounts = examination.tallies.len().try_into().unwrap_or(u64::MAX);
    report.damages.sort();
    Ok(report)
}

impl Examination<'_> {
    fn damage(&mut self, what: String) {
        self.report.damages.push(Damage(what));
    }

    fn everything(&self, tree: Tree) -> impl Iterator<Item = Result<(Vec<u8>, Stored), StoreError>> + use<> {
        self.engine.range(tree, (Bound::Unbounded, Bound::Unbounded))
    }

    fn meta(&mut self) -> Result<(), StoreError> {
        if self.engine.get(Tree::Meta, trees::TOKEN_SECRET)?.is_none_or(|secret| secret.as_ref().is_empty()) {
            self.damage("the token secret is missing".into());
        }
        for tree in self.engine.unknown_trees() {
            self.damage(format!("the tree '{tree}' is none of this program's"));
        }
        Ok(())
    }

    fn records(&mut self) -> Result<(), StoreError> {
        for entry in self.everything(INTEGRATIONS.records) {
            let (key, stored) = entry?;
            self.report.integrations = self.report.integrations.saturating_add(1);
            self.record(&String::from_utf8_lossy(&key), &stored)?;
        }
        Ok(())
    }

    fn record(&mut self, id: &str, stored: &Stored) -> Result<(), StoreError> {
        let integration: Integration = match serde_json::from_slice(stored.as_ref()) {
            Ok(integration) => integration,
            Err(error) => {
                self.damage(format!("integration '{id}' cannot be read: {error}"));
                return Ok(());
            }
        };
        if integration.id.as_str() != id {
            self.damage(format!("integration '{id}' says of itself that it is '{}'", integration.id));
        }
        if serde_json::to_vec(&integration).ok().as_deref() != Some(stored.as_ref()) {
            self.damage(format!("integration '{id}' is not written as this program writes"));
        }
        let key = trees::index_key(&integration.sid, integration.tiny_id);
        match self.engine.get(INTEGRATIONS.index, &key)? {
            Some(named) if named.as_ref() == id.as_bytes() => {}
            Some(named) => {
                let named = String::from_utf8_lossy(named.as_ref()).into_owned();
                let (sid, tiny_id) = (&integration.sid, integration.tiny_id);
                self.damage(format!(
                    "number {tiny_id} of account '{sid}' is that of '{id}', but the index names '{named}'"
                ));
            }
            None => self.damage(format!("integration '{id}' is missing in the index of account '{}'", integration.sid)),
        }
        let tally = self.tallies.entry(integration.sid).or_default();
        tally.live = tally.live.saturating_add(1);
        tally.highest = tally.highest.max(integration.tiny_id);
        Ok(())
    }

    fn index(&mut self) -> Result<(), StoreError> {
        for entry in self.everything(INTEGRATIONS.index) {
            let (key, id) = entry?;
            let Some((account, tiny_id)) = trees::split_index_key(&key) else {
                self.damage(format!("the index has a key that is none: {:?}", String::from_utf8_lossy(&key)));
                continue;
            };
            let shown = String::from_utf8_lossy(id.as_ref()).into_owned();
            let Some(stored) = self.engine.get(INTEGRATIONS.records, id.as_ref())? else {
                self.damage(format!(
                    "the index of account '{account}' names '{shown}' as {tiny_id}, which does not exist"
                ));
                continue;
            };
            // A record that cannot be read was reported already.
            let Ok(record) = serde_json::from_slice::<Integration>(stored.as_ref()) else { continue };
            if (&record.sid, record.tiny_id) != (&account, tiny_id) {
                self.damage(format!(
                    "the index of account '{account}' names '{shown}' as {tiny_id}, but it is {} of '{}'",
                    record.tiny_id, record.sid
                ));
            }
        }
        Ok(())
    }

    fn counters(&mut self) -> Result<(), StoreError> {
        let mut uncounted: BTreeMap<Vec<u8>, AccountId> = self
            .tallies
            .keys()
            .map(|account| (trees::counters_key(account, INTEGRATIONS.name), account.clone()))
            .collect();
        for entry in self.everything(Tree::Accounts) {
            let (key, stored) = entry?;
            uncounted.remove(&key);
            self.account(&key, &stored);
        }
        for account in uncounted.into_values() {
            self.damage(format!("account '{account}' has integrations but no counters"));
        }
        Ok(())
    }

    fn remembered_answers(&mut self) -> Result<(), StoreError> {
        for entry in self.everything(Tree::Idempotency) {
            let (key, stored) = entry?;
            let listed = match Answered::decode(stored.as_ref()) {
                Ok(answered) => {
                    self.engine.get(Tree::IdempotencyByTime, &idempotency::by_time(answered.at, &key))?.is_some()
                }
                Err(_) => false,
            };
            if !listed {
                self.damage(format!("the remembered answer '{}' is not listed by its time", shown(&key)));
            }
        }
        for entry in self.everything(Tree::IdempotencyByTime) {
            let (key, _) = entry?;
            let named = idempotency::split_by_time(&key).ok().map(|(_, address)| address);
            let exists = match named {
                Some(address) => self.engine.get(Tree::Idempotency, address)?.is_some(),
                None => false,
            };
            if !exists {
                self.damage(format!("a time names the remembered answer '{}', which does not exist", shown(&key)));
            }
        }
        Ok(())
    }

    fn account(&mut self, key: &[u8], stored: &Stored) {
        let shown = shown(key);
        let account = shown.split_once(' ').filter(|(_, collection)| *collection == INTEGRATIONS.name);
        let Some(account) = account.and_then(|(account, _)| AccountId::parse(account).ok()) else {
            return self.damage(format!("the counters have a key that is none: '{shown}'"));
        };
        let counters = match Counters::decode(stored.as_ref()) {
            Ok(counters) => counters,
            Err(error) => return self.damage(format!("account '{account}': {error}")),
        };
        let tally = self.tallies.entry(account.clone()).or_default();
        let (live, highest) = (tally.live, tally.highest);
        if counters.live != live {
            self.damage(format!("account '{account}' counts {} integrations, but has {live}", counters.live));
        }
        if counters.last_tiny_id < highest {
            self.damage(format!(
                "account '{account}' gave {} as its last number, but has {highest}",
                counters.last_tiny_id
            ));
        }
    }
}

/// A key for people to read.
fn shown(key: &[u8]) -> String {
    String::from_utf8_lossy(key).replace('\0', " ")
}
