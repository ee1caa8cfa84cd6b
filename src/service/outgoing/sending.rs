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
        webhook::{self, OutboxMessage},
    },
    ids::Ids,
    store::{INTEGRATIONS, LOGS, Outbox, Store, StoreError, Transaction},
};
use serde_json::value::RawValue;
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

/// So many of a queue are given up in one command, which all others wait for, unless they are
/// large.
const PORTION: usize = 16;
/// Bytes of those that are given up in one command, unless one alone has more.
const PORTION_BYTES: usize = 1 << 20;

/// Whoever sends what is in the queues. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Outgoing {
    pub(super) store: Store,
    pub(super) clock: Clock,
    ids: Ids,
    courier: Courier,
    persistence: Persistence,
    tally: Tally,
}

/// What is to be done now.
#[derive(Clone, Debug)]
pub struct Due {
    /// The queues whose first is due or in which too many wait.
    pub queues: Vec<Outbox>,
    /// Whether something waits at all.
    pub waits: bool,
    /// What is wrong with a queue that cannot be read.
    pub damage: Option<StoreError>,
}

/// What is to be done about the first of a queue.
#[derive(Clone, Debug)]
pub enum Plan {
    /// It is sent: this is given to the courier.
    Send(OutboxMessage, Arc<Parcel>),
    /// It is not to be sent any more.
    Leave(Done),
}

/// What was first in a queue, and what came of trying to send it. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Done(Arc<(OutboxMessage, Attempt)>);

impl Done {
    /// The courier came back.
    pub fn made(
        delivery: OutboxMessage,
        parcel: Arc<Parcel>,
        outcome: Result<Answer, Failure>,
    ) -> Self {
        Self(Arc::new((delivery, Attempt::Made(parcel, outcome))))
    }

    fn abandoned(delivery: OutboxMessage, why: &'static str) -> Self {
        Self(Arc::new((delivery, Attempt::Abandoned(why))))
    }
}

impl Outgoing {
    /// Sends what is in the queues of `store`.
    pub fn new(
        store: Store,
        clock: Clock,
        ids: Ids,
        courier: Courier,
        persistence: Persistence,
    ) -> Self {
        Self {
            store,
            clock,
            ids,
            courier,
            persistence,
            tally: Tally::default(),
        }
    }

    /// The same, with its attempts counted there.
    pub fn counted_by(self, tally: Tally) -> Self {
        Self { tally, ..self }
    }

    /// The queues of which something is to be done.
    ///
    /// # Errors
    /// The store cannot be read.
    pub fn due(&self) -> Result<Due, StoreError> {
        let now = self.clock.now();
        let (queues, damage) = self.store.outboxes()?;
        let waits = !queues.is_empty();
        let due = queues
            .into_iter()
            .filter(|queue| webhook::is_due(queue.due, now) || self.is_too_long(queue));
        Ok(Due {
            queues: due.collect(),
            waits,
            damage,
        })
    }

    /// Whether too many wait in this queue. Events that are to be brought into queues are not given
    /// up.
    pub fn is_too_long(&self, queue: &Outbox) -> bool {
        queue.waiting() > self.persistence.queue && !queue.integration.is_fan_out()
    }

    /// Gives up the oldest of a queue in which too many wait, or some of them; what is left is due
    /// when they were.
    ///
    /// # Errors
    /// The store failed.
    pub async fn shorten(&self, queue: &Outbox) -> Result<(), StoreError> {
        let attempt = Attempt::Abandoned(
            "more than outgoing.queue waited for this integration, and this was the oldest",
        );
        self.give_up(queue, attempt, |desk, queue, _| desk.is_too_long(queue))
            .await
    }

    /// Gives up what is first in a queue and cannot be read: nothing behind it could ever be sent.
    ///
    /// # Errors
    /// The store failed.
    pub async fn discard(&self, queue: &Outbox) -> Result<(), StoreError> {
        let attempt =
            Attempt::Abandoned("what was to be sent cannot be read, since the store is damaged");
        self.give_up(queue, attempt, |_, _, first| first.is_none())
            .await
    }

