//! Reads an export that is in memory, account by account, for control planes that replace accounts.

use super::{ImportIssue, plan::Plan};
use crate::{
    domain::ids::AccountId,
    store::{
        AccountEntries,
        entries::{Stored, TreeMap},
        trees::{self, Tree},
    },
};
use std::collections::{BTreeMap, BTreeSet};

/// Parses an export into the entries of its accounts.
///
/// # Errors
/// Every problem, in line order.
pub fn read_accounts(text: &[u8]) -> Result<BTreeMap<AccountId, AccountEntries>, Vec<ImportIssue>> {
    let plan = Plan::read_text(text);
    if !plan.issues.is_empty() {
        return Err(plan.issues());
    }

    let mut accounts: BTreeMap<AccountId, TreeMap<Stored>> = BTreeMap::new();
    let mut put = |account: &AccountId, tree, key, value| {
        let entries = accounts.entry(account.clone()).or_default();
        entries.insert(tree, key, value);
    };

    for ((key, value), account) in plan.counters().zip(plan.accounts.values()) {
        put(&account.sid, Tree::Accounts, key, value);
    }

    for object in &plan.objects {
        let (account, collection, id) = (&object.account, object.collection, object.id.as_bytes());
        let index_key = trees::index_key(account, object.tiny_id);
        put(account, collection.index, index_key, id.to_vec().into());

        let start = usize::try_from(object.position.offset).unwrap_or(usize::MAX);
        let line = text.get(start..start.saturating_add(object.position.length));
        // The line was validated, so it has an object.
        if let Some(record) = line.and_then(|line| object.position.record_in(line)) {
            put(account, collection.records, id.to_vec(), record.into());
        }
    }

    let secondary_keys = plan.objects.iter().map(|object| &object.secondary_key);
    let secondary_trees: BTreeSet<Tree> = secondary_keys.flatten().map(|key| key.tree).collect();
    for tree in secondary_trees {
        // Without a store to compare with, nothing can fail.
        for (key, value) in plan.secondary_keys(tree, None).unwrap_or_default() {
            if let Some(account) = trees::account_in_key(&key) {
                put(&account, tree, key, value);
            }
        }
    }

    let whole = accounts.into_iter();
    Ok(whole
        .map(|(account, entries)| (account, AccountEntries::new(entries)))
        .collect())
}
