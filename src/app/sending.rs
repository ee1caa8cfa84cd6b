//! Sends what is in the queues of webhooks, for as long as the server runs.

use super::trouble::Trouble;
use crate::{
    clock::Clock,
    courier::{Answer, Courier, Failure, Parcel},
    domain::ids::IntegrationId,
    service::outgoing::{Bell, Done, Due, Outgoing, Plan, Turns},
    store::{Outbox, StoreError},
};
use std::{
    collections::HashMap,
    sync::Arc,
    thread,
    time::{Duration, Instant},
};
use tokio::{
    sync::{oneshot, watch},
    task::{self, JoinError, JoinSet},
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

    /// For whoever is to know it.
    pub(super) fn told(&self) -> watch::Receiver<bool> {
        self.0.subscribe()
    }

    /// Waits until it does.
    async fn begun(&self) {
        let mut told = self.0.subscribe();
        // Who tells lives as long as this does.
        let _told = told.wait_for(|begun| *begun).await;
    }
}

/// Sends whenever something is due, so many at once, until the server stops. Then nothing more is
/// begun, and what is under way has this long to end.
pub(super) async fn deliver(
    outgoing: Outgoing,
    bell: Bell,
    at_once: usize,
    stopping: Stopping,
    drain: Duration,
) {
    let mut at_work = AtWork::of(at_once);
    loop {
        let waits = at_work.begin(&outgoing);
        tokio::select! {
            biased;
            () = stopping.begun() => break,
            Some(over) = at_work.tasks.join_next_with_id() => at_work.end(over),
            () = bell.heard() => {}
            () = actix_rt::time::sleep(LOOK_AGAIN), if waits => {}
        }
    }

    at_work.finish(drain).await;
}

/// For so long nothing is sent of a queue after sending it broke down.
const REST: Duration = Duration::from_secs(60);

/// What is being sent.
struct AtWork {
    turns: Turns,
    tasks: JoinSet<Result<(), StoreError>>,
    /// Whose turn each task is.
    queues: HashMap<task::Id, Outbox>,
    /// Integrations of which nothing is sent before this time.
    resting: HashMap<IntegrationId, Instant>,
    trouble: Trouble,
}

impl AtWork {
    /// Nothing yet, and at most so many at once.
    fn of(at_once: usize) -> Self {
        Self {
            turns: Turns::of(at_once),
            tasks: JoinSet::new(),
            queues: HashMap::new(),
            resting: HashMap::new(),
            trouble: Trouble::default(),
        }
    }

    /// Begins whatever is due and has its turn. Whether something waits.
    fn begin(&mut self, outgoing: &Outgoing) -> bool {
        if !outgoing.can_conclude() {
            return true;
        }

        match outgoing.due() {
            Ok(Due {
                queues,
                waits,
                damage,
            }) => {
                match damage {
                    Some(cause) => self
                        .trouble
                        .tell("A queue of webhooks cannot be read", &cause),
                    None => self
                        .trouble
                        .is_over("The queues of webhooks can be read again"),
                }

                for queue in self.turns_among(queues) {
                    self.spawn(queue.clone(), take_turn(outgoing.clone(), queue));
                }

                waits
            }
            Err(cause) => {
                self.trouble
                    .tell("The queues of webhooks cannot be read", &cause);
                true
            }
        }
    }

    fn turns_among(&mut self, mut queues: Vec<Outbox>) -> Vec<Outbox> {
        let now = Clock::System.stopwatch();
        self.resting.retain(|_, until| *until > now);
        queues.retain(|queue| !self.resting.contains_key(&queue.integration));
        self.turns.begin(queues)
    }

    fn spawn(
        &mut self,
        queue: Outbox,
        turn: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) {
        let task = self.tasks.spawn(turn);
        self.queues.insert(task.id(), queue);
    }

    /// Waits for what is under way, but no longer than this.
    async fn finish(mut self, drain: Duration) {
        let ended = actix_rt::time::timeout(drain, async {
            while self.tasks.join_next().await.is_some() {}
        })
        .await;
        if ended.is_err() {
            let webhooks = self.tasks.len();
            log::warn!(webhooks; "Webhooks under way were not answered in time; they are sent again after the next start");
        }
    }

