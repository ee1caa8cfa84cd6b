//! The other door: a small server for mail (RFC 5321) that takes messages for `<integration
//! id>@<any host>`.
//!
//! The message is an event of that integration, as if it had been posted to it. Whoever knows the
//! id may send, as over HTTP; nothing is relayed. Memory is bounded: by connections, by the size of
//! a message, and by recipients.

mod commands;
mod connection;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod partial_delivery;
mod session;

use self::partial_delivery::PartialDeliveries;
use crate::service::{events::Events, metrics::EventMetrics, throttle::Throttle};
use actix_rt::net::TcpListener;
use std::{fmt, io, net::SocketAddr, sync::Arc, time::Duration};
use tokio::{sync::watch, task::JoinSet};

/// How much one server takes.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// Largest message in bytes.
    pub message_bytes: usize,
    /// Connections at once.
    pub connections: usize,
    /// How long a silent connection is kept.
    pub idle: Duration,
}

/// Counts the events of each integration, by the settings of now.
pub type Throttling = Box<dyn Fn() -> Arc<Throttle>>;

/// A mail server that is bound and about to serve.
pub struct MailServer {
    listener: std::net::TcpListener,
    address: SocketAddr,
    desk: Desk,
}

/// What every connection works with.
struct Desk {
    incoming: Events,
    throttling: Throttling,
    event_metrics: EventMetrics,
    partial_deliveries: PartialDeliveries,
    limits: Limits,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// After a connection could not be accepted.
const PAUSE: Duration = Duration::from_millis(100);
const BUSY: &str = "421 4.3.2 too many connections; try again later\r\n";

impl MailServer {
    /// A server on this listener.
    ///
    /// # Errors
    /// The listener has no address or cannot be made to wait for nobody.
    pub fn new(
        listener: std::net::TcpListener,
        incoming: Events,
        throttling: Throttling,
        event_metrics: EventMetrics,
        limits: Limits,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            desk: Desk {
                incoming,
                throttling,
                event_metrics,
                partial_deliveries: PartialDeliveries::default(),
                limits,
            },
        })
    }

    /// Where it listens; the port is the real one.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stopping` is true. Then messages that came whole have `drain` to be kept and
    /// acknowledged, and whoever is not that far is told to come again.
    pub async fn run(self, mut stopping: watch::Receiver<bool>, drain: Duration) {
        let listener = match TcpListener::from_std(self.listener) {
            Ok(listener) => listener,
            Err(cause) => return log::error!(cause:display; "No mail can be taken"),
        };

        let desk = std::rc::Rc::new(self.desk);
        let mut connections = JoinSet::new();
        let mut failing = false;

        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                biased;
                // Nobody who could say otherwise is there any more if this fails.
                _told = stopping.wait_for(|stopping| *stopping) => break,
                accepted = listener.accept() => accepted,
            };

            let (mut stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(cause) => {
                    if !failing {
                        log::warn!(cause:display; "A connection for mail could not be accepted; this is tried again");
                    }
                    failing = true;
                    actix_rt::time::sleep(PAUSE).await;
                    continue;
                }
            };

            failing = false;
            if connections.len() >= desk.limits.connections {
                // Whoever does not read it is told by the end of the connection.
                let _unread = stream.try_write(BUSY.as_bytes());
                let _gone = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
                continue;
            }

            let (desk, stopping) = (std::rc::Rc::clone(&desk), stopping.clone());
            connections.spawn_local(async move {
                if let Err(cause) = connection::serve(stream, peer.ip(), &desk, stopping).await {
                    log::debug!(cause:display, peer:display; "A connection for mail broke off");
                }
            });
        }

        drop(listener);
        let ended = actix_rt::time::timeout(drain, async {
            while connections.join_next().await.is_some() {}
        })
        .await;

        if ended.is_err() {
            let connections = connections.len();
            log::warn!(connections; "Connections for mail did not end in time; what was not acknowledged is sent again");
        }
    }
}
