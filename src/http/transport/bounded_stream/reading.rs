//! The reading half: passes on no more than the library may have.

use super::{BoundedStream, Head, MAX_HEAD_LEN};
use crate::http::transport::{
    connection_state::Stage, framing::Framing, head_text::HeadText, raw_query::RequestLine,
    socket::Socket,
};
use actix_web::http::StatusCode;
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
};
use tokio::io::{AsyncRead, ReadBuf};

/// A longer request line is passed on as it is. The library refuses it.
const MAX_REQUEST_LINE_LEN: usize = 68 << 10;
/// Bytes per read of the rest of a request line.
const REQUEST_LINE_PART: usize = 1_024;

/// Bytes of a later request that are read while a handler waits for its client to disconnect.
const MAX_READ_AHEAD: usize = 256;

impl BoundedStream {
    /// Whether the library must process what it has before it gets more.
    pub(super) fn has_enough(&mut self) -> bool {
        match self.connection.stage() {
            Stage::Head => self.upcoming_head().is_some_and(|head| head.is_complete()),
            Stage::Body => self.connection.framing() == Framing::NONE,
            Stage::Processing => true,
            // The library waits for the end of the stream.
            Stage::Closed => false,
        }
    }

    /// Keeps the library waiting.
    fn withhold(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A socket without anything to read wakes the task by itself.
        self.must_wake =
            !self.buffered.is_empty() || self.socket.poll_read_ready(context).is_ready();
        Poll::Pending
    }

    /// Notices the end of the stream while a handler waits. What the client has sent ahead is kept for
    /// later, and hides the end until then.
    fn watch_for_end(&mut self, context: &mut Context<'_>) {
        if !self.buffered.is_empty() {
            return;
        }

        let mut bytes = [0; MAX_READ_AHEAD];
        let mut read = ReadBuf::new(&mut bytes);
        match Pin::new(&mut self.socket).poll_read(context, &mut read) {
            Poll::Ready(Ok(())) if !read.filled().is_empty() => {
                self.buffered.extend_from_slice(read.filled());
            }
            // The library polls the handler in this task, after this.
            Poll::Ready(_) => self.connection.notice_disconnection(),
            Poll::Pending => {}
        }
    }

