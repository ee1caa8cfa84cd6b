//! Sends what is in the queues of webhooks, for as long as the server runs.

use super::trouble::Trouble;
use crate::{
    courier::{Answer, Courier, Failure, Parcel},
    service::outgoing::{Bell, Done, Outgoing, Plan, Turns},
    store::{Queue, StoreError},
};
use std::{sync::Arc, thread, time::Duration};
use tokio::{
    sync::{oneshot, watch},
    task::{JoinError, JoinSet},
};

/// As long as something waits to be due.
const LOOK_AGAIN: Duration = Duration::from_millis(500);

/// Says that the server stops. Cloning is cheap.
#[derive(Clone, Default)]
pub(super) struct Stopping(Arc<watch::Sender<bool>>);

impl Stopping {
    /// From now on it does.
    pub(super) fn begin(&self) {
        self.0.send_replace(true);
    }

    /// Waits until it does.
    async fn begun(&self) {
        let mut told = self.0.subscribe();
        // Who tells lives as long as this does.
        let _told = told.wait_for(|begun| *begun).await;
    }
}
    /// For whoever is to know it.
    pub(super) fn told(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }


/// Sends whenever something is due, until the server stops. Then nothing more is begun, and what is under way has this long to end.
pub(super) async fn deliver(outgoing: Outgoing, bell: Bell, stopping: Stopping, drain: Duration) {
    let mut at_work = AtWork::default();
    loop {
        let waits = at_work.begin(&outgoing);
        tokio::select! {
            biased;
            () = stopping.begun() => break,
            Some(over) = at_work.tasks.join_next() => at_work.end(over),
            () = bell.heard() => {}
            () = actix_rt::time::sleep(LOOK_AGAIN), if waits => {}
        }
    }
    at_work.finish(drain).await;
}

/// What is being sent.
#[derive(Default)]
struct AtWork {
    turns: Turns,
    tasks: JoinSet<Queue>,
    trouble: Trouble,
}

impl AtWork {
    /// Begins whatever is due and has its turn. Whether something waits.
    fn begin(&mut self, outgoing: &Outgoing) -> bool {
        if !outgoing.can_conclude() {
            return true;
        }
        match outgoing.due() {
            Ok((due, waits)) => {
                self.trouble.is_over("The queues of webhooks can be read again");
                for queue in self.turns.begin(due) {
                    self.tasks.spawn(take_turn(outgoing.clone(), queue));
                }
                waits
            }
            Err(cause) => {
                self.trouble.tell("The queues of webhooks cannot be read", &cause);
                true
            }
        }
    }

    /// Waits for what is under way, but no longer than this.
    async fn finish(mut self, drain: Duration) {
        let ended = actix_rt::time::timeout(drain, async { while self.tasks.join_next().await.is_some() {} }).await;
        if ended.is_err() {
            let webhooks = self.tasks.len();
            log::warn!(webhooks; "Webhooks under way were not answered in time; they are sent again after the next start");
        }
    }

    fn end(&mut self, over: Result<Queue, JoinError>) {
        match over {
            Ok(queue) => self.turns.end(&queue),
            Err(cause) => log::error!(cause:display; "Sending a webhook broke down"),
        }
    }
}

/// Shortens a queue that is too long, or sends its first and keeps what came of it: before that is kept, nothing more of the queue is
/// sent.
async fn take_turn(outgoing: Outgoing, queue: Queue) -> Queue {
    if outgoing.is_too_long(&queue) {
        let mut patience = Patience::with("A queue of webhooks that is too long cannot be shortened");
        while let Err(cause) = outgoing.shorten(&queue).await {
            patience.wait(&cause).await;
        }
        return queue;
    }
    let mut patience = Patience::with("A webhook that waits cannot be read");
    let plan = loop {
        match outgoing.plan(&queue) {
            Ok(plan) => break plan,
            Err(cause) => patience.wait(&cause).await,
        }
    };
    let done = carry_out(&outgoing, plan).await;
    let mut patience = Patience::with("What came of a webhook cannot be kept");
    while let Err(cause) = outgoing.conclude(done.clone()).await {
        patience.wait(&cause).await;
    }
    queue
}

/// Waits longer each time.
struct Patience {
    what: &'static str,
    pause: Duration,
    trouble: Trouble,
}

impl Patience {
    const FIRST: Duration = Duration::from_millis(100);
    const LONGEST: Duration = Duration::from_secs(10);

    /// For something that goes wrong in this way.
    fn with(what: &'static str) -> Self {
        Self { what, pause: Self::FIRST, trouble: Trouble::default() }
    }

    async fn wait(&mut self, cause: &StoreError) {
        self.trouble.tell(self.what, cause);
        actix_rt::time::sleep(self.pause).await;
        self.pause = self.pause.saturating_mul(2).min(Self::LONGEST);
    }
}

async fn carry_out(outgoing: &Outgoing, plan: Plan) -> Done {
    match plan {
        Plan::Leave(done) => done,
        Plan::Send(delivery, parcel) => {
            let outcome = carry(outgoing.courier(), Arc::clone(&parcel)).await;
            Done::made(delivery, parcel, outcome)
        }
    }
}

/// Each request has a thread of its own: nobody waits for those that still hang when the program ends.
async fn carry(courier: Courier, parcel: Arc<Parcel>) -> Result<Answer, Failure> {
    let (tell, told) = oneshot::channel();
    let begun = thread::Builder::new().name("webhook".into()).spawn(move || {
        // Nobody listens any more when the server stops.
        let _gone = tell.send(courier.carry(&parcel));
    });
    match begun {
        Ok(_runs_by_itself) => told.await.unwrap_or_else(|_| Err(Failure::NotNow("sending it broke down".into()))),
        Err(error) => Err(Failure::NotNow(format!("there is no thread to send it: {error}"))),
    }
}
