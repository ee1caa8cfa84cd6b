//! The stream beneath HTTP: keeps within bounds what the HTTP library leaves without.
//!
//! - The library is given one request at a time: the bytes of a head up to its end, then those of
//!   the body that the service reads, and nothing that stands behind, which waits here. So it never
//!   reads ahead into what it would misread later, and what it writes while only a head has come is
//!   a refusal of that head, and nothing else.
//! - A head must come in time, not only the first one of a connection, and must not be too large.
//! - A client that waits to be asked for its body is asked when somebody reads it, and not before.
//! - No more is read ahead than one request needs: while a request is under way, or an answer
//!   cannot be written, what the client sends waits with the client.
//! - Who does not take an answer is given up after the time for which an idle connection is kept,
//!   and so is who takes it too slowly.
//! - An answer given before its request had come whole is the last one. The client is then given a
//!   moment to notice, and what it sends meanwhile is thrown away: closing at once could take the
//!   answer back.
//! - A head that has begun to come when the server stops is answered and not just dropped.
//! - A head that becomes no request is answered with the error body (`refusal`).

mod framing;
#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod head;
mod linger;
mod refusal;
mod slow_reader;

pub(crate) use self::{
    framing::Framing,
    head::{Options, restore},
};

use self::{head::Head, linger::Linger, slow_reader::SlowReader};
use crate::http::{
    metrics::OpenConnection,
    state::AppState,
    transport::connection_state::{ConnectionState, Stage},
    transport::socket::Socket,
};
use actix_web::{
    http::StatusCode,
    web::{Bytes, BytesMut, Data},
};
use std::{
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A stream within bounds.
#[derive(Debug)]
pub(crate) struct BoundedStream {
    stream: Socket,
    state: Data<AppState>,
    exchange: ConnectionState,
    patience: ClientTimeouts,
    head: Head,
    /// What was read and belongs to a later part of the exchange than the library is at.
    ahead: BytesMut,
    /// Bytes given to the HTTP library since it last came round to writing.
    portion: usize,
    /// Whether the library asked for bytes and was told to wait, without the stream knowing whom to
    /// wake.
    withheld: bool,
    /// What is to be written before anything that the library writes.
    own: Bytes,
    /// Whether that is all there is to say, whatever the library writes.
    refused: bool,
    slow_reader: Option<SlowReader>,
    /// Runs once all is said.
    linger: Option<Linger>,
    _counted: OpenConnection,
}

/// How long to wait for a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientTimeouts {
    /// For all of a request's head, once it has begun.
    pub(crate) head: Duration,
    /// For any part of an answer to be taken.
    pub(crate) answer: Duration,
}

/// The largest head. The library has the same limit.
const MAX_HEAD: usize = 128 << 10;
/// The most lines of a head: the request line, 96 headers, which is the library's limit, and the
/// empty line.
const MAX_LINES: usize = 97;

const CONTINUE: &[u8] = b"HTTP/1.1 100 Continue\r\n\r\n";

impl BoundedStream {
    pub(crate) fn new(stream: Socket, state: Data<AppState>, patience: ClientTimeouts) -> Self {
        let counted = state.metrics.connection();
        Self {
            stream,
            state,
            exchange: ConnectionState::default(),
            patience,
            head: Head::new(0),
            ahead: BytesMut::new(),
            portion: 0,
            withheld: false,
            own: Bytes::new(),
            refused: false,
            slow_reader: None,
            linger: None,
            _counted: counted,
        }
    }

    /// The other end of what the service says about this connection.
    pub(crate) fn exchange(&self) -> &ConnectionState {
        &self.exchange
    }

    /// The head that is awaited, has begun to come, or has come and is not a request yet. A
    /// connection begins with one; later ones begin with their first byte.
    fn upcoming_head(&mut self) -> Option<&mut Head> {
        let upcoming =
            self.exchange.stage() == Stage::Head && self.head.after == self.exchange.requests();
        upcoming.then_some(&mut self.head)
    }

    /// The upcoming head, if it is not whole.
    fn unfinished_head(&mut self) -> Option<&mut Head> {
        self.upcoming_head().filter(|head| !head.is_whole())
    }

