//! The control plane: how tests reset, inspect and steer the data of an account.
//!
//! Each function takes a [`ControlCaller`] to read and a [`ControlWriter`] to change something, and
//! acts for the accounts of its [`ControlScope`].

mod accounts;
mod caller;
mod change_events;
mod clock;
mod diff;
mod faults;
mod hooks;
mod journal;
mod near_misses;
mod receiver;
mod reset;
mod seed;
mod snapshots;
mod state;
mod tokens;
mod verify;

pub use caller::{ControlCaller, ControlScope, ControlWriter};
pub use change_events::{ChangeEvent, ChangeEvents, EventPosition};
pub use clock::ClockState;
pub use diff::ObjectDiff;
pub use faults::{Faults, FiredFault};
pub use hooks::{ActiveHooks, RequestHook, RequestHooks};
pub use journal::{Journal, JournalOptions};
pub use near_misses::near_misses;
pub use receiver::Receiver;
pub use seed::parse_seed;
pub use snapshots::{SnapshotInfo, SnapshotLimits, SnapshotName};
pub use state::ParsedState;
pub use tokens::{IssuedToken, TokenRequest};
pub use verify::{ExpectedCount, Verification, request_name};

use self::tokens::IssuedTokens;
use super::{dispatch_signal::DispatchSignal, tokens::Tokens};
use crate::{
    clock::Clock,
    domain::{ids::AccountId, timestamp::Timestamp},
    ids::Ids,
    store::Store,
};
use snapshots::Snapshots;

/// The service behind the control plane. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Control {
    store: Store,
    clock: Clock,
    ids: Ids,
    dispatch_signal: DispatchSignal,
    hooks: RequestHooks,
    journal: Journal,
    faults: Faults,
    snapshots: Snapshots,
    tokens: Tokens,
    issued_tokens: IssuedTokens,
    events: ChangeEvents,
}

/// Limits of what the control plane keeps in memory.
#[derive(Clone, Copy, Debug)]
pub struct ControlOptions {
    /// Of the journal.
    pub journal: JournalOptions,
    /// Of snapshots.
    pub snapshots: SnapshotLimits,
}

impl Control {
    /// A control plane over `store` that moves `clock`, seeds `ids`, issues `tokens`, and wakes the
    /// dispatcher of webhooks.
    pub fn new(
        store: Store,
        clock: Clock,
        ids: Ids,
        dispatch_signal: DispatchSignal,
        tokens: Tokens,
        options: ControlOptions,
    ) -> Self {
        let hooks = RequestHooks::default();
        Self {
            events: ChangeEvents::new(store.clone()),
            store,
            clock,
            ids,
            dispatch_signal,
            journal: Journal::new(options.journal, hooks.clone()),
            faults: Faults::new(hooks.clone()),
            hooks,
            snapshots: Snapshots::new(options.snapshots),
            tokens,
            issued_tokens: IssuedTokens::default(),
        }
    }

    /// What looks at each request.
    pub fn hooks(&self) -> &RequestHooks {
        &self.hooks
    }

    /// What changes in each account.
    pub fn events(&self) -> &ChangeEvents {
        &self.events
    }

    /// The faults that are set.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The latest requests.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The time of an account, or of the server.
    fn now_of(&self, account: Option<&AccountId>) -> Timestamp {
        account.map_or_else(|| self.clock.now(), |account| self.clock.now_in(account))
    }
}
