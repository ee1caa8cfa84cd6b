//! The head of a request on its way in: how long it takes, and how long its first line is.

use actix_rt::time::{Sleep, sleep};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// What is known of a head that has begun to come.
#[derive(Debug)]
pub(super) struct Head {
    /// How many requests were before it on its connection.
    pub(super) after: u64,
    first_line: usize,
    first_line_ended: bool,
    /// Is made when the head has not come at once, as nearly all do.
    late: Option<Pin<Box<Sleep>>>,
}

impl Head {
    pub(super) fn new(after: u64) -> Self {
        Self { after, first_line: 0, first_line_ended: false, late: None }
    }

    /// Some of it has come.
    pub(super) fn come(&mut self, bytes: &[u8]) {
        if !self.first_line_ended {
            let end = bytes.iter().position(|byte| *byte == b'\n');
            self.first_line = self.first_line.saturating_add(end.unwrap_or(bytes.len()));
            self.first_line_ended = end.is_some();
        }
    }

    /// Bytes of the request line, as far as it has come.
    pub(super) fn first_line(&self) -> usize {
        self.first_line
    }

    /// Begins to count, and sees to it that the connection is looked at when the time is over. Whether it is already.
    pub(super) fn must_come_within(&mut self, allowed: Duration, context: &mut Context<'_>) -> bool {
        let late = self.late.get_or_insert_with(|| Box::pin(sleep(allowed)));
        late.as_mut().poll(context).is_ready()
    }

    /// Whether the time is over.
    pub(super) fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        self.late.as_mut().is_some_and(|late| matches!(late.as_mut().poll(context), Poll::Ready(())))
    }
}
