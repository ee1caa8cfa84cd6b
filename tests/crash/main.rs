//! What was acknowledged survives a kill at any moment.
//!
//! Eight threads create, update and delete on four accounts of a real server, each with objects of
//! its own, and remember what was acknowledged. Now and then they look at a list, which must be of
//! one instant and have their objects as they were acknowledged. At a random moment the server is
//! killed with SIGKILL. Then `check` must find nothing, and a new server on the same folder must
//! show every object byte for byte as it was last acknowledged; the one write that each thread had
//! under way may have happened or not, but not by half. No number is ever given twice. Four more
//! only look; what they were shown must be there, at least as new, unless somebody deleted it.
//!
//! Two more are third parties on accounts of their own, and users who make, acknowledge, resolve
//! and delete alerts: an event and its log are there together or not at all, filtered lists agree
//! with the objects, what is asked for again under one `Idempotency-Key` is not made again, and at
//! the end every webhook has come, in order.
//!
//! `CRASH_ROUNDS` sets how often (24), `CRASH_SEED` repeats a run, as far as the moment of a kill
//! can be repeated.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

mod observations;
#[path = "../support/mod.rs"]
mod support;

use std::hash::{BuildHasher, Hasher, RandomState};
use support::{Setup, random::SplitMix64, workload::Workload};

#[test]
fn every_acknowledged_write_survives_a_kill_at_any_moment() {
    let rounds = from_environment("CRASH_ROUNDS").unwrap_or(24);
    let seed = from_environment("CRASH_SEED")
        .unwrap_or_else(|| RandomState::new().build_hasher().finish());

    println!("CRASH_SEED={seed}");
    let mut random = SplitMix64(seed);
    let mut done = Done::default();

    for life in 0..rounds.div_ceil(ROUNDS_OF_ONE_STORE) {
        done.live(
            &mut random,
            ROUNDS_OF_ONE_STORE.min(rounds - life * ROUNDS_OF_ONE_STORE),
        );
    }

    let Done {
        acknowledged,
        shown,
        left,
        webhooks,
    } = done;

    println!(
        "{rounds} rounds, {acknowledged} acknowledged writes, {shown} objects shown to readers, {left} integrations at the end, \
         {webhooks} webhooks, none lost"
    );
    assert!(webhooks > 0, "nothing was ever sent");
}

/// All of it is looked at in each round, so that a store that grows on and on would make them
/// longer and longer.
const ROUNDS_OF_ONE_STORE: u64 = 50;

#[derive(Default)]
struct Done {
    acknowledged: u64,
    shown: usize,
    left: usize,
    webhooks: usize,
}

impl Done {
    fn live(&mut self, random: &mut SplitMix64, rounds: u64) {
        let setup = Setup::new();
        let mut workload = Workload::new(random);
        for _ in 0..rounds {
            workload.run_until_killed(setup.start(), 1 + random.below(300));
            let checked = setup.same_folder().args(["check"]).run();
            assert_eq!(checked.code, Some(0), "{checked:#?}");

            let server = setup.start();
            workload.verify(&server);
            server.kill();
        }

        self.webhooks += workload.wait_for_webhooks(&setup.start());
        self.acknowledged += workload.acknowledged;
        self.shown += workload.shown;
        self.left += workload.objects();
    }
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number"))
    })
}
