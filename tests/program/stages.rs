//! Bars end where they should: each stage of long work counts as far as it said, no less and no
//! more.

use super::moving::{exported, store_with_a_history};
use crate::support::Setup;
use pagertree_local::store::{
    self,
    archive::{self, ImportOptions, Progress, RestoreOptions, Step},
};
use std::{
    fs::{self, File},
    io,
    sync::{Arc, Mutex},
};

const CACHE: u64 = 1 << 20;

/// Looks at what is shown while `work` is done, and that every total was known but for these
/// stages.
#[track_caller]
fn counts_to_the_end(unknown: &[&str], work: impl FnOnce(&Progress)) {
    let steps = Arc::new(Mutex::new(Vec::new()));
    let seen = Arc::clone(&steps);
    work(&Progress::new(move |step| seen.lock().unwrap().push(step)));

    let (mut stage, mut stages) = (None, 0);
    for step in steps.lock().unwrap().iter() {
        match (*step, &mut stage) {
            (Step::Begin { what, total }, None) => stage = Some((what, total, 0)),
            (Step::Advance(by), Some((_, _, done))) => *done += by,
            (Step::End, Some((what, total, done))) => {
                assert!(
                    total == done || (*total == 0 && unknown.contains(what)),
                    "{what}: {done} of {total}"
                );
                assert!(*done > 0, "{what} is never seen");
                (stage, stages) = (None, stages + 1);
            }
            (step, stage) => panic!("{step:?} in {stage:?}"),
        }
    }

    assert!(stage.is_none() && stages > 0, "{stage:?} has no end");
}

#[test]
fn of_each_command_with_a_stopped_store() {
    let setup = store_with_a_history();
    let (folder, file) = (setup.store(), setup.path("all.backup"));
    counts_to_the_end(&[], |progress| {
        assert!(
            store::check(&folder, CACHE, progress)
                .unwrap()
                .findings
                .is_empty()
        )
    });

    counts_to_the_end(&[], |progress| {
        let (mut out, progress) = (File::create(&file).unwrap(), progress.clone());
        archive::read_offline(&folder, CACHE, &Progress::none(), move |view| {
            archive::backup(view, &mut out, &progress)
        })
        .unwrap();
    });

    counts_to_the_end(&[], |progress| {
        let progress = progress.clone();
        archive::read_offline(&folder, CACHE, &Progress::none(), move |view| {
            archive::export(view, &mut io::sink(), &progress)
        })
        .unwrap();
    });

    counts_to_the_end(&[], |progress| {
        assert!(archive::compact(&folder, CACHE, progress).unwrap().after > 0)
    });

    counts_to_the_end(&["reading"], |progress| {
        drop(archive::salvage(&folder, CACHE, &mut io::sink(), progress).unwrap());
    });

    counts_to_the_end(&[], |progress| {
        let task = RestoreOptions {
            file: file.clone(),
            folder: folder.clone(),
            cache_bytes: CACHE,
            replace: true,
        };
        archive::restore(&task, progress).unwrap();
    });
}

#[test]
fn of_an_import_into_a_store_and_where_there_is_none() {
    let (one, other) = (store_with_a_history(), Setup::new());
    one.write("all.jsonl", &exported(&one));
    let server = other.start();

    server.client("another account").create("there already");
    server.stop();
    for setup in [other, Setup::new()] {
        counts_to_the_end(&[], |progress| {
            let (file, folder) = (one.path("all.jsonl"), setup.store());
            let task = ImportOptions {
                file,
                folder,
                cache_bytes: CACHE,
                token_secret: "secret".into(),
            };
            archive::import(&task, progress).unwrap();
        });
    }
}

#[test]
fn of_what_a_running_server_sends() {
    let setup = store_with_a_history();
    let server = setup.start();
    let running: serde_json::Value =
        serde_json::from_slice(&fs::read(setup.path("data/running")).unwrap()).unwrap();
    let client = server.client(&format!("Bearer {}", running["token"].as_str().unwrap()));
    let sent = |path: &str| {
        let answer = client.get(path);
        let steps = answer.headers["x-steps"].to_str().unwrap().parse().unwrap();
        (answer.body, steps)
    };

    let (backup, steps) = sent("/_local/backup");
    counts_to_the_end(&[], |progress| {
        assert!(archive::verify_backup(&*backup, steps, progress).unwrap() > 0)
    });

    let (export, lines) = sent("/_local/export");
    counts_to_the_end(&[], |progress| {
        archive::relay_export(&*export, &mut io::sink(), lines, progress).unwrap()
    });

    server.stop();
}