    /// Gives up the first of a queue, and the next, as long as they are to go, but not many at
    /// once.
    async fn give_up(
        &self,
        queue: &Outbox,
        attempt: Attempt,
        goes: fn(&Self, &Outbox, Option<&OutboxMessage>) -> bool,
    ) -> Result<(), StoreError> {
        let (
            Outbox {
                account,
                integration,
                ..
            },
            desk,
            now,
        ) = (queue.clone(), self.clone(), self.clock.now());

        self.store
            .write(move |transaction| {
                let (mut queue, mut bytes) = (transaction.outbox(&account, &integration)?, 0_usize);
                for _ in 0..PORTION {
                    let Some(whole) = queue.filter(|_| bytes < PORTION_BYTES) else {
                        break;
                    };

                    let (first, length) = first_of(transaction, &whole)?;
                    if !goes(&desk, &whole, first.as_ref()) {
                        break;
                    }

                    bytes = bytes.saturating_add(length);
                    let first = first.unwrap_or_else(|| unreadable(&whole));
                    keep_log(
                        transaction,
                        &desk.ids,
                        now,
                        &first,
                        &attempt,
                        attempt.sentence(&first, false),
                    )?;
                    let due = whole.due;
                    queue = transaction.pop_message(whole, due);
                }

                Ok(())
            })
            .await
    }

    /// Whether what comes of an attempt could be kept. What is sent while it cannot would be sent
    /// twice.
    pub fn can_conclude(&self) -> bool {
        self.store.check_writable().is_ok()
    }

    /// What is to be done about the first of this queue.
    ///
    /// # Errors
    /// The store cannot be read or is damaged.
    pub fn plan(&self, queue: &Outbox) -> Result<Plan, StoreError> {
        let delivery: OutboxMessage = objects::decode(&self.store.next_message(queue)?)?;
        Ok(match self.parcel(&delivery)? {
            Ok(parcel) => Plan::Send(delivery, Arc::new(parcel)),
            Err(why) => Plan::Leave(Done::abandoned(delivery, why)),
        })
    }

    fn parcel(&self, delivery: &OutboxMessage) -> Result<Result<Parcel, &'static str>, StoreError> {
        let Some(record) = self
            .store
            .record(INTEGRATIONS, delivery.integration_id.as_str())?
        else {
            return Ok(Err("the integration was deleted"));
        };

        let Ok(integration) = objects::decode::<Integration>(&record) else {
            return Ok(Err(
                "the integration cannot be read, since the store is damaged",
            ));
        };

