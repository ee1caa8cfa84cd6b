//! Who reads events: the thread that serves, unless it may take long.
//!
//! What third parties send, and the rules by which integrations read it, can cost much more than a request usually does. Such work
//! is done elsewhere, so many at once, so that everybody else is served meanwhile.

use crate::store::StoreError;
use std::{sync::Arc, thread};
use tokio::sync::Semaphore;

/// Places for those who read what takes long. Cloning is cheap.
#[derive(Clone, Debug)]
pub(super) struct Readers(Arc<Semaphore>);

impl Readers {
    /// As many as there are cores.
    pub(super) fn new() -> Self {
        Self(Arc::new(Semaphore::new(thread::available_parallelism().map_or(1, usize::from))))
    }

    /// Reads: here, or where it may take long.
    ///
    /// # Errors
    /// The reading broke down.
    pub(super) async fn read<T: Send + 'static>(
        &self,
        takes_long: bool,
        read: impl FnOnce() -> T + Send + 'static,
    ) -> Result<T, StoreError> {
        if !takes_long {
            return Ok(read());
        }
        let _place = self.0.acquire().await.map_err(|_closed| StoreError::Stopped)?;
        elsewhere(read).await
    }
}

/// Does it on a thread that may be blocked.
///
/// # Errors
/// It broke down.
pub(super) async fn elsewhere<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Result<T, StoreError> {
    tokio::task::spawn_blocking(work).await.map_err(|broken| {
        log::error!(cause:display = broken; "Work that takes long broke down");
        StoreError::Stopped
    })
}
