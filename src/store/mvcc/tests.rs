//! Tests of the undo log.

use super::*;
use std::ops::Bound;

fn value(text: &str) -> Option<Stored> {
    Some(Stored::from(text.as_bytes().to_vec()))
}

fn old(key: &str, before: Option<Stored>) -> UndoLog {
    UndoLog::from_iter([((Tree::Integrations, key.as_bytes().to_vec()), before)])
}

#[test]
fn a_change_is_visible_only_after_publication() {
    let mvcc = Mvcc::new(u64::MAX, 0);
    mvcc.record_undo(old("k", value("old")));
    assert_eq!(
        mvcc.published(Tree::Integrations, b"k", value("new")),
        value("old")
    );
    assert_eq!(
        mvcc.published(Tree::Meta, b"k", value("new")),
        value("new"),
        "another tree"
    );
    mvcc.publish();
    assert_eq!(
        mvcc.published(Tree::Integrations, b"k", value("new")),
        value("new")
    );
}

#[test]
fn a_pinned_version_does_not_change() {
    let mvcc = Mvcc::new(u64::MAX, 0);
    let held = mvcc.pin();
    for before in [None, value("1"), value("2")] {
        mvcc.record_undo(old("k", before));
        mvcc.publish();
    }

    assert_eq!(mvcc.as_of(held, Tree::Integrations, b"k", value("3")), None);

    let later = mvcc.pin();
    assert_eq!(
        mvcc.as_of(later, Tree::Integrations, b"k", value("3")),
        value("3")
    );
    mvcc.unpin(held);
    mvcc.unpin(later);
    assert_eq!(
        mvcc.undo_len.load(Ordering::SeqCst),
        0,
        "nothing is kept without a snapshot"
    );
}

#[test]
fn a_range_shows_removed_entries_and_hides_added_ones() {
    let mvcc = Mvcc::new(u64::MAX, 0);
    let held = mvcc.pin();
    let undo = [("b", value("B")), ("c", None), ("z", value("Z"))]
        .map(|(key, before)| ((Tree::Integrations, key.as_bytes().to_vec()), before));
    mvcc.record_undo(UndoLog::from_iter(undo));
    mvcc.publish();
    let bounds = (
        Bound::Included(b"a".to_vec()),
        Bound::Excluded(b"x".to_vec()),
    );
    let found = [("a", "A"), ("c", "C")]
        .map(|(k, v)| (k.as_bytes().to_vec(), value(v).unwrap()))
        .to_vec();
    let seen = mvcc.range_as_of(held, Tree::Integrations, &bounds, found);
    let keys: Vec<_> = seen.iter().map(|(key, _)| key.as_slice()).collect();
    assert_eq!(keys, [b"a", b"b"]);
}

#[test]
fn a_range_over_a_whole_tree_contains_no_other_tree() {
    let mvcc = Mvcc::new(u64::MAX, 0);
    let held = mvcc.pin();
    mvcc.record_undo(old("b", value("B")));
    mvcc.publish();

    let everything = (Bound::Unbounded, Bound::Unbounded);
    for (tree, expected) in [
        (Tree::Accounts, 0),
        (Tree::Integrations, 1),
        (Tree::IntegrationsByAccount, 0),
    ] {
        let seen = mvcc.range_as_of(held, tree, &everything, Vec::new());
        assert_eq!(seen.len(), expected, "{tree:?}");
    }
}

/// A slow reader used to make the server keep everything that was changed meanwhile.
#[test]
fn the_oldest_snapshots_expire_beyond_the_budget() {
    let large = || value(&"x".repeat(10_000));
    let mvcc = Mvcc::new(25_000, 0);
    let commit = |key: &str| {
        mvcc.record_undo(old(key, large()));
        mvcc.publish();
    };

    let first = mvcc.pin();
    commit("a");
    let second = mvcc.pin();

    commit("b");
    assert!(mvcc.is_readable(first) && mvcc.is_readable(second));
    commit("c");
    assert!(!mvcc.is_readable(first), "three values do not fit");
    assert!(mvcc.is_readable(second));
    assert_eq!(
        mvcc.as_of(second, Tree::Integrations, b"b", value("new")),
        large()
    );

    for number in 0..100 {
        commit(&number.to_string());
        assert!(mvcc.bytes() <= 25_000, "{} bytes", mvcc.bytes());
    }

    assert!(!mvcc.is_readable(second));
    let third = mvcc.pin();
    assert!(mvcc.is_readable(third), "later snapshots are unaffected");
    [first, second, third]
        .iter()
        .for_each(|version| mvcc.unpin(*version));
    assert_eq!((mvcc.bytes(), mvcc.undo_len.load(Ordering::SeqCst)), (0, 0));
}

#[test]
fn a_snapshot_of_the_current_version_never_expires() {
    let mvcc = Mvcc::new(0, 0);
    mvcc.record_undo(old("a", value("A")));
    mvcc.publish();
    let held = mvcc.pin();
    mvcc.record_undo(old("a", value("B")));
    assert_eq!(
        mvcc.as_of(held, Tree::Integrations, b"a", value("C")),
        value("B")
    );
    assert!(mvcc.is_readable(held));
}
