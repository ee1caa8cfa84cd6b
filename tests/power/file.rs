//! One file: its durable bytes, and the changes since.

use super::chance::{Chance, Mood};
use std::{collections::BTreeMap, ops::Range};

/// The unit that a disk writes atomically.
pub(crate) const SECTOR: usize = 512;

/// A change and its position among all operations.
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
    /// By number: sectors that a failed sync has made unsyncable, with what the disk may still
    /// hold. `sure` holds what the system shows.
    doubtful: BTreeMap<usize, Vec<u8>>,
}

impl Change<'_> {
    fn apply(&self, bytes: &mut Vec<u8>) {
        match *self {
            Self::Write {
                offset,
                bytes: written,
            } => {
                let end = offset + written.len();
                bytes.resize(bytes.len().max(end), 0);
                bytes[offset..end].copy_from_slice(written);
            }
            Self::Length(length) => bytes.resize(length, 0),
            Self::Room(length) => bytes.resize(bytes.len().max(length), 0),
        }
    }

    /// The sectors that it writes to.
    fn sectors(&self) -> Range<usize> {
        match self {
            Self::Write { offset, bytes } => {
                offset / SECTOR..(offset + bytes.len()).div_ceil(SECTOR)
            }
            Self::Length(_) | Self::Room(_) => 0..0,
        }
    }
}

impl<'t> File<'t> {
    pub(crate) fn new(path: &str, sure: Vec<u8>) -> Self {
        Self {
            path: path.to_owned(),
            sure,
            changes: Vec::new(),
            doubtful: BTreeMap::new(),
        }
    }

    pub(crate) fn change(&mut self, number: u64, change: Change<'t>) {
        self.changes.push((number, change));
    }

    /// Completes a sync that began at this number: all earlier changes are durable.
    pub(crate) fn synced(&mut self, began: u64) {
        let later = self.changes.partition_point(|(number, _)| *number < began);
        for (_, change) in self.changes.drain(..later) {
            change.apply(&mut self.sure);
            // A sector that is written again is written whole.
            self.doubtful
                .retain(|sector, _| !change.sectors().contains(sector));
        }
    }

    /// Fails a sync: what was not durable stays that way.
    pub(crate) fn failed(&mut self) {
        for (_, change) in self.changes.drain(..) {
            for sector in change.sectors() {
                let old = || {
                    self.sure
                        .chunks(SECTOR)
                        .nth(sector)
                        .unwrap_or_default()
                        .to_vec()
                };
                self.doubtful.entry(sector).or_insert_with(old);
            }
            change.apply(&mut self.sure);
        }
    }

    /// What a power cut leaves. A kept sector contains everything written to it so far, not only
    /// the last write: that is how the kernel hands it to the disk.
    pub(crate) fn left(&self, chance: &mut Chance) -> Vec<u8> {
        let (mut seen, mut left, mood) = (self.sure.clone(), self.sure.clone(), chance.mood());
        for (sector, old) in &self.doubtful {
            let fate = chance.fate(mood);
            if !chance.keeps(fate) {
                let now = left.chunks_mut(SECTOR).nth(*sector).unwrap_or_default();
                now.fill(0);
                let both = now.len().min(old.len());
                now[..both].copy_from_slice(&old[..both]);
            }
        }

        for (_, change) in &self.changes {
            change.apply(&mut seen);
            match change {
                Change::Write { offset, bytes } => {
                    let end = offset + bytes.len();
                    keep_sectors(change.sectors(), end, &seen, &mut left, mood, chance);
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

fn keep_sectors(
    sectors: Range<usize>,
    end: usize,
    seen: &[u8],
    left: &mut Vec<u8>,
    mood: Mood,
    chance: &mut Chance,
) {
    let fate = chance.fate(mood);
    for sector in sectors {
        if chance.keeps(fate) {
            let (from, to) = (sector * SECTOR, seen.len().min((sector + 1) * SECTOR));
            left.resize(left.len().max(to), 0);
            left[from..to].copy_from_slice(&seen[from..to]);
        }
    }

    // The length may be there and the bytes not.
    if end > left.len() && chance.keeps(fate) {
        left.resize(end, 0);
    }
}