    /// A turn is over, however it ended.
    fn end(&mut self, over: Result<(task::Id, Result<(), StoreError>), JoinError>) {
        let (id, fault) = match over {
            Ok((id, outcome)) => (id, outcome.err().map(|damage| damage.to_string())),
            Err(broken) => (broken.id(), Some(broken.to_string())),
        };

        let Some(queue) = self.queues.remove(&id) else {
            return;
        };

        self.turns.end(&queue);
        if let Some(cause) = fault {
            let integration = queue.integration;
            log::error!(cause, integration:display; "Sending a webhook broke down; it is tried again after a while");
            self.resting
                .insert(integration, Clock::System.stopwatch() + REST);
        }
    }
}

/// Shortens a queue that is too long, or sends its first and keeps what came of it: before that is
/// kept, nothing more of the queue is sent.
///
/// # Errors
/// The store is damaged, which waiting does not mend, while others wait for this turn.
async fn take_turn(outgoing: Outgoing, queue: Outbox) -> Result<(), StoreError> {
    if queue.integration.is_fan_out() {
        return until_done(
            "An event cannot be brought to those who are to be told",
            || outgoing.fan_out(&queue),
        )
        .await;
    }

    if outgoing.is_too_long(&queue) {
        return until_done(
            "A queue of webhooks that is too long cannot be shortened",
            || outgoing.shorten(&queue),
        )
        .await;
    }

    let mut patience = Patience::with("A webhook that waits cannot be read");
    let plan = loop {
        match outgoing.plan(&queue) {
            Ok(plan) => break plan,
            Err(damage) if damage.is_damage() => {
                let integration = &queue.integration;
                log::error!(cause:display = damage, integration:display; "A webhook that waits cannot be read and is given up");
                let what = "A webhook that cannot be read cannot be given up";
                return until_done(what, || outgoing.discard(&queue)).await;
            }
            Err(cause) => patience.wait(&cause).await,
        }
    };

    let done = carry_out(&outgoing, plan).await;
    until_done("What came of a webhook cannot be kept", || {
        outgoing.conclude(done.clone())
    })
    .await
}

/// Tries again until the store takes it.
///
/// # Errors
/// The store is damaged.
async fn until_done<F>(what: &'static str, attempt: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>>,
{
    let mut patience = Patience::with(what);
    loop {
        match attempt().await {
            Err(cause) if !cause.is_damage() => patience.wait(&cause).await,
            outcome => return outcome,
        }
    }
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
        Self {
            what,
            pause: Self::FIRST,
            trouble: Trouble::default(),
        }
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

/// Each request has a thread of its own: nobody waits for those that still hang when the program
/// ends.
async fn carry(courier: Courier, parcel: Arc<Parcel>) -> Result<Answer, Failure> {
    let (tell, told) = oneshot::channel();
    let begun = thread::Builder::new()
        .name("webhook".into())
        .spawn(move || {
            // Nobody listens any more when the server stops.
            let _gone = tell.send(courier.carry(&parcel));
        });

    match begun {
        Ok(_runs_by_itself) => told
            .await
            .unwrap_or_else(|_| Err(Failure::NotNow("sending it broke down".into()))),
        Err(error) => Err(Failure::NotNow(format!(
            "there is no thread to send it: {error}"
        ))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{ids::AccountId, timestamp::Timestamp};

    fn queue(number: i64) -> Outbox {
        let integration = IntegrationId::parse(&format!("int_{number}")).unwrap();
        Outbox::new(
            AccountId::parse("acc_a").unwrap(),
            integration,
            Timestamp::from_millis(number).unwrap(),
        )
    }

    /// Such a turn never ended: the integration sent nothing more, four of them stopped an account,
    /// 32 all, until a restart.
    #[test]
    fn a_turn_that_breaks_down_is_given_back() {
        let all: Vec<Outbox> = (0..8).map(queue).collect();
        let mut at_work = AtWork::of(32);
        let mut begun = Vec::new();

        actix_rt::System::new().block_on(async {
            while begun.len() < all.len() {
                let turns = at_work.turns_among(all.clone());
                assert!(!turns.is_empty(), "after {begun:?}");
                for queue in turns {
                    begun.push(queue.integration.as_str().to_owned());
                    at_work.spawn(queue, async { panic!("planted by a test") });
                }
                while let Some(over) = at_work.tasks.join_next_with_id().await {
                    at_work.end(over);
                }
            }

            assert!(
                at_work.turns_among(all.clone()).is_empty(),
                "they rest for a while"
            );
            at_work.resting.clear();
            assert_eq!(at_work.turns_among(all.clone()).len(), 4);
        });
    }
}
