//! Random lives of a server, against a model that is a plain map.
//!
//! Creates, updates, deletes, lists, jumps of the clock and restarts go over HTTP to an `App` in
//! this process and to the model; every answer must be the model's, to the byte, whether lists come
//! from indexes or from reading everything, and whether commits conflict or not. A life that fails is shrunk to a short one and kept in
//! a file of regressions beside this one. `PROPTEST_CASES` sets how many lives there are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod alerts;
mod lists;
mod running;
mod steps;
#[path = "../support/mod.rs"]
mod support;
mod world;

use proptest::strategy::Strategy;
use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use running::Storage;
use world::World;

const CASES: u32 = 100;

/// Remembers lives that failed in this file.
fn runner(regressions: &'static str) -> TestRunner {
    let asked = std::env::var("PROPTEST_CASES")
        .ok()
        .and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(CASES),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        max_shrink_iters: 500,
        ..Config::default()
    };
    TestRunner::new(config)
}

/// With indexes, with so little room that they are evicted again and again, and without; on a
/// ledger that always commits, and on one where another writer wins at random.
fn storage() -> impl Strategy<Value = Storage> {
    let index_bytes = proptest::sample::select(vec![1 << 20, 2_000, 0]);
    let contention = proptest::option::of(proptest::num::u64::ANY);
    (index_bytes, contention).prop_map(|(index_bytes, contention)| Storage {
        index_bytes,
        contention,
    })
}

#[test]
fn every_response_equals_that_of_a_plain_map() {
    let life = (storage(), proptest::collection::vec(steps::step(), 1..100));
    let lived = runner(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/model/regressions.txt"
    ))
    .run(&life, |(storage, life)| {
        let mut world = World::new(storage);
        life.into_iter().try_for_each(|step| world.take(step))
    });

    lived.unwrap_or_else(|fault| panic!("{fault}"));
}

#[test]
fn alert_lists_reflect_all_events_and_user_actions() {
    let life = (storage(), proptest::collection::vec(alerts::step(), 1..100));
    let lived = runner(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/tests/model/regressions-of-alerts.txt"
    ))
    .run(&life, |(storage, life)| {
        let mut world = alerts::World::new(storage);
        life.into_iter().try_for_each(|step| world.take(step))
    });

    lived.unwrap_or_else(|fault| panic!("{fault}"));
}
