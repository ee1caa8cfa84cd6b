//! The state of a connection, shared by its stream and its requests.
//!
//! The HTTP library reads ahead of the handlers, and continues to read behind them, as long as the
//! client sends. This state tells the stream beneath it when bytes are wanted, and what they are
//! part of.

use super::{
    framing::Framing,
    head_text::HeadText,
    masking::{MaskedOptions, unmask},
    raw_query::RawQuery,
};
use actix_web::{
    HttpRequest,
    dev::ServiceRequest,
    http::{
        Method, Version,
        header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    },
};
use std::{
    cell::{Cell, RefCell},
    future::poll_fn,
    rc::Rc,
    task::Poll,
};

/// The state of one connection. Clones share it.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionState(Rc<ConnectionFields>);

#[derive(Debug, Default)]
struct ConnectionFields {
    stage: Cell<Stage>,
    requests: Cell<u64>,
    has_unread_body: Cell<bool>,
    read_limit: Cell<usize>,
    framing: Cell<Framing>,
    options: Cell<MaskedOptions>,
    wants_continue: Cell<bool>,
    head_text: RefCell<HeadText>,
    raw_query: RefCell<RawQuery>,
    is_encrypted: Cell<bool>,
    disconnection: Cell<Disconnection>,
    is_cut: Cell<bool>,
}

/// Whether a client that waits for its response has disconnected.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Disconnection {
    /// No handler wants to know.
    #[default]
    Unwatched,
    /// A handler wants to know.
    Watched,
    /// It has.
    Noticed,
}

/// Enough for a typical request. More would let some forty of the smallest ones be read at once,
/// each of which takes kilobytes while it waits.
const MIN_READ_LIMIT: usize = 1_024;
const MAX_READ_LIMIT: usize = 8_192;

/// What the server expects from the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The head of a request.
    #[default]
    Head,
    /// The body of the current request, which a handler is reading.
    Body,
    /// Nothing, until the current request has been answered.
    Processing,
    /// Nothing: the last response of the connection has been given.
    Closed,
}

impl ConnectionState {
    /// The state of the connection that this request belongs to.
    pub(crate) fn of(request: &ServiceRequest) -> Self {
        request.conn_data::<Self>().cloned().unwrap_or_default()
    }

    /// Marks the connection as encrypted.
    pub(crate) fn encrypted(self, is_encrypted: bool) -> Self {
        self.0.is_encrypted.set(is_encrypted);
        self
    }

    /// Whether the client of this request speaks TLS with this server.
    pub(crate) fn is_encrypted(request: &HttpRequest) -> bool {
        request
            .conn_data::<Self>()
            .is_some_and(|connection| connection.0.is_encrypted.get())
    }

    pub(crate) fn stage(&self) -> Stage {
        self.0.stage.get()
    }

    /// The number of requests so far.
    pub(crate) fn requests(&self) -> u64 {
        self.0.requests.get()
    }

    /// Begins a request, whose head has arrived. Restores what the stream masked in it.
    pub(crate) fn begin(&self, request: &mut ServiceRequest) {
        let mut options = self.0.options.take();
        if options.any {
            unmask(request.headers_mut());
        }

        options.expects_continue &= request.version() >= Version::HTTP_11;
        self.0.options.set(options);
        self.0.requests.set(self.requests().wrapping_add(1));
        self.0.framing.set(framing(request));

        // What follows CONNECT has no known end.
        self.0
            .has_unread_body
            .set(self.framing() != Framing::NONE || request.method() == Method::CONNECT);
        self.0.stage.set(Stage::Processing);
    }

    /// Uses the text of the current or upcoming head.
    pub(crate) fn with_head_text<T>(&self, read: impl FnOnce(&mut HeadText) -> T) -> T {
        read(&mut self.0.head_text.borrow_mut())
    }

    /// Sets the raw bytes that were replaced in the target of the upcoming head.
    pub(crate) fn set_raw_query(&self, raw: RawQuery) {
        self.0.raw_query.replace(raw);
    }

    /// The target with the raw bytes that were replaced in it, if there are any.
    pub(crate) fn take_raw_target(&self, masked: &str) -> Option<String> {
        let raw = self.0.raw_query.take();
        (!raw.is_empty()).then(|| raw.restore(masked))
    }

