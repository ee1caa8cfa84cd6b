//! The end of a connection whose client may still be sending.
//!
//! To close while bytes lie unread resets the connection, and a reset can take the answer back that stands before it. So
//! the client is told that nothing follows, and what it sends until it has noticed is read and thrown away, for a bounded
//! time and up to a bounded number of bytes.

use crate::http::stream::Stream;
use actix_rt::time::{Sleep, sleep};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

const TIME: Duration = Duration::from_secs(2);
const BYTES: usize = 1 << 20;

/// A connection on its way out.
#[derive(Debug)]
pub(super) struct Linger {
    told: bool,
    left: usize,
    end: Pin<Box<Sleep>>,
}

impl Default for Linger {
    fn default() -> Self {
        Self { told: false, left: BYTES, end: Box::pin(sleep(TIME)) }
    }
}

impl Linger {
    /// Is ready when the client has noticed, or has had its chance.
    pub(super) fn wait(&mut self, stream: &mut Stream, context: &mut Context<'_>) -> Poll<()> {
        if !self.told {
            // A client that cannot be told has gone, as reading will show.
            let _told = ready!(Pin::new(&mut *stream).poll_shutdown(context));
            self.told = true;
        }
        let mut thrown_away = [0; 4_096];
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
