//! The control plane for tests: routes under `/_local/` that reset, inspect and steer an account.
//!
//! They act for the account of the caller's credential. Nothing here touches a documented route.

mod caller;
pub(crate) mod clock;
pub(crate) mod reset;

pub(crate) use caller::is_enabled;
