//! A logical clock of published commits, and when each account last changed.
//!
//! It outlives the replica: a number never comes back, even when recovery or a restore replaces the
//! replica.

use super::mvcc::Version;
use crate::domain::ids::AccountId;
use std::{
    hash::{DefaultHasher, Hash, Hasher},
    sync::atomic::{AtomicU64, Ordering},
};
use tokio::sync::watch;

/// Accounts share this many slots: a change in one account may look like a change in another, but
/// never the reverse.
const ACCOUNT_SLOTS: usize = 4096;

#[derive(Debug)]
pub(super) struct ChangeClock {
    published: watch::Sender<Version>,
    /// The last version that changed any account of a slot.
    last_changes: Box<[AtomicU64]>,
}

impl Default for ChangeClock {
    fn default() -> Self {
        Self {
            published: watch::Sender::new(0),
            last_changes: std::iter::repeat_with(AtomicU64::default)
                .take(ACCOUNT_SLOTS)
                .collect(),
        }
    }
}

impl ChangeClock {
    /// The last published version.
    pub(super) fn published(&self) -> Version {
        *self.published.borrow()
    }

    /// Advances the clock to a version that readers can already see: a reader of the new number
    /// then also reads the new data.
    pub(super) fn advance<'a>(
        &self,
        version: Version,
        accounts: impl IntoIterator<Item = &'a AccountId>,
    ) {
        for account in accounts {
            if let Some(last_change) = self.last_changes.get(slot(account)) {
                last_change.store(version, Ordering::SeqCst);
            }
        }
        self.published.send_replace(version);
    }

    /// Advances the clock to a version that may differ in every account.
    pub(super) fn advance_all(&self, version: Version) {
        for last_change in &self.last_changes {
            last_change.store(version, Ordering::SeqCst);
        }
        self.published.send_replace(version);
    }

    /// The last version that changed the account, or another one of its slot.
    pub(super) fn last_change(&self, account: &AccountId) -> Version {
        self.last_changes
            .get(slot(account))
            .map_or(Version::MAX, |last_change| {
                last_change.load(Ordering::SeqCst)
            })
    }

    /// Waits until a version after `seen` has been published, and returns the latest.
    pub(super) async fn changed_since(&self, seen: Version) -> Version {
        let mut published = self.published.subscribe();
        let later = published
            .wait_for(|version| *version > seen)
            .await
            .map(|version| *version);
        // The sender lives as long as `self`, so waiting cannot fail.
        later.unwrap_or(seen)
    }
}

fn slot(account: &AccountId) -> usize {
    let mut hasher = DefaultHasher::new();
    account.hash(&mut hasher);
    usize::try_from(hasher.finish() % ACCOUNT_SLOTS as u64).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> AccountId {
        AccountId::parse(name).unwrap()
    }

    #[test]
    fn only_changed_accounts_get_a_new_number() {
        let clock = ChangeClock::default();
        let (one, other) = (account("acc_1"), account("acc_2"));
        assert_ne!(slot(&one), slot(&other));
        clock.advance(1, [&one]);
        assert_eq!((clock.last_change(&one), clock.last_change(&other)), (1, 0));
        clock.advance_all(2);
        assert_eq!((clock.last_change(&one), clock.last_change(&other)), (2, 2));
        assert_eq!(clock.published(), 2);
    }

    #[actix_rt::test]
    async fn a_waiter_wakes_at_the_next_version_and_not_for_an_old_one() {
        let clock = std::rc::Rc::new(ChangeClock::default());
        clock.advance(5, []);
        assert_eq!(clock.changed_since(4).await, 5);

        let own = std::rc::Rc::clone(&clock);
        let waiter = actix_rt::spawn(async move { own.changed_since(5).await });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        clock.advance(6, []);
        assert_eq!(waiter.await.unwrap(), 6);
    }
}