        Ok(match &delivery.confirm {
            Some(_) if !integration.enabled => Err("the integration is disabled"),
            Some(url) => Ok(parcels::confirmation(url)),
            None if !integration.enabled
                || integration.integration_type.as_str() != webhook::TYPE =>
            {
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
                        Ok(parcels::announcement(
                            &integration,
                            url,
                            delivery,
                            trail,
                            self.clock.now(),
                        ))
                    }
                }
            }
        })
    }

    /// Which webhooks led to the alert. Where that is not known any more there was time enough to
    /// end a circle.
    fn trail(&self, delivery: &OutboxMessage, secret: &[u8]) -> Result<Trail, StoreError> {
        let Some(id) = &delivery.log_id else {
            return Ok(Trail::default());
        };
        let Some(record) = self.store.record(LOGS, id.as_str())? else {
            return Ok(Trail::default());
        };
        Ok(objects::decode::<Log>(&record).map_or_else(
            |_| Trail::default(),
            |log| Trail::of(&log.request.headers, &delivery.sid, secret),
        ))
    }

    /// Whoever makes requests.
    pub fn courier(&self) -> Courier {
        self.courier.clone()
    }

    /// Keeps what came of an attempt: a log, and either nothing more to do or a time for the next
    /// one. What is done with already is left as it is, so this can be repeated when it is not
    /// known whether it failed.
    ///
    /// # Errors
    /// The store failed.
    pub async fn conclude(&self, done: Done) -> Result<(), StoreError> {
        let (now, ids, persistence, kept) = (
            self.clock.now(),
            self.ids.clone(),
            self.persistence,
            done.clone(),
        );

        self.store
            .write(move |transaction| {
                let (delivery, attempt) = &*done.0;
                let Some(queue) = transaction.outbox(&delivery.sid, &delivery.integration_id)?
                else {
                    return Ok(());
                };

                let (first, _) = first_of(transaction, &queue)?;
                let is_it = |first: &OutboxMessage| {
                    (&first.message_id, first.failed) == (&delivery.message_id, delivery.failed)
                };

                let Some(first) = first.filter(is_it) else {
                    return Ok(());
                };

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
    queue: Outbox,
    mut first: OutboxMessage,
    attempt: &Attempt,
    ids: &Ids,
    now: Timestamp,
    persistence: Persistence,
) -> Result<(), StoreError> {
    first.failed = first.failed.saturating_add(1);
    let again = attempt.failed() && !attempt.is_hopeless() && first.failed < persistence.attempts;
    keep_log(
        transaction,
        ids,
        now,
        &first,
        attempt,
        attempt.sentence(&first, again),
    )?;

    if again {
        let pause = webhook::pause(first.failed, persistence.first_pause, ids.number());
        let next = now
            .millis()
            .saturating_add(pause.try_into().unwrap_or(i64::MAX));
        transaction.postpone(
            queue,
            Timestamp::from_millis(next).unwrap_or(now),
            encode(&first)?,
        );
    } else {
        transaction.pop_message(queue, now);
    }

    Ok(())
}

/// The first of a queue, if it can be read, and how many bytes it has.
fn first_of(
    transaction: &Transaction<'_>,
    queue: &Outbox,
) -> Result<(Option<OutboxMessage>, usize), StoreError> {
    match transaction.next_message(queue) {
        Ok(first) => Ok((objects::decode(&first).ok(), first.as_ref().len())),
        Err(damage) if damage.is_damage() => Ok((None, 0)),
        Err(other) => Err(other),
    }
}

/// What stands in a log for something that cannot be read.
fn unreadable(queue: &Outbox) -> OutboxMessage {
    OutboxMessage {
        sid: queue.account.clone(),
        integration_id: queue.integration.clone(),
        alert_id: None,
        thirdparty_id: None,
        log_id: None,
        event: "unreadable".to_owned(),
        message_id: String::new(),
        failed: 0,
        since: queue.due,
        confirm: None,
        body: RawValue::NULL.to_owned(),
    }
}

/// Writes the log of an attempt. Where that cannot be, since the account's logs are damaged or have
/// no numbers left, sending goes on.
fn keep_log(
    transaction: &mut Transaction<'_>,
    ids: &Ids,
    now: Timestamp,
    delivery: &OutboxMessage,
    attempt: &Attempt,
    outcome: String,
) -> Result<(), StoreError> {
    match write_log(transaction, ids, now, delivery, attempt, outcome) {
        Err(cause) if cause.is_damage() || matches!(cause, StoreError::TinyIdsExhausted) => {
            log::warn!(cause:display, integration:display = delivery.integration_id; "The log of a webhook could not be written");
            Ok(())
        }
        outcome => outcome,
    }
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
            Self::Made(_, outcome) => !outcome
                .as_ref()
                .is_ok_and(|answer| (200..300).contains(&answer.status)),
        }
    }

    /// Whether it can never end otherwise.
    fn is_hopeless(&self) -> bool {
        matches!(self, Self::Made(_, Err(Failure::Never(_))))
    }

    fn sentence(&self, delivery: &OutboxMessage, again: bool) -> String {
        let number = delivery.failed;
        let then = if again {
            "it will be sent again"
        } else {
            "it is given up"
        };

        match self {
            Self::Abandoned(why) => format!("not sent: {why}"),
            Self::Made(_, Ok(answer)) if !self.failed() => {
                format!("taken with {} at attempt {number}", answer.status)
            }
            Self::Made(_, Ok(answer)) => {
                format!("refused with {} at attempt {number}; {then}", answer.status)
            }
            Self::Made(_, Err(fault)) => format!("no answer at attempt {number}: {fault}; {then}"),
        }
    }
}
