//! Fair shares: whatever an account does that takes long, it takes half of the places at most, so
//! that others find one.

use crate::domain::ids::AccountId;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError, Weak},
};
use tokio::sync::Semaphore;

/// The share of each account in a number of places.
#[derive(Debug)]
pub struct Shares {
    /// How many places one account may have.
    each: usize,
    accounts: Mutex<Accounts>,
}

/// Those who have or want a place. Who has none any more is forgotten now and then.
#[derive(Debug)]
struct Accounts {
    shares: HashMap<AccountId, Weak<Semaphore>>,
    sweep_at: usize,
}

/// Fewer accounts than this are not looked through.
const FEW: usize = 64;

impl Shares {
    /// Of so many places half to each account, but at least one.
    pub fn of_places(places: usize) -> Self {
        let accounts = Mutex::new(Accounts {
            shares: HashMap::new(),
            sweep_at: FEW,
        });
        Self {
            each: (places / 2).max(1),
            accounts,
        }
    }

    /// The places of one account. They are its own as long as somebody holds one or waits for it.
    pub fn share(&self, account: &AccountId) -> Arc<Semaphore> {
        let mut accounts = self.accounts.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(share) = accounts.shares.get(account).and_then(Weak::upgrade) {
            return share;
        }

        if accounts.shares.len() >= accounts.sweep_at {
            accounts.shares.retain(|_, share| share.strong_count() > 0);
            accounts.sweep_at = accounts.shares.len().saturating_mul(2).max(FEW);
        }

        let share = Arc::new(Semaphore::new(self.each));
        accounts
            .shares
            .insert(account.clone(), Arc::downgrade(&share));

        share
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(number: usize) -> AccountId {
        AccountId::parse(&format!("acc_{number}")).unwrap()
    }

    #[test]
    fn each_account_has_half_of_the_places() {
        let shares = Shares::of_places(4);
        let held: Vec<_> = (0..2)
            .map(|_| shares.share(&account(1)).try_acquire_owned().unwrap())
            .collect();

        assert!(shares.share(&account(1)).try_acquire_owned().is_err());
        assert!(shares.share(&account(2)).try_acquire_owned().is_ok());
        drop(held);
        assert!(shares.share(&account(1)).try_acquire_owned().is_ok());
        assert!(
            Shares::of_places(1)
                .share(&account(1))
                .try_acquire_owned()
                .is_ok()
        );
    }

    #[test]
    fn accounts_without_a_place_are_forgotten() {
        let shares = Shares::of_places(2);
        let held = shares.share(&account(0)).try_acquire_owned().unwrap();
        for number in 1..10_000 {
            drop(shares.share(&account(number)));
            assert!(shares.accounts.lock().unwrap().shares.len() <= FEW);
        }
        assert!(
            shares.share(&account(0)).try_acquire_owned().is_err(),
            "but nobody who has one"
        );
        drop(held);
    }
}
