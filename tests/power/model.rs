//! Tests of the disk model: what a cut may take, and what it may not.

use super::{
    chance::Chance,
    disk::{Counts, Disk},
    file::SECTOR,
    image::Image,
    trace::Record,
};
use std::collections::BTreeSet;

const ALL: Counts = |_, _| true;

/// Every outcome of many cuts after these records, on a disk that has the file `log`.
fn outcomes(records: &[Record], counts: Counts) -> BTreeSet<Image> {
    let before = Image([("log".to_owned(), Some(b"old".to_vec()))].into());
    let mut disk = Disk::holding(&before, counts);
    records.iter().for_each(|record| disk.happens(record));
    (0..1_000)
        .map(|seed| disk.left(&mut Chance::cut(seed)))
        .collect()
}

fn log_in(image: &Image) -> &[u8] {
    image.0["log"].as_ref().unwrap()
}

const OPEN: Record = Record::Open {
    descriptor: 3,
    path: "log",
    fresh: false,
    emptied: false,
};
const BEGIN: Record = Record::SyncBegins {
    descriptor: 3,
    number: 1,
    only_data: true,
};
const END: Record = Record::SyncEnds { number: 1 };

fn write(bytes: &[u8]) -> Record<'_> {
    Record::Write {
        descriptor: 3,
        offset: 0,
        bytes,
    }
}

#[test]
fn an_unsynced_write_is_kept_or_lost() {
    let left = outcomes(&[OPEN, write(b"new")], ALL);
    assert_eq!(
        left.iter().map(log_in).collect::<Vec<_>>(),
        [b"new", b"old"]
    );
}

#[test]
fn a_synced_write_is_durable() {
    assert_eq!(outcomes(&[OPEN, write(b"new"), BEGIN, END], ALL).len(), 1);
    assert_eq!(
        outcomes(&[OPEN, write(b"new"), BEGIN], ALL).len(),
        2,
        "the sync is not done"
    );
    assert_eq!(
        outcomes(&[OPEN, BEGIN, write(b"new"), END], ALL).len(),
        2,
        "it began before the write"
    );
    assert_eq!(
        outcomes(&[OPEN, write(b"new"), BEGIN, END], |_, only_data| {
            !only_data
        })
        .len(),
        2,
        "it does not count"
    );
}

#[test]
fn a_failed_sync_is_not_repaired_by_the_next() {
    let fail = Record::SyncFails { number: 1 };
    let again = [
        Record::SyncBegins {
            descriptor: 3,
            number: 2,
            only_data: true,
        },
        Record::SyncEnds { number: 2 },
    ];
    let after = |records: &[Record]| -> Vec<Vec<u8>> {
        let left = outcomes(
            &[&[OPEN, write(b"new"), BEGIN, fail.clone()], records, &again].concat(),
            ALL,
        );
        left.iter().map(|image| log_in(image).to_vec()).collect()
    };

    assert_eq!(after(&[]), [b"new", b"old"]);
    assert_eq!(after(&[write(b"new")]), [b"new"], "it was written again");
}

#[test]
fn a_large_write_is_torn_by_sector() {
    let bytes = [b'x'; 3 * SECTOR];
    let left = outcomes(&[OPEN, write(&bytes)], ALL);
    let sectors: BTreeSet<Vec<bool>> = left
        .iter()
        .map(|image| {
            log_in(image)
                .chunks(SECTOR)
                .map(|sector| sector.first() == Some(&b'x'))
                .collect()
        })
        .collect();
    assert!(
        sectors.contains(&vec![true, true, true]) && sectors.contains(&vec![false]),
        "{sectors:?}"
    );
    assert!(
        sectors.contains(&vec![false, true]) && sectors.contains(&vec![true, false, true]),
        "{sectors:?}"
    );
    assert!(left.iter().all(|image| {
        log_in(image).chunks(SECTOR).all(|sector| {
            sector.iter().all(|byte| *byte == sector[0]) || sector.starts_with(b"old")
        })
    }));
}

#[test]
fn a_kept_sector_includes_earlier_writes() {
    let second = Record::Write {
        descriptor: 3,
        offset: 1,
        bytes: b"E",
    };
    let left = outcomes(&[OPEN, write(b"new"), second], ALL);
    assert_eq!(
        left.iter().map(log_in).collect::<Vec<_>>(),
        [b"nEw", b"new", b"old"]
    );
}

#[test]
fn an_unsynced_length_is_kept_or_lost() {
    let left = outcomes(
        &[
            OPEN,
            Record::Length {
                descriptor: 3,
                length: 1,
            },
        ],
        ALL,
    );
    assert_eq!(
        left.iter().map(log_in).collect::<Vec<_>>(),
        [&b"o"[..], b"old"]
    );
    let left = outcomes(
        &[
            OPEN,
            Record::Room {
                descriptor: 3,
                length: 5,
            },
        ],
        ALL,
    );
    assert_eq!(
        left.iter().map(log_in).collect::<Vec<_>>(),
        [&b"old"[..], b"old\0\0"]
    );
}

#[test]
fn a_new_name_is_durable_only_after_a_sync_of_its_folder() {
    let open = Record::Open {
        descriptor: 4,
        path: "new",
        fresh: true,
        emptied: false,
    };

    let own = [
        Record::SyncBegins {
            descriptor: 4,
            number: 2,
            only_data: false,
        },
        Record::SyncEnds { number: 2 },
    ];
    let folder = Record::Open {
        descriptor: 5,
        path: "",
        fresh: false,
        emptied: false,
    };

    let names = [
        Record::SyncBegins {
            descriptor: 5,
            number: 3,
            only_data: false,
        },
        Record::SyncEnds { number: 3 },
    ];
    let there = |records: &[Record]| -> BTreeSet<bool> {
        outcomes(records, ALL)
            .iter()
            .map(|image| image.0.contains_key("new"))
            .collect()
    };

    let [own_begins, own_ends] = own;
    let [names_begin, names_end] = names;
    assert_eq!(
        there(&[open.clone(), own_begins, own_ends]),
        [false, true].into()
    );
    assert_eq!(
        there(&[open, folder, names_begin, names_end]),
        [true].into()
    );
}

#[test]
fn unsynced_renames_and_removals_are_kept_or_lost() {
    let names = |records: &[Record]| -> BTreeSet<Vec<String>> {
        outcomes(records, ALL)
            .iter()
            .map(|image| image.0.keys().cloned().collect())
            .collect()
    };

    assert_eq!(
        names(&[Record::Rename {
            from: "log",
            to: "l"
        }]),
        [vec!["l".into()], vec!["log".into()]].into()
    );
    assert_eq!(
        names(&[Record::Remove { path: "log" }]),
        [vec![], vec!["log".into()]].into()
    );
}