    /// Whether nothing more may be given to the library before it has done something with what it
    /// has.
    fn has_enough(&mut self) -> bool {
        match self.exchange.stage() {
            Stage::Head => self.upcoming_head().is_some_and(|head| head.is_whole()),
            Stage::Body => self.exchange.framing() == Framing::NONE,
            Stage::Work => true,
            // It wants to see the end.
            Stage::Over => false,
        }
    }

    /// Keeps the library waiting until there is something that it may have.
    fn withhold(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        // A stream that has nothing yet wakes by itself when it has.
        self.withheld = !self.ahead.is_empty() || self.stream.poll_read_ready(context).is_ready();
        Poll::Pending
    }

    fn read(&mut self, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let portion = self.exchange.portion();
        if self.portion >= portion {
            // Others first.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }

        if !self.ahead.is_empty() {
            self.read_ahead(into);
            return Poll::Ready(Ok(()));
        }

        let most = match self.exchange.stage() {
            Stage::Body => self.exchange.framing().at_most(portion),
            Stage::Head | Stage::Work | Stage::Over => portion,
        };

        let before = into.filled().len();
        ready!(read_at_most(most, &mut self.stream, context, into))?;
        let Some(come) = into.filled_mut().get_mut(before..) else {
            return Poll::Ready(Ok(()));
        };

        let taken = self.take(come);
        if let Some(behind) = come.get(taken..).filter(|behind| !behind.is_empty()) {
            self.ahead.extend_from_slice(behind);
            into.set_filled(before.saturating_add(taken));
        }

        Poll::Ready(Ok(()))
    }

    /// Reads what was kept.
    fn read_ahead(&mut self, into: &mut ReadBuf<'_>) {
        let mut ahead = std::mem::take(&mut self.ahead);
        let most = ahead.len().min(into.remaining());
        let taken = ahead.get_mut(..most).map_or(0, |come| self.take(come));
        into.put_slice(&ahead.split_to(taken));
        if !ahead.is_empty() {
            self.ahead = ahead;
        }
    }

    /// How many of these bytes the library may have now.
    fn take(&mut self, come: &mut [u8]) -> usize {
        if come.is_empty() {
            return 0;
        }

        let taken = if self.exchange.stage() == Stage::Body {
            let (taken, left) = self.exchange.framing().take(come);
            self.exchange.body_has_left(left);
            taken
        } else {
            if self.head.after != self.exchange.requests() {
                self.head = Head::new(self.exchange.requests());
            }
            let taken = self.head.come(come);
            self.exchange.head_has(self.head.options());
            taken
        };

        self.portion = self.portion.saturating_add(taken);
        taken
    }

    /// Answers a head that will not become a request. Nothing else is being written then.
    fn refuse(&mut self, status: StatusCode) {
        let limit = self.state.live.load().url_bytes;
        // The method and the version stand on the line too.
        const REST_OF_LINE: usize = "OPTIONS  HTTP/1.1".len();
        let too_long = self.head.first_line() > limit.saturating_add(REST_OF_LINE);
        let url_over =
            (too_long && status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT)
                .then_some(limit);
        let id = self.state.request_ids.next();
        self.own = refusal::respond(status, url_over, self.state.clock.now(), &id).into();
        self.refused = true;
        self.exchange.give_up();
    }

    /// Writes what is our own.
    fn write_own(&mut self, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        while !self.own.is_empty() {
            let written = ready!(Pin::new(&mut self.stream).poll_write(context, &self.own))?;
            if written == 0 {
                return Poll::Ready(Err(io::ErrorKind::WriteZero.into()));
            }
            drop(self.own.split_to(written));
        }
        Poll::Ready(Ok(()))
    }

    /// Writes these bytes of the library's, unless they are the refusal of a head, which we say
    /// better.
    fn write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.upcoming_head().is_some_and(|head| head.has_begun()) {
            let too_large = self.head.bytes() >= MAX_HEAD || self.head.lines() > MAX_LINES;
            let status = if too_large {
                StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE
            } else {
                StatusCode::BAD_REQUEST
            };
            self.refuse(status);
        }

        ready!(self.write_own(context))?;
        if self.refused {
            // The library closes as soon as this counts as written.
            ready!(self.linger(context));
            return Poll::Ready(Ok(bytes.len()));
        }

        Pin::new(&mut self.stream).poll_write(context, bytes)
    }

    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.linger
            .get_or_insert_with(Linger::default)
            .wait(&mut self.stream, context)
    }

    /// Gives up a client that takes its answer too slowly.
    fn not_for_ever(
        &mut self,
        written: Poll<io::Result<usize>>,
        context: &mut Context<'_>,
    ) -> Poll<io::Result<usize>> {
        let request = self.exchange.requests();
        match written {
            Poll::Ready(Ok(bytes)) => {
                if let Some(reader) = self
                    .slow_reader
                    .as_mut()
                    .filter(|reader| reader.request == request)
                {
                    reader.took(bytes, self.state.clock.stopwatch());
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

                ready!(reader.wait(self.state.clock.stopwatch(), self.patience.answer, context));
                log::info!(
                    "Closed a connection: the client did not read its response, or read it too slowly"
                );

                Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
            }
            Poll::Pending | Poll::Ready(Err(_)) => written,
        }
    }

    /// Whether an answer cannot be written.
    fn is_stuck(&self) -> bool {
        self.slow_reader
            .as_ref()
            .is_some_and(SlowReader::is_waited_for)
    }
}

