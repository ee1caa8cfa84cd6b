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

/// A connection on its way out.
#[derive(Debug)]
pub(super) struct Linger {
    told: bool,
    left: usize,
    end: Pin<Box<Sleep>>,
}

impl Default for Linger {
    fn default() -> Self {
        Self {
            told: false,
            left: MAX_DISCARDED,
            end: Box::pin(sleep(LINGER_TIMEOUT)),
        }
    }
}

impl Linger {
    /// Is ready when the client has noticed, or has had its chance.
    pub(super) fn wait(&mut self, stream: &mut Socket, context: &mut Context<'_>) -> Poll<()> {
        if !self.told {
            // A client that cannot be told has gone, as reading will show.
            let _told = ready!(Pin::new(&mut *stream).poll_shutdown(context));
            self.told = true;
        }

        let mut thrown_away = [0; 16 << 10];
        while self.left > 0 && self.end.as_mut().poll(context).is_pending() {
            let mut bytes = ReadBuf::new(&mut thrown_away);
            let read = ready!(Pin::new(&mut *stream).poll_read(context, &mut bytes));
            if read.is_err() || bytes.filled().is_empty() {
                break;
            }
            self.left = self.left.saturating_sub(bytes.filled().len());
        }

        self.left = 0;
        Poll::Ready(())
    }
}
