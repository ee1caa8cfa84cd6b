//! The latest items of many accounts: a bounded ring for each account, and a bound for all together.
//!
//! An account that produces many items displaces its own, never those of accounts with fewer.

use super::ids::AccountId;
use std::collections::{BTreeSet, HashMap, VecDeque};

/// Whose items: those of an account, or those that belong to none.
pub type RingOwner = Option<AccountId>;

/// The bounds of a set of rings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RingLimits {
    /// Items of one account.
    pub items: usize,
    /// Bytes of all items together.
    pub bytes: usize,
}

/// Accounts that have a ring. One more displaces that with the fewest bytes.
const MAX_RINGS: usize = 10_000;
/// What an item costs beside its own bytes.
const ITEM_OVERHEAD: usize = 64;

/// A ring for each account that has one.
#[derive(Debug)]
pub struct AccountRings<T> {
    limits: RingLimits,
    rings: HashMap<RingOwner, Ring<T>>,
    /// The owners by the size of their rings.
    by_size: BTreeSet<(usize, RingOwner)>,
    bytes: usize,
    last_number: u64,
}

#[derive(Debug)]
struct Ring<T> {
    items: VecDeque<RingItem<T>>,
    bytes: usize,
    /// The number before the first item, if nothing is missing after it.
    complete_after: u64,
}

/// An item and its place among the items of all accounts.
#[derive(Clone, Debug)]
pub struct RingItem<T> {
    /// 1, 2, 3 … over all accounts.
    pub number: u64,
    /// The item.
    pub item: T,
    bytes: usize,
}

/// Items after the requested number have been displaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Displaced;

impl<T: Clone> AccountRings<T> {
    /// Rings within `limits`.
    pub fn new(limits: RingLimits) -> Self {
        Self {
            limits,
            rings: HashMap::new(),
            by_size: BTreeSet::new(),
            bytes: 0,
            last_number: 0,
        }
    }

    /// Gives an account a ring. Returns whether it had none.
    pub fn open(&mut self, owner: RingOwner) -> bool {
        if self.rings.contains_key(&owner) {
            return false;
        }

        if self.rings.len() >= MAX_RINGS
            && let Some((_, smallest)) = self.by_size.first().cloned()
        {
            self.close(&smallest);
        }

        self.by_size.insert((0, owner.clone()));
        self.rings.insert(
            owner,
            Ring {
                items: VecDeque::new(),
                bytes: 0,
                complete_after: self.last_number,
            },
        );
        true
    }

    fn close(&mut self, owner: &RingOwner) {
        if let Some(ring) = self.rings.remove(owner) {
            self.by_size.remove(&(ring.bytes, owner.clone()));
            self.bytes = self.bytes.saturating_sub(ring.bytes);
        }
    }

    /// The accounts that have a ring.
    pub fn owners(&self) -> Vec<RingOwner> {
        self.rings.keys().cloned().collect()
    }

    /// Whether an account has a ring.
    pub fn is_open(&self, owner: &RingOwner) -> bool {
        self.rings.contains_key(owner)
    }

    /// The number of the last item of any account.
    pub fn last_number(&self) -> u64 {
        self.last_number
    }

    /// The number of the last item of an account; 0 if it has none.
    pub fn last_number_of(&self, owner: &RingOwner) -> u64 {
        let last = self.rings.get(owner).and_then(|ring| ring.items.back());
        last.map_or(0, |item| item.number)
    }

    /// Adds an item of `bytes` to the ring of an account, if it has one.
    pub fn push(&mut self, owner: &RingOwner, item: T, bytes: usize) {
        let bytes = bytes.saturating_add(ITEM_OVERHEAD);
        let Some(ring) = self.rings.get_mut(owner) else {
            return;
        };

        self.last_number = self.last_number.saturating_add(1);
        let number = self.last_number;
        ring.items.push_back(RingItem {
            number,
            item,
            bytes,
        });
        self.by_size.remove(&(ring.bytes, owner.clone()));
        ring.bytes = ring.bytes.saturating_add(bytes);
        self.by_size.insert((ring.bytes, owner.clone()));
        self.bytes = self.bytes.saturating_add(bytes);

        if ring.items.len() > self.limits.items {
            self.displace_first(owner);
        }
        while self.bytes > self.limits.bytes
            && let Some((_, largest)) = self.by_size.last().cloned()
            && self.displace_first(&largest)
        {}
    }

    /// Removes the oldest item of an account. Returns whether there was one.
    fn displace_first(&mut self, owner: &RingOwner) -> bool {
        let Some(ring) = self.rings.get_mut(owner) else {
            return false;
        };
        let Some(first) = ring.items.pop_front() else {
            return false;
        };

        ring.complete_after = first.number;
        self.by_size.remove(&(ring.bytes, owner.clone()));
        ring.bytes = ring.bytes.saturating_sub(first.bytes);
        self.by_size.insert((ring.bytes, owner.clone()));
        self.bytes = self.bytes.saturating_sub(first.bytes);
        true
    }

