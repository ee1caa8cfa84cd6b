//! Values, keys and sets of changes, in the terms that all parts of the store share.

use super::trees::Tree;
use std::{collections::BTreeMap, ops::Bound};

/// A stored value. Cloning is cheap: it shares the engine's own buffer, so reading copies nothing.
/// That buffer is the only type of sled outside `local`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stored(sled::IVec);

impl Stored {
    pub(super) fn from_buffer(buffer: sled::IVec) -> Self {
        Self(buffer)
    }

    pub(super) fn buffer(&self) -> &sled::IVec {
        &self.0
    }
}

impl AsRef<[u8]> for Stored {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl From<Vec<u8>> for Stored {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes.into())
    }
}

/// A key and the tree that it belongs to.
pub(super) type TreeKey = (Tree, Vec<u8>);

/// What a commit changes: a new value for each key, or `None` to remove it.
pub(super) type Changes = TreeMap<Option<Stored>>;

/// A range of keys.
pub(super) type Bounds = (Bound<Vec<u8>>, Bound<Vec<u8>>);

/// A key and its value.
pub(super) type Entry = (Vec<u8>, Stored);

/// One sorted map for each tree. Lookups take a borrowed key, so they allocate nothing.
#[derive(Clone, Debug)]
pub(super) struct TreeMap<V>([BTreeMap<Vec<u8>, V>; Tree::ALL.len()]);

impl<V> Default for TreeMap<V> {
    fn default() -> Self {
        Self(std::array::from_fn(|_| BTreeMap::new()))
    }
}

impl<V> TreeMap<V> {
    pub(super) fn tree(&self, tree: Tree) -> &BTreeMap<Vec<u8>, V> {
        let [first, ..] = &self.0;
        // A tree's number is its position, and there is a map for each.
        self.0.get(tree as usize).unwrap_or(first)
    }

    pub(super) fn tree_mut(&mut self, tree: Tree) -> Option<&mut BTreeMap<Vec<u8>, V>> {
        self.0.get_mut(tree as usize)
    }

    pub(super) fn get(&self, tree: Tree, key: &[u8]) -> Option<&V> {
        self.tree(tree).get(key)
    }

    pub(super) fn insert(&mut self, tree: Tree, key: Vec<u8>, value: V) {
        if let Some(map) = self.tree_mut(tree) {
            map.insert(key, value);
        }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.iter().all(BTreeMap::is_empty)
    }

    /// All entries, tree by tree and in key order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (Tree, &Vec<u8>, &V)> {
        Tree::ALL
            .into_iter()
            .zip(&self.0)
            .flat_map(|(tree, map)| map.iter().map(move |(key, value)| (tree, key, value)))
    }

    /// All entries, tree by tree and in key order.
    pub(super) fn into_entries(self) -> impl Iterator<Item = (Tree, Vec<u8>, V)> {
        Tree::ALL
            .into_iter()
            .zip(self.0)
            .flat_map(|(tree, map)| map.into_iter().map(move |(key, value)| (tree, key, value)))
    }

    /// Adds the entries of another map, which win.
    pub(super) fn extend(&mut self, other: Self) {
        for (map, other) in self.0.iter_mut().zip(other.0) {
            if map.is_empty() {
                *map = other;
            } else {
                map.extend(other);
            }
        }
    }
}

impl<V> FromIterator<(TreeKey, V)> for TreeMap<V> {
    fn from_iter<I: IntoIterator<Item = (TreeKey, V)>>(entries: I) -> Self {
        let mut map = Self::default();
        for ((tree, key), value) in entries {
            map.insert(tree, key, value);
        }
        map
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tree_is_numbered_by_its_position() {
        for (position, tree) in Tree::ALL.into_iter().enumerate() {
            assert_eq!(tree as usize, position);
        }
    }
}
