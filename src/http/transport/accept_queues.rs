//! Graceful shutdown, first part: what had arrived before the server was told to stop is begun.
//!
//! A client whose request was complete by then may expect an answer, wherever its bytes lie: in the
//! accept queue of a listening socket, in the queue of a worker, or in the buffer of a connection.
//! The HTTP library drops all three when it stops. So before it is told to, [`AcceptQueues::settle`]
//! waits until the accept queues are empty, and until every worker has come round often enough to
//! have read what lay there.

use rustix::event::{PollFd, PollFlags, poll};
use std::{
    fmt,
    os::fd::{AsFd, OwnedFd},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::sync::{mpsc, oneshot};

/// Between two looks at the accept queues.
const POLL_INTERVAL: Duration = Duration::from_millis(1);

/// How often a worker lets everything else run, the network included, before it counts as having
/// come round. Each time it takes at most 128 connections, and answers or reads some 60 things.
const ROUNDS: usize = 512;

/// Connections and requests on their way in. Cloning is cheap and gives the same.
#[derive(Clone, Default)]
pub struct AcceptQueues(Arc<Mutex<Inner>>);

#[derive(Default)]
struct Inner {
    /// Handles of the listening sockets.
    queues: Vec<OwnedFd>,
    /// Each worker says through the sender when it has come round.
    workers: Vec<mpsc::UnboundedSender<oneshot::Sender<()>>>,
}

impl fmt::Debug for AcceptQueues {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AcceptQueues").finish_non_exhaustive()
    }
}

impl AcceptQueues {
    /// Also watches the accept queue of this socket.
    pub(crate) fn watch(&self, socket: OwnedFd) {
        self.inner().queues.push(socket);
    }

    /// What each worker runs beside its connections, for as long as it lives.
    pub(crate) fn worker(&self) -> impl Future<Output = ()> + use<> {
        let (sender, mut asked) = mpsc::unbounded_channel::<oneshot::Sender<()>>();
        self.inner().workers.push(sender);
        async move {
            while let Some(tell) = asked.recv().await {
                for _ in 0..ROUNDS {
                    tokio::task::yield_now().await;
                }
                // Nobody listens any more when it took too long.
                let _gone = tell.send(());
            }
        }
    }

    /// Waits until all that has arrived by now is under way, or this time is over. Afterwards the
    /// accept queues are not watched any more: a socket lives as long as there is a handle of it.
    pub async fn settle(&self, at_most: Duration) {
        let _took_too_long = actix_rt::time::timeout(at_most, async {
            while !self.queues_are_empty() {
                actix_rt::time::sleep(POLL_INTERVAL).await;
            }
            self.workers_have_come_round().await;
        })
        .await;
        self.inner().queues.clear();
    }

    fn queues_are_empty(&self) -> bool {
        let inner = self.inner();
        let mut sockets: Vec<_> = inner
            .queues
            .iter()
            .map(|socket| PollFd::from_borrowed_fd(socket.as_fd(), PollFlags::IN))
            .collect();
        let none = rustix::event::Timespec {
            tv_sec: 0,
            tv_nsec: 0,
        };

        // What cannot be asked is not waited for.
        poll(&mut sockets, Some(&none)).map_or(true, |ready| ready == 0)
    }

    async fn workers_have_come_round(&self) {
        let workers = self.inner().workers.clone();
        let asked: Vec<_> = workers
            .iter()
            .filter_map(|worker| {
                let (tell, told) = oneshot::channel();
                // One that has ended has nothing to begin.
                worker.send(tell).is_ok().then_some(told)
            })
            .collect();

        for told in asked {
            let _ended_meanwhile = told.await;
        }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
