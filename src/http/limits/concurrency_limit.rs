//! Concurrency limits for costly work: a bounded number runs, a bounded number waits, and the rest
//! is refused with 503.
//!
//! Without a bound on running work, it would take all cores from other requests. Without a bound on
//! waiting work, the last in the queue would wait longer than any client does.

use crate::http::error::ApiError;
use crate::{domain::ids::AccountId, service::fair_shares::FairShares};
use std::sync::Arc;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// Limits how many requests run, and how many wait.
#[derive(Debug)]
pub struct ConcurrencyLimit {
    what: &'static str,
    /// Permits to run or to wait.
    admitted: Arc<Semaphore>,
    /// Permits to run.
    running: Arc<Semaphore>,
    /// Half of each for any account.
    admitted_shares: FairShares,
    running_shares: FairShares,
}

/// Permission to run, until it is dropped.
#[derive(Debug)]
pub(crate) struct Permit {
    _running: OwnedSemaphorePermit,
    _admitted: OwnedSemaphorePermit,
    _shares: Option<(OwnedSemaphorePermit, OwnedSemaphorePermit)>,
}

impl ConcurrencyLimit {
    /// At most `max_running` run while `max_waiting` wait. `what` names them in the plural.
    pub fn new(what: &'static str, max_running: usize, max_waiting: usize) -> Self {
        let max_admitted = max_running.saturating_add(max_waiting);
        Self {
            what,
            admitted: Arc::new(Semaphore::new(max_admitted)),
            running: Arc::new(Semaphore::new(max_running)),
            admitted_shares: FairShares::new(max_admitted / 2),
            running_shares: FairShares::new(max_running / 2),
        }
    }

    /// Waits for a permit.
    ///
    /// # Errors
    /// [`ApiError::Busy`] when too many are waiting.
    pub(crate) async fn acquire(&self) -> Result<Permit, ApiError> {
        let admitted = Arc::clone(&self.admitted)
            .try_acquire_owned()
            .map_err(|_| ApiError::Busy { with: self.what })?;
        let running = Arc::clone(&self.running).acquire_owned().await;

        Ok(Permit {
            _running: running.map_err(|error| ApiError::Internal(error.to_string()))?,
            _admitted: admitted,
            _shares: None,
        })
    }

    /// Waits for a permit within the account's share.
    ///
    /// # Errors
    /// [`ApiError::Busy`] when too many are waiting, of this account or in total.
    pub(crate) async fn acquire_for(&self, account: &AccountId) -> Result<Permit, ApiError> {
        let admitted = self
            .admitted_shares
            .share(account.as_str())
            .try_acquire_owned()
            .map_err(|_| ApiError::Busy { with: self.what })?;
        let running = self.running_shares.share(account.as_str());
        let running = running.acquire_owned().await;
        let running = running.map_err(|error| ApiError::Internal(error.to_string()))?;

        Ok(Permit {
            _shares: Some((running, admitted)),
            ..self.acquire().await?
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::Future, pin::pin, task::Context};

    #[test]
    fn excess_is_refused_once_the_queue_is_full() {
        let limit = ConcurrencyLimit::new("tests", 1, 1);
        let mut context = Context::from_waker(std::task::Waker::noop());
        actix_rt::System::new().block_on(async {
            let running = limit.acquire().await.unwrap();
            let mut waiting = pin!(limit.acquire());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            assert!(matches!(
                limit.acquire().await,
                Err(ApiError::Busy { with: "tests" })
            ));
            drop(running);
            drop(waiting.await.unwrap());
            limit.acquire().await.unwrap();
        });
    }

    #[test]
    fn account_gets_at_most_half_of_the_permits() {
        let limit = ConcurrencyLimit::new("tests", 2, 2);
        let [hog, other] = ["acc_hog", "acc_other"].map(|id| AccountId::parse(id).unwrap());
        let mut context = Context::from_waker(std::task::Waker::noop());

        actix_rt::System::new().block_on(async {
            let running = limit.acquire_for(&hog).await.unwrap();
            let mut waiting = pin!(limit.acquire_for(&hog));
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            assert!(matches!(
                limit.acquire_for(&hog).await,
                Err(ApiError::Busy { with: "tests" })
            ));
            drop(limit.acquire_for(&other).await.unwrap());
            drop(running);
            drop(waiting.await.unwrap());
        });
    }

    #[test]
    fn request_that_stops_waiting_frees_its_place() {
        let limit = ConcurrencyLimit::new("tests", 1, 1);
        let mut context = Context::from_waker(std::task::Waker::noop());
        actix_rt::System::new().block_on(async {
            let _running = limit.acquire().await.unwrap();
            for _ in 0..3 {
                let mut waiting = Box::pin(limit.acquire());
                assert!(waiting.as_mut().poll(&mut context).is_pending());
            }
        });
    }
}
