//! The end of a connection whose client may still be sending.
//!
//! Closing a socket with unread bytes resets the connection, and the reset can discard the response
//! that the client has not read yet. So the server shuts down its sending side, then reads and
//! discards what still arrives ("lingering close"), within a time and a size. Clients that write a
//! whole body before they read, nginx with buffered requests among them, then find their 413
//! whatever the size of the body, up to that limit.

use crate::http::transport::socket::Socket;
use actix_rt::time::{Sleep, sleep};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const LINGER_TIMEOUT: Duration = Duration::from_secs(5);
const MAX_DISCARDED: usize = 64 << 20;

/// A connection that is being closed.
#[derive(Debug)]
pub(super) struct Linger {
    is_shut_down: bool,
    remaining: usize,
    timeout: Pin<Box<Sleep>>,
}

impl Default for Linger {
    fn default() -> Self {
        Self {
            is_shut_down: false,
            remaining: MAX_DISCARDED,
            timeout: Box::pin(sleep(LINGER_TIMEOUT)),
        }
    }
}

impl Linger {
    /// Is ready when the client has closed its side, or the limits are reached.
    pub(super) fn wait(&mut self, stream: &mut Socket, context: &mut Context<'_>) -> Poll<()> {
        if !self.is_shut_down {
            // On failure the client has disconnected, which the next read shows.
            let _ignored = ready!(Pin::new(&mut *stream).poll_shutdown(context));
            self.is_shut_down = true;
        }

        let mut discarded = [0; 16 << 10];
        while self.remaining > 0 && self.timeout.as_mut().poll(context).is_pending() {
            let mut bytes = ReadBuf::new(&mut discarded);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut bytes));
            if read.is_err() || bytes.filled().is_empty() {
                break;
            }
            self.remaining = self.remaining.saturating_sub(bytes.filled().len());
        }

        self.remaining = 0;
        Poll::Ready(())
    }
}
