//! Damaged stores: a start says so in a sentence, `check` names what is wrong, and `export
//! --salvage` saves what can be read, without touching what is there.

use super::moving::{exported, import, in_data, is_sound, store_with_a_history};
use crate::support::{Outcome, Setup, integration};
use serde_json::{Value, json};
use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::Path,
};

fn salvage(setup: &Setup) -> Outcome {
    setup
        .same_folder()
        .args(["export", "--salvage", "saved.jsonl"])
        .run()
}

/// Every file below a folder, with its bytes.
fn files(folder: &Path) -> BTreeMap<String, Vec<u8>> {
    let mut found = BTreeMap::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_string_lossy().into_owned();
        if path.is_dir() {
            found.extend(
                files(&path)
                    .into_iter()
                    .map(|(below, bytes)| (format!("{name}/{below}"), bytes)),
            );
        } else {
            found.insert(name, fs::read(&path).unwrap());
        }
    }

    found
}

/// The lines of objects in an export.
fn objects(text: &str) -> BTreeSet<String> {
    let lines = text
        .lines()
        .skip(1)
        .filter(|line| !line.starts_with(r#"{"account":"#));
    lines.map(str::to_owned).collect()
}

/// A seeded sequence.
fn numbers(mut seed: u64) -> impl FnMut(usize) -> usize {
    move |below| {
        seed = seed
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    }
}

type Damage = Box<dyn Fn(&Path)>;

fn change_log(change: impl Fn(&mut Vec<u8>) + 'static) -> Damage {
    Box::new(move |store| {
        let path = store.join("db");
        let mut bytes = fs::read(&path).unwrap();
        change(&mut bytes);
        fs::write(&path, bytes).unwrap();
    })
}

/// Bytes of the log that were ever written; what is behind them is empty.
fn written(bytes: &[u8]) -> usize {
    bytes
        .iter()
        .rposition(|byte| *byte != 0)
        .map_or(1, |last| last + 1)
}

fn damages() -> Vec<(String, Damage)> {
    let mut damages: Vec<(String, Damage)> = Vec::new();
    for tenth in [0, 1, 5, 9] {
        let name = format!("cut off after {tenth} tenths");
        damages.push((
            name,
            change_log(move |bytes| bytes.truncate(written(bytes) * tenth / 10)),
        ));
    }

    for seed in 0..6 {
        let name = format!("eight bytes flipped, {seed}");
        let flip = move |bytes: &mut Vec<u8>| {
            let (mut next, length) = (numbers(seed), written(bytes));
            (0..8).for_each(|_| bytes[next(length)] ^= 0x55);
        };
        damages.push((name, change_log(flip)));
    }

    for tenth in [0, 4, 8] {
        let name = format!("a block of nothing at {tenth} tenths");
        let zero = move |bytes: &mut Vec<u8>| {
            let start = written(bytes) * tenth / 10;
            let end = (start + 4096).min(bytes.len());
            bytes[start..end].fill(0);
        };
        damages.push((name, change_log(zero)));
    }

    damages.push((
        "garbage before the log".into(),
        change_log(|bytes| bytes[..64].fill(0xff)),
    ));
    damages.push((
        "no configuration".into(),
        Box::new(|store| fs::remove_file(store.join("conf")).unwrap()),
    ));
    damages.push((
        "a configuration that makes no sense".into(),
        Box::new(|store| fs::write(store.join("conf"), b"x").unwrap()),
    ));
    damages.push((
        "snapshots that make no sense".into(),
        Box::new(|store| {
            for entry in fs::read_dir(store).unwrap().map(Result::unwrap) {
                if entry.file_name().to_string_lossy().starts_with("snap.") {
                    fs::write(entry.path(), b"nonsense").unwrap();
                }
            }
        }),
    ));

    damages
}

fn copy(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn of_a_damaged_store_everything_is_saved_that_can_be_read() {
    let whole = store_with_a_history();
    let all = objects(&exported(&whole));
    let ever: BTreeSet<String> = all.clone();
    let (mut saved_at_all, mut cases) = (0, 0);

    for (name, damage) in damages() {
        let setup = Setup::new();
        copy(&whole.store(), &setup.store());
        damage(&setup.store());

        let before = files(&setup.store());
        let outcome = salvage(&setup);
        assert!(
            !outcome.stderr.contains("panicked") && !outcome.stderr.contains("RUST_BACKTRACE"),
            "{name}: {outcome:#?}"
        );
        assert_eq!(
            files(&setup.store()),
            before,
            "{name}: the store is not touched"
        );
        assert_eq!(in_data(&setup), ["store"], "{name}: nothing is left behind");
        let saved = fs::read_to_string(setup.path("saved.jsonl")).unwrap();
        let found = objects(&saved);
        let known = found.intersection(&ever).count();
        assert!(
            known * 100 >= all.len() * 40 || name.starts_with("cut off"),
            "{name}: {known} of {}",
            all.len()
        );
        assert_eq!(
            outcome.code,
            Some(i32::from(found.is_empty())),
            "{name}: {outcome:#?}"
        );
        saved_at_all += known;
        cases += 1;

        let new = Setup::new();
        let imported = import(&new, &saved);
        assert_eq!(imported.code, Some(0), "{name}: {imported:#?}");
        is_sound(&new);
        assert_eq!(objects(&exported(&new)), found, "{name}");

        // Whether it is seen at all or mended by a snapshot, it is told in sentences.
        let checked = setup.same_folder().args(["check"]).run();
        assert!(
            !checked.stderr.contains("panicked") && !checked.stderr.contains("stack backtrace"),
            "{name}: {checked:#?}"
        );

        let is_whole = checked.code == Some(0);
        assert!(
            is_whole || !checked.stdout.is_empty() || checked.stderr.contains("damaged"),
            "{name}: {checked:#?}"
        );

        if is_whole {
            assert_eq!(
                objects(&exported(&setup)),
                all,
                "{name}: what is sound has everything"
            );
        }
    }

    assert!(
        saved_at_all * 10 >= all.len() * cases * 6,
        "{saved_at_all} of {cases} times {}",
        all.len()
    );
}

/// Whoever may write could put a record of another account into one of their own, where it was
/// found once theirs was torn.
#[test]
fn what_a_client_put_into_a_record_is_not_saved_as_another() {
    let setup = Setup::new();
    let server = setup.start();
    let victim = server.client("victim").create("theirs");
    let planted = r#"{"sid":"SID","id":"int_planted0000001","createdAt":"2018-04-27T00:02:50.419Z","updatedAt":"2038-04-27T00:02:50.419Z","meta":{},"tinyId":2,"name":"planted","type":"email","enabled":true,"urgency":"low","destination_ids":[],"options":{}}"#;
    let planted: Value =
        serde_json::from_str(&planted.replace("SID", victim["sid"].as_str().unwrap())).unwrap();
    let mut body = integration("mine");

    body["meta"] = json!({ "planted": planted, "list": [1, planted], "torn": "here" });
    assert_eq!(
        server.client("thief").post("/integration", &body).status,
        200
    );
    server.stop();

    let path = setup.store().join("db");
    let mut log = fs::read(&path).unwrap();
    let places: Vec<_> = (0..log.len())
        .filter(|at| log[*at..].starts_with(br#""torn":"here""#))
        .map(|at| at + 8)
        .collect();

    assert!(!places.is_empty());
    places.into_iter().for_each(|at| log[at] = 0);
    fs::write(&path, log).unwrap();

    let outcome = salvage(&setup);
    let saved = fs::read_to_string(setup.path("saved.jsonl")).unwrap();
    assert!(!saved.contains("planted"), "{saved} {outcome:#?}");
    assert!(saved.contains(r#""name":"theirs""#), "{saved} {outcome:#?}");
}

#[test]
fn a_sound_store_is_saved_as_it_is_exported() {
    let setup = store_with_a_history();
    let outcome = salvage(&setup);
    assert_eq!(outcome.code, Some(0), "{outcome:#?}");
    assert!(outcome.stderr.contains("no damage found"), "{outcome:#?}");
    assert_eq!(
        fs::read_to_string(setup.path("saved.jsonl")).unwrap(),
        exported(&setup)
    );
}

#[test]
fn a_store_that_a_server_has_is_not_searched() {
    let setup = store_with_a_history();
    let server = setup.start();
    let outcome = salvage(&setup);

    assert!(
        outcome.error().contains("in use by another process"),
        "{outcome:?}"
    );
    server.stop();

    let nothing = Setup::new();
    assert!(
        salvage(&nothing).error().contains("there is no store"),
        "nothing to save"
    );
}

#[test]
fn a_store_without_its_log_says_where_to_go() {
    let setup = store_with_a_history();
    fs::write(setup.store().join("db"), b"not a log at all").unwrap();
    let outcome = setup.same_folder().args(["check"]).run();
    assert_eq!(outcome.code, Some(1));
    for way in ["restore it from a backup", "export --salvage"] {
        assert!(outcome.stderr.contains(way), "{outcome:?}");
    }
}
