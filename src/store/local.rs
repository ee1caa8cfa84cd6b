//! The local storage engine: sled in one folder, and what makes it durable.
//!
//! - `engine` wraps sled: get, range, and an atomic apply. `disk` syncs its files, and `watermark`
//!   records the last acknowledged commit.
//! - `open` opens, creates and migrates a store; `repair` removes what would keep it from opening.
//! - `ledger` commits through the engine; `recovery` reopens the store after a failure.
//!
//! No other part of the store names sled.

mod disk;
mod engine;
mod ledger;
pub(super) mod open;
mod recovery;
mod repair;
mod watermark;

pub(super) use engine::{Engine, MissingTree};
pub(super) use ledger::LocalLedger;

/// The engine's reference-counted byte buffer.
pub(super) type Buffer = sled::IVec;
