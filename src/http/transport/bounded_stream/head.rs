//! The head of a request while it arrives: where it ends, its timeout, and the masking of options.

use crate::http::transport::masking::{LinePart, MaskedOptions};
use actix_rt::time::{Sleep, sleep};
use memchr::{memchr, memchr_iter};
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// A head that is expected or arriving.
#[derive(Debug)]
pub(super) struct Head {
    /// The number of requests before it on its connection.
    pub(super) request_number: u64,
    bytes: usize,
    /// Complete lines, without empty ones before the request line.
    lines: usize,
    first_line: usize,
    /// Bytes of the current line.
    line: usize,
    part: LinePart,
    /// Whether the request line has been prepared for the library.
    has_request_line: bool,
    is_complete: bool,
    options: MaskedOptions,
    /// Created only if the head does not arrive at once, as nearly all do.
    timeout: Option<Pin<Box<Sleep>>>,
}

impl Head {
    pub(super) fn new(request_number: u64) -> Self {
        Self {
            request_number,
            bytes: 0,
            lines: 0,
            first_line: 0,
            line: 0,
            part: LinePart::Other,
            has_request_line: false,
            is_complete: false,
            options: MaskedOptions::default(),
            timeout: None,
        }
    }

    /// Receives bytes and masks options in them. Returns how many belong to the head: fewer than
    /// all when it ends among them.
    pub(super) fn receive(&mut self, bytes: &mut [u8]) -> usize {
        let mut received = 0_usize;
        while !self.is_complete {
            let Some(rest) = bytes.get_mut(received..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            received = received.saturating_add(self.receive_some(rest));
        }
        self.bytes = self.bytes.saturating_add(received);
        received
    }

    /// Receives one byte, or the rest of a line in which nothing is masked.
    fn receive_some(&mut self, bytes: &mut [u8]) -> usize {
        if matches!(self.part, LinePart::Other) {
            let length = memchr(b'\n', bytes).unwrap_or(bytes.len());
            if let Some(text) = bytes.get(..length).filter(|text| !text.is_empty()) {
                // Not counted here either: the end of the head must not depend on packets.
                let returns = memchr_iter(b'\r', text).count();
                self.count(text.len().saturating_sub(returns));
                return length;
            }
        }

        match bytes.first_mut() {
            Some(b'\n') => self.end_line(),
            // Not counted, so a line of nothing else is empty too.
            Some(b'\r') | None => {}
            Some(byte) => {
                self.part = self.part.advance(self.line, byte, &mut self.options);
                self.count(1);
            }
        }

        1
    }

    pub(super) fn has_begun(&self) -> bool {
        self.bytes > 0
    }

    /// Whether the request line has still to be prepared for the library.
    pub(super) fn awaits_request_line(&self) -> bool {
        !self.has_request_line
    }

    pub(super) fn end_request_line(&mut self) {
        self.has_request_line = true;
    }

    pub(super) fn is_complete(&self) -> bool {
        self.is_complete
    }

    /// Bytes received.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Complete lines received.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Bytes of the request line received.
    pub(super) fn first_line(&self) -> usize {
        self.first_line
    }

    /// The options that were masked.
    pub(super) fn options(&self) -> MaskedOptions {
        self.options
    }

    /// Starts the timeout, unless it is running, and registers the task to be woken by it. Returns
    /// whether it has elapsed.
    pub(super) fn start_timeout(&mut self, timeout: Duration, context: &mut Context<'_>) -> bool {
        let timeout = self.timeout.get_or_insert_with(|| Box::pin(sleep(timeout)));
        timeout.as_mut().poll(context).is_ready()
    }

    /// Whether the timeout has elapsed.
    pub(super) fn has_timed_out(&mut self, context: &mut Context<'_>) -> bool {
        self.timeout
            .as_mut()
            .is_some_and(|timeout| matches!(timeout.as_mut().poll(context), Poll::Ready(())))
    }

    fn end_line(&mut self) {
        if self.line > 0 {
            self.lines = self.lines.saturating_add(1);
        } else if self.lines > 0 {
            self.is_complete = true;
        }

        self.line = 0;
        self.part = if self.lines > 0 {
            LinePart::HEADER
        } else {
            LinePart::Other
        };
    }

    fn count(&mut self, bytes: usize) {
        self.line = self.line.saturating_add(bytes);
        if self.lines == 0 {
            self.first_line = self.line;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::transport::masking::unmask;
    use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};

    /// The head among these bytes as the library gets it, which must not depend on packet lengths.
    fn receive(text: &str) -> (String, Head) {
        let mut whole = text.as_bytes().to_vec();
        let mut head = Head::new(0);
        let taken = head.receive(&mut whole);

        for length in 1..whole.len() {
            let (mut pieces, mut again, mut sum) = (text.as_bytes().to_vec(), Head::new(0), 0);
            for piece in pieces.chunks_mut(length) {
                sum += again.receive(piece);
            }
            assert_eq!(
                (sum, again.options, again.is_complete),
                (taken, head.options, head.is_complete),
                "{length} of {text}"
            );
            assert_eq!(pieces, whole, "{length} of {text}");
        }

        (String::from_utf8(whole[..taken].to_vec()).unwrap(), head)
    }

    #[test]
    fn head_ends_at_its_empty_line() {
        for (text, end, lines) in [
            ("GET / HTTP/1.1\r\nhost: x\r\n\r\nGET", 27, 2),
            ("GET / HTTP/1.1\nhost: x\n\nbody\n\n", 24, 2),
            ("\r\n\n\r\nGET / HTTP/1.1\r\n\r\n\r\n", 23, 1),
            ("\r\r\nGET / HTTP/1.1\r\n\r\r\n\r\n", 22, 1),
        ] {
            let (taken, head) = receive(text);
            assert!(
                head.is_complete() && taken.len() == end && head.lines() == lines,
                "{text:?}: {head:?}"
            );
            assert_eq!(
                (head.first_line(), head.options()),
                (14, MaskedOptions::default()),
                "{text:?}"
            );
        }

        for text in [
            "",
            "\r\n\r\n",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\n\r",
        ] {
            assert!(!receive(text).1.is_complete(), "{text:?}");
        }
    }

    #[test]
    fn options_are_masked_and_can_be_unmasked() {
        for (line, hidden, expects) in [
            (
                "Connection: Upgrade, HTTP2-Settings",
                "Connection: Upgrad_, HTTP2-Settings",
                false,
            ),
            (
                "connection:keep-alive,\tUPGRADE",
                "connection:keep-alive,\tUPGRAD_",
                false,
            ),
            ("Upgrade: websocket", "Upgrade: websocke_", false),
            ("EXPECT: 100-Continue", "EXPECT: 100-Continu_", true),
        ] {
            let (taken, head) = receive(&format!("GET / HTTP/1.1\r\n{line}\r\nhost: x\r\n\r\n"));
            assert_eq!(
                taken,
                format!("GET / HTTP/1.1\r\n{hidden}\r\nhost: x\r\n\r\n")
            );
            assert_eq!(
                head.options(),
                MaskedOptions {
                    any: true,
                    expects_continue: expects
                },
                "{line}"
            );
            let value =
                |line: &str| HeaderValue::from_str(line.split_once(':').unwrap().1.trim()).unwrap();
            let name = HeaderName::from_bytes(line.split_once(':').unwrap().0.as_bytes()).unwrap();
            let mut headers = HeaderMap::new();
            headers.append(name.clone(), value(hidden));
            unmask(&mut headers);
            assert!(
                headers
                    .get(&name)
                    .unwrap()
                    .as_bytes()
                    .eq_ignore_ascii_case(value(line).as_bytes()),
                "{headers:?}"
            );
        }
    }

    #[test]
    fn other_options_are_not_masked() {
        for text in [
            "POST /upgrade HTTP/1.1\r\nx-connection: upgrade\r\nuonnection: upgrade\r\nconnectio: upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\nconnection: upgrad, xupgrade, keep-alive\r\nupgrade: h2c\r\nexpect: 200-ok\r\n\r\n",
            "connection: upgrade\r\nx: y\r\n\r\n",
            "GET / HTTP/1.1\r\nx: a\r\n\r\nconnection: upgrade\r\n",
        ] {
            let (taken, head) = receive(text);
            assert!(text.starts_with(&taken) && !head.options().any, "{taken}");
        }
    }
}
