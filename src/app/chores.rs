//! What is done beside serving requests, for as long as the server runs.

use crate::service::{
    outgoing::{Bell, Outgoing, Task},
    retention::Retention,
};
use std::{
    collections::HashSet,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};

/// Takes away what is old, now and then again and again.
pub(super) async fn sweep(retention: Retention, pause: Duration) {
    loop {
        match retention.sweep().await {
            Ok(0) => {}
            Ok(objects) => log::info!(objects; "Old alerts and logs were taken away"),
            Err(cause) => log::warn!(cause:display; "Old alerts and logs could not be taken away; this is tried again"),
        }
        actix_rt::time::sleep(pause).await;
    }
}

/// So many are sent at once, and no two of one integration.
const AT_ONCE: usize = 16;
/// So many of the queue are looked at, so that a slow receiver does not hide the others.
const LOOKED_AT: usize = 1024;
/// As long as something waits to be due.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Sends what is in the queue, whenever something is due.
pub(super) async fn deliver(outgoing: Outgoing, bell: Bell) {
    let busy = Busy::default();
    loop {
        let waits = match outgoing.due(LOOKED_AT) {
            Ok((due, waits)) => {
                due.into_iter().for_each(|task| busy.start(&outgoing, &bell, task));
                waits
            }
            Err(cause) => {
                log::warn!(cause:display; "The queue of webhooks cannot be read; this is tried again");
                true
            }
        };
        if waits {
            let _either = actix_rt::time::timeout(LOOK_AGAIN, bell.heard()).await;
        } else {
            bell.heard().await;
        }
    }
}

/// Integrations that something is being sent for.
#[derive(Clone, Debug, Default)]
struct Busy(Arc<Mutex<HashSet<String>>>);

impl Busy {
    fn lock(&self) -> MutexGuard<'_, HashSet<String>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Sends it, unless its integration or too many others are at it.
    fn start(&self, outgoing: &Outgoing, bell: &Bell, task: Task) {
        let sender = task.sender().to_string();
        let mut senders = self.lock();
        if senders.len() >= AT_ONCE || !senders.insert(sender.clone()) {
            return;
        }
        drop(senders);
        let (busy, outgoing, bell) = (self.clone(), outgoing.clone(), bell.clone());
        actix_rt::spawn(async move {
            send(outgoing, task).await;
            busy.lock().remove(&sender);
            bell.ring();
        });
    }
}

async fn send(outgoing: Outgoing, task: Task) {
    let (courier, own) = (outgoing.clone(), task.clone());
    let attempt = actix_rt::task::spawn_blocking(move || courier.attempt(&own)).await;
    let outcome = match attempt {
        Ok(Ok(attempt)) => outgoing.conclude(task, attempt).await,
        Ok(Err(error)) => Err(error),
        Err(broken) => return log::error!(cause:display = broken; "Sending a webhook broke down"),
    };
    if let Err(cause) = outcome {
        log::warn!(cause:display; "What came of a webhook could not be kept; it is sent again");
    }
}
