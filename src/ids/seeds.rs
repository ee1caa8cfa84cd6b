//! Seeds from which the ids of accounts are derived, so that equal runs give equal ids.
//!
//! An id depends on the seed, the account, the kind and the number of its object, and on nothing
//! else: neither on other accounts nor on the order in which threads ask. Without a seed, asking
//! costs one atomic load.

use super::IdBasis;
use crate::domain::ids::AccountId;
use sha2::{Digest, Sha256};
use std::{
    collections::HashMap,
    sync::{
        PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard,
        atomic::{AtomicBool, AtomicU64, Ordering},
    },
};

/// The seeds of all accounts.
#[derive(Debug)]
pub struct Seeds {
    /// Lets readers skip the lock while there is no seed.
    is_seeded: AtomicBool,
    state: RwLock<SeedState>,
}

#[derive(Debug)]
struct SeedState {
    /// At start, and after [`Seeds::clear`].
    initial: Option<u64>,
    /// Of accounts without one of their own.
    all: Option<u64>,
    accounts: HashMap<AccountId, u64>,
    /// Requests of each seeded account so far.
    requests: HashMap<AccountId, AtomicU64>,
}

impl Seeds {
    /// No seed, or from the start one for all accounts.
    pub fn new(initial: Option<u64>) -> Self {
        Self {
            is_seeded: AtomicBool::new(initial.is_some()),
            state: RwLock::new(SeedState {
                initial,
                all: initial,
                accounts: HashMap::new(),
                requests: HashMap::new(),
            }),
        }
    }

    /// The seed at start.
    pub(super) fn initial(&self) -> Option<u64> {
        self.read().initial
    }

    /// The seed of an account, or of all accounts.
    pub fn seed(&self, account: Option<&AccountId>) -> Option<u64> {
        if !self.is_seeded.load(Ordering::Acquire) {
            return None;
        }
        self.read().of(account)
    }

    /// Sets the seed of an account, or of all accounts, whose own seeds end. Requests are counted
    /// from 0 again.
    pub fn set(&self, account: Option<&AccountId>, seed: u64) {
        self.change(|state| match account {
            Some(account) => {
                state.requests.remove(account);
                state.accounts.insert(account.clone(), seed);
            }
            None => {
                state.requests.clear();
                state.accounts.clear();
                state.all = Some(seed);
            }
        });
    }

    /// Ends the seed of an account, or of all accounts, which then have that of the start.
    pub fn clear(&self, account: Option<&AccountId>) {
        self.change(|state| match account {
            Some(account) => {
                state.requests.remove(account);
                state.accounts.remove(account);
            }
            None => {
                state.requests.clear();
                state.accounts.clear();
                state.all = state.initial;
            }
        });
    }

    /// Counts the requests of an account from 0 again, or those of all.
    pub fn restart_requests(&self, account: Option<&AccountId>) {
        self.change(|state| match account {
            Some(account) => drop(state.requests.remove(account)),
            None => state.requests.clear(),
        });
    }

    /// The start of the series of random bytes for an id, if its account has a seed.
    pub(super) fn series(&self, basis: IdBasis<'_>, kind: &str) -> Option<AtomicU64> {
        let seed = self.seed(Some(basis.account))?;
        let digest = Sha256::new()
            .chain_update(seed.to_be_bytes())
            .chain_update(basis.account.as_str())
            .chain_update([0])
            .chain_update(kind)
            .chain_update([0])
            .chain_update(basis.number.to_be_bytes())
            .chain_update(basis.attempt.to_be_bytes())
            .finalize();
        let start = digest.first_chunk().copied().unwrap_or_default();
        Some(AtomicU64::new(u64::from_be_bytes(start)))
    }

    /// The number of the account's next request, if the account has a seed.
    pub(super) fn next_request(&self, account: &AccountId) -> Option<u64> {
        self.seed(Some(account))?;
        if let Some(count) = self.read().requests.get(account) {
            return Some(count.fetch_add(1, Ordering::Relaxed));
        }
        let mut state = self.write();
        let count = state.requests.entry(account.clone()).or_default();
        Some(count.fetch_add(1, Ordering::Relaxed))
    }

    fn change(&self, change: impl FnOnce(&mut SeedState)) {
        let mut state = self.write();
        change(&mut state);
        let is_seeded = state.all.is_some() || !state.accounts.is_empty();
        self.is_seeded.store(is_seeded, Ordering::Release);
    }

    fn read(&self) -> RwLockReadGuard<'_, SeedState> {
        self.state.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, SeedState> {
        self.state.write().unwrap_or_else(PoisonError::into_inner)
    }
}

impl SeedState {
    fn of(&self, account: Option<&AccountId>) -> Option<u64> {
        account
            .and_then(|account| self.accounts.get(account))
            .or(self.all.as_ref())
            .copied()
    }
}
