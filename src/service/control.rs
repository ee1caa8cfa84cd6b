//! The control plane: how tests reset, inspect and steer the data of an account.
//!
//! Each function takes a [`ControlCaller`] to read and a [`ControlWriter`] to change something, and
//! acts for the accounts of its [`ControlScope`].

mod caller;
mod clock;
mod faults;
mod hooks;
mod journal;
mod near_misses;
mod receiver;
mod reset;
mod verify;

pub use caller::{ControlCaller, ControlScope, ControlWriter};
pub use clock::ClockState;
pub use faults::{Faults, FiredFault};
pub use hooks::{ActiveHooks, RequestHook, RequestHooks};
pub use journal::{Journal, JournalOptions};
pub use near_misses::near_misses;
pub use receiver::Receiver;
pub use verify::{ExpectedCount, Verification, request_name};

use super::error::ServiceError;
use crate::{clock::Clock, domain::ids::AccountId, store::Store};

/// The service behind the control plane. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Control {
    store: Store,
    clock: Clock,
    hooks: RequestHooks,
    journal: Journal,
    faults: Faults,
}

impl Control {
    /// A control plane over `store` that moves `clock`.
    pub fn new(store: Store, clock: Clock, journal: JournalOptions) -> Self {
        let hooks = RequestHooks::default();
        Self {
            store,
            clock,
            journal: Journal::new(journal, hooks.clone()),
            faults: Faults::new(hooks.clone()),
            hooks,
        }
    }

    /// What looks at each request.
    pub fn hooks(&self) -> &RequestHooks {
        &self.hooks
    }

    /// The faults that are set.
    pub fn faults(&self) -> &Faults {
        &self.faults
    }

    /// The latest requests.
    pub fn journal(&self) -> &Journal {
        &self.journal
    }

    /// The accounts of a scope that exist.
    fn accounts(&self, scope: &ControlScope) -> Result<Vec<AccountId>, ServiceError> {
        Ok(match scope {
            ControlScope::Account(account) => vec![account.clone()],
            ControlScope::AllAccounts => self.store.snapshot()?.accounts()?,
        })
    }
}