    /// Sets the options that were masked in the upcoming head.
    pub(crate) fn set_masked_options(&self, options: MaskedOptions) {
        self.0.options.set(options);
    }

    /// The part of the body that the stream has not passed on yet.
    pub(crate) fn framing(&self) -> Framing {
        self.0.framing.get()
    }

    pub(crate) fn set_framing(&self, framing: Framing) {
        self.0.framing.set(framing);
    }

    /// Whether to send `100 Continue` now. Returns `true` once.
    pub(crate) fn take_continue(&self) -> bool {
        self.0.wants_continue.take()
    }

    /// A handler reads the body. `remaining` bytes have not arrived, if that is known.
    pub(crate) fn await_body(&self, remaining: Option<usize>) {
        if self.stage() != Stage::Body {
            self.0
                .wants_continue
                .set(self.0.options.get().expects_continue);
        }

        self.0.stage.set(Stage::Body);
        self.0
            .read_limit
            .set(remaining.unwrap_or_default().min(MAX_READ_LIMIT));
    }

    /// The maximum number of bytes to read at once.
    pub(crate) fn read_limit(&self) -> usize {
        self.0.read_limit.get().max(MIN_READ_LIMIT)
    }

    /// The handler stops reading the body, at its end or before.
    pub(crate) fn end_body(&self, is_complete: bool) {
        self.0.has_unread_body.set(!is_complete);
        self.0.read_limit.set(MIN_READ_LIMIT);
        self.0.stage.set(Stage::Processing);
    }

    /// The request has been answered. Returns whether the response must be the last one of the
    /// connection: because `is_last`, or because the rest of the body would be read as a request.
    pub(crate) fn finish_response(&self, is_last: bool) -> bool {
        let is_last = is_last || self.0.has_unread_body.get();
        self.0
            .stage
            .set(if is_last { Stage::Closed } else { Stage::Head });
        is_last
    }

    /// Waits until the client has disconnected, or has at least shut down its sending side. Bytes
    /// that it has sent ahead hide that.
    pub(crate) async fn disconnected(&self) {
        let disconnection = &self.0.disconnection;
        disconnection.set(Disconnection::Watched);
        let _unwatch = UnwatchOnDrop(disconnection);
        let mut has_asked = false;
        poll_fn(|context| {
            if disconnection.get() == Disconnection::Noticed {
                return Poll::Ready(());
            }
            if !has_asked {
                // The stream and the handlers of a connection share a task. It must run once more
                // for the stream to watch the socket.
                has_asked = true;
                context.waker().wake_by_ref();
            }
            Poll::Pending
        })
        .await;
    }

    /// Whether a handler waits for the client to disconnect.
    pub(crate) fn watches_disconnection(&self) -> bool {
        self.0.disconnection.get() == Disconnection::Watched
    }

    /// The client has disconnected.
    pub(crate) fn notice_disconnection(&self) {
        self.0.disconnection.set(Disconnection::Noticed);
    }

    /// Breaks the connection: nothing more is written to it.
    pub(crate) fn cut(&self) {
        self.0.is_cut.set(true);
    }

    /// Whether the connection is to break.
    pub(crate) fn is_cut(&self) -> bool {
        self.0.is_cut.get()
    }

    /// The body of the response is still being produced.
    pub(crate) fn continue_response(&self) {
        self.0.stage.set(Stage::Processing);
    }

    /// Accepts nothing more from the client.
    pub(crate) fn close(&self) {
        self.0.stage.set(Stage::Closed);
    }
}

/// Ends the watch when the handler stops waiting, whatever ended it.
struct UnwatchOnDrop<'a>(&'a Cell<Disconnection>);

impl Drop for UnwatchOnDrop<'_> {
    fn drop(&mut self) {
        self.0.set(Disconnection::Unwatched);
    }
}

fn framing(request: &ServiceRequest) -> Framing {
    let headers = request.headers();
    if headers.contains_key(TRANSFER_ENCODING) {
        return Framing::CHUNKED;
    }
    let length = headers
        .get(CONTENT_LENGTH)
        .and_then(|length| length.to_str().ok()?.trim().parse().ok());
    length.map_or(Framing::NONE, Framing::Length)
}
