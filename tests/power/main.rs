//! Acknowledged writes survive a power cut at any moment.
//!
//! The load of the kill test (tests/crash) runs against a real server. A library between the server
//! and its files (`shim.c`) records every change and every sync. When the server is killed, a model
//! of the disk computes from this what a power cut could have left: everything synced, and of all
//! else every sector, length and name at random, in no order. On that, `check` must find nothing,
//! and a new server must return every object byte for byte as it was acknowledged. The next round
//! continues there. docs/storage.md explains the model.
//!
//! `POWER_ROUNDS` sets the number of rounds (10). `POWER_SEED` repeats the random choices, as far
//! as the moment of a cut can be repeated.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod chance;
mod cuts;
mod disk;
mod faults;
mod file;
mod hung;
mod image;
mod model;
mod names;
mod reads;
mod rounds;
mod shim;
#[path = "../support/mod.rs"]
mod support;
mod trace;
