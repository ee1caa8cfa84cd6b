//! Room in memory for what clients are slow to send or to take: so much for all of them together,
//! and a share of that for each account.
//!
//! What is small is not counted. So whoever fills the room keeps others from sending or asking for
//! much at once, and from nothing else; and no account fills it alone.

use crate::http::error::ApiError;
use std::{
    collections::HashMap,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The room for one kind of things.
#[derive(Clone, Debug)]
pub struct MemoryBudget {
    what: &'static str,
    kibibytes: u32,
    left: Arc<Semaphore>,
    shares: Arc<Mutex<HashMap<String, u32>>>,
}

/// A part of the room, until it is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    room: MemoryBudget,
    /// Whose share it is a part of.
    owner: Option<String>,
    taken: Option<OwnedSemaphorePermit>,
}

/// So much of each is not counted: what the buffers of a connection hold anyway.
pub(crate) const SMALL: usize = 32 << 10;

/// Rooms are not counted out in smaller parts.
const STEP: usize = 64 << 10;

/// Of so many shares there is room for.
const SHARES: u32 = 4;

impl MemoryBudget {
    /// Room for so many mebibytes of `what`, a plural.
    pub fn new(what: &'static str, mebibytes: u16) -> Self {
        let kibibytes = u32::from(mebibytes) << 10;
        let permits = usize::try_from(kibibytes).unwrap_or(Semaphore::MAX_PERMITS);
        Self {
            what,
            kibibytes,
            left: Arc::new(Semaphore::new(permits)),
            shares: Arc::default(),
        }
    }

    /// A part for something of this size, of the share of `owner` if there is one.
    ///
    /// # Errors
    /// [`ApiError::Busy`] when there is not enough room now.
    pub(crate) fn reserve(
        &self,
        bytes: usize,
        owner: Option<&str>,
    ) -> Result<Reservation, ApiError> {
        let mut part = self.empty_reservation(owner);
        part.grow_to(bytes)?;
        Ok(part)
    }

    /// A part that is empty yet.
    pub(crate) fn empty_reservation(&self, owner: Option<&str>) -> Reservation {
        Reservation {
            room: self.clone(),
            owner: owner.map(str::to_owned),
            taken: None,
        }
    }

    fn shares(&self) -> MutexGuard<'_, HashMap<String, u32>> {
        self.shares.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Reservation {
    /// Makes it large enough for something of this size. What is larger than the whole room, or a
    /// share of it, gets in when it is alone there.
    ///
    /// # Errors
    /// [`ApiError::Busy`] when there is not enough room now.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        let counted = bytes
            .saturating_sub(SMALL)
            .div_ceil(STEP)
            .saturating_mul(STEP >> 10);
        let wanted = u32::try_from(counted)
            .unwrap_or(u32::MAX)
            .min(self.room.kibibytes);
        let has = self.taken_kibibytes();
        let Some(more) = wanted.checked_sub(has).filter(|more| *more > 0) else {
            return Ok(());
        };

        let busy = || ApiError::Busy {
            with: self.room.what,
        };

        // Held until what is taken is counted, so that no two take the same.
        let mut shares = self.room.shares();
        let of_owner = self
            .owner
            .as_ref()
            .map_or(0, |owner| shares.get(owner).copied().unwrap_or_default());
        let share = self.room.kibibytes / SHARES;

        if of_owner > has && of_owner.saturating_add(more) > share {
            return Err(busy());
        }

        let permit = Arc::clone(&self.room.left)
            .try_acquire_many_owned(more)
            .map_err(|_| busy())?;

        if let Some(owner) = &self.owner {
            shares.insert(owner.clone(), of_owner.saturating_add(more));
        }

        drop(shares);
        match &mut self.taken {
            Some(taken) => taken.merge(permit),
            None => self.taken = Some(permit),
        }

        Ok(())
    }

    fn taken_kibibytes(&self) -> u32 {
        self.taken.as_ref().map_or(0, |taken| {
            u32::try_from(taken.num_permits()).unwrap_or(u32::MAX)
        })
    }
}

impl Drop for Reservation {
    fn drop(&mut self) {
        let taken = self.taken_kibibytes();
        let Some(owner) = self.owner.as_ref().filter(|_| taken > 0) else {
            return;
        };

        let mut shares = self.room.shares();
        let left = shares
            .get(owner)
            .copied()
            .unwrap_or_default()
            .saturating_sub(taken);

        if left > 0 {
            shares.insert(owner.clone(), left);
        } else {
            shares.remove(owner);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn what_does_not_fit_is_refused_until_there_is_room() {
        let room = MemoryBudget::new("tests", 1);
        let (mut first, mut second) = (room.empty_reservation(None), room.empty_reservation(None));
        first.grow_to(MIB / 2).unwrap();
        first.grow_to(MIB / 4).unwrap();
        second.grow_to(MIB / 2).unwrap();
        assert!(matches!(
            first.grow_to(MIB),
            Err(ApiError::Busy { with: "tests" })
        ));
        drop(second);
        first.grow_to(MIB).unwrap();
    }

    #[test]
    fn what_is_larger_than_the_room_gets_in_alone() {
        let room = MemoryBudget::new("tests", 1);
        let (mut small, mut huge) = (room.empty_reservation(None), room.empty_reservation(None));
        small.grow_to(MIB / 4).unwrap();
        huge.grow_to(100 * MIB).unwrap_err();
        drop(small);
        huge.grow_to(100 * MIB).unwrap();
        huge.grow_to(200 * MIB).unwrap();
    }

    #[test]
    fn what_is_small_always_gets_in() {
        let room = MemoryBudget::new("tests", 1);
        let (mut huge, mut small) = (room.empty_reservation(None), room.empty_reservation(None));
        huge.grow_to(100 * MIB).unwrap();
        small.grow_to(SMALL).unwrap();
        small.grow_to(SMALL + 1).unwrap_err();
    }

    #[test]
    fn no_owner_fills_the_room_alone() {
        let room = MemoryBudget::new("tests", 4);
        let (mut first, mut second) = (
            room.empty_reservation(Some("a")),
            room.empty_reservation(Some("a")),
        );
        first.grow_to(MIB / 2).unwrap();
        second.grow_to(MIB / 4).unwrap();
        assert!(matches!(
            second.grow_to(MIB),
            Err(ApiError::Busy { with: "tests" })
        ));
        let others: Vec<_> = ["b", "c", "d"]
            .map(|owner| room.reserve(MIB, Some(owner)).unwrap())
            .into();
        drop(first);
        second.grow_to(MIB).unwrap();
        drop((others, second));
        assert!(room.shares().is_empty(), "who has nothing is forgotten");
    }

    #[test]
    fn what_is_larger_than_a_share_gets_in_when_its_owner_has_nothing_else() {
        let room = MemoryBudget::new("tests", 4);
        let mut large = room.empty_reservation(Some("a"));
        for mebibytes in 1..=3 {
            large.grow_to(mebibytes * MIB).unwrap();
        }
        room.reserve(MIB / 4, Some("a")).unwrap_err();
        room.reserve(MIB / 2, Some("b")).unwrap();
    }
}
