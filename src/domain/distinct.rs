//! A bounded list of different items, in the order in which they came.
//!
//! A request may repeat and vary items tens of thousands of times. Each is looked up by its hash,
//! and the caller learns at once when there are too many, so that the cost grows with the length of
//! the input alone.

use std::{collections::HashSet, hash::Hash};

/// Items, each once.
#[derive(Debug)]
pub struct Distinct<T> {
    most: usize,
    items: Vec<T>,
    known: HashSet<T>,
}

/// What became of an item.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Added {
    /// It is there.
    Yes,
    /// It was there before.
    Known,
    /// It is new, and there are as many as there may be. Nothing that comes later can change that.
    TooMany,
}

impl<T: Clone + Eq + Hash> Distinct<T> {
    /// Room for so many.
    pub fn new(most: usize) -> Self {
        Self {
            most,
            items: Vec::new(),
            known: HashSet::new(),
        }
    }

    /// Adds one, unless it is there or there is no room.
    pub fn add(&mut self, item: T) -> Added {
        if self.known.contains(&item) {
            return Added::Known;
        }
        if self.items.len() >= self.most {
            return Added::TooMany;
        }
        self.items.push(item.clone());
        self.known.insert(item);
        Added::Yes
    }

    /// All of them.
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
                Added::Yes,
                Added::Yes,
                Added::Known,
                Added::TooMany,
                Added::Known
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
