//! The control plane under `/_local/`.

mod access;
mod account_alias;
mod clock;
mod events;
mod fault_targets;
mod faults;
mod journal;
mod parallel;
mod reset;
mod seed;
mod snapshots;
mod state;
mod tokens;
mod verify;
mod wait;
