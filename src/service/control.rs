//! The control plane: how tests reset, inspect and steer the data of an account.
//!
//! Each function takes a [`ControlCaller`] to read and a [`ControlWriter`] to change something, and
//! acts for the accounts of its [`ControlScope`].

mod caller;
mod clock;
mod reset;

pub use caller::{ControlCaller, ControlScope, ControlWriter};
pub use clock::ClockState;

use super::error::ServiceError;
use crate::{clock::Clock, domain::ids::AccountId, store::Store};

/// The service behind the control plane. Cloning is cheap.
#[derive(Clone, Debug)]
pub struct Control {
    store: Store,
    clock: Clock,
}

impl Control {
    /// A control plane over `store` that moves `clock`.
    pub fn new(store: Store, clock: Clock) -> Self {
        Self { store, clock }
    }

    /// The accounts of a scope that exist.
    fn accounts(&self, scope: &ControlScope) -> Result<Vec<AccountId>, ServiceError> {
        Ok(match scope {
            ControlScope::Account(account) => vec![account.clone()],
            ControlScope::AllAccounts => self.store.snapshot()?.accounts()?,
        })
    }
}
