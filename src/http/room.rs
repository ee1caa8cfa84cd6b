//! Room in memory for what clients are slow to send or to take: so much for all of them together.
//!
//! What is small is not counted. So whoever fills the room keeps others from sending or asking for much at once, and from
//! nothing else.

use super::problem::Problem;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The room for one kind of things.
#[derive(Clone, Debug)]
pub struct Room {
    what: &'static str,
    kibibytes: u32,
    left: Arc<Semaphore>,
}

/// A part of the room, until it is dropped.
#[derive(Debug)]
pub(super) struct Part {
    room: Room,
    taken: Option<OwnedSemaphorePermit>,
}

/// So much of each is not counted: what the buffers of a connection hold anyway.
pub(super) const SMALL: usize = 32 << 10;

/// Rooms are not counted out in smaller parts.
const STEP: usize = 64 << 10;

impl Room {
    /// Room for so many mebibytes of `what`, a plural.
    pub fn new(what: &'static str, mebibytes: u16) -> Self {
        let kibibytes = u32::from(mebibytes) << 10;
        let permits = usize::try_from(kibibytes).unwrap_or(Semaphore::MAX_PERMITS);
        Self { what, kibibytes, left: Arc::new(Semaphore::new(permits)) }
    }

    /// A part for something of this size.
    ///
    /// # Errors
    /// [`Problem::Busy`] when there is not enough room now.
    pub(super) fn for_bytes(&self, bytes: usize) -> Result<Part, Problem> {
        let mut part = self.part();
        part.fit(bytes)?;
        Ok(part)
    }

    /// A part that is empty yet.
    pub(super) fn part(&self) -> Part {
        Part { room: self.clone(), taken: None }
    }
}

impl Part {
    /// Makes it large enough for something of this size. What is larger than the whole room gets in when it is alone.
    ///
    /// # Errors
    /// [`Problem::Busy`] when there is not enough room now.
    pub(super) fn fit(&mut self, bytes: usize) -> Result<(), Problem> {
        let counted = bytes.saturating_sub(SMALL).div_ceil(STEP).saturating_mul(STEP >> 10);
        let wanted = u32::try_from(counted).unwrap_or(u32::MAX).min(self.room.kibibytes);
        let has = self.taken.as_ref().map_or(0, |taken| u32::try_from(taken.num_permits()).unwrap_or(u32::MAX));
        let Some(more) = wanted.checked_sub(has).filter(|more| *more > 0) else { return Ok(()) };
        let more = Arc::clone(&self.room.left).try_acquire_many_owned(more);
        let more = more.map_err(|_| Problem::Busy { with: self.room.what })?;
        match &mut self.taken {
            Some(taken) => taken.merge(more),
            None => self.taken = Some(more),
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn what_does_not_fit_is_refused_until_there_is_room() {
        let room = Room::new("tests", 1);
        let (mut first, mut second) = (room.part(), room.part());
        first.fit(MIB / 2).unwrap();
        first.fit(MIB / 4).unwrap();
        second.fit(MIB / 2).unwrap();
        assert!(matches!(first.fit(MIB), Err(Problem::Busy { with: "tests" })));
        drop(second);
        first.fit(MIB).unwrap();
    }

    #[test]
    fn what_is_larger_than_the_room_gets_in_alone() {
        let room = Room::new("tests", 1);
        let (mut small, mut huge) = (room.part(), room.part());
        small.fit(MIB / 4).unwrap();
        huge.fit(100 * MIB).unwrap_err();
        drop(small);
        huge.fit(100 * MIB).unwrap();
        huge.fit(200 * MIB).unwrap();
    }

    #[test]
    fn what_is_small_always_gets_in() {
        let room = Room::new("tests", 1);
        let (mut huge, mut small) = (room.part(), room.part());
        huge.fit(100 * MIB).unwrap();
        small.fit(SMALL).unwrap();
        small.fit(SMALL + 1).unwrap_err();
    }
}
