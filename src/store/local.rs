//! The local storage engine: sled in one folder, and what makes it durable.
//!
//! - `engine` wraps sled: get, range, and an atomic apply. `disk` syncs its files, and `watermark`
//!   records the last acknowledged commit.
//! - `open` opens, creates and migrates a store; `repair` removes what would keep it from opening,
//!   and `recovery` rewrites the files after a failure.
//!
//! No other part of the store calls sled.

mod disk;
mod engine;
mod layout;
pub(super) mod open;
pub(super) mod recovery;
mod repair;
pub(super) mod schema;
mod watermark;

pub(super) use engine::{Engine, MissingTree};
