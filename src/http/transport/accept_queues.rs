//! Graceful shutdown, first step: requests that have already arrived are started.
//!
//! A client that has sent its request before the shutdown expects a response, wherever the bytes
//! are: in the accept queue of a listening socket, in the queue of a worker, or in the buffer of a
//! connection. The HTTP library drops all three when it stops. So before that,
//! [`AcceptQueues::drain`] waits until the accept queues are empty and every worker has run often
//! enough to read what was waiting.

use rustix::event::{PollFd, PollFlags, poll};
use std::{
    fmt,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// How often a worker yields to all other tasks before it counts as idle. In each round it accepts
/// at most 128 connections and handles some 60 events.
const IDLE_ROUNDS: usize = 512;

/// The accept queues and the workers behind them. Clones share them.
#[derive(Clone, Default)]
pub struct AcceptQueues(Arc<Mutex<QueueCounts>>);

#[derive(Default)]
struct QueueCounts {
    /// Duplicates of the listening sockets.
    sockets: Vec<OwnedFd>,
    /// Each worker answers a request on its channel once it is idle.
    workers: Vec<mpsc::UnboundedSender<oneshot::Sender<()>>>,
}

impl fmt::Debug for AcceptQueues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptQueues").finish_non_exhaustive()
    }
}

impl AcceptQueues {
    /// Adds a listening socket.
    pub(crate) fn watch(&self, socket: OwnedFd) {
        self.inner().sockets.push(socket);
    }

    /// The task that each worker runs beside its connections.
    pub(crate) fn worker(&self) -> impl Future<Output = ()> + use<> {
        let (sender, mut requests) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
        self.inner().workers.push(sender);
        async move {
            while let Some(reply) = requests.recv().await {
                for _ in 0..IDLE_ROUNDS {
                    tokio::task::yield_now().await;
                }
                // The receiver is gone after the timeout.
                let _ignored = reply.send(());
            }
        }
    }

    /// Waits until everything that has arrived has been started, or until the timeout. Then closes
    /// the duplicates of the sockets, which would keep them open.
    pub async fn drain(&self, timeout: Duration) {
        let _ignored = actix_rt::time::timeout(timeout, async {
            while !self.are_queues_empty() {
                actix_rt::time::sleep(POLL_INTERVAL).await;
            }
            self.wait_for_idle_workers().await;
        })
        .await;
        self.inner().sockets.clear();
    }

    fn are_queues_empty(&self) -> bool {
        let inner = self.inner();
        let mut sockets: Vec<_> = inner
            .sockets
            .iter()
            .map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN))
            .collect();
        let none = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };

        // On failure, do not wait.
        poll(&mut sockets, Some(&none)).map_or(true, |ready| ready == 0)
    }

    async fn wait_for_idle_workers(&self) {
        let workers = self.inner().workers.clone();
        let replies: Vec<_> = workers
            .iter()
            .filter_map(|worker| {
                let (reply, receiver) = oneshot::channel();
                // A worker that has ended has nothing to start.
                worker.send(reply).is_ok().then_some(receiver)
            })
            .collect();

        for receiver in replies {
            // An error means that the worker has ended.
            let _ignored = receiver.await;
        }
    }

    fn inner(&self) -> MutexGuard<'_, QueueCounts> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
