//! Sends what is in the queues of webhooks, for as long as the server runs.

use crate::{
    courier::{Answer, Courier, Parcel},
    service::outgoing::{Bell, Done, Outgoing, Plan, Turns},
    store::{Queue, StoreError},
};
use std::{sync::Arc, thread, time::Duration};
use tokio::{
    sync::oneshot,
    task::{JoinError, JoinSet},
};

/// As long as something waits to be due.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Sends whenever something is due.
pub(super) async fn deliver(outgoing: Outgoing, bell: Bell) {
    let mut at_work = AtWork::default();
    loop {
        let waits = at_work.begin(&outgoing);
        tokio::select! {
            Some(over) = at_work.tasks.join_next() => at_work.end(over),
            () = bell.heard() => {}
            () = actix_rt::time::sleep(LOOK_AGAIN), if waits => {}
        }
    }
}

/// What is being sent.
#[derive(Default)]
struct AtWork {
    turns: Turns,
    tasks: JoinSet<Queue>,
}

impl AtWork {
    /// Begins whatever is due and has its turn. Whether something waits.
    fn begin(&mut self, outgoing: &Outgoing) -> bool {
        match outgoing.due() {
            Ok((due, waits)) => {
                for queue in self.turns.begin(due) {
                    self.tasks.spawn(take_turn(outgoing.clone(), queue));
                }
                waits
            }
            Err(cause) => {
                log::warn!(cause:display; "The queues of webhooks cannot be read; this is tried again");
                true
            }
        }
    }

    fn end(&mut self, over: Result<Queue, JoinError>) {
        match over {
            Ok(queue) => self.turns.end(&queue),
            Err(cause) => log::error!(cause:display; "Sending a webhook broke down"),
        }
    }
}

/// Sends the first of a queue, and keeps what came of it.
async fn take_turn(outgoing: Outgoing, queue: Queue) -> Queue {
    if let Err(cause) = send(&outgoing, &queue).await {
        log::warn!(cause:display; "What came of a webhook could not be kept; it is sent again");
    }
    queue
}

async fn send(outgoing: &Outgoing, queue: &Queue) -> Result<(), StoreError> {
    let done = match outgoing.plan(queue)? {
        Plan::Leave(done) => done,
        Plan::Send(delivery, parcel) => {
            let outcome = carry(outgoing.courier(), Arc::clone(&parcel)).await;
            Done::made(delivery, parcel, outcome)
        }
    };
    outgoing.conclude(done).await
}

/// Each request has a thread of its own: nobody waits for those that still hang when the program ends.
async fn carry(courier: Courier, parcel: Arc<Parcel>) -> Result<Answer, String> {
    let (tell, told) = oneshot::channel();
    let begun = thread::Builder::new().name("webhook".into()).spawn(move || {
        // Nobody listens any more when the server stops.
        let _gone = tell.send(courier.carry(&parcel));
    });
    match begun {
        Ok(_runs_by_itself) => told.await.unwrap_or_else(|_| Err("sending it broke down".into())),
        Err(error) => Err(format!("there is no thread to send it: {error}")),
    }
}
