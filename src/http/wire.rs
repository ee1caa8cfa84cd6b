//! The stream beneath HTTP: completes answers that are given before any of our code sees a request.

mod refusal;

use super::state::State;
use actix_rt::net::TcpStream;
use actix_web::web::Data;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll},
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A TCP stream on which no error goes out without its body.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    state: Data<State>,
    /// What goes out in the place of what was to be written, and how much of it has gone.
    replacement: Option<(Vec<u8>, usize)>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, state: Data<State>) -> Self {
        Self { stream, state, replacement: None }
    }
}

impl AsyncRead for Wire {
    fn poll_read(mut self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        let Self { stream, state, replacement } = self.get_mut();
        if replacement.is_none() {
            *replacement = refusal::completed(bytes, || state.request_ids.next()).map(|completed| (completed, 0));
        }
        let Some((completed, gone)) = replacement else { return Pin::new(stream).poll_write(context, bytes) };
        while let Some(rest) = completed.get(*gone..).filter(|rest| !rest.is_empty()) {
            match Pin::new(&mut *stream).poll_write(context, rest) {
                Poll::Ready(Ok(0)) => return Poll::Ready(Err(io::ErrorKind::WriteZero.into())),
                Poll::Ready(Ok(written)) => *gone = gone.saturating_add(written),
                Poll::Ready(Err(error)) => return Poll::Ready(Err(error)),
                Poll::Pending => return Poll::Pending,
            }
        }
        *replacement = None;
        Poll::Ready(Ok(bytes.len()))
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
