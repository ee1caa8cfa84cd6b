//! The stream beneath HTTP: keeps within bounds what the HTTP library leaves without.
//!
//! - A head must come in time, not only the first one of a connection.
//! - No more is read ahead than one request needs: while a request is under way, or an answer cannot be written, what the
//!   client sends waits with the client.
//! - Who does not take an answer is given up after the time for which an idle connection is kept.
//! - An answer given before its request had come whole is the last one. The client is then given a moment to notice,
//!   and what it sends meanwhile is thrown away: closing at once could take the answer back.
//! - A head that has begun to come when the server stops is answered and not just dropped.
//! - Errors that HTTP itself answers go out with the error body (`refusal`).

mod head;
mod linger;
mod refusal;

use self::{
    head::Head,
    linger::Linger,
    refusal::{Circumstances, Refusal},
};
use super::{
    exchange::{Exchange, Stage},
    metrics::OpenConnection,
    state::State,
};
use actix_rt::{
    net::TcpStream,
    time::{Sleep, sleep},
};
use actix_web::{http::StatusCode, web::Data};
use std::{
    future::Future,
    io,
    pin::Pin,
    task::{Context, Poll, ready},
    time::Duration,
};
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

/// A TCP stream within bounds.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    state: Data<State>,
    exchange: Exchange,
    patience: Patience,
    head: Option<Head>,
    /// Bytes given to the HTTP library since it last came round to writing.
    portion: usize,
    /// Whether the library asked for bytes and was told to wait, without the stream knowing whom to wake.
    withheld: bool,
    /// Runs while the client takes nothing of what is to be written.
    stuck: Option<Pin<Box<Sleep>>>,
    /// What goes out in the place of what was to be written.
    refusal: Option<Refusal>,
    /// Runs once all is said.
    linger: Option<Linger>,
    _counted: OpenConnection,
}

/// How long to wait for a client.
#[derive(Clone, Copy, Debug)]
pub(super) struct Patience {
    /// For all of a request's head, once it has begun.
    pub(super) head: Duration,
    /// For any part of an answer to be taken.
    pub(super) answer: Duration,
}

impl Wire {
    pub(super) fn new(stream: TcpStream, state: Data<State>, patience: Patience) -> Self {
        let counted = state.metrics.connection();
        Self {
            stream,
            state,
            exchange: Exchange::default(),
            patience,
            head: None,
            portion: 0,
            withheld: false,
            stuck: None,
            refusal: None,
            linger: None,
            _counted: counted,
        }
    }

    /// The other end of what the service says about this connection.
    pub(super) fn exchange(&self) -> &Exchange {
        &self.exchange
    }

    /// The head that has begun to come and is not whole yet.
    fn unfinished_head(&mut self) -> Option<&mut Head> {
        let upcoming = (self.exchange.stage() == Stage::Head).then(|| self.exchange.requests());
        self.head.as_mut().filter(|head| Some(head.after) == upcoming)
    }

    fn read(&mut self, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let portion = self.exchange.portion();
        if self.portion >= portion {
            // Others first.
            context.waker().wake_by_ref();
            return Poll::Pending;
        }
        let before = into.filled().len();
        ready!(read_at_most(portion, &mut self.stream, context, into))?;
        let come = into.filled().get(before..).unwrap_or_default();
        self.portion = self.portion.saturating_add(come.len());
        if self.exchange.stage() == Stage::Head && !come.is_empty() {
            let after = self.exchange.requests();
            let head = self.head.take().filter(|head| head.after == after);
            self.head.insert(head.unwrap_or_else(|| Head::new(after))).come(come);
        }
        Poll::Ready(Ok(()))
    }

    /// Answers a head that will not become a request. Nothing else is being written then.
    fn refuse(&mut self, status: StatusCode, context: &mut Context<'_>) {
        let answer = refusal::of_head(status, self.state.clock.now(), &self.state.request_ids.next());
        // Who was that slow may have gone; then there is nobody to tell.
        let _told = Pin::new(&mut self.stream).poll_write(context, &answer);
        self.exchange.give_up();
    }

    /// What stands behind an error that the library answers by itself.
    fn circumstances(&self) -> Circumstances {
        // The method and the version stand on the line too.
        const REST_OF_LINE: usize = "OPTIONS  HTTP/1.1\r".len();
        let limit = self.state.live.load().url_bytes;
        let line = self.head.as_ref().filter(|head| head.after == self.exchange.requests()).map_or(0, Head::first_line);
        let url_over = (line > limit.saturating_add(REST_OF_LINE)).then_some(limit);
        Circumstances { request_id: self.state.request_ids.next(), url_over }
    }

    /// Writes these bytes, or what is to go out in their place.
    fn write(&mut self, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        if self.refusal.is_none() {
            self.refusal = Refusal::of(bytes, || self.circumstances());
        }
        let Some(refusal) = &mut self.refusal else { return Pin::new(&mut self.stream).poll_write(context, bytes) };
        ready!(refusal.write(&mut self.stream, context))?;
        let status = refusal.status;
        self.refusal = None;
        if status != StatusCode::REQUEST_TIMEOUT {
            // The library closes as soon as this counts as written. Who was too slow is not in the middle of sending.
            ready!(self.linger(context));
        }
        Poll::Ready(Ok(bytes.len()))
    }

    fn linger(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.linger.get_or_insert_with(Linger::default).wait(&mut self.stream, context)
    }

    /// Gives up a client that takes nothing for too long.
    fn not_for_ever<T>(&mut self, written: Poll<io::Result<T>>, context: &mut Context<'_>) -> Poll<io::Result<T>> {
        if written.is_ready() || self.linger.is_some() {
            self.stuck = None;
            return written;
        }
        let patience = self.patience.answer;
        let stuck = self.stuck.get_or_insert_with(|| Box::pin(sleep(patience)));
        ready!(stuck.as_mut().poll(context));
        log::info!("Gave up a client that takes no answer seconds={}", patience.as_secs());
        Poll::Ready(Err(io::ErrorKind::TimedOut.into()))
    }
}

/// The library's buffer grows with what it is given, and so would what it takes at once.
fn read_at_most(
    most: usize,
    stream: &mut TcpStream,
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

impl AsyncRead for Wire {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, into: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        match this.exchange.stage() {
            Stage::Over => return Poll::Ready(Ok(())),
            Stage::Head | Stage::Body if this.stuck.is_none() => {}
            Stage::Head | Stage::Body | Stage::Work => {
                this.withheld = true;
                return Poll::Pending;
            }
        }
        if this.unfinished_head().is_some_and(|head| head.is_late(context)) {
            this.refuse(StatusCode::REQUEST_TIMEOUT, context);
            return Poll::Ready(Ok(()));
        }
        this.read(context, into)
    }
}

impl AsyncWrite for Wire {
    fn poll_write(self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
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
        if this.withheld && this.exchange.stage() != Stage::Work {
            this.withheld = false;
            context.waker().wake_by_ref();
        }
        let allowed = this.patience.head;
        if this.unfinished_head().is_some_and(|head| head.must_come_within(allowed, context)) {
            context.waker().wake_by_ref();
        }
        Pin::new(&mut this.stream).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        if this.state.drain.has_begun() && this.unfinished_head().is_some() {
            this.refuse(StatusCode::SERVICE_UNAVAILABLE, context);
        }
        if this.exchange.stage() == Stage::Over {
            return this.linger(context).map(Ok);
        }
        Pin::new(&mut this.stream).poll_shutdown(context)
    }
}
