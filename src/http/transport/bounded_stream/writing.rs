//! The writing half: replaces the library's rejections of heads, enforces timeouts, and lingers.

use super::{BoundedStream, Linger, MAX_HEAD_LEN, MAX_HEAD_LINES, SlowReader};
use crate::http::transport::connection_state::Stage;
use actix_web::{http::StatusCode, web::Bytes};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::AsyncWrite;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl BoundedStream {
    fn write_own_output(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.own_output.is_empty() {
            let written = ready!(Pin::new(&mut self.socket).poll_write(context, &self.own_output))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            drop(self.own_output.split_to(written));
        }
        Poll::Ready(Ok(()))
    }

    /// Writes the library's output. If that is the rejection of a head, writes our own instead.
    fn write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.has_begun_head() {
            let is_too_large =
                self.head.bytes() >= MAX_HEAD_LEN || self.head.lines() > MAX_HEAD_LINES;
            let status = if is_too_large {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            } else {
                StatusCode::BAD_REQUEST
            };
            self.refuse(status);
        }

        ready!(self.write_own_output(context))?;
        if self.is_refused {
            // The library closes the connection as soon as this counts as written.
            ready!(self.linger(context));
            return Poll::Ready(Ok(bytes.len()));
        }

        Pin::new(&mut self.socket).poll_write(context, bytes)
    }

    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.linger
            .get_or_insert_with(Linger::default)
            .wait(&mut self.socket, context)
    }

    /// Fails the write if the client reads its response too slowly.
    fn enforce_write_timeout(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let request = self.connection.requests();
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(reader) = self
                    .slow_reader
                    .as_mut()
                    .filter(|reader| reader.request == request)
                {
                    reader.record_written(bytes, self.state.clock.stopwatch());
                }
                written
            }
            Poll::Pending if self.linger.is_none() => {
                let reader = self
                    .slow_reader
                    .take()
                    .filter(|reader| reader.request == request);
                let reader = self
                    .slow_reader
                    .insert(reader.unwrap_or_else(|| SlowReader::new(request)));

                let now = self.state.clock.stopwatch();
                ready!(reader.poll_timeout(now, self.timeouts.response, context));
                log::info!(
                    "Closed a connection: the client did not read its response, or read it too \
                     slowly"
                );

                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending | Poll::Ready(Err(_)) => written,
        }
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.connection.is_cut() {
            return Poll::Ready(Err(io::ErrorKind::ConnectionAborted.into()));
        }
        if this.linger.is_some() {
            return this.linger(context).map(|()| Ok(bytes.len()));
        }

        let written = this.write(context, bytes);
        this.enforce_write_timeout(written, context)
    }

    /// The library calls this whenever it has processed everything that it has.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.passed_on = 0;
        if this.must_wake && !this.has_enough() {
            this.must_wake = false;
            context.waker().wake_by_ref();
        }

        let timeout = this.timeouts.head;
        if this
            .incomplete_head()
            .is_some_and(|head| head.start_timeout(timeout, context))
        {
            context.waker().wake_by_ref();
        }

        if this.connection.take_continue() && this.buffered.is_empty() {
            this.own_output = Bytes::from_static(CONTINUE);
        }

        ready!(this.write_own_output(context))?;
        Pin::new(&mut this.socket).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.state.drain.has_begun() && this.has_begun_head() {
            this.refuse(StatusCode::SERVICE_UNAVAILABLE);
        }

        if this.connection.stage() == Stage::Closed {
            // The client may have disconnected already.
            let _ignored = ready!(this.write_own_output(context));
            return this.linger(context).map(Ok);
        }

        Pin::new(&mut this.socket).poll_shutdown(context)
    }
}
