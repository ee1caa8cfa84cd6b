//! Power cuts, again and again.

use super::{
    chance::Chance,
    disk::{Counts, Disk},
    image::Image,
    rounds::Rounds,
    shim::Shim,
    trace,
};
use crate::support::{Setup, integration};
use std::{
    hash::{BuildHasher, Hasher, RandomState},
    path::Path,
};

/// Rounds in which a missing sync was always detected; the first few nearly always suffice.
const ENOUGH_TO_CATCH: usize = 30;

fn from_environment(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|text| {
        text.parse()
            .unwrap_or_else(|_| panic!("{name} must be a whole number"))
    })
}

fn seed() -> u64 {
    let seed = from_environment("POWER_SEED")
        .unwrap_or_else(|| RandomState::new().build_hasher().finish());
    println!("POWER_SEED={seed}");
    seed
}

#[test]
fn every_acknowledged_write_survives_a_power_cut_at_any_moment() {
    let number = from_environment("POWER_ROUNDS").unwrap_or(10);
    let mut rounds = Rounds::new(seed(), |_, _| true);
    for round in 1..=number {
        if let Err(loss) = rounds.round() {
            let evidence = Path::new(env!("CARGO_TARGET_TMPDIR")).join("power");
            rounds.keep_evidence(&evidence);
            panic!(
                "round {round}: {}\nthe disk and the trace are in {}",
                loss.0,
                evidence.display()
            );
        }
    }

    let server = rounds.verified().unwrap();
    let webhooks = rounds.workload.wait_for_webhooks(&server);
    drop(server);

    let (acknowledged, outcomes, losing) =
        (rounds.workload.acknowledged, rounds.outcomes, rounds.losing);
    let left = rounds.workload.objects();

    println!(
        "{number} rounds, {outcomes} outcomes of cuts, {losing} of them lost something unsynced; \
         {acknowledged} acknowledged writes, {left} integrations at the end, {webhooks} webhooks, none lost"
    );
}

/// Ignoring a sync is equivalent to a server that omits it.
fn is_caught_if_only_these_count(counts: Counts) {
    let mut rounds = Rounds::new(seed(), counts);
    let caught = (1..=ENOUGH_TO_CATCH).find_map(|round| Some((round, rounds.round().err()?)));
    let (round, loss) =
        caught.unwrap_or_else(|| panic!("{ENOUGH_TO_CATCH} rounds, and the loss was never seen"));
    println!("caught in round {round}: {}", loss.0);
}

#[test]
fn a_server_that_skips_sync_data_is_caught() {
    is_caught_if_only_these_count(|path, only_data| !(only_data && path.ends_with("/db")));
}

/// The model is only as good as the trace is complete.
#[test]
fn the_trace_records_every_change_of_files() {
    let shim = Shim::new();
    let setup = shim.around(Setup::new());
    let (mut before, mut lengths) = (Image::default(), Vec::new());

    for _start in 0..2 {
        let server = setup.start();
        let client = server.client("t");
        for number in 0..20 {
            let id = client.create(&format!("number {number}"))["id"]
                .as_str()
                .unwrap()
                .to_owned();
            let mut large = integration("large");
            large["meta"] = serde_json::json!({ "x": "y".repeat(900_000) });
            assert_eq!(client.post("/integration", &large).status, 200);
            assert_eq!(client.delete(&format!("/integration/{id}")).status, 204);
        }

        server.stop();
        let trace = shim.trace();
        let mut disk = Disk::holding(&Image::default(), |_, _| true);

        trace::read(&trace)
            .iter()
            .for_each(|record| disk.happens(record));

        let (told, there) = (
            disk.left(&mut Chance::Everything),
            Image::of(&setup.path("")),
        );

        assert_eq!(told.lengths(), there.lengths());
        assert!(told == there, "the same files have other bytes");
        assert!(there != before);
        lengths.push(there.lengths().len());
        before = there;
    }

    assert!(lengths.iter().all(|files| *files > 3), "{lengths:?}");
}
