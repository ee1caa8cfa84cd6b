//! ConcurrencyLimit at work that takes long: so many at once, so many that wait, and beyond that an honest
//! 503.
//!
//! Without a bound on those at once, such work would take the cores from everybody else; without
//! one on those that wait, the last would wait longer than any client does.

use crate::http::error::ApiError;
use crate::{domain::ids::AccountId, service::shares::Shares};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Who may work, and who may wait for it.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    what: &'static str,
    places: Arc<Semaphore>,
    working: Arc<Semaphore>,
    /// What of both one account may have.
    place_shares: Shares,
    working_shares: Shares,
}

/// Somebody's permit, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _working: OwnedSemaphorePermit,
    _place: OwnedSemaphorePermit,
    _of_the_account: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl ConcurrencyLimit {
    /// `at_once` work while `waiting` more wait. `what` is the plural of what they do.
    pub fn new(what: &'static str, at_once: usize, waiting: usize) -> Self {
        let places = at_once.saturating_add(waiting);
        Self {
            what,
            places: Arc::new(Semaphore::new(places)),
            working: Arc::new(Semaphore::new(at_once)),
            place_shares: Shares::of_places(places),
            working_shares: Shares::of_places(at_once),
        }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`ApiError::Busy`] when too many wait already.
    pub(crate) async fn acquire(&self) -> Result<Permit, ApiError> {
        let place = Arc::clone(&self.places)
            .try_acquire_owned()
            .map_err(|_| ApiError::Busy { with: self.what })?;
        let working = Arc::clone(&self.working).acquire_owned().await;
        let working = working.map_err(|error| ApiError::Internal(error.to_string()))?;
        Ok(Permit {
            _working: working,
            _place: place,
            _of_the_account: None,
        })
    }

    /// Waits for one of the account's limit, which are half of all.
    ///
    /// # Errors
    /// [`ApiError::Busy`] when too many wait already, of this account or of all.
    pub(crate) async fn acquire_for(&self, account: &AccountId) -> Result<Permit, ApiError> {
        let busy = |_| ApiError::Busy { with: self.what };
        let place = self
            .place_shares
            .share(account)
            .try_acquire_owned()
            .map_err(busy)?;
        let working = self.working_shares.share(account).acquire_owned().await;
        let working = working.map_err(|error| ApiError::Internal(error.to_string()))?;

        Ok(Permit {
            _of_the_account: Some((working, place)),
            ..self.acquire().await?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::Future, pin::pin, task::Context};

    #[test]
    fn some_work_some_wait_and_the_rest_is_refused() {
        let limit = ConcurrencyLimit::new("tests", 1, 1);
        let mut context = Context::from_waker(std::task::Waker::noop());
        actix_rt::System::new().block_on(async {
            let working = limit.acquire().await.unwrap();
            let mut waiting = pin!(limit.acquire());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            assert!(matches!(
                limit.acquire().await,
                Err(ApiError::Busy { with: "tests" })
            ));
            drop(working);
            drop(waiting.await.unwrap());
            limit.acquire().await.unwrap();
        });
    }

    #[test]
    fn an_account_has_half_of_the_turns_and_others_the_rest() {
        let limit = ConcurrencyLimit::new("tests", 2, 2);
        let [hog, other] = ["acc_hog", "acc_other"].map(|id| AccountId::parse(id).unwrap());
        let mut context = Context::from_waker(std::task::Waker::noop());

        actix_rt::System::new().block_on(async {
            let working = limit.acquire_for(&hog).await.unwrap();
            let mut waiting = pin!(limit.acquire_for(&hog));
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            assert!(matches!(
                limit.acquire_for(&hog).await,
                Err(ApiError::Busy { with: "tests" })
            ));
            drop(limit.acquire_for(&other).await.unwrap());
            drop(working);
            drop(waiting.await.unwrap());
        });
    }

    #[test]
    fn who_stops_waiting_makes_room() {
        let limit = ConcurrencyLimit::new("tests", 1, 1);
        let mut context = Context::from_waker(std::task::Waker::noop());
        actix_rt::System::new().block_on(async {
            let _working = limit.acquire().await.unwrap();
            for _ in 0..3 {
                let mut waiting = Box::pin(limit.acquire());
                assert!(waiting.as_mut().poll(&mut context).is_pending());
            }
        });
    }
}
