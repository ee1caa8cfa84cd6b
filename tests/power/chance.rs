//! What a power cut keeps of that which no sync made sure: chance decides, and it can be repeated.

use crate::support::random::SplitMix64;

/// Decides the fate of changes.
pub(crate) enum Chance {
    /// Nothing is lost: the files as the server sees them.
    Everything,
    /// The power is cut.
    Cut(SplitMix64),
}

/// How one file or folder fares. Most fare mixed, but a disk may also have been quick or slow with
/// all of one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Mood {
    Everything,
    Nothing,
    Mixed,
}

/// What is left of one change.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Fate {
    Kept,
    Lost,
    /// Chance decides on each sector.
    InParts,
}

impl Chance {
    pub(crate) fn cut(seed: u64) -> Self {
        Self::Cut(SplitMix64(seed))
    }

    /// One in so many.
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

    /// Whether something that cannot be halved is kept.
    pub(crate) fn keeps(&mut self, fate: Fate) -> bool {
        match fate {
            Fate::Kept => true,
            Fate::Lost => false,
            Fate::InParts => self.one_in(2),
        }
    }
}
