//! A bounded list of distinct items, in insertion order.
//!
//! A request may contain tens of thousands of items. Lookups are by hash, and the limit is reported
//! at once, so that the cost is linear in the length of the input.

use std::{collections::HashSet, hash::Hash};

/// A bounded list of distinct items.
#[derive(Debug)]
pub struct Distinct<T> {
    max: usize,
    items: Vec<T>,
    known: HashSet<T>,
}

/// Outcome of adding an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AddOutcome {
    /// The item was added.
    Added,
    /// The item is in the list already.
    Duplicate,
    /// The item is new, but the list is full.
    Full,
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    /// Creates an empty list for up to `max` items.
    pub fn new(max: usize) -> Self {
        Self {
            max,
            items: Vec::new(),
            known: HashSet::new(),
        }
    }

    /// Adds an item, unless it is a duplicate or the list is full.
    pub fn add(&mut self, item: T) -> AddOutcome {
        if self.known.contains(&item) {
            return AddOutcome::Duplicate;
        }
        if self.items.len() >= self.max {
            return AddOutcome::Full;
        }
        self.items.push(item.clone());
        self.known.insert(item);
        AddOutcome::Added
    }

    /// The items in insertion order.
    pub fn into_items(self) -> Vec<T> {
        self.items
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{cell::Cell, hash::Hasher, rc::Rc};

    /// Counts how often it is compared.
    #[derive(Clone)]
    struct Counted(u32, Rc<Cell<u32>>);

    impl PartialEq for Counted {
        fn eq(&self, other: &Self) -> bool {
            self.1.set(self.1.get() + 1);
            self.0 == other.0
        }
    }

    impl Eq for Counted {}

    impl Hash for Counted {
        fn hash<H: Hasher>(&self, state: &mut H) {
            self.0.hash(state);
        }
    }

    #[test]
    fn each_item_is_there_once_in_order_and_no_more_than_may_be() {
        let mut distinct = Distinct::new(2);
        assert_eq!(
            ["b", "a", "b", "c", "a"].map(|item| distinct.add(item)),
            [
                AddOutcome::Added,
                AddOutcome::Added,
                AddOutcome::Duplicate,
                AddOutcome::Full,
                AddOutcome::Duplicate
            ]
        );
        assert_eq!(distinct.into_items(), ["b", "a"]);
    }

    #[test]
    fn an_item_is_compared_with_few_others_however_many_there_are() {
        let compared = |items: u32| {
            let count = Rc::new(Cell::new(0));
            let mut distinct = Distinct::new(usize::MAX);
            // Each comes twice.
            for item in (0..items).chain(0..items) {
                distinct.add(Counted(item, Rc::clone(&count)));
            }
            count.get()
        };

        // One comparison finds what is there; a few more come of hashes that are alike.
        for items in [1_000, 4_000, 16_000] {
            assert!(compared(items) < 3 * items, "{items}: {}", compared(items));
        }
    }
}
