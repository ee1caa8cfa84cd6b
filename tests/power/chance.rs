//! Random, repeatable decisions about what a power cut keeps.

use crate::support::random::SplitMix64;

/// Decides which changes survive.
pub(crate) enum Chance {
    /// Keeps everything: the files as the server sees them.
    Everything,
    /// Decides at random, as a power cut does.
    Cut(SplitMix64),
}

/// How one file or folder fares. Mostly mixed, but a disk may also have written all or none of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Everything,
    Nothing,
    Mixed,
}

/// The fate of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// Each sector is decided separately.
    InParts,
}

impl Chance {
    pub(crate) fn cut(seed: u64) -> Self {
        Self::Cut(SplitMix64(seed))
    }

    /// True once in `many` times on average.
    fn one_in(&mut self, many: u64) -> bool {
        match self {
            Self::Everything => false,
            Self::Cut(random) => random.below(many) == 0,
        }
    }

    pub(crate) fn mood(&mut self) -> Mood {
        match self {
            Self::Everything => Mood::Everything,
            Self::Cut(random) => match random.below(6) {
                0 => Mood::Everything,
                1 => Mood::Nothing,
                _ => Mood::Mixed,
            },
        }
    }

    pub(crate) fn fate(&mut self, mood: Mood) -> Fate {
        match mood {
            Mood::Everything => Fate::Kept,
            Mood::Nothing => Fate::Lost,
            Mood::Mixed if self.one_in(3) => Fate::Kept,
            Mood::Mixed if self.one_in(2) => Fate::Lost,
            Mood::Mixed => Fate::InParts,
        }
    }

    /// Whether an atomic change is kept.
    pub(crate) fn keeps(&mut self, fate: Fate) -> bool {
        match fate {
            Fate::Kept => true,
            Fate::Lost => false,
            Fate::InParts => self.one_in(2),
        }
    }
}
