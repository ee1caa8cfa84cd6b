//! What the service tells the stream beneath it: whose turn it is on a connection.
//!
//! The HTTP library reads ahead of the service and goes on reading behind it, as far and as long as
//! a client sends. The stream (`wire`) knows from here when bytes are wanted, and what they would
//! be.

use super::bounded_stream::{Framing, Options, restore};
use actix_web::{
    dev::ServiceRequest,
    http::{
        Method, Version,
        header::{CONTENT_LENGTH, TRANSFER_ENCODING},
    },
};
use std::{cell::Cell, rc::Rc};

/// One connection's state, shared by its stream and its requests.
#[derive(Clone, Debug, Default)]
pub(crate) struct ConnectionState(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stage: Cell<Stage>,
    requests: Cell<u64>,
    unread: Cell<bool>,
    portion: Cell<usize>,
    framing: Cell<Framing>,
    options: Cell<Options>,
    wants_continue: Cell<bool>,
}

/// A usual request comes in one portion. Smallest ones are read some forty at a time, and each that
/// waits for its turn takes kilobytes once it is read.
const LEAST: usize = 1_024;
/// Large bodies come in larger ones.
const MOST: usize = 8_192;

/// What comes next from the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum Stage {
    /// The head of a request.
    #[default]
    Head,
    /// The body of the request under way, which somebody reads.
    Body,
    /// Nothing that is wanted before the request under way is answered.
    Work,
    /// Nothing that is wanted at all: the last answer is given.
    Over,
}

impl ConnectionState {
    /// The exchange that this request belongs to.
    pub(crate) fn of(request: &ServiceRequest) -> Self {
        request.conn_data::<Self>().cloned().unwrap_or_default()
    }

    pub(crate) fn stage(&self) -> Stage {
        self.0.stage.get()
    }

    /// How many requests have begun.
    pub(crate) fn requests(&self) -> u64 {
        self.0.requests.get()
    }

    /// The head of a request has come. What the stream hid of it is shown again.
    pub(crate) fn begin(&self, request: &mut ServiceRequest) {
        let mut options = self.0.options.take();
        if options.any {
            restore(request.headers_mut());
        }

        options.expects_continue &= request.version() >= Version::HTTP_11;
        self.0.options.set(options);
        self.0.requests.set(self.requests().wrapping_add(1));
        self.0.framing.set(framing(request));

        // What follows CONNECT has no end that would be known.
        self.0
            .unread
            .set(self.framing() != Framing::NONE || request.method() == Method::CONNECT);
        self.0.stage.set(Stage::Work);
    }

    /// What stands in the head that is about to begin a request.
    pub(crate) fn head_has(&self, options: Options) {
        self.0.options.set(options);
    }

    /// What of the body the stream has not handed on yet.
    pub(crate) fn framing(&self) -> Framing {
        self.0.framing.get()
    }

    /// The stream has handed on some of the body.
    pub(crate) fn body_has_left(&self, framing: Framing) {
        self.0.framing.set(framing);
    }

    /// Whether the client is to be told now that its body is wanted.
    pub(crate) fn takes_continue(&self) -> bool {
        self.0.wants_continue.take()
    }

    /// The service reads the body, of which so much has not come yet, if that is known.
    pub(crate) fn body_wanted(&self, left: Option<usize>) {
        if self.stage() != Stage::Body {
            self.0
                .wants_continue
                .set(self.0.options.get().expects_continue);
        }
        self.0.stage.set(Stage::Body);
        self.0.portion.set(left.unwrap_or_default().min(MOST));
    }

    /// How many bytes to read before there is a look at what they were.
    pub(crate) fn portion(&self) -> usize {
        self.0.portion.get().max(LEAST)
    }

    /// The service stops reading the body, at its end or before.
    pub(crate) fn body_done(&self, complete: bool) {
        self.0.unread.set(!complete);
        self.0.portion.set(LEAST);
        self.0.stage.set(Stage::Work);
    }

    /// The request is answered. Whether that must be the last one on this connection, because it is
    /// wanted so, or what is left of the body would be taken for a request.
    pub(crate) fn answered(&self, last: bool) -> bool {
        let over = last || self.0.unread.get();
        self.0
            .stage
            .set(if over { Stage::Over } else { Stage::Head });
        over
    }

    /// The answer has been given but for its body, which is still being made.
    pub(crate) fn answering(&self) {
        self.0.stage.set(Stage::Work);
    }

    /// Nothing more is wanted.
    pub(crate) fn give_up(&self) {
        self.0.stage.set(Stage::Over);
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
