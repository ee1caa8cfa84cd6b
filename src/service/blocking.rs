//! Blocking work: runs costly parsing on blocking threads, so that other requests are served
//! meanwhile.

use super::fair_shares::FairShares;
use crate::{domain::ids::AccountId, store::StoreError};
use std::{sync::Arc, thread};
use tokio::sync::Semaphore;

/// Limits the number of blocking tasks, in total and for each account. Clones share one limit.
#[derive(Clone, Debug)]
pub(super) struct BlockingPool(Arc<BlockingLimits>);

#[derive(Debug)]
struct BlockingLimits {
    total: Arc<Semaphore>,
    /// Half of the total for each account.
    per_account: FairShares,
}

/// With a single task, one account would hold up all others.
const MIN_TASKS: usize = 2;

impl BlockingPool {
    /// A pool of as many tasks as there are cores.
    pub(super) fn new() -> Self {
        let cores = thread::available_parallelism().map_or(MIN_TASKS, usize::from);
        Self::with_tasks(cores.max(MIN_TASKS))
    }

    fn with_tasks(tasks: usize) -> Self {
        Self(Arc::new(BlockingLimits {
            total: Arc::new(Semaphore::new(tasks)),
            per_account: FairShares::new(tasks / 2),
        }))
    }

    /// Runs `work` here, or on a blocking thread if `is_costly`, once the account may start another
    /// task.
    ///
    /// # Errors
    /// The work panicked.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        account: &AccountId,
        is_costly: bool,
        work: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        if !is_costly {
            return Ok(work());
        }

        let closed = |_closed| StoreError::Unavailable;
        let share = self.0.per_account.share(account.as_str());
        let own = share.acquire_owned().await.map_err(closed)?;
        let total = Arc::clone(&self.0.total);
        let permit = total.acquire_owned().await.map_err(closed)?;

        run_blocking(move || {
            // Held by the work, not by the request: a client that disconnects does not stop it.
            let _permits = (own, permit);
            work()
        })
        .await
    }
}

/// Drops a large value on a blocking thread. For a mebibyte of small JSON values, that takes as
/// long as parsing them.
pub(super) fn drop_in_background(large: impl Send + 'static) {
    drop(tokio::task::spawn_blocking(move || drop(large)));
}

/// Runs `work` on a blocking thread.
///
/// # Errors
/// The work panicked.
pub(super) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|panic| {
        log::error!(cause:display = panic; "A background task panicked");
        StoreError::Unavailable
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::Future, pin::pin, sync::mpsc, task::Context};

    /// Two costly requests of one account used to hold all permits, and a small event of another
    /// account waited for eight seconds.
    #[test]
    fn busy_account_leaves_capacity_for_others() {
        let pool = BlockingPool::with_tasks(2);
        let [hog, other] = ["acc_hog", "acc_other"].map(|id| AccountId::parse(id).unwrap());
        let mut context = Context::from_waker(std::task::Waker::noop());

        actix_rt::System::new().block_on(async {
            let (release, released) = mpsc::channel::<()>();
            let mut running = pin!(pool.run(&hog, true, move || released.recv().is_err()));
            let mut waiting = pin!(pool.run(&hog, true, || true));

            assert!(running.as_mut().poll(&mut context).is_pending());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            assert!(pool.run(&other, true, || true).await.unwrap());
            assert!(
                waiting.as_mut().poll(&mut context).is_pending(),
                "its first task has not finished"
            );
            drop(release);
            assert!(running.await.unwrap() && waiting.await.unwrap());
        });
    }
}
