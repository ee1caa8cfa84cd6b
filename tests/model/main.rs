//! Random lives of a server, against a model that is a plain map.
//!
//! Creates, updates, deletes, lists, jumps of the clock and restarts go over HTTP to an `App` in this process and to the
//! model; every answer must be the model's, to the byte, whether lists come from indexes or from reading everything. A life that fails is shrunk to a short one and kept in
//! `regressions.txt` beside this file. `PROPTEST_CASES` sets how many lives there are.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../program/http.rs"]
#[allow(dead_code, reason = "shared with the tests of the program")]
mod http;
mod lists;
mod running;
mod steps;
mod world;

use proptest::test_runner::{Config, FileFailurePersistence, TestRunner};
use world::World;

const CASES: u32 = 100;

#[test]
fn every_answer_is_the_one_of_a_plain_map() {
    let regressions = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/model/regressions.txt");
    let asked = std::env::var("PROPTEST_CASES").ok().and_then(|cases| cases.parse().ok());
    let config = Config {
        cases: asked.unwrap_or(CASES),
        failure_persistence: Some(Box::new(FileFailurePersistence::Direct(regressions))),
        max_shrink_iters: 500,
        ..Config::default()
    };
    // With indexes, with room for hardly any, so that they come and go, and without.
    let index_bytes = proptest::sample::select(vec![1 << 20, 2_000, 0]);
    let life = (index_bytes, proptest::collection::vec(steps::step(), 1..100));
    let lived = TestRunner::new(config).run(&life, |(index_bytes, life)| {
        let mut world = World::new(index_bytes);
        for step in life {
            world.take(step)?;
        }
        Ok(())
    });
    lived.unwrap_or_else(|fault| panic!("{fault}"));
}
