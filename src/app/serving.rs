//! A running server, from its start to the end of its shutdown.

use super::{background::BackgroundTasks, cleanup, cleanup::TempFiles, shutdown::ShutdownSignal};
use crate::{smtp::MailServer, store::Store};
use actix_web::dev::Server;
use std::{io, sync::Arc, time::Duration};

/// A running server.
pub struct Serving {
    pub(super) server: Server,
    pub(super) stopping: ShutdownSignal,
    pub(super) drain: Duration,
    pub(super) store: Store,
    pub(super) temp_files: Arc<TempFiles>,
    pub(super) background: BackgroundTasks,
    pub(super) mail: Option<MailServer>,
}

impl Serving {
    /// Runs until the server is stopped. Then finishes all accepted writes, and the webhook
    /// deliveries that complete in time.
    ///
    /// # Errors
    /// The server failed.
    pub async fn run(self) -> io::Result<()> {
        let Self {
            server,
            stopping,
            drain,
            store,
            temp_files,
            background,
            mail,
        } = self;
        let background = background.start();
        let mail = mail.map(|mail| actix_rt::spawn(mail.run(stopping.subscribe(), drain)));
        let outcome = server.await;

        // The server may also have ended without a signal.
        stopping.trigger();
        if let Some(mail) = mail {
            // The mail server keeps the store open until it ends. Its own failure does not matter.
            let _ignored = mail.await;
        }

        temp_files.remove_files();
        // While the store is still open: the outcomes of webhooks in flight are recorded.
        background.stop().await;
        cleanup::close(store).await;
        temp_files.remove();

        outcome
    }
}
