//! Who reads events: the thread that serves, unless it may take long.
//!
//! What third parties send, and the rules by which integrations read it, can cost much more than a
//! request usually does. Such work is done elsewhere, so many at once, so that everybody else is
//! served meanwhile.

use super::shares::Shares;
use crate::{domain::ids::AccountId, store::StoreError};
use std::{sync::Arc, thread};
use tokio::sync::Semaphore;

/// Places for those who read what takes long. Cloning is cheap.
#[derive(Clone, Debug)]
pub(super) struct BlockingPool(Arc<Places>);

#[derive(Debug)]
struct Places {
    all: Arc<Semaphore>,
    shares: Shares,
}

/// With one place alone, whoever has it would hold up everybody else.
const AT_LEAST: usize = 2;

impl BlockingPool {
    /// As many as there are cores.
    pub(super) fn new() -> Self {
        Self::of_places(
            thread::available_parallelism()
                .map_or(AT_LEAST, usize::from)
                .max(AT_LEAST),
        )
    }

    fn of_places(places: usize) -> Self {
        Self(Arc::new(Places {
            all: Arc::new(Semaphore::new(places)),
            shares: Shares::of_places(places),
        }))
    }

    /// Reads: here, or where it may take long, when one of the account's places is free.
    ///
    /// # Errors
    /// The reading broke down.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        account: &AccountId,
        takes_long: bool,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        if !takes_long {
            return Ok(read());
        }

        let stopped = |_closed| StoreError::Unavailable;
        let own = self
            .0
            .shares
            .share(account)
            .acquire_owned()
            .await
            .map_err(stopped)?;

        let place = Arc::clone(&self.0.all)
            .acquire_owned()
            .await
            .map_err(stopped)?;
        run_blocking(move || {
            // Held by the work and not by who waits for it: one who leaves stops nothing.
            let _held_until_done = (own, place);
            read()
        })
        .await
    }
}

/// Takes apart what is large, on a thread that may be blocked: of a mebibyte of small values that
/// takes as long as making it.
pub(super) fn discard(large: impl Send + 'static) {
    drop(tokio::task::spawn_blocking(move || drop(large)));
}

/// Does it on a thread that may be blocked.
///
/// # Errors
/// It broke down.
pub(super) async fn run_blocking<T: Send + 'static>(
    work: impl FnOnce() -> T + Send + 'static,
) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|broken| {
        log::error!(cause:display = broken; "Work that takes long broke down");
        StoreError::Unavailable
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{future::Future, pin::pin, sync::mpsc, task::Context};

    /// Two requests of one account held all places, and a small event of another waited for eight
    /// seconds.
    #[test]
    fn an_account_that_reads_what_takes_long_leaves_places_to_others() {
        let pool = BlockingPool::of_places(2);
        let [hog, other] = ["acc_hog", "acc_other"].map(|id| AccountId::parse(id).unwrap());
        let mut context = Context::from_waker(std::task::Waker::noop());

        actix_rt::System::new().block_on(async {
            let (go, gone) = mpsc::channel::<()>();
            let mut working = pin!(pool.read(&hog, true, move || gone.recv().is_err()));
            let mut waiting = pin!(pool.read(&hog, true, || true));

            assert!(working.as_mut().poll(&mut context).is_pending());
            assert!(waiting.as_mut().poll(&mut context).is_pending());
            assert!(pool.read(&other, true, || true).await.unwrap());
            assert!(
                waiting.as_mut().poll(&mut context).is_pending(),
                "its own first is not done yet"
            );
            drop(go);
            assert!(working.await.unwrap() && waiting.await.unwrap());
        });
    }
}
