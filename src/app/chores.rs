//! What is done beside serving requests, for as long as the server runs.

use super::{
    sending::{self, Stopping},
    trouble::Trouble,
};
use crate::service::{
    outgoing::{Bell, Outgoing},
    retention::Retention,
};
use actix_rt::task::JoinHandle;
use std::time::Duration;

/// All that is to be done.
pub(super) struct Chores {
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
    sweeping: JoinHandle<()>,
    sending: JoinHandle<()>,
    stopping: Stopping,
}

impl Chores {
    /// Begins them.
    pub(super) fn begin(self) -> Begun {
        let Self { retention, sweep_pause, outgoing, bell, stopping, drain } = self;
        Begun {
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
        self.sweeping.abort();
        let _aborted = self.sweeping.await;
        let _broken_down_at_worst = self.sending.await;
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
