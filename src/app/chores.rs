//! What is done beside serving requests, for as long as the server runs.

use super::{
    sending::{self, Stopping},
    trouble::Trouble,
};
use crate::{
    service::{
        outgoing::{Bell, Outgoing},
        retention::Retention,
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

/// Between two looks at how the store is doing.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// All that is to be done.
pub(super) struct Chores {
    pub(super) store: Store,
    pub(super) retention: Retention,
    pub(super) sweep_pause: Duration,
    pub(super) outgoing: Outgoing,
    pub(super) bell: Bell,
    /// So many are sent at once.
    pub(super) webhooks: usize,
    pub(super) stopping: Stopping,
    /// As long as what is under way has when the server stops.
    pub(super) drain: Duration,
}

/// Chores that are being done.
pub(super) struct Begun {
    watching: JoinHandle<()>,
    sweeping: JoinHandle<()>,
    sending: JoinHandle<()>,
    stopping: Stopping,
}

impl Chores {
    /// Begins them.
    pub(super) fn begin(self) -> Begun {
        let Self {
            store,
            retention,
            sweep_pause,
            outgoing,
            bell,
            webhooks,
            stopping,
            drain,
        } = self;

        Begun {
            watching: actix_rt::spawn(kept_going("Watching the store", BEGIN_AGAIN, move || {
                watch(store.clone())
            })),
            sweeping: actix_rt::spawn(kept_going("Retention", BEGIN_AGAIN, move || {
                sweep(retention.clone(), sweep_pause)
            })),
            sending: {
                let stopping = stopping.clone();
                let deliver = move || {
                    sending::deliver(
                        outgoing.clone(),
                        bell.clone(),
                        webhooks,
                        stopping.clone(),
                        drain,
                    )
                };
                actix_rt::spawn(kept_going("Sending webhooks", BEGIN_AGAIN, deliver))
            },
            stopping,
        }
    }
}

impl Begun {
    /// Ends them; they hold the store until they are gone.
    pub(super) async fn end(self) {
        self.stopping.begin();
        for endless in [self.watching, self.sweeping] {
            endless.abort();
            let _aborted = endless.await;
        }
        let _broken_down_at_worst = self.sending.await;
    }
}

/// After one broke down, so that one that does so at once keeps nothing else from being done.
const BEGIN_AGAIN: Duration = Duration::from_secs(1);

/// Does a chore to its end, and begins it again if it breaks down: it may have been one object that
/// made it do so, and nobody would know until the next start that it is not done any more.
async fn kept_going<F: Future<Output = ()>>(
    what: &'static str,
    pause: Duration,
    chore: impl Fn() -> F,
) {
    while sound(chore()).await.is_err() {
        log::error!(chore = what; "A chore broke down; it is begun again");
        actix_rt::time::sleep(pause).await;
    }
}

/// Whether this came to its end without a panic.
async fn sound(work: impl Future<Output = ()>) -> thread::Result<()> {
    let mut work = pin!(work);
    poll_fn(
        |context| match catch_unwind(AssertUnwindSafe(|| work.as_mut().poll(context))) {
            Ok(poll) => poll.map(Ok),
            Err(panic) => Poll::Ready(Err(panic)),
        },
    )
    .await
}

/// Says when the disk holds the store up, which nothing else tells: no commit fails, it just does
/// not end.
async fn watch(store: Store) {
    let mut told = None;
    loop {
        actix_rt::time::sleep(LOOK_AGAIN).await;
        let found = store.check_writable().err();
        let with = match &found {
            Some(StoreError::Stalled(with)) => Some(*with),
            _ => None,
        };

        if with == told {
            continue;
        }

        match told {
            Some(StallCause::Disk) => log::warn!("The disk goes on"),
            Some(StallCause::Work) => log::warn!("The store is no longer busy with one write"),
            None => {}
        }

        if let Some((cause, with)) = found.zip(with) {
            match with {
                StallCause::Disk => {
                    log::error!(cause:display; "The store takes no writes until the disk goes on")
                }
                StallCause::Work => {
                    log::error!(cause:display; "The store takes no writes until one that takes long is done")
                }
            }
        }

        told = with;
    }
}

/// Takes away what is old, now and then again and again.
async fn sweep(retention: Retention, pause: Duration) {
    let mut trouble = Trouble::default();
    loop {
        match retention.sweep().await {
            Ok(objects) => {
                trouble.is_over("Old alerts and logs can be taken away again");
                if objects > 0 {
                    log::info!(objects; "Old alerts and logs were taken away");
                }
            }
            Err(cause) => trouble.tell("Old alerts and logs could not be taken away", &cause),
        }
        actix_rt::time::sleep(pause).await;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::cell::Cell;

    /// Nothing was sent, or nothing old taken away, from the first panic to the next start.
    #[test]
    fn a_chore_that_breaks_down_is_begun_again() {
        let begun = Cell::new(0);
        let chore = || async {
            begun.set(begun.get() + 1);
            tokio::task::yield_now().await;
            assert!(begun.get() > 1, "planted by a test");
        };
        actix_rt::System::new().block_on(kept_going("planted", Duration::ZERO, chore));
        assert_eq!(begun.get(), 2);
    }
}
