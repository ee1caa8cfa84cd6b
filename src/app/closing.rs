//! Lets go of the store when the server ends.

use crate::store::Store;
use std::thread;
use tokio::sync::oneshot;

/// On a thread of its own: where the disk does not answer this takes for ever, and signals must still be heard.
pub(super) async fn close(store: Store) {
    let (tell, told) = oneshot::channel();
    let closing = store.clone();
    let begun = thread::Builder::new().name("store-closer".into()).spawn(move || {
        closing.close();
        // Nobody listens any more when the program ends without it.
        let _gone = tell.send(());
    });
    match begun {
        Ok(_ends_by_itself) => drop(told.await),
        Err(_no_thread) => store.close(),
    }
}
