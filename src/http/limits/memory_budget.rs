//! Memory budgets for bodies that clients are slow to send or to read: a total, and a share of it
//! for each owner.
//!
//! Small bodies are not counted. So a full budget keeps clients from sending or requesting large
//! bodies and from nothing else, and no owner can fill it alone.

use crate::http::error::ApiError;
use crate::service::fair_shares::FairShares;
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// A budget for one kind of bodies. Clones share it.
#[derive(Clone, Debug)]
pub struct MemoryBudget(Arc<BudgetState>);

#[derive(Debug)]
struct BudgetState {
    what: &'static str,
    /// The total. A permit is a kibibyte.
    kibibytes: u32,
    available: Arc<Semaphore>,
    shares: FairShares,
}

/// Memory that is reserved until this is dropped.
#[derive(Debug)]
pub(crate) struct Reservation {
    budget: MemoryBudget,
    owner: Option<String>,
    kibibytes: u32,
    permits: Option<OwnedSemaphorePermit>,
    share: Option<OwnedSemaphorePermit>,
}

/// This much of each body is not counted: the buffers of its connection hold it anyway.
pub(crate) const UNCOUNTED_BYTES: usize = 32 << 10;

/// Reservations grow in steps of this size.
const STEP_BYTES: usize = 64 << 10;

/// Each owner may reserve the budget divided by this.
const SHARES: u32 = 4;

impl MemoryBudget {
    /// A budget of this many mebibytes. `what` names the bodies in the plural.
    pub fn new(what: &'static str, mebibytes: u16) -> Self {
        let kibibytes = u32::from(mebibytes) << 10;
        Self(Arc::new(BudgetState {
            what,
            kibibytes,
            available: Arc::new(Semaphore::new(to_permits(kibibytes))),
            shares: FairShares::new(to_permits(kibibytes / SHARES)),
        }))
    }

    /// Reserves memory for a body of `bytes`, within the share of `owner` if there is one.
    ///
    /// # Errors
    /// [`ApiError::Busy`] when there is not enough memory now.
    pub(crate) fn reserve(
        &self,
        bytes: usize,
        owner: Option<&str>,
    ) -> Result<Reservation, ApiError> {
        let mut reservation = self.empty_reservation(owner);
        reservation.grow_to(bytes)?;
        Ok(reservation)
    }

    /// A reservation that holds nothing yet.
    pub(crate) fn empty_reservation(&self, owner: Option<&str>) -> Reservation {
        Reservation {
            budget: self.clone(),
            owner: owner.map(str::to_owned),
            kibibytes: 0,
            permits: None,
            share: None,
        }
    }
}

impl Reservation {
    /// Grows to a body of `bytes`. A body larger than the whole budget gets in when no other body
    /// is counted, and one larger than a share when its owner has no other.
    ///
    /// # Errors
    /// [`ApiError::Busy`] when there is not enough memory now. The reservation stays as it was.
    pub(crate) fn grow_to(&mut self, bytes: usize) -> Result<(), ApiError> {
        let counted = bytes
            .saturating_sub(UNCOUNTED_BYTES)
            .div_ceil(STEP_BYTES)
            .saturating_mul(STEP_BYTES >> 10);
        let inner = &self.budget.0;
        let wanted = u32::try_from(counted)
            .unwrap_or(u32::MAX)
            .min(inner.kibibytes);
        if wanted <= self.kibibytes {
            return Ok(());
        }

        let busy = |_| ApiError::Busy { with: inner.what };
        let share = match &self.owner {
            None => None,
            Some(owner) => {
                let max = u32::try_from(inner.shares.per_owner()).unwrap_or(u32::MAX);
                let more = wanted.min(max).saturating_sub(self.kibibytes.min(max));
                let share = inner.shares.share(owner);
                Some(share.try_acquire_many_owned(more).map_err(busy)?)
            }
        };

        // The share first: an owner that has used it up must not take from the total even briefly.
        let available = Arc::clone(&inner.available);
        let more = wanted.saturating_sub(self.kibibytes);
        let permits = available.try_acquire_many_owned(more).map_err(busy)?;

        // Only after both have succeeded. An early return drops what was taken of the share.
        self.kibibytes = wanted;
        add(&mut self.permits, permits);
        if let Some(share) = share {
            add(&mut self.share, share);
        }

        Ok(())
    }
}

fn add(held: &mut Option<OwnedSemaphorePermit>, more: OwnedSemaphorePermit) {
    match held {
        Some(held) => held.merge(more),
        None => *held = Some(more),
    }
}

fn to_permits(kibibytes: u32) -> usize {
    usize::try_from(kibibytes).unwrap_or(Semaphore::MAX_PERMITS)
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: usize = 1 << 20;

    #[test]
    fn body_that_does_not_fit_is_refused_until_memory_is_freed() {
        let budget = MemoryBudget::new("tests", 1);
        let (mut first, mut second) = (
            budget.empty_reservation(None),
            budget.empty_reservation(None),
        );
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
    fn body_larger_than_the_budget_is_accepted_alone() {
        let budget = MemoryBudget::new("tests", 1);
        let (mut small, mut huge) = (
            budget.empty_reservation(None),
            budget.empty_reservation(None),
        );
        small.grow_to(MIB / 4).unwrap();
        huge.grow_to(100 * MIB).unwrap_err();
        drop(small);
        huge.grow_to(100 * MIB).unwrap();
        huge.grow_to(200 * MIB).unwrap();
    }

    #[test]
    fn small_body_is_always_accepted() {
        let budget = MemoryBudget::new("tests", 1);
        let (mut huge, mut small) = (
            budget.empty_reservation(None),
            budget.empty_reservation(None),
        );
        huge.grow_to(100 * MIB).unwrap();
        small.grow_to(UNCOUNTED_BYTES).unwrap();
        small.grow_to(UNCOUNTED_BYTES + 1).unwrap_err();
    }

    #[test]
    fn owner_cannot_fill_the_budget_alone() {
        let budget = MemoryBudget::new("tests", 4);
        let (mut first, mut second) = (
            budget.empty_reservation(Some("a")),
            budget.empty_reservation(Some("a")),
        );
        first.grow_to(MIB / 2).unwrap();
        second.grow_to(MIB / 4).unwrap();
        assert!(matches!(
            second.grow_to(MIB),
            Err(ApiError::Busy { with: "tests" })
        ));
        let _others: Vec<_> = ["b", "c", "d"]
            .map(|owner| budget.reserve(MIB, Some(owner)).unwrap())
            .into();
        drop(first);
        second.grow_to(MIB).unwrap();
    }

    #[test]
    fn body_larger_than_a_share_is_accepted_when_its_owner_has_no_other() {
        let budget = MemoryBudget::new("tests", 4);
        let mut large = budget.empty_reservation(Some("a"));
        for mebibytes in 1..=3 {
            large.grow_to(mebibytes * MIB).unwrap();
        }
        budget.reserve(MIB / 4, Some("a")).unwrap_err();
        budget.reserve(MIB / 2, Some("b")).unwrap();
    }
}
