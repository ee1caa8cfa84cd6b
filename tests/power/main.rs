//! What was acknowledged survives a power cut at any moment.
//!
//! The load of the kill test (tests/crash) works on a real server. A library between the server and
//! its files (`shim.c`) writes down every change and every sync. When the server is killed, a model
//! of the disk computes from this what a power cut could have left: what was synced is there; of
//! all else every sector, length and name by chance, in no order. On that, `check` must find
//! nothing, and a new server must show every object byte for byte as it was acknowledged. The next
//! round goes on with it. docs/storage.md explains the model.
//!
//! `POWER_ROUNDS` sets how often (10), `POWER_SEED` repeats the chances, as far as the moment of a
//! cut can be repeated.

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
