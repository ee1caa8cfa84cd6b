//! Fair shares of a limited resource: no owner, usually an account, can use all of it.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::Semaphore;

/// One semaphore for each owner, with as many permits as an owner may hold.
#[derive(Debug)]
pub struct FairShares {
    per_owner: usize,
    owners: Mutex<Owners>,
}

/// Semaphores that are in use. Those of idle owners are removed now and then.
#[derive(Debug)]
struct Owners {
    shares: HashMap<String, Weak<Semaphore>>,
    cleanup_at: usize,
}

/// The map is not cleaned up below this size.
const MIN_CLEANUP_LEN: usize = 64;

impl FairShares {
    /// At most `per_owner` permits for each owner, but at least one.
    pub fn new(per_owner: usize) -> Self {
        let owners = Owners {
            shares: HashMap::new(),
            cleanup_at: MIN_CLEANUP_LEN,
        };
        Self {
            per_owner: per_owner.max(1),
            owners: Mutex::new(owners),
        }
    }

    /// The maximum of permits for each owner.
    pub fn per_owner(&self) -> usize {
        self.per_owner
    }

    /// The semaphore of one owner. It stays the same as long as anyone holds it or a permit.
    pub fn share(&self, owner: &str) -> Arc<Semaphore> {
        let mut owners = self.owners.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = owners.shares.get(owner).and_then(Weak::upgrade) {
            return share;
        }

        if owners.shares.len() >= owners.cleanup_at {
            owners.shares.retain(|_, share| share.strong_count() > 0);
            owners.cleanup_at = owners.shares.len().saturating_mul(2).max(MIN_CLEANUP_LEN);
        }

        let share = Arc::new(Semaphore::new(self.per_owner));
        owners
            .shares
            .insert(owner.to_owned(), Arc::downgrade(&share));

        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn owner_gets_no_more_than_its_share() {
        let shares = FairShares::new(2);
        let held: Vec<_> = (0..2)
            .map(|_| shares.share("a").try_acquire_owned().unwrap())
            .collect();

        assert!(shares.share("a").try_acquire_owned().is_err());
        assert!(shares.share("b").try_acquire_owned().is_ok());
        drop(held);
        assert!(shares.share("a").try_acquire_owned().is_ok());
        assert!(
            FairShares::new(0).share("a").try_acquire_owned().is_ok(),
            "at least one"
        );
    }

    #[test]
    fn idle_owners_are_forgotten() {
        let shares = FairShares::new(1);
        let held = shares.share("0").try_acquire_owned().unwrap();
        for number in 1..10_000 {
            drop(shares.share(&number.to_string()));
            assert!(shares.owners.lock().unwrap().shares.len() <= MIN_CLEANUP_LEN);
        }

        assert!(
            shares.share("0").try_acquire_owned().is_err(),
            "an owner with a permit is remembered"
        );
        drop(held);
    }
}
