//! What was acknowledged survives a kill at any moment.
//!
//! Eight threads create, update and delete on four accounts of a real server, each with objects of its own, and remember
//! what was acknowledged. At a random moment the server is killed with SIGKILL. Then `check` must find nothing, and a new
//! server on the same folder must show every object byte for byte as it was last acknowledged; the one write that each
//! thread had under way may have happened or not, but not by half. No number is ever given twice.
//!
//! `CRASH_ROUNDS` sets how often (20), `CRASH_SEED` repeats a run, as far as the moment of a kill can be repeated.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "a test fails by panicking"
)]

#[path = "../program/child.rs"]
#[allow(dead_code, reason = "shared with the tests of the program")]
mod child;
mod found;
#[path = "../program/http.rs"]
#[allow(dead_code, reason = "shared with the tests of the program")]
mod http;
mod random;
mod worker;

use child::Setup;
use found::{Found, Numbers, verify};
use random::Random;
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    sync::{
        atomic::{AtomicU64, Ordering},
        mpsc,
    },
    thread,
};
use worker::Worker;

const THREADS: usize = 8;
const ACCOUNTS: usize = 4;

#[test]
fn what_was_acknowledged_survives_a_kill_at_any_moment() {
    let rounds = from_environment("CRASH_ROUNDS").unwrap_or(20);
    let seed = from_environment("CRASH_SEED").unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("CRASH_SEED={seed}");
    let mut random = Random(seed);
    let setup = Setup::new();
    let mut workers: Vec<Worker> =
        (0..THREADS).map(|number| Worker::new(number, number % ACCOUNTS, random.next())).collect();
    let mut numbers = vec![Numbers::new(); ACCOUNTS];
    let mut acknowledged = 0;
    for _ in 0..rounds {
        let until = 1 + random.below(300);
        workers = work_until_killed(&setup, workers, until);
        let checked = setup.same_folder().args(["check"]).run();
        assert_eq!(checked.code, Some(0), "{checked:#?}");

        let server = setup.start();
        for (account, numbers) in numbers.iter_mut().enumerate() {
            let found = Found::read(&server.client(&token(account)));
            verify(found, workers.iter_mut().filter(|worker| worker.account == account), numbers);
        }
        server.kill();
        acknowledged += workers.iter_mut().map(|worker| std::mem::take(&mut worker.acknowledged)).sum::<u64>();
    }
    let left: usize = workers.iter().map(|worker| worker.objects.len()).sum();
    println!("{rounds} rounds, {acknowledged} acknowledged writes, {left} objects at the end, none lost");
}

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| text.parse().unwrap_or_else(|_| panic!("{name} must be a whole number")))
}

fn token(account: usize) -> String {
    format!("account {account}")
}

/// Lets all threads work on one server until so many writes are acknowledged, and kills it amidst the next ones.
fn work_until_killed(setup: &Setup, workers: Vec<Worker>, until: u64) -> Vec<Worker> {
    let server = setup.start();
    let count = AtomicU64::new(0);
    thread::scope(|scope| {
        let (enough, wait) = mpsc::channel();
        let working: Vec<_> = workers
            .into_iter()
            .map(|mut worker| {
                let client = server.client(&token(worker.account));
                let (enough, count) = (enough.clone(), &count);
                scope.spawn(move || {
                    while worker.writes(&client) {
                        if count.fetch_add(1, Ordering::SeqCst) + 1 == until {
                            enough.send(()).unwrap();
                        }
                    }
                    worker
                })
            })
            .collect();
        drop(enough);
        wait.recv().expect("the server went away by itself");
        server.kill();
        working.into_iter().map(|worker| worker.join().unwrap()).collect()
    })
}
