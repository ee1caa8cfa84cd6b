//! The dispatcher: sends what is due in the outboxes for as long as the server runs.
//!
//! Each request blocks a thread of its own, so that a request which hangs does not keep the process
//! alive.

use super::{
    attempt::CompletedAttempt,
    scheduler::FairScheduler,
    worker::{DueQueues, NextStep, OutboxWorker},
};
use crate::{
    clock::Clock,
    domain::{ids::IntegrationId, webhook::OutboxMessage},
    http_client::{HttpClient, OutboundRequest, OutboundResponse, SendError},
    service::{dispatch_signal::DispatchSignal, log_once::LogOnce},
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
    time,
};

/// How often outboxes are read while one of them is not due yet.
const POLL_INTERVAL: Duration = Duration::from_millis(500);

/// How long an outbox is left alone after its task failed.
const FAILURE_COOLDOWN: Duration = Duration::from_secs(60);

/// Sends whatever is due, at most `max_concurrent` requests at once, until `shutdown` becomes true.
/// Then it starts nothing more and gives requests in flight `drain_timeout` to finish.
pub async fn dispatch(
    worker: OutboxWorker,
    signal: DispatchSignal,
    max_concurrent: usize,
    mut shutdown: watch::Receiver<bool>,
    drain_timeout: Duration,
) {
    let mut dispatcher = Dispatcher::new(max_concurrent);
    let mut clock_version = 0;
    loop {
        let is_waiting = dispatcher.start_due(&worker);
        tokio::select! {
            biased;
            _stopping = shutdown.wait_for(|stopping| *stopping) => break,
            Some(ended) = dispatcher.tasks.join_next_with_id() => dispatcher.finish(ended),
            () = signal.notified() => {}
            version = worker.clock_adjusted_since(clock_version) => clock_version = version,
            () = time::sleep(POLL_INTERVAL), if is_waiting => {}
        }
    }

    dispatcher.drain(drain_timeout).await;
}

/// The tasks in flight, one for each outbox.
struct Dispatcher {
    scheduler: FairScheduler,
    tasks: JoinSet<Result<(), StoreError>>,
    queues: HashMap<task::Id, Outbox>,
    /// Integrations whose outbox is left alone until this time.
    cooldowns: HashMap<IntegrationId, Instant>,
    failures: LogOnce,
}

impl Dispatcher {
    fn new(max_concurrent: usize) -> Self {
        Self {
            scheduler: FairScheduler::new(max_concurrent),
            tasks: JoinSet::new(),
            queues: HashMap::new(),
            cooldowns: HashMap::new(),
            failures: LogOnce::default(),
        }
    }

    /// Starts a task for each outbox that is due and scheduled. Returns whether anything is left
    /// waiting in any outbox.
    fn start_due(&mut self, worker: &OutboxWorker) -> bool {
        // An outcome that cannot be recorded means that the message is sent a second time.
        if !worker.can_record() {
            return true;
        }

        match worker.due() {
            Ok(DueQueues {
                queues,
                is_waiting,
                damage,
            }) => {
                match damage {
                    Some(cause) => self.failures.warn("Could not read an outbox", &cause),
                    None => self.failures.resolve("All outboxes can be read again"),
                }

                for queue in self.schedule(queues) {
                    self.spawn(queue.clone(), process(worker.clone(), queue));
                }

                is_waiting
            }
            Err(cause) => {
                self.failures.warn("Could not read the outboxes", &cause);
                true
            }
        }
    }

    fn schedule(&mut self, mut queues: Vec<Outbox>) -> Vec<Outbox> {
        let now = Clock::System.stopwatch();
        // Before scheduling, so that an outbox that cools down takes no turn from its account.
        self.cooldowns.retain(|_, until| *until > now);
        queues.retain(|queue| !self.cooldowns.contains_key(&queue.integration));
        self.scheduler.start(queues)
    }

    fn spawn(
        &mut self,
        queue: Outbox,
        task: impl Future<Output = Result<(), StoreError>> + Send + 'static,
    ) {
        let task = self.tasks.spawn(task);
        self.queues.insert(task.id(), queue);
    }

    /// Waits for the tasks in flight.
    async fn drain(mut self, timeout: Duration) {
        let drained = time::timeout(timeout, async {
            while self.tasks.join_next().await.is_some() {}
        })
        .await;

        if drained.is_err() {
            let webhooks = self.tasks.len();
            log::warn!(
                webhooks;
                "Some webhooks got no response before shutdown; they are sent again after the next \
                 start"
            );
        }
    }

    /// Frees the place of a task that has ended, also one that panicked.
    fn finish(&mut self, ended: Result<(task::Id, Result<(), StoreError>), JoinError>) {
        let (id, error) = match ended {
            Ok((id, outcome)) => (id, outcome.err().map(|error| error.to_string())),
            Err(panic) => (panic.id(), Some(panic.to_string())),
        };

        let Some(queue) = self.queues.remove(&id) else {
            return;
        };

        // First of all: whatever happened, the account gets its turn back.
        self.scheduler.finish(&queue);
        if let Some(cause) = error {
            let integration = queue.integration;
            log::error!(
                cause, integration:display;
                "Processing an outbox failed; will retry in {} seconds",
                FAILURE_COOLDOWN.as_secs()
            );
            self.cooldowns
                .insert(integration, Clock::System.stopwatch() + FAILURE_COOLDOWN);
        }
    }
}

