//! The names in a folder: the durable ones, and the changes since.

use super::{chance::Chance, file::Numbered};
use std::collections::BTreeMap;

/// The target of a name: a file by its number, or a folder by its path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Node {
    File(usize),
    Folder,
}

pub(crate) type Entries = BTreeMap<String, Node>;

#[derive(Clone, Debug)]
pub(crate) enum NameChange {
    Add {
        name: String,
        node: Node,
    },
    Remove {
        name: String,
        node: Node,
    },
    Rename {
        from: String,
        to: String,
        node: Node,
    },
}

#[derive(Default)]
pub(crate) struct Names {
    sure: Entries,
    changes: Vec<Numbered<NameChange>>,
}

impl NameChange {
    /// Each change names its target, so that it can be applied even if an earlier one is lost.
    fn apply(&self, entries: &mut Entries) {
        let mut take = |name: &String, node: &Node| {
            if entries.get(name) == Some(node) {
                entries.remove(name);
            }
        };

        match self {
            Self::Add { name, node } => drop(entries.insert(name.clone(), *node)),
            Self::Remove { name, node } => take(name, node),
            Self::Rename { from, to, node } => {
                take(from, node);
                entries.insert(to.clone(), *node);
            }
        }
    }
}

impl Names {
    pub(crate) fn add_sure(&mut self, name: &str, node: Node) {
        self.sure.insert(name.to_owned(), node);
    }

    pub(crate) fn change(&mut self, number: u64, change: NameChange) {
        self.changes.push((number, change));
    }

    /// Completes a sync that began at this number: all earlier changes are durable.
    pub(crate) fn synced(&mut self, began: u64) {
        let later = self.changes.partition_point(|(number, _)| *number < began);
        for (_, change) in self.changes.drain(..later) {
            change.apply(&mut self.sure);
        }
    }

    /// What a power cut leaves. Each change is kept or lost as a whole; a rename is one change.
    pub(crate) fn left(&self, chance: &mut Chance) -> Entries {
        let (mut left, mood) = (self.sure.clone(), chance.mood());
        for (_, change) in &self.changes {
            let fate = chance.fate(mood);
            if chance.keeps(fate) {
                change.apply(&mut left);
            }
        }
        left
    }
}
