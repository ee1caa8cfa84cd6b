//! What the service tells the stream beneath it: whose turn it is on a connection.
//!
//! The HTTP library reads ahead of the service and goes on reading behind it, as far and as long as a client sends. The
//! stream (`wire`) knows from here when bytes are wanted, and what they would be.

use actix_web::{
    dev::ServiceRequest,
    http::header::{CONTENT_LENGTH, TRANSFER_ENCODING},
};
use std::{cell::Cell, rc::Rc};

/// One connection's state, shared by its stream and its requests.
#[derive(Clone, Debug, Default)]
pub(super) struct Exchange(Rc<Inner>);

#[derive(Debug, Default)]
struct Inner {
    stage: Cell<Stage>,
    requests: Cell<u64>,
    unread: Cell<bool>,
    portion: Cell<usize>,
}

/// A usual request comes in one portion. Smallest ones are read some forty at a time, and each that waits for its turn
/// takes kilobytes once it is read.
const LEAST: usize = 1_024;
/// Large bodies come in larger ones.
const MOST: usize = 8_192;

/// What comes next from the client.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Stage {
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

impl Exchange {
    /// The exchange that this request belongs to.
    pub(super) fn of(request: &ServiceRequest) -> Self {
        request.conn_data::<Self>().cloned().unwrap_or_default()
    }

    pub(super) fn stage(&self) -> Stage {
        self.0.stage.get()
    }

    /// How many requests have begun.
    pub(super) fn requests(&self) -> u64 {
        self.0.requests.get()
    }

    /// The head of a request has come.
    pub(super) fn begin(&self, request: &ServiceRequest) {
        self.0.requests.set(self.requests().wrapping_add(1));
        self.0.unread.set(has_body(request));
        self.0.stage.set(Stage::Work);
    }

    /// The service reads the body, of which so much has not come yet, if that is known.
    pub(super) fn body_wanted(&self, left: Option<usize>) {
        self.0.stage.set(Stage::Body);
        self.0.portion.set(left.unwrap_or_default().min(MOST));
    }

    /// How many bytes to read before there is a look at what they were.
    pub(super) fn portion(&self) -> usize {
        self.0.portion.get().max(LEAST)
    }

    /// The service stops reading the body, at its end or before.
    pub(super) fn body_done(&self, complete: bool) {
        self.0.unread.set(!complete);
        self.0.portion.set(LEAST);
        self.0.stage.set(Stage::Work);
    }

    /// The request is answered. Whether that must be the last one on this connection, because it is wanted so, or what
    /// is left of the body would be taken for a request.
    pub(super) fn answered(&self, last: bool) -> bool {
        let over = last || self.0.unread.get();
        self.0.stage.set(if over { Stage::Over } else { Stage::Head });
        over
    }

    /// Nothing more is wanted.
    pub(super) fn give_up(&self) {
        self.0.stage.set(Stage::Over);
    }
}

fn has_body(request: &ServiceRequest) -> bool {
    let headers = request.headers();
    headers.contains_key(TRANSFER_ENCODING) || headers.get(CONTENT_LENGTH).is_some_and(|length| length != "0")
}
