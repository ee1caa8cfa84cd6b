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
    store::{Holdup, Store, StoreError},
};
use actix_rt::task::JoinHandle;
use std::time::Duration;

/// Between two looks at how the store is doing.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// All that is to be done.
pub(super) struct Chores {
    pub(super) store: Store,
    pub(super) retention: Retention,
    pub(super) sweep_pause: Duration,
    pub(super) outgoing: Outgoing,
    pub(super) bell: Bell,
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
        let Self { store, retention, sweep_pause, outgoing, bell, stopping, drain } = self;
        Begun {
            watching: actix_rt::spawn(watch(store)),
            sweeping: actix_rt::spawn(sweep(retention, sweep_pause)),
            sending: actix_rt::spawn(sending::deliver(outgoing, bell, stopping.clone(), drain)),
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

/// Says when the disk holds the store up, which nothing else tells: no commit fails, it just does not end.
async fn watch(store: Store) {
    let mut told = None;
    loop {
        actix_rt::time::sleep(LOOK_AGAIN).await;
        let found = store.takes_writes().err();
        let with = match &found {
            Some(StoreError::Stuck(with)) => Some(*with),
            _ => None,
        };
        if with == told {
            continue;
        }
        match told {
            Some(Holdup::Disk) => log::warn!("The disk goes on"),
            Some(Holdup::Work) => log::warn!("The store is no longer busy with one write"),
            None => {}
        }
        if let Some((cause, with)) = found.zip(with) {
            match with {
                Holdup::Disk => log::error!(cause:display; "The store takes no writes until the disk goes on"),
                Holdup::Work => {
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