/// Does one step for an outbox: fans out an announcement, drops messages that are too many, or
/// sends the first message and records the outcome. The next message has to wait until the outcome
/// is recorded.
///
/// # Errors
/// The store is damaged. Retrying would not help and would keep others waiting.
async fn process(worker: OutboxWorker, queue: Outbox) -> Result<(), StoreError> {
    if queue.integration.is_fan_out() {
        return retry("Could not fan out an alert event", || {
            worker.fan_out(&queue)
        })
        .await;
    }

    // Before sending: otherwise a third party that never answers would let the outbox grow.
    if worker.is_too_long(&queue) {
        return retry("Could not shorten an outbox", || worker.shorten(&queue)).await;
    }

    let mut backoff = StoreRetry::new("Could not read a webhook");
    let step = loop {
        match worker.next_step(&queue) {
            Ok(step) => break step,
            Err(damage) if damage.is_damage() => {
                let integration = &queue.integration;
                log::error!(
                    cause:display = damage, integration:display;
                    "Dropped a webhook that cannot be read"
                );
                // It would block all messages behind it, since an outbox is sent in order.
                return retry("Could not drop an unreadable webhook", || {
                    worker.discard(&queue)
                })
                .await;
            }
            Err(cause) => backoff.wait(&cause).await,
        }
    };

    let completed = match step {
        NextStep::Drop(completed) => completed,
        NextStep::Send(message, request) => {
            // Nothing of the store is held here: a third party may take as long as the timeout
            // allows.
            let outcome = send_or_fail(&worker, &message, Arc::clone(&request)).await;
            CompletedAttempt::sent(message, request, outcome)
        }
    };

    retry("Could not record the outcome of a webhook", || {
        worker.record(completed.clone())
    })
    .await
}

/// Sends a request, unless a fault that a test has set keeps it from being sent or its response from
/// being seen.
async fn send_or_fail(
    worker: &OutboxWorker,
    message: &OutboxMessage,
    request: Arc<OutboundRequest>,
) -> Result<OutboundResponse, SendError> {
    match worker.injected_fault(message, &request) {
        None => send(worker.http_client(), request).await,
        Some(fault) => {
            time::sleep(fault.delay_before()).await;
            if let Some(outcome) = fault.outcome_instead() {
                return outcome;
            }
            let outcome = send(worker.http_client(), request).await;
            time::sleep(fault.delay_after()).await;
            fault.outcome_after(outcome)
        }
    }
}

/// Repeats an operation until the store accepts it.
///
/// # Errors
/// The store is damaged.
async fn retry<F>(what: &'static str, operation: impl Fn() -> F) -> Result<(), StoreError>
where
    F: Future<Output = Result<(), StoreError>>,
{
    let mut backoff = StoreRetry::new(what);
    loop {
        match operation().await {
            Err(cause) if !cause.is_damage() => backoff.wait(&cause).await,
            outcome => return outcome,
        }
    }
}

/// Exponential backoff between attempts of a store operation.
struct StoreRetry {
    what: &'static str,
    delay: Duration,
    failures: LogOnce,
}

impl StoreRetry {
    const MIN_DELAY: Duration = Duration::from_millis(100);
    const MAX_DELAY: Duration = Duration::from_secs(10);

    /// `what` is the log line for a failure.
    fn new(what: &'static str) -> Self {
        Self {
            what,
            delay: Self::MIN_DELAY,
            failures: LogOnce::default(),
        }
    }

    async fn wait(&mut self, cause: &StoreError) {
        self.failures.warn(self.what, cause);
        time::sleep(self.delay).await;
        self.delay = self.delay.saturating_mul(2).min(Self::MAX_DELAY);
    }
}

/// Sends a request on a thread of its own. The process does not wait for that thread when it exits,
/// unlike for those of a thread pool.
async fn send(
    client: HttpClient,
    request: Arc<OutboundRequest>,
) -> Result<OutboundResponse, SendError> {
    let (sender, receiver) = oneshot::channel();
    let thread = thread::Builder::new()
        .name("webhook".into())
        .spawn(move || {
            // The receiver is gone once the server stops.
            let _ignored = sender.send(client.send(&request));
        });

    match thread {
        Ok(_detached) => receiver
            .await
            .unwrap_or_else(|_| Err(SendError::Transient("the sending thread panicked".into()))),
        Err(error) => Err(SendError::Transient(format!(
            "cannot start a thread to send it: {error}"
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

    /// A task that panicked used to keep its place: four of them blocked an account, 32 all
    /// webhooks, until a restart.
    #[test]
    fn place_of_a_task_that_panics_is_freed() {
        let queues: Vec<Outbox> = (0..8).map(queue).collect();
        let mut dispatcher = Dispatcher::new(32);
        let mut started = Vec::new();

        let runtime = tokio::runtime::Builder::new_current_thread().build();
        runtime.unwrap().block_on(async {
            while started.len() < queues.len() {
                let scheduled = dispatcher.schedule(queues.clone());
                assert!(!scheduled.is_empty(), "after {started:?}");
                for queue in scheduled {
                    started.push(queue.integration.as_str().to_owned());
                    dispatcher.spawn(queue, async { panic!("planted by a test") });
                }
                while let Some(ended) = dispatcher.tasks.join_next_with_id().await {
                    dispatcher.finish(ended);
                }
            }

            assert!(
                dispatcher.schedule(queues.clone()).is_empty(),
                "all of them are cooling down"
            );
            dispatcher.cooldowns.clear();
            assert_eq!(dispatcher.schedule(queues.clone()).len(), 4);
        });
    }
}
