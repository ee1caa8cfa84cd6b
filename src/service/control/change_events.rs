//! The changes of each account's objects, in order, for those who follow them.
//!
//! An account is followed from the first time that a test asks for its events. Its latest changes are
//! kept, so that a reader that was disconnected can continue.

use super::ControlScope;
use crate::{
    clock::Clock,
    domain::{
        account_rings::{AccountRings, Displaced, RingLimits},
        ids::AccountId,
    },
    store::{ObjectChange, Store},
};
use bytes::Bytes;
use serde::{Deserialize, Serialize};
use serde_json::value::RawValue;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::watch;

/// The changes of all followed accounts. Clones share them.
#[derive(Clone, Debug)]
pub struct ChangeEvents(Arc<EventsFields>);

#[derive(Debug)]
struct EventsFields {
    state: Mutex<EventsState>,
    last_number: watch::Sender<u64>,
    store: Store,
    /// Distinguishes the numbers of this process from those of an earlier one.
    epoch: i64,
}

#[derive(Debug)]
struct EventsState {
    rings: AccountRings<ChangeEvent>,
    follows_all: bool,
}

/// A change, as a reader gets it.
#[derive(Clone, Debug)]
pub struct ChangeEvent {
    /// `created`, `updated`, `deleted`, or `lost` when changes are unknown.
    pub name: &'static str,
    /// A line of JSON.
    pub data: Bytes,
}

/// A place between two events.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct EventPosition {
    epoch: i64,
    number: u64,
}

const LIMITS: RingLimits = RingLimits {
    items: 10_000,
    bytes: 32 << 20,
};
/// Events that a reader gets at once.
const MAX_BATCH: usize = 64;
const LOST: &[u8] = br#"{"message":"Changes are missing here; read the lists again"}"#;

impl ChangeEvents {
    pub(super) fn new(store: Store) -> Self {
        Self(Arc::new(EventsFields {
            state: Mutex::new(EventsState {
                rings: AccountRings::new(LIMITS),
                follows_all: false,
            }),
            last_number: watch::Sender::new(0),
            store,
            epoch: Clock::System.now().millis(),
        }))
    }

    fn lock(&self) -> MutexGuard<'_, EventsState> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Follows the accounts of a scope, and returns the position behind all events so far.
    pub fn follow(&self, scope: &ControlScope) -> EventPosition {
        let feed = Arc::downgrade(&self.0);
        // The store keeps the observer, which must not keep the store.
        self.0.store.observe(Box::new(move |changes| {
            if let Some(fields) = feed.upgrade() {
                Self(fields).publish(changes);
            }
        }));

        let mut state = self.lock();
        match scope {
            ControlScope::Account(account) => drop(state.rings.open(Some(account.clone()))),
            ControlScope::AllAccounts => state.follows_all = true,
        }
        EventPosition {
            epoch: self.0.epoch,
            number: state.rings.last_number(),
        }
    }

    fn publish(&self, changes: Option<Vec<ObjectChange>>) {
        let last = {
            let mut state = self.lock();
            match changes {
                Some(changes) => changes.iter().for_each(|change| state.push(change)),
                None => state.lose_track(),
            }
            state.rings.last_number()
        };
        // After the events are in their rings, so that a reader of the number finds them.
        self.0.last_number.send_replace(last);
    }

    /// The events of a scope after a position, at least one, and the position behind each.
    ///
    /// # Errors
    /// Some of them are no longer known.
    pub async fn next(
        &self,
        scope: &ControlScope,
        position: EventPosition,
    ) -> Result<Vec<(EventPosition, ChangeEvent)>, Displaced> {
        if position.epoch != self.0.epoch {
            return Err(Displaced);
        }

        let mut numbers = self.0.last_number.subscribe();
        loop {
            numbers.mark_unchanged();
            let found = {
                let state = self.lock();
                match scope {
                    ControlScope::Account(account) => {
                        let owner = Some(account.clone());
                        state.rings.after(&owner, position.number, MAX_BATCH)?
                    }
                    ControlScope::AllAccounts => {
                        state.rings.all_after(position.number, MAX_BATCH)?
                    }
                }
            };

            if !found.is_empty() {
                let behind = |number| EventPosition { number, ..position };
                let events = found.into_iter();
                return Ok(events
                    .map(|event| (behind(event.number), event.item))
                    .collect());
            }
            // The sender lives as long as `self`, so waiting cannot fail.
            let _ignored = numbers.changed().await;
        }
    }
}

impl EventsState {
    fn push(&mut self, change: &ObjectChange) {
        let owner = Some(change.account.clone());
        if self.follows_all {
            self.rings.open(owner.clone());
        }
        if self.rings.is_open(&owner)
            && let Some(event) = ChangeEvent::of(change)
        {
            let bytes = event.data.len();
            self.rings.push(&owner, event, bytes);
        }
    }

    /// Every followed account gets an event that says so.
    fn lose_track(&mut self) {
        for owner in self.rings.owners() {
            let event = ChangeEvent::lost();
            self.rings.push(&owner, event, LOST.len());
        }
    }
}

impl ChangeEvent {
    /// Says that changes are missing.
    pub fn lost() -> Self {
        Self {
            name: "lost",
            data: Bytes::from_static(LOST),
        }
    }

    fn of(change: &ObjectChange) -> Option<Self> {
        #[derive(Deserialize)]
        struct ChangedRecord {
            id: String,
        }

        #[derive(Serialize)]
        struct Data<'a> {
            change: &'static str,
            sid: &'a AccountId,
            collection: &'static str,
            id: &'a str,
            record: &'a RawValue,
        }

        let name = change.kind.name();
        let record = change.record.as_ref();
        let identified: ChangedRecord = serde_json::from_slice(record).ok()?;
        let data = serde_json::to_string(&Data {
            change: name,
            sid: &change.account,
            collection: change.collection.name(),
            id: &identified.id,
            record: serde_json::from_slice(record).ok()?,
        });
        // An event is a line. Outside of texts, where JSON escapes it, a line break is a space.
        let line = data.ok()?.replace(['\n', '\r'], " ");
        Some(Self {
            name,
            data: line.into(),
        })
    }
}

impl EventPosition {
    /// Parses the id of an event.
    pub fn parse(text: &str) -> Option<Self> {
        let (epoch, number) = text.trim().split_once('-')?;
        Some(Self {
            epoch: epoch.parse().ok()?,
            number: number.parse().ok()?,
        })
    }
}

impl std::fmt::Display for EventPosition {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}-{}", self.epoch, self.number)
    }
}
