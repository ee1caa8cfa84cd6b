//! Tests of what follows when something on the writer's thread panics, and of what a commit takes.

use crate::store::{Durability, Options, Store, StoreError, trees::Tree};
use std::sync::{atomic::Ordering, mpsc};

fn open(folder: &std::path::Path) -> Store {
    let options = Options {
        cache_bytes: 1 << 20,
        index_bytes: 0,
        snapshot_bytes: 1 << 20,
        queue: 64,
        batch: 64,
        durability: Durability::Ephemeral,
        token_secret: Some("secret".into()),
    };
    Store::open(folder, &options).unwrap()
}

fn put(
    store: &Store,
    key: &'static str,
    bytes: usize,
) -> impl Future<Output = Result<(), StoreError>> + use<> {
    let store = store.clone();
    async move {
        store
            .write(move |transaction| {
                transaction.put(Tree::Meta, key.into(), vec![b'x'; bytes].into());
                Ok(())
            })
            .await
    }
}

/// Waits until the store was opened anew.
fn becomes_writable(system: &actix_rt::SystemRunner, store: &Store) {
    while let Err(error) = system.block_on(store.write(|_| Ok::<_, StoreError>(()))) {
        assert!(matches!(error, StoreError::Unavailable), "{error:?}");
    }
}

/// It was healed by writing the whole log anew, which takes minutes where much is stored.
#[test]
fn a_command_that_panics_costs_nobody_but_whoever_sent_it() {
    let folder = tempfile::tempdir().unwrap();
    let (system, store) = (actix_rt::System::new(), open(folder.path()));
    let broken: Result<(), StoreError> = system.block_on(store.write(|transaction| {
        transaction.put(Tree::Meta, b"half".to_vec(), Vec::new().into());
        panic!("planted by a test")
    }));

    assert!(matches!(broken, Err(StoreError::Damaged(_))), "{broken:?}");
    system.block_on(put(&store, "whole", 1)).unwrap();
    let snapshot = store.snapshot().unwrap();

    assert!(snapshot.get(Tree::Meta, b"half").unwrap().is_none());
    assert!(snapshot.get(Tree::Meta, b"whole").unwrap().is_some());
    let statistics = store.writer_statistics();

    assert_eq!((statistics.faults, statistics.recoveries), (0, 0));
    store.close();
    assert!(!store.writer_statistics().is_writable);
}

/// The thread ended, and with it all writes, until a restart.
#[test]
fn a_panic_while_a_commit_is_published_is_followed_by_recovery() {
    let folder = tempfile::tempdir().unwrap();
    let (system, store) = (actix_rt::System::new(), open(folder.path()));
    store.replica.planted.store(true, Ordering::SeqCst);

    let broken = system.block_on(put(&store, "unpublished", 1));
    assert!(matches!(broken, Err(StoreError::Unavailable)), "{broken:?}");
    becomes_writable(&system, &store);
    assert_eq!(store.writer_statistics().recoveries, 1);
    system.block_on(put(&store, "published", 1)).unwrap();
    assert!(
        store
            .snapshot()
            .unwrap()
            .get(Tree::Meta, b"published")
            .unwrap()
            .is_some()
    );
}

/// Breaks down where it is dropped, which is on the writer's thread if nobody waits for it any
/// more.
struct Fragile;

impl Drop for Fragile {
    fn drop(&mut self) {
        assert!(
            std::thread::current().name() != Some("store-writer"),
            "planted by a test"
        );
    }
}

#[test]
fn an_answer_that_breaks_down_costs_nobody_else_an_answer() {
    let folder = tempfile::tempdir().unwrap();
    let (system, store) = (actix_rt::System::new(), open(folder.path()));
    let (go_on, wait) = mpsc::channel::<()>();

    system.block_on(async {
        let own = store.clone();
        let unheard = actix_rt::spawn(async move {
            let answer = own.write(move |_| {
                let _gone_when_it_may_go_on = wait.recv();
                Ok::<_, StoreError>(Fragile)
            });
            answer.await.map(drop)
        });

        let heard = actix_rt::spawn(put(&store, "heard", 1));
        // Both have sent their commands.
        tokio::task::yield_now().await;
        unheard.abort();
        assert!(unheard.await.unwrap_err().is_cancelled());
        drop(go_on);
        heard.await.unwrap().unwrap();
    });

    system.block_on(put(&store, "later", 1)).unwrap();
    assert_eq!(store.writer_statistics().recoveries, 0);
}

/// All of a commit is in memory several times over until it is durable; 64 commands with 1 MB for
/// each of many receivers were.
#[test]
fn large_commands_do_not_share_a_commit() {
    const COMMANDS: u64 = 12;
    const BYTES: usize = 3 << 20;
    let folder = tempfile::tempdir().unwrap();
    let (system, store) = (actix_rt::System::new(), open(folder.path()));
    let commits = |bytes: usize| {
        let before = store.writer_statistics().commits;
        system.block_on(async {
            let (go_on, wait) = mpsc::channel::<()>();
            let own = store.clone();
            let first = actix_rt::spawn(async move {
                own.write(move |_| {
                    let _gone_when_it_may_go_on = wait.recv();
                    Ok::<_, StoreError>(())
                })
                .await
            });

            let rest: Vec<_> = (0..COMMANDS)
                .map(|_| actix_rt::spawn(put(&store, "large", bytes)))
                .collect();

            // All have sent their commands.
            tokio::task::yield_now().await;
            drop(go_on);
            first.await.unwrap().unwrap();

            for one in rest {
                one.await.unwrap().unwrap();
            }
        });

        store.writer_statistics().commits - before
    };

    assert_eq!(commits(10), 1, "small ones do");
    assert_eq!(
        commits(BYTES),
        COMMANDS * BYTES as u64 / (9 << 20),
        "three fill it"
    );
}