    fn read(&mut self, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let limit = self.connection.read_limit();
        if self.passed_on >= limit {
            // Yield to other tasks.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }

        while self.withholds_request_line() {
            ready!(self.read_request_line(context))?;
        }

        if !self.buffered.is_empty() {
            self.read_buffered(into);
            return Poll::Ready(Ok(()));
        }

        let max = match self.connection.stage() {
            Stage::Body => self.connection.framing().limit_read(limit),
            Stage::Head | Stage::Processing | Stage::Closed => limit,
        };

        let before = into.filled().len();
        ready!(read_at_most(max, &mut self.socket, context, into))?;
        let Some(bytes) = into.filled_mut().get_mut(before..) else {
            return Poll::Ready(Ok(()));
        };

        let consumed = if self.prepare_request_line(bytes) {
            self.consume(bytes)
        } else {
            0
        };
        if let Some(rest) = bytes.get(consumed..).filter(|rest| !rest.is_empty()) {
            self.buffered.extend_from_slice(rest);
            into.set_filled(before.saturating_add(consumed));
        }

        if self.withholds_request_line() {
            // Returning without bytes would mean the end of the stream.
            return self.read(context, into);
        }
        Poll::Ready(Ok(()))
    }

    /// Prepares the request line at the beginning of a head for the library. `false` if the rest of
    /// the line must be awaited first.
    fn prepare_request_line(&mut self, bytes: &mut [u8]) -> bool {
        if self.connection.stage() == Stage::Body {
            return true;
        }
        self.begin_head();
        if !self.head.awaits_request_line() {
            return true;
        }

        match RequestLine::prepare(bytes) {
            RequestLine::Missing => return true,
            RequestLine::Incomplete if bytes.len() < MAX_REQUEST_LINE_LEN => return false,
            RequestLine::Incomplete => {}
            RequestLine::Complete(raw) => self.connection.set_raw_query(raw),
        }
        self.head.end_request_line();
        true
    }

    /// Whether the beginning of a request line waits in the buffer for its end.
    fn withholds_request_line(&mut self) -> bool {
        let mut buffered = std::mem::take(&mut self.buffered);
        let withholds = !buffered.is_empty() && !self.prepare_request_line(&mut buffered);
        self.buffered = buffered;
        withholds
    }

    /// Reads more of a request line into the buffer.
    fn read_request_line(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let mut more = [0; REQUEST_LINE_PART];
        let mut part = ReadBuf::new(&mut more);
        ready!(Pin::new(&mut self.socket).poll_read(context, &mut part))?;
        if part.filled().is_empty() {
            // The client sends nothing more. The library refuses what there is.
            self.head.end_request_line();
        }
        self.buffered.extend_from_slice(part.filled());
        Poll::Ready(Ok(()))
    }

    /// Begins the head of the next request, unless it has begun.
    fn begin_head(&mut self) {
        if self.head.request_number != self.connection.requests() {
            self.head = Head::new(self.connection.requests());
            self.connection.with_head_text(HeadText::clear);
        }
    }

    fn read_buffered(&mut self, into: &mut ReadBuf<'_>) {
        let mut buffered = std::mem::take(&mut self.buffered);
        let max = buffered.len().min(into.remaining());
        let consumed = buffered
            .get_mut(..max)
            .map_or(0, |bytes| self.consume(bytes));
        into.put_slice(&buffered.split_to(consumed));
        if !buffered.is_empty() {
            self.buffered = buffered;
        }
    }

    /// Tracks the request through these bytes. Returns how many of them the library may have now.
    fn consume(&mut self, bytes: &mut [u8]) -> usize {
        if bytes.is_empty() {
            return 0;
        }

        let consumed = if self.connection.stage() == Stage::Body {
            let (consumed, rest) = self.connection.framing().consume(bytes);
            self.connection.set_framing(rest);
            consumed
        } else {
            self.begin_head();
            let consumed = self.head.receive(bytes);
            self.connection.set_masked_options(self.head.options());
            let text = bytes.get(..consumed).unwrap_or_default();
            self.connection.with_head_text(|head| head.push(text));
            consumed
        };

        self.passed_on = self.passed_on.saturating_add(consumed);
        consumed
    }
}

/// Reads at most `max` bytes. The library's buffer grows with what it gets, and so would each read.
fn read_at_most(
    max: usize,
    socket: &mut Socket,
    context: &mut Context<'_>,
    into: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    if into.remaining() <= max {
        return Pin::new(socket).poll_read(context, into);
    }

    let mut part = ReadBuf::new(into.initialize_unfilled_to(max));
    ready!(Pin::new(socket).poll_read(context, &mut part))?;
    let read = part.filled().len();
    into.advance(read);
    Poll::Ready(Ok(()))
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.connection.stage() == Stage::Closed {
            return Poll::Ready(Ok(()));
        }

        if this.is_write_blocked() || this.connection.stage() == Stage::Processing {
            if this.connection.watches_disconnection() {
                this.watch_for_end(context);
            }
            this.must_wake = true;
            return Poll::Pending;
        }

        if this.has_enough() {
            return this.withhold(context);
        }

        if this.connection.stage() == Stage::Body {
            if this.connection.framing() == Framing::Broken {
                return Poll::Ready(Ok(()));
            }
        } else if let Some(head) = this.incomplete_head() {
            if head.has_timed_out(context) {
                this.refuse(StatusCode::REQUEST_TIMEOUT);
                return Poll::Ready(Ok(()));
            }
            if head.bytes() >= MAX_HEAD_LEN {
                this.refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
                return Poll::Ready(Ok(()));
            }
        }

        this.read(context, into)
    }
}