/// The library's buffer grows with what it is given, and so would what it takes at once.
fn read_at_most(
    most: usize,
    stream: &mut Socket,
    context: &mut Context<'_>,
    into: &mut ReadBuf<'_>,
) -> Poll<io::Result<()>> {
    if into.remaining() <= most {
        return Pin::new(stream).poll_read(context, into);
    }
    let mut part = ReadBuf::new(into.initialize_unfilled_to(most));
    ready!(Pin::new(stream).poll_read(context, &mut part))?;
    let come = part.filled().len();
    into.advance(come);
    Poll::Ready(Ok(()))
}

impl AsyncRead for BoundedStream {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        into: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.exchange.stage() == Stage::Over {
            return Poll::Ready(Ok(()));
        }

        if this.is_stuck() || this.exchange.stage() == Stage::Work {
            this.withheld = true;
            return Poll::Pending;
        }

        if this.has_enough() {
            return this.withhold(context);
        }

        if this.exchange.stage() == Stage::Body {
            if this.exchange.framing() == Framing::Broken {
                return Poll::Ready(Ok(()));
            }
        } else if this
            .unfinished_head()
            .is_some_and(|head| head.is_late(context))
        {
            this.refuse(StatusCode::REQUEST_TIMEOUT);
            return Poll::Ready(Ok(()));
        } else if this
            .unfinished_head()
            .is_some_and(|head| head.bytes() >= MAX_HEAD)
        {
            this.refuse(StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE);
            return Poll::Ready(Ok(()));
        }

        this.read(context, into)
    }
}

impl AsyncWrite for BoundedStream {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        let this = self.get_mut();
        if this.linger.is_some() {
            // All has been said.
            return this.linger(context).map(|()| Ok(bytes.len()));
        }
        let written = this.write(context, bytes);
        this.not_for_ever(written, context)
    }

    /// The library comes here each time that it has done what there was to do.
    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        this.portion = 0;
        if this.withheld && !this.has_enough() {
            this.withheld = false;
            context.waker().wake_by_ref();
        }

        let allowed = this.patience.head;
        if this
            .unfinished_head()
            .is_some_and(|head| head.must_come_within(allowed, context))
        {
            context.waker().wake_by_ref();
        }

        if this.exchange.takes_continue() && this.ahead.is_empty() {
            this.own = Bytes::from_static(CONTINUE);
        }

        ready!(this.write_own(context))?;
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.state.drain.has_begun() && this.upcoming_head().is_some_and(|head| head.has_begun())
        {
            this.refuse(StatusCode::SERVICE_UNAVAILABLE);
        }
        if this.exchange.stage() == Stage::Over {
            // Who was that slow may have gone; then there is nobody to tell.
            let _told = ready!(this.write_own(context));
            return this.linger(context).map(Ok);
        }
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}
