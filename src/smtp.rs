//! A small mail server (RFC 5321) that accepts messages for `<integration id>@<any host>`.
//!
//! A message is an event of that integration, as if it had been posted over HTTP. The id is the only
//! credential, as over HTTP; nothing is relayed. Memory is bounded by the number of connections, the
//! size of a message and the number of recipients.

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

/// Limits of the mail server.
#[derive(Clone, Copy, Debug)]
pub struct SmtpLimits {
    /// Largest message in bytes.
    pub message_bytes: usize,
    /// Concurrent connections.
    pub connections: usize,
    /// How long an idle connection is kept.
    pub idle: Duration,
}

/// Returns the current rate limits of events.
pub type ThrottleSource = Box<dyn Fn() -> Arc<Throttle>>;

/// A mail server that is bound to an address and not yet running.
pub struct MailServer {
    listener: std::net::TcpListener,
    address: SocketAddr,
    shared: SmtpState,
}

/// State shared by all connections.
struct SmtpState {
    events: Events,
    throttles: ThrottleSource,
    event_metrics: EventMetrics,
    partial_deliveries: PartialDeliveries,
    limits: SmtpLimits,
}

impl fmt::Debug for MailServer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MailServer")
            .field("address", &self.address)
            .finish_non_exhaustive()
    }
}

/// The pause after a connection could not be accepted.
const ACCEPT_RETRY_INTERVAL: Duration = Duration::from_millis(100);
const BUSY: &str = "421 4.3.2 too many connections; try again later\r\n";

impl MailServer {
    /// Creates a server on a bound listener.
    ///
    /// # Errors
    /// The listener has no address, or cannot be made non-blocking.
    pub fn new(
        listener: std::net::TcpListener,
        events: Events,
        throttles: ThrottleSource,
        event_metrics: EventMetrics,
        limits: SmtpLimits,
    ) -> io::Result<Self> {
        listener.set_nonblocking(true)?;
        let address = listener.local_addr()?;
        Ok(Self {
            listener,
            address,
            shared: SmtpState {
                events,
                throttles,
                event_metrics,
                partial_deliveries: PartialDeliveries::default(),
                limits,
            },
        })
    }

    /// The address it listens on, with the actual port.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Serves until `stopping` is true. Then messages that have been received completely have `drain`
    /// to be stored and acknowledged; the other clients are asked to try again later.
    pub async fn run(self, mut stopping: watch::Receiver<bool>, drain: Duration) {
        let listener = match TcpListener::from_std(self.listener) {
            Ok(listener) => listener,
            Err(cause) => return log::error!(cause:display; "The mail server could not start"),
        };

        let shared = std::rc::Rc::new(self.shared);
        let mut connections = JoinSet::new();
        let mut has_failed = false;

        loop {
            while connections.try_join_next().is_some() {}
            let accepted = tokio::select! {
                biased;
                // An error means that the sender is gone, which also stops the server.
                _ignored = stopping.wait_for(|stopping| *stopping) => break,
                accepted = listener.accept() => accepted,
            };

            let (mut stream, peer) = match accepted {
                Ok(accepted) => accepted,
                Err(cause) => {
                    if !has_failed {
                        log::warn!(cause:display; "A mail connection could not be accepted; retrying");
                    }
                    has_failed = true;
                    actix_rt::time::sleep(ACCEPT_RETRY_INTERVAL).await;
                    continue;
                }
            };

            has_failed = false;
            if connections.len() >= shared.limits.connections {
                // A client that misses the reply still sees the connection close.
                let _ignored = stream.try_write(BUSY.as_bytes());
                let _ignored = tokio::io::AsyncWriteExt::shutdown(&mut stream).await;
                continue;
            }

            let (shared, stopping) = (std::rc::Rc::clone(&shared), stopping.clone());
            connections.spawn_local(async move {
                if let Err(cause) = connection::serve(stream, peer.ip(), &shared, stopping).await {
                    log::debug!(cause:display, peer:display; "A mail connection was interrupted");
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
            log::warn!(connections; "Mail connections did not finish in time; their clients will send unacknowledged messages again");
        }
    }
}
