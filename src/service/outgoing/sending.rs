//! Sending what is first in a queue, and keeping what came of it.

use super::{
    super::{
        objects::{self, encode},
        tally::Tally,
    },
    logged::write_log,
    parcels,
    trail::Trail,
};
use crate::{
    clock::Clock,
    courier::{Answer, Courier, Failure, Parcel},
    domain::{
        integration::Integration,
        log::Log,
        timestamp::Timestamp,
        webhook::{self, Delivery},
    },
    ids::Ids,
    store::{INTEGRATIONS, LOGS, Queue, Store, StoreError, Transaction},
};
use std::sync::Arc;

/// How often and when it is tried again.
#[derive(Clone, Copy, Debug)]
pub struct Persistence {
    /// Attempts for each event.
    pub attempts: u32,
    /// Seconds after the first that failed; three times as long after each further one.
    pub first_pause: u64,
    /// So many may wait for one integration.
    pub queue: u64,
}

/// So many of a queue are given up in one command, which all others wait for.
const PORTION: usize = 16;

/// Whoever sends what is in the queues. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Outgoing {
    store: Store,
    clock: Clock,
    ids: Ids,
    courier: Courier,
    persistence: Persistence,
    tally: Tally,
}

/// What is to be done about the first of a queue.
#[derive(Clone, Debug)]
pub enum Plan {
    /// It is sent: this is given to the courier.
    Send(Delivery, Arc<Parcel>),
    /// It is not to be sent any more.
    Leave(Done),
}

/// What was first in a queue, and what came of trying to send it. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Done(Arc<(Delivery, Attempt)>);

impl Done {
    /// The courier came back.
    pub fn made(delivery: Delivery, parcel: Arc<Parcel>, outcome: Result<Answer, Failure>) -> Self {
        Self(Arc::new((delivery, Attempt::Made(parcel, outcome))))
    }

    fn abandoned(delivery: Delivery, why: &'static str) -> Self {
        Self(Arc::new((delivery, Attempt::Abandoned(why))))
    }
}

impl Outgoing {
    /// Sends what is in the queues of `store`.
    pub fn new(store: Store, clock: Clock, ids: Ids, courier: Courier, persistence: Persistence) -> Self {
        Self { store, clock, ids, courier, persistence, tally: Tally::default() }
    }

    /// The same, with its attempts counted there.
    pub fn counted_by(self, tally: Tally) -> Self {
        Self { tally, ..self }
    }

