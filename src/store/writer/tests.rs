//! Tests of panics on the writer thread, of conflicts, and of what shares a commit.

use crate::store::{Durability, Options, Store, StoreError, trees::Tree};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering},
    mpsc,
};

fn open(folder: &std::path::Path) -> Store {
    open_with(folder, None)
}

fn open_with(folder: &std::path::Path, contention: Option<u64>) -> Store {
    let options = Options {
        cache_bytes: 1 << 20,
        index_bytes: 0,
        snapshot_bytes: 1 << 20,
        queue: 256,
        batch: 64,
        durability: Durability::Ephemeral,
        token_secret: Some("secret".into()),
        contention,
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

/// Waits until recovery has succeeded.
fn becomes_writable(system: &actix_rt::SystemRunner, store: &Store) {
    while let Err(error) = system.block_on(store.write(|_| Ok::<_, StoreError>(()))) {
        assert!(matches!(error, StoreError::Unavailable), "{error:?}");
    }
}

/// It used to trigger recovery, which rewrites the whole log and takes minutes for a large store.
#[test]
fn a_command_that_panics_fails_alone() {
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

/// The thread used to end, and with it all writes, until a restart.
#[test]
fn a_panic_while_a_commit_is_published_is_followed_by_recovery() {
    let folder = tempfile::tempdir().unwrap();
    let (system, store) = (actix_rt::System::new(), open(folder.path()));
    let replica = store.current.acquire().unwrap();
    replica.panics_on_publish.store(true, Ordering::SeqCst);
    drop(replica);

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

/// Panics when the writer thread drops it, as it does if the caller has gone.
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
fn a_panic_in_an_answer_does_not_affect_other_answers() {
    let folder = tempfile::tempdir().unwrap();
    let (system, store) = (actix_rt::System::new(), open(folder.path()));
    let (go_on, wait) = mpsc::channel::<()>();
    let wait = Arc::new(Mutex::new(wait));

    system.block_on(async {
        let own = store.clone();
        let unheard = actix_rt::spawn(async move {
            let answer = own.write(move |_| {
                let _disconnected = wait.lock().unwrap().recv();
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

/// A commit is in memory several times until it is durable. 64 commands with 1 MB for each of many
/// receivers used to share one.
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
            let wait = Arc::new(Mutex::new(wait));
            let own = store.clone();
            let first = actix_rt::spawn(async move {
                own.write(move |_| {
                    let _disconnected = wait.lock().unwrap().recv();
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

/// Increments a counter in `meta`, and counts how often it ran.
async fn increment(store: Store, runs: Arc<AtomicU64>) -> u64 {
    let outcome = store.write(move |transaction| {
        runs.fetch_add(1, Ordering::SeqCst);
        let old = transaction.get(Tree::Meta, b"counter")?;
        let old = old.and_then(|old| old.as_ref().try_into().ok().map(u64::from_be_bytes));
        let new = old.unwrap_or_default() + 1;
        let bytes = new.to_be_bytes().to_vec();
        transaction.put(Tree::Meta, b"counter".to_vec(), bytes.into());
        Ok::<_, StoreError>(new)
    });
    outcome.await.unwrap()
}

#[test]
fn commands_of_a_conflicting_commit_run_again_and_are_answered_once() {
    const COMMANDS: u64 = 200;
    let folder = tempfile::tempdir().unwrap();
    let (system, store) = (actix_rt::System::new(), open_with(folder.path(), Some(7)));
    let runs = Arc::new(AtomicU64::new(0));

    let mut answers = system.block_on(async {
        let pending: Vec<_> = (0..COMMANDS)
            .map(|_| actix_rt::spawn(increment(store.clone(), Arc::clone(&runs))))
            .collect();
        let mut answers = Vec::new();
        for one in pending {
            answers.push(one.await.unwrap());
        }
        answers
    });

    answers.sort_unstable();
    assert_eq!(answers, (1..=COMMANDS).collect::<Vec<_>>());
    assert!(runs.load(Ordering::SeqCst) > COMMANDS, "some ran again");
    assert_eq!(store.writer_statistics().commands, COMMANDS);
}

#[test]
fn a_commit_wakes_those_who_wait_for_a_change() {
    let folder = tempfile::tempdir().unwrap();
    let (system, store) = (actix_rt::System::new(), open(folder.path()));
    system.block_on(async {
        let seen = store.version();
        let own = store.clone();
        let waiter = actix_rt::spawn(async move { own.changed_since(seen).await });
        tokio::task::yield_now().await;
        assert!(!waiter.is_finished());
        put(&store, "key", 1).await.unwrap();
        assert_eq!(waiter.await.unwrap(), store.version());
        assert!(store.version() > seen);
    });
}
