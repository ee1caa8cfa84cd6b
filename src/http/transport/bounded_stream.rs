//! The stream beneath HTTP. It enforces bounds that the HTTP library does not.
//!
//! - The library gets the bytes of one request at a time: those of a head up to its end, then those
//!   of the body that a handler reads. Later bytes wait here. So it cannot misread them, and
//!   whatever it writes while only a head has arrived is a rejection of that head.
//! - A head must arrive in time, not only the first of a connection, and has a maximum size.
//! - A client that sends `Expect: 100-continue` gets its answer when a handler reads the body.
//! - Backpressure: while a request is being processed, or a response cannot be written, nothing
//!   more is read from the socket.
//! - A connection is closed when its client does not read the response, or reads it too slowly.
//! - A response sent before its request has arrived completely is the last one of the connection.
//!   The connection then lingers: closing at once could discard the response.
//! - A head that is incomplete when the server stops gets a response.
//! - A head that does not become a request gets the error body of the API ([`refusal`]).

#[cfg(any(test, fuzzing))]
pub(crate) mod fuzzing;
mod head;
mod linger;
mod reading;
mod refusal;
mod slow_reader;
mod writing;

use self::{head::Head, linger::Linger, refusal::Refusal, slow_reader::SlowReader};
use crate::http::{
    metrics::OpenConnection,
    state::AppState,
    transport::{
        connection_state::{ConnectionState, Stage},
        socket::Socket,
    },
};
use actix_web::{
    http::StatusCode,
    web::{Bytes, BytesMut, Data},
};
use std::time::Duration;

/// A connection within bounds. The HTTP library reads from it and writes to it.
#[derive(Debug)]
pub(crate) struct BoundedStream {
    socket: Socket,
    state: Data<AppState>,
    connection: ConnectionState,
    timeouts: ClientTimeouts,
    head: Head,
    /// Bytes that were read but belong to a later part than the one the library is at.
    buffered: BytesMut,
    /// Bytes given to the library since its last flush.
    passed_on: usize,
    /// Whether the library was kept waiting without anything that would wake it.
    must_wake: bool,
    /// Our own output, which goes before anything that the library writes.
    own_output: Bytes,
    /// Whether the head was refused. What the library writes is then discarded.
    is_refused: bool,
    slow_reader: Option<SlowReader>,
    linger: Option<Linger>,
    _counted: OpenConnection,
}

/// How long to wait for a client.
#[derive(Clone, Copy, Debug)]
pub(crate) struct ClientTimeouts {
    /// For a complete head, from its first byte.
    pub(crate) head: Duration,
    /// For any part of a response to be read.
    pub(crate) response: Duration,
}

/// Maximum size of a head. The library has the same limit.
const MAX_HEAD_LEN: usize = 128 << 10;
/// Maximum number of lines of a head: the request line, and the 96 headers that the library allows.
const MAX_HEAD_LINES: usize = 97;

impl BoundedStream {
    pub(crate) fn new(socket: Socket, state: Data<AppState>, timeouts: ClientTimeouts) -> Self {
        let counted = state.metrics.connection();
        let connection = ConnectionState::default().encrypted(socket.is_encrypted());
        Self {
            socket,
            state,
            connection,
            timeouts,
            head: Head::new(0),
            buffered: BytesMut::new(),
            passed_on: 0,
            must_wake: false,
            own_output: Bytes::new(),
            is_refused: false,
            slow_reader: None,
            linger: None,
            _counted: counted,
        }
    }

    /// The state that this stream shares with the requests of its connection.
    pub(crate) fn connection_state(&self) -> &ConnectionState {
        &self.connection
    }

    /// The head that is expected, arriving, or complete but not yet a request. The first head of a
    /// connection is expected from the start, a later one begins with its first byte.
    fn upcoming_head(&mut self) -> Option<&mut Head> {
        let is_upcoming = self.connection.stage() == Stage::Head
            && self.head.request_number == self.connection.requests();
        is_upcoming.then_some(&mut self.head)
    }

    /// The upcoming head, if it is not complete.
    fn incomplete_head(&mut self) -> Option<&mut Head> {
        self.upcoming_head().filter(|head| !head.is_complete())
    }

    /// Whether a head has begun to arrive.
    fn has_begun_head(&mut self) -> bool {
        let withholds = !self.buffered.is_empty();
        self.upcoming_head()
            .is_some_and(|head| head.has_begun() || withholds)
    }

    /// Responds to a head that does not become a request. Nothing else is being written then.
    fn refuse(&mut self, status: StatusCode) {
        let limit = self.state.live.load().url_bytes;
        // The method and the version are on the request line too.
        const REST_OF_LINE: usize = "OPTIONS  HTTP/1.1".len();
        let is_too_long = self.head.first_line() > limit.saturating_add(REST_OF_LINE);
        let url_limit =
            (is_too_long && status.is_client_error() && status != StatusCode::REQUEST_TIMEOUT)
                .then_some(limit);

        let refusal = Refusal::new(status, url_limit);
        self.log_refused_event(&refusal);
        let id = self.state.request_ids.next();
        self.own_output = refusal.respond(self.state.clock.now(), &id).into();
        self.is_refused = true;
        self.connection.close();
    }

    /// Logs the refusal of an event, if the head is that of one.
    fn log_refused_event(&self, refusal: &Refusal) {
        let remote = self.socket.peer().map(|peer| peer.ip().to_string());
        let refused = self
            .connection
            .with_head_text(|head| refusal.refused_event(head, remote));
        let Some((id, mut refused)) = refused.filter(|_| refusal.is_at_fault()) else {
            return;
        };
        let query = &mut refused.incoming.parts.query;
        // Positions in the target, so the path counts.
        let target = format!("{}?{query}", refused.incoming.path);
        if let Some(restored) = self.connection.take_raw_target(&target) {
            let (_, restored) = restored.split_once('?').unwrap_or_default();
            restored.clone_into(query);
        }

        let events = self.state.events.clone();
        // Nothing waits for the log, so that the client gets its response at once.
        actix_rt::spawn(async move { events.log_refused(&id, refused).await });
    }

    fn is_write_blocked(&self) -> bool {
        self.slow_reader
            .as_ref()
            .is_some_and(SlowReader::is_blocked)
    }
}