    /// The queues whose first is due or in which too many wait, and whether something waits at all.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn due(&self) -> Result<(Vec<Queue>, bool), StoreError> {
        let now = self.clock.now();
        let queues = self.store.queues()?;
        let waits = !queues.is_empty();
        let due = queues.into_iter().filter(|queue| webhook::is_due(queue.due, now) || self.is_too_long(queue));
        Ok((due.collect(), waits))
    }

    /// Whether too many wait in this queue.
    pub fn is_too_long(&self, queue: &Queue) -> bool {
        queue.waiting() > self.persistence.queue
    }

    /// Gives up the oldest of a queue in which too many wait, or some of them; what is left is due when they were.
    ///
    /// # Errors
    /// The store failed.
    pub async fn shorten(&self, queue: &Queue) -> Result<(), StoreError> {
        let (Queue { account, integration, .. }, desk, now) = (queue.clone(), self.clone(), self.clock.now());
        let attempt =
            Attempt::Abandoned("more than outgoing.queue waited for this integration, and this was the oldest");
        self.store
            .write(move |transaction| {
                let mut queue = transaction.queue(&account, &integration)?;
                for _ in 0..PORTION {
                    let Some(long) = queue.filter(|queue| desk.is_too_long(queue)) else { break };
                    let first: Delivery = objects::decode(&transaction.first_of(&long)?)?;
                    write_log(transaction, &desk.ids, now, &first, &attempt, attempt.sentence(&first, false))?;
                    let due = long.due;
                    queue = transaction.take_first(long, due);
                }
                Ok(())
            })
            .await
    }

    /// Whether what comes of an attempt could be kept. What is sent while it cannot would be sent twice.
    pub fn can_conclude(&self) -> bool {
        self.store.takes_writes().is_ok()
    }

    /// What is to be done about the first of this queue.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn plan(&self, queue: &Queue) -> Result<Plan, StoreError> {
        let delivery: Delivery = objects::decode(&self.store.first_of(queue)?)?;
        Ok(match self.parcel(&delivery)? {
            Ok(parcel) => Plan::Send(delivery, Arc::new(parcel)),
            Err(why) => Plan::Leave(Done::abandoned(delivery, why)),
        })
    }

    fn parcel(&self, delivery: &Delivery) -> Result<Result<Parcel, &'static str>, StoreError> {
        let Some(record) = self.store.record(INTEGRATIONS, delivery.integration_id.as_str())? else {
            return Ok(Err("the integration was deleted"));
        };
        let integration: Integration = objects::decode(&record)?;
        Ok(match &delivery.confirm {
            Some(_) if !integration.enabled => Err("the integration is disabled"),
            Some(url) => Ok(parcels::confirmation(url)),
            None if !integration.enabled || integration.integration_type.as_str() != webhook::TYPE => {
                Err("the integration no longer sends")
            }
            None => {
                let secret = self.store.token_secret()?;
                let trail = self.trail(delivery, &secret)?;
                match webhook::url(&integration) {
                    None => Err("the integration has no option 'url' any more"),
                    Some(_) if trail.hops >= webhook::MOST_HOPS => {
                        Err("webhooks led to webhooks three times in a row, so this is the end")
                    }
                    Some(url) => {
                        let trail = trail.headers(&delivery.sid, &secret);
                        Ok(parcels::announcement(&integration, url, delivery, trail, self.clock.now()))
                    }
                }
            }
        })
    }

    /// Which webhooks led to the alert. Where that is not known any more there was time enough to end a circle.
    fn trail(&self, delivery: &Delivery, secret: &[u8]) -> Result<Trail, StoreError> {
        let Some(id) = &delivery.log_id else { return Ok(Trail::default()) };
        let Some(record) = self.store.record(LOGS, id.as_str())? else { return Ok(Trail::default()) };
        let log: Log = objects::decode(&record)?;
        Ok(Trail::of(&log.request.headers, &delivery.sid, secret))
    }

    /// Whoever makes requests.
    pub fn courier(&self) -> Courier {
        self.courier.clone()
    }

    /// Keeps what came of an attempt: a log, and either nothing more to do or a time for the next one. What is done with already
    /// is left as it is, so this can be repeated when it is not known whether it failed.
    ///
    /// # Errors
    /// The store failed.
    pub async fn conclude(&self, done: Done) -> Result<(), StoreError> {
        let (now, ids, persistence, kept) = (self.clock.now(), self.ids.clone(), self.persistence, done.clone());
        self.store
            .write(move |transaction| {
                let (delivery, attempt) = &*done.0;
                let Some(queue) = transaction.queue(&delivery.sid, &delivery.integration_id)? else { return Ok(()) };
                let first: Delivery = objects::decode(&transaction.first_of(&queue)?)?;
                if (&first.message_id, first.failed) != (&delivery.message_id, delivery.failed) {
                    return Ok(());
                }
                settle(transaction, queue, first, attempt, &ids, now, persistence)
            })
            .await?;
        if let (_, Attempt::Made(_, outcome)) = &*kept.0 {
            self.tally.webhook(outcome);
        }
        Ok(())
    }
}

fn settle(
    transaction: &mut Transaction<'_>,
    queue: Queue,
    mut first: Delivery,
    attempt: &Attempt,
    ids: &Ids,
    now: Timestamp,
    persistence: Persistence,
) -> Result<(), StoreError> {
    first.failed = first.failed.saturating_add(1);
    let again = attempt.failed() && !attempt.is_hopeless() && first.failed < persistence.attempts;
    write_log(transaction, ids, now, &first, attempt, attempt.sentence(&first, again))?;
    if again {
        let pause = webhook::pause(first.failed, persistence.first_pause, ids.number());
        let next = now.millis().saturating_add(pause.try_into().unwrap_or(i64::MAX));
        transaction.postpone(queue, Timestamp::from_millis(next).unwrap_or(now), encode(&first)?);
    } else {
        transaction.take_first(queue, now);
    }
    Ok(())
}

/// What came of trying to send something.
#[derive(Debug)]
pub(super) enum Attempt {
    /// It is not to be sent any more.
    Abandoned(&'static str),
    /// It was sent, or could not be.
    Made(Arc<Parcel>, Result<Answer, Failure>),
}

impl Attempt {
    fn failed(&self) -> bool {
        match self {
            Self::Abandoned(_) => false,
            Self::Made(_, outcome) => !outcome.as_ref().is_ok_and(|answer| (200..300).contains(&answer.status)),
        }
    }

    /// Whether it can never end otherwise.
    fn is_hopeless(&self) -> bool {
        matches!(self, Self::Made(_, Err(Failure::Never(_))))
    }

    fn sentence(&self, delivery: &Delivery, again: bool) -> String {
        let number = delivery.failed;
        let then = if again { "it will be sent again" } else { "it is given up" };
        match self {
            Self::Abandoned(why) => format!("not sent: {why}"),
            Self::Made(_, Ok(answer)) if !self.failed() => format!("taken with {} at attempt {number}", answer.status),
            Self::Made(_, Ok(answer)) => format!("refused with {} at attempt {number}; {then}", answer.status),
            Self::Made(_, Err(fault)) => format!("no answer at attempt {number}: {fault}; {then}"),
        }
    }
}
