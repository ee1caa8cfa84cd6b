//! Acknowledged writes survive a kill at any moment.
//!
//! Eight threads create, update and delete objects of their own on four accounts of a real server,
//! and remember what was acknowledged. Now and then they read a list, which must be consistent and
//! contain their objects as acknowledged. At a random moment the server is killed with SIGKILL.
//! Then `check` must find nothing, and a new server on the same folder must return every object
//! byte for byte as it was last acknowledged; each thread's write in progress may have happened or
//! not, but not partially. No number is ever assigned twice. Four more threads only read; what they
//! have seen must exist, at least as new, unless it was deleted.
//!
//! Two more simulate third parties with accounts of their own, and users who create, acknowledge,
//! resolve and delete alerts: an event and its log exist together or not at all, filtered lists
//! agree with the objects, a request repeated under one `Idempotency-Key` has no second effect, and
//! in the end every webhook has arrived, in order.
//!
//! `CRASH_ROUNDS` sets the number of rounds (24). `CRASH_SEED` repeats a run, as far as the moment
//! of a kill can be repeated.

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

/// Each round reads the whole store, so a store that keeps growing would make rounds ever longer.
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
