//! The names in a folder: those that are sure, and what was changed since.

use super::{chance::Chance, file::Numbered};
use std::collections::BTreeMap;

/// What a name leads to: a file by its number, or the folder of that path.
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
    /// Each change knows what it is about, so that it makes sense even where an earlier one was
    /// lost.
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

    /// A sync that began at this number is done: all changes before it are sure.
    pub(crate) fn synced(&mut self, began: u64) {
        let later = self.changes.partition_point(|(number, _)| *number < began);
        for (_, change) in self.changes.drain(..later) {
            change.apply(&mut self.sure);
        }
    }

    /// What the power cut leaves. A change is made or not; renaming is one change.
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
