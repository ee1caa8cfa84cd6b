//! A file: the bytes that are sure, and what was changed since.

use super::chance::{Chance, Mood};

/// What a disk writes as a whole.
pub(crate) const SECTOR: usize = 512;

/// A change, with its place in the order of all.
pub(crate) type Numbered<T> = (u64, T);

#[derive(Clone, Debug)]
pub(crate) enum Change<'t> {
    Write { offset: usize, bytes: &'t [u8] },
    Length(usize),
    Room(usize),
}

pub(crate) struct File<'t> {
    /// Its first name.
    pub(crate) path: String,
    sure: Vec<u8>,
    changes: Vec<Numbered<Change<'t>>>,
}

impl Change<'_> {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match *self {
            Self::Write { offset, bytes: written } => {
                let end = offset + written.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[offset..end].copy_from_slice(written);
            }
            Self::Length(length) => bytes.resize(length, 0),
            Self::Room(length) => bytes.resize(bytes.len().max(length), 0),
        }
    }
}

impl<'t> File<'t> {
    pub(crate) fn new(path: &str, sure: Vec<u8>) -> Self {
        Self { path: path.to_owned(), sure, changes: Vec::new() }
    }

    pub(crate) fn change(&mut self, number: u64, change: Change<'t>) {
        self.changes.push((number, change));
    }

    /// A sync that began at this number is done: all changes before it are sure.
    pub(crate) fn synced(&mut self, began: u64) {
        let later = self.changes.partition_point(|(number, _)| *number < began);
        for (_, change) in self.changes.drain(..later) {
            change.apply(&mut self.sure);
        }
    }

    /// What the power cut leaves. A sector that is kept has all that was written into it so far, not only by the last
    /// write: that is how the system hands it to the disk.
    pub(crate) fn left(&self, chance: &mut Chance) -> Vec<u8> {
        let (mut seen, mut left, mood) = (self.sure.clone(), self.sure.clone(), chance.mood());
        for (_, change) in &self.changes {
            change.apply(&mut seen);
            match change {
                Change::Write { offset, bytes } => {
                    keep_sectors(*offset..*offset + bytes.len(), &seen, &mut left, mood, chance);
                }
                Change::Length(length) => {
                    let fate = chance.fate(mood);
                    if chance.keeps(fate) {
                        left.resize(*length, 0);
                    }
                }
                Change::Room(length) => {
                    let fate = chance.fate(mood);
                    if chance.keeps(fate) {
                        left.resize(left.len().max(*length), 0);
                    }
                }
            }
        }
        left
    }
}

fn keep_sectors(written: std::ops::Range<usize>, seen: &[u8], left: &mut Vec<u8>, mood: Mood, chance: &mut Chance) {
    let fate = chance.fate(mood);
    for sector in written.start / SECTOR..written.end.div_ceil(SECTOR) {
        if chance.keeps(fate) {
            let (from, to) = (sector * SECTOR, seen.len().min((sector + 1) * SECTOR));
            left.resize(left.len().max(to), 0);
            left[from..to].copy_from_slice(&seen[from..to]);
        }
    }
    // The length may be there and the bytes not.
    if written.end > left.len() && chance.keeps(fate) {
        left.resize(written.end, 0);
    }
}
