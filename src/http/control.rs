//! The control plane for tests: routes under `/_local/` that reset, inspect and steer an account.
//!
//! They act for the account of the caller's credential. Nothing here touches a documented route.

mod caller;
pub(crate) mod clock;
pub(crate) mod events;
pub(crate) mod faults;
pub(crate) mod injection;
mod parameters;
pub(crate) mod preference;
mod query;
pub(crate) mod recording;
pub(crate) mod requests;
pub(crate) mod reset;
pub(crate) mod seed;
pub(crate) mod snapshots;
pub(crate) mod state;
pub(crate) mod target;
pub(crate) mod tokens;
pub(crate) mod verify;
pub(crate) mod wait;

pub(crate) use caller::is_enabled;
use parameters::read_query;
