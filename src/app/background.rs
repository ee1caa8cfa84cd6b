//! Background tasks: the store watchdog, retention, and the webhook dispatcher.

use super::shutdown::ShutdownSignal;
use crate::{
    service::{
        dispatch_signal::DispatchSignal,
        log_once::LogOnce,
        retention::Retention,
        webhooks::{self, OutboxWorker},
    },
    store::{StallCause, Store, StoreError},
};
use actix_rt::task::JoinHandle;
use std::{
    future::poll_fn,
    panic::{AssertUnwindSafe, catch_unwind},
    pin::pin,
    task::Poll,
    thread,
    time::Duration,
};

const WATCHDOG_INTERVAL: Duration = Duration::from_secs(1);

/// Background tasks that have not been started.
pub(super) struct BackgroundTasks {
    pub(super) store: Store,
    pub(super) retention: Retention,
    pub(super) sweep_interval: Duration,
    pub(super) outbox_worker: OutboxWorker,
    pub(super) dispatch_signal: DispatchSignal,
    /// Maximum number of webhook requests in flight.
    pub(super) max_concurrent_webhooks: usize,
    pub(super) shutdown: ShutdownSignal,
    /// How long webhook requests in flight may take after shutdown has begun.
    pub(super) drain_timeout: Duration,
}

/// Background tasks that are running.
pub(super) struct RunningTasks {
    watchdog: JoinHandle<()>,
    retention: JoinHandle<()>,
    dispatcher: JoinHandle<()>,
    shutdown: ShutdownSignal,
}

impl BackgroundTasks {
    pub(super) fn start(self) -> RunningTasks {
        let Self {
            store,
            retention,
            sweep_interval,
            outbox_worker,
            dispatch_signal,
            max_concurrent_webhooks,
            shutdown,
            drain_timeout,
        } = self;

        let watchdog = move || watch_store(store.clone());
        let sweep = move || run_retention(retention.clone(), sweep_interval);
        let stopping = shutdown.subscribe();
        let dispatch = move || {
            webhooks::dispatch(
                outbox_worker.clone(),
                dispatch_signal.clone(),
                max_concurrent_webhooks,
                stopping.clone(),
                drain_timeout,
            )
        };

        RunningTasks {
            watchdog: actix_rt::spawn(supervise("store watchdog", RESTART_DELAY, watchdog)),
            retention: actix_rt::spawn(supervise("retention", RESTART_DELAY, sweep)),
            dispatcher: actix_rt::spawn(supervise("webhook dispatcher", RESTART_DELAY, dispatch)),
            shutdown,
        }
    }
}

impl RunningTasks {
    /// Stops all tasks and waits for them, because they hold the store open.
    pub(super) async fn stop(self) {
        self.shutdown.trigger();
        for endless in [self.watchdog, self.retention] {
            endless.abort();
            let _aborted = endless.await;
        }

        let _ignored = self.dispatcher.await;
    }
}

/// Pause before a task that panicked is restarted, so that one which panics at once does not use
/// all of the CPU.
const RESTART_DELAY: Duration = Duration::from_secs(1);

/// Runs a task to its end and restarts it when it panics. Otherwise a single bad record would end
/// the task until the next start of the server.
async fn supervise<F: Future<Output = ()>>(
    name: &'static str,
    restart_delay: Duration,
    task: impl Fn() -> F,
) {
    while catch_panic(task()).await.is_err() {
        log::error!(task = name; "A background task panicked; restarting it");
        actix_rt::time::sleep(restart_delay).await;
    }
}

/// # Errors
/// The work panicked.
async fn catch_panic(work: impl Future<Output = ()>) -> thread::Result<()> {
    let mut work = pin!(work);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        },
    )
    .await
}

/// Logs when the writer is stuck. Nothing else reports this: no commit fails, it just never ends.
async fn watch_store(store: Store) {
    let mut logged = None;
    loop {
        actix_rt::time::sleep(WATCHDOG_INTERVAL).await;
        let error = store.check_writable().err();
        let holdup = match &error {
            Some(StoreError::Stalled(holdup)) => Some(*holdup),
            _ => None,
        };

        if holdup == logged {
            continue;
        }

        match logged {
            Some(StallCause::Disk) => log::warn!("The disk is responding again"),
            Some(StallCause::Work) => log::warn!("The long-running write has finished"),
            None => {}
        }

        if let Some((cause, holdup)) = error.zip(holdup) {
            match holdup {
                StallCause::Disk => log::error!(
                    cause:display;
                    "The disk is not responding; the store accepts no writes until it does"
                ),
                StallCause::Work => log::error!(
                    cause:display;
                    "A write is taking long; the store accepts no others until it has finished"
                ),
            }
        }

        logged = holdup;
    }
}

/// Applies the retention policy at regular intervals, and at once where a test has moved the clock.
async fn run_retention(retention: Retention, interval: Duration) {
    let mut failures = LogOnce::default();
    let mut clock_version = 0;
    loop {
        match retention.sweep().await {
            Ok(objects) => {
                failures.resolve("Old alerts and logs can be removed again");
                if objects > 0 {
                    log::info!(objects; "Removed old alerts and logs");
                }
            }
            Err(cause) => failures.warn("Could not remove old alerts and logs", &cause),
        }

        tokio::select! {
            () = actix_rt::time::sleep(interval) => {}
            version = retention.clock_adjusted_since(clock_version) => clock_version = version,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Without a restart, one panic disabled webhooks or retention until the next start.
    #[test]
    fn task_that_panics_is_restarted() {
        let starts = Cell::new(0);
        let task = || async {
            starts.set(starts.get() + 1);
            tokio::task::yield_now().await;
            assert!(starts.get() > 1, "planted by a test");
        };

        actix_rt::System::new().block_on(supervise("planted", Duration::ZERO, task));
        assert_eq!(starts.get(), 2);
    }
}
