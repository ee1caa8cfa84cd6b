//! A command that replaces a store, killed at any moment, leaves the old store or the new one,
//! whole, and the next command clears up.

use super::moving::{
    HEADER, account, exported, in_data, integration, is_sound, object_lines, text,
};
use crate::support::Setup;
use std::{fs, os::unix::fs::MetadataExt, path::Path};

/// When to kill.
#[derive(Clone, Copy, Debug)]
enum Moment {
    /// So many looks after the new store was begun.
    Looks(u32),
    /// The new store has taken the place of the old one.
    Exchanged,
    /// The old store is about to be removed, or was.
    Removing,
}

const MOMENTS: [Moment; 8] = [
    Moment::Looks(0),
    Moment::Looks(300),
    Moment::Looks(3_000),
    Moment::Looks(10_000),
    Moment::Looks(30_000),
    Moment::Looks(60_000),
    Moment::Exchanged,
    Moment::Removing,
];

impl Moment {
    fn watch(self, setup: &Setup) -> impl FnMut() -> bool + use<> {
        let (store, new) = (setup.store(), setup.path("data/store.new"));
        let before = inode(&store);
        let mut looks = 0;
        move || match self {
            Self::Looks(enough) => {
                looks += u32::from(new.exists());
                looks > enough
            }
            Self::Exchanged => inode(&store) != before,
            Self::Removing => inode(&store) != before && !new.join("db").exists(),
        }
    }
}

/// Attempts to kill a command at one moment.
const MAX_ATTEMPTS: usize = 4;

fn inode(folder: &Path) -> Option<u64> {
    fs::metadata(folder).ok().map(|folder| folder.ino())
}

/// Lines of so many integrations of one account.
fn many(sid: &str, count: u64) -> Vec<String> {
    let filling = format!("\"meta\":{{\"x\":\"{}\"}}", "y".repeat(800));
    let line = |number| {
        integration(sid, &format!("int_{sid}_{number}"), number).replace("\"meta\":{}", &filling)
    };
    std::iter::once(account(sid, count))
        .chain((1..=count).map(line))
        .collect()
}

pub(crate) fn export_of(accounts: &[&str]) -> String {
    let lines: Vec<String> = accounts.iter().flat_map(|sid| many(sid, 1_000)).collect();
    let (counted, objects): (Vec<_>, Vec<_>) = lines
        .into_iter()
        .partition(|line| line.starts_with("{\"account\""));
    text(&[vec![HEADER.to_owned()], counted, objects].concat())
}

/// A stopped store with one account.
pub(crate) fn filled() -> Setup {
    let setup = Setup::new();
    setup.write("first.jsonl", &export_of(&["acc_1"]));
    let outcome = setup.same_folder().args(["import", "first.jsonl"]).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    setup
}

#[test]
fn a_killed_compact_leaves_a_whole_store() {
    let setup = filled();
    let expected = exported(&setup);
    let mut killed = 0;

    for moment in MOMENTS {
        // On a busy machine the command may end before this process sees the moment.
        let was_killed = (0..MAX_ATTEMPTS).any(|_| {
            let command = setup.same_folder().args(["compact"]);
            let was_killed = command.run_and_kill_when(moment.watch(&setup));
            is_sound(&setup);
            assert_eq!(exported(&setup), expected, "{moment:?}");
            was_killed
        });
        killed += u32::from(was_killed);
    }

    assert!(killed > 3, "only {killed} were killed in time");
    let outcome = setup.same_folder().args(["compact"]).run();
    assert_eq!(outcome.code, Some(0), "{outcome:?}");
    assert_eq!(in_data(&setup), ["store"], "leftovers are removed");
    assert_eq!(exported(&setup), expected);
}

#[test]
fn a_killed_import_has_added_everything_or_nothing() {
    let both = export_of(&["acc_1", "acc_2"]);
    for moment in MOMENTS {
        let setup = filled();
        let before = exported(&setup);
        setup.write("second.jsonl", &export_of(&["acc_2"]));

        let command = || setup.same_folder().args(["import", "second.jsonl"]);
        command().run_and_kill_when(moment.watch(&setup));
        is_sound(&setup);

        let after = exported(&setup);
        assert!(after == before || after == both, "{moment:?}");
        if after == before {
            assert_eq!(
                command().run().code,
                Some(0),
                "{moment:?}: it works the next time"
            );
        }

        assert_eq!(exported(&setup), both);
    }
}

#[test]
fn a_killed_first_import_has_made_a_whole_store_or_none() {
    let all = export_of(&["acc_1"]);
    for moment in MOMENTS {
        let setup = Setup::new();
        setup.write("first.jsonl", &all);
        let command = || setup.same_folder().args(["import", "first.jsonl"]);

        command().run_and_kill_when(moment.watch(&setup));
        if !setup.store().exists() {
            assert_eq!(
                command().run().code,
                Some(0),
                "{moment:?}: it works the next time"
            );
            assert_eq!(in_data(&setup), ["store"]);
        }

        is_sound(&setup);
        assert_eq!(exported(&setup), all);
    }
}

#[test]
fn a_killed_restore_leaves_the_old_store_or_the_restored_one() {
    let (setup, other) = (filled(), Setup::new());
    let old = exported(&setup);
    other.write("first.jsonl", &export_of(&["acc_2"]));
    assert_eq!(
        other
            .same_folder()
            .args(["import", "first.jsonl"])
            .run()
            .code,
        Some(0)
    );
    let new = exported(&other);

    for (from, name) in [(&setup, "old.backup"), (&other, "new.backup")] {
        let outcome = from.same_folder().args(["backup", name]).run();
        assert_eq!(outcome.code, Some(0), "{outcome:?}");
        if from.path(name) != setup.path(name) {
            fs::copy(from.path(name), setup.path(name)).unwrap();
        }
    }

    let restore = |name| setup.same_folder().args(["restore", "--replace", name]);
    for moment in MOMENTS {
        restore("new.backup").run_and_kill_when(moment.watch(&setup));
        is_sound(&setup);
        let after = exported(&setup);

        // The numbers that the replaced store gave stay given.
        let after = object_lines(&after);
        assert!(
            after == object_lines(&old) || after == object_lines(&new),
            "{moment:?}"
        );
        assert_eq!(
            restore("old.backup").run().code,
            Some(0),
            "{moment:?}: it works the next time"
        );
        assert_eq!(in_data(&setup), ["store"]);
        assert_eq!(object_lines(&exported(&setup)), object_lines(&old));
    }
}