    /// The items of an account, oldest first.
    pub fn items(&self, owner: &RingOwner) -> impl Iterator<Item = &RingItem<T>> {
        self.rings
            .get(owner)
            .into_iter()
            .flat_map(|ring| &ring.items)
    }

    /// The items of all accounts, oldest first.
    pub fn all_items(&self) -> Vec<RingItem<T>> {
        let mut items: Vec<_> = self
            .rings
            .values()
            .flat_map(|ring| ring.items.iter().cloned())
            .collect();
        items.sort_unstable_by_key(|item| item.number);
        items
    }

    /// At most `max` items of an account after a number, oldest first.
    ///
    /// # Errors
    /// Some of them have been displaced, or the account has no ring.
    pub fn after(
        &self,
        owner: &RingOwner,
        number: u64,
        max: usize,
    ) -> Result<Vec<RingItem<T>>, Displaced> {
        let ring = self.rings.get(owner).ok_or(Displaced)?;
        if number < ring.complete_after || number > self.last_number {
            return Err(Displaced);
        }
        let first = ring.items.partition_point(|item| item.number <= number);
        Ok(ring.items.iter().skip(first).take(max).cloned().collect())
    }

    /// At most `max` items of all accounts after a number, oldest first.
    ///
    /// # Errors
    /// Some of them have been displaced.
    pub fn all_after(&self, number: u64, max: usize) -> Result<Vec<RingItem<T>>, Displaced> {
        let mut found = Vec::new();
        for owner in self.rings.keys() {
            found.extend(self.after(owner, number, max)?);
        }
        found.sort_unstable_by_key(|item| item.number);
        found.truncate(max);
        Ok(found)
    }

    /// Removes the items of an account, which keeps its ring.
    pub fn clear(&mut self, owner: &RingOwner) {
        while self.displace_first(owner) {}
    }

    /// Removes the items of all accounts, which keep their rings.
    pub fn clear_all(&mut self) {
        for owner in &self.owners() {
            self.clear(owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(name: &str) -> RingOwner {
        Some(AccountId::parse(name).unwrap())
    }

    fn rings(items: usize, bytes: usize) -> AccountRings<u32> {
        let mut rings = AccountRings::new(RingLimits { items, bytes });
        for owner in ["acc_a", "acc_b"] {
            assert!(rings.open(account(owner)));
        }
        rings
    }

    fn items(rings: &AccountRings<u32>, owner: &str) -> Vec<u32> {
        rings.items(&account(owner)).map(|item| item.item).collect()
    }

    #[test]
    fn oldest_items_of_an_account_are_displaced() {
        let mut rings = rings(3, usize::MAX);
        for item in 0..5 {
            rings.push(&account("acc_a"), item, 1);
        }
        rings.push(&account("acc_b"), 9, 1);
        rings.push(&account("acc_unknown"), 9, 1);
        assert_eq!(items(&rings, "acc_a"), [2, 3, 4]);
        assert_eq!(items(&rings, "acc_b"), [9]);
        assert_eq!(rings.all_items().len(), 4);
    }

    #[test]
    fn full_memory_displaces_items_of_the_largest_account() {
        let mut rings = rings(1_000, 10 * (100 + ITEM_OVERHEAD));
        rings.push(&account("acc_b"), 0, 100);
        for item in 0..50 {
            rings.push(&account("acc_a"), item, 100);
        }
        assert_eq!(items(&rings, "acc_b"), [0]);
        assert_eq!(items(&rings, "acc_a").len(), 9);
    }

    #[test]
    fn reader_continues_after_a_number_unless_items_are_missing() {
        let mut rings = rings(3, usize::MAX);
        let owner = account("acc_a");
        for item in 1..=3 {
            rings.push(&owner, item, 1);
        }

        let after = |rings: &AccountRings<u32>, number| {
            rings
                .after(&owner, number, 2)
                .map(|items| items.iter().map(|item| item.item).collect::<Vec<_>>())
        };

        assert_eq!(after(&rings, 0), Ok(vec![1, 2]));
        assert_eq!(after(&rings, 2), Ok(vec![3]));
        assert_eq!(after(&rings, 3), Ok(vec![]));
        assert_eq!(after(&rings, 4), Err(Displaced), "from another server");
        rings.push(&owner, 4, 1);
        assert_eq!(after(&rings, 0), Err(Displaced));
        assert_eq!(after(&rings, 1), Ok(vec![2, 3]));
        assert_eq!(rings.all_after(1, 9).unwrap().len(), 3);
    }

    #[test]
    fn number_of_rings_is_bounded() {
        let mut rings = rings(3, usize::MAX);
        rings.push(&account("acc_a"), 1, 1);
        for number in 0..MAX_RINGS {
            rings.open(account(&format!("acc_{number}")));
        }
        assert_eq!(rings.rings.len(), MAX_RINGS);
        assert_eq!(rings.by_size.len(), MAX_RINGS);
        assert!(rings.is_open(&account("acc_a")), "it has items");
    }
}
