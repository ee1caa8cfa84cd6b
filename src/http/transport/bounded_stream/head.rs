//! The head of a request on its way in: where it ends, how long it takes, and what is hidden from
//! the HTTP library.
//!
//! Three options of HTTP/1.1 are no business of the library, which would act on them before any
//! code of ours is asked:
//! - `Connection: upgrade` makes it close the connection after the answer without saying so. This
//!   server upgrades to nothing, and whoever offers it (Java and curl offer HTTP/2) must be able to
//!   go on (RFC 9110, 7.8).
//! - `Upgrade: websocket` makes it take all that follows for the body.
//! - `Expect: 100-continue` makes it ask for a body that the head alone may decide to refuse.
//!
//! So the last letter of such an option is changed on the way in, which makes it one that nobody
//! knows. [`restore`] undoes that for whoever looks at the headers later.

use actix_rt::time::{Sleep, sleep};
use actix_web::http::header::{HeaderMap, HeaderName, HeaderValue};
use memchr::memchr;
use std::{
    future::Future,
    pin::Pin,
    task::{Context, Poll},
    time::Duration,
};

/// Headers of which an option is hidden.
const HIDDEN: [(&str, &[u8]); 3] = [
    ("connection", b"upgrade"),
    ("upgrade", b"websocket"),
    (EXPECT, b"100-continue"),
];

const EXPECT: &str = "expect";

/// What the last letter of a hidden option becomes.
const MASK: u8 = b'_';

/// What is known of a head that is awaited or has begun to come.
#[derive(Debug)]
pub(super) struct Head {
    /// How many requests were before it on its connection.
    pub(super) after: u64,
    bytes: usize,
    /// Lines that have ended, without empty ones before the first.
    lines: usize,
    first_line: usize,
    /// Bytes of the line that is coming.
    line: usize,
    place: Place,
    whole: bool,
    options: Options,
    /// Is made when the head has not come at once, as nearly all do.
    late: Option<Pin<Box<Sleep>>>,
}

/// Options that stood in a head, and were hidden.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Options {
    /// Any of them.
    pub(crate) any: bool,
    /// `Expect: 100-continue`.
    pub(crate) expects_continue: bool,
}

/// What the next byte is part of.
#[derive(Clone, Copy, Debug)]
enum Place {
    /// A header's name, and for each of [`HIDDEN`] whether it may still become that.
    Name { possible: [bool; HIDDEN.len()] },
    /// The value of one of them, with as much of the option as the current word has of it.
    Value {
        hidden: usize,
        matched: Option<usize>,
    },
    /// Anything else.
    Other,
}

impl Head {
    pub(super) fn new(after: u64) -> Self {
        Self {
            after,
            bytes: 0,
            lines: 0,
            first_line: 0,
            line: 0,
            place: Place::Other,
            whole: false,
            options: Options::default(),
            late: None,
        }
    }

    /// Some bytes have come. Answers how many of them belong to the head; behind them it is over.
    pub(super) fn come(&mut self, bytes: &mut [u8]) -> usize {
        let mut taken = 0_usize;
        while !self.whole {
            let Some(rest) = bytes.get_mut(taken..).filter(|rest| !rest.is_empty()) else {
                break;
            };
            taken = taken.saturating_add(self.come_further(rest));
        }
        self.bytes = self.bytes.saturating_add(taken);
        taken
    }

    /// Takes a byte, or as much of a line as nobody asks for.
    fn come_further(&mut self, bytes: &mut [u8]) -> usize {
        if matches!(self.place, Place::Other) {
            let length = memchr(b'\n', bytes).unwrap_or(bytes.len());
            if let Some(text) = bytes.get(..length).filter(|text| !text.is_empty()) {
                self.count(text.strip_suffix(b"\r").unwrap_or(text).len());
                return length;
            }
        }

        match bytes.first_mut() {
            Some(b'\n') => self.end_line(),
            Some(byte) => self.step(byte),
            None => {}
        }

        1
    }

    /// Whether any of it has come.
    pub(super) fn has_begun(&self) -> bool {
        self.bytes > 0
    }

    /// Whether all of it has come.
    pub(super) fn is_whole(&self) -> bool {
        self.whole
    }

    /// Bytes that have come.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// Lines that have come.
    pub(super) fn lines(&self) -> usize {
        self.lines
    }

    /// Bytes of the request line, as far as it has come.
    pub(super) fn first_line(&self) -> usize {
        self.first_line
    }

    /// What was hidden.
    pub(super) fn options(&self) -> Options {
        self.options
    }

    /// Begins to count, and sees to it that the connection is looked at when the time is over.
    /// Whether it is already.
    pub(super) fn must_come_within(
        &mut self,
        allowed: Duration,
        context: &mut Context<'_>,
    ) -> bool {
        let late = self.late.get_or_insert_with(|| Box::pin(sleep(allowed)));
        late.as_mut().poll(context).is_ready()
    }

    /// Whether the time is over.
    pub(super) fn is_late(&mut self, context: &mut Context<'_>) -> bool {
        self.late
            .as_mut()
            .is_some_and(|late| matches!(late.as_mut().poll(context), Poll::Ready(())))
    }

    fn end_line(&mut self) {
        // The carriage return is not counted, so a line of one is empty too.
        if self.line > 0 {
            self.lines = self.lines.saturating_add(1);
        } else if self.lines > 0 {
            self.whole = true;
        }

        self.line = 0;
        self.place = if self.lines > 0 {
            Place::Name {
                possible: [true; HIDDEN.len()],
            }
        } else {
            Place::Other
        };
    }

    fn step(&mut self, byte: &mut u8) {
        if *byte == b'\r' {
            return;
        }

        match self.place {
            Place::Other => {}
            Place::Name { possible } => self.place = self.match_name(possible, *byte),
            Place::Value { hidden, matched } => {
                let matched = self.match_option(hidden, matched, byte);
                self.place = Place::Value { hidden, matched };
            }
        }

        self.count(1);
    }

    fn count(&mut self, bytes: usize) {
        self.line = self.line.saturating_add(bytes);
        if self.lines == 0 {
            self.first_line = self.line;
        }
    }

    /// What comes behind this byte of a name.
    fn match_name(&self, mut possible: [bool; HIDDEN.len()], byte: u8) -> Place {
        let mut complete = None;
        for (hidden, (possible, (name, _))) in possible.iter_mut().zip(HIDDEN).enumerate() {
            complete = complete
                .or((*possible && byte == b':' && name.len() == self.line).then_some(hidden));
            *possible &= name
                .as_bytes()
                .get(self.line)
                .is_some_and(|next| next.eq_ignore_ascii_case(&byte));
        }

        match complete {
            Some(hidden) => Place::Value {
                hidden,
                matched: Some(0),
            },
            None if possible.contains(&true) => Place::Name { possible },
            None => Place::Other,
        }
    }

    /// How much of the option the current word has with this byte.
    fn match_option(
        &mut self,
        hidden: usize,
        matched: Option<usize>,
        byte: &mut u8,
    ) -> Option<usize> {
        if matches!(*byte, b',' | b' ' | b'\t') {
            return Some(0);
        }

        let (name, option) = HIDDEN.get(hidden)?;
        option
            .get(matched?)
            .filter(|next| next.eq_ignore_ascii_case(byte))?;

        let matched = matched?.saturating_add(1);
        if matched < option.len() {
            return Some(matched);
        }

        *byte = MASK;
        self.options.any = true;
        self.options.expects_continue |= *name == EXPECT;

        None
    }
}

/// Shows what was hidden.
pub(crate) fn restore(headers: &mut HeaderMap) {
    for (name, option) in HIDDEN {
        let name = HeaderName::from_static(name);
        let values: Vec<_> = headers
            .get_all(&name)
            .map(|value| shown(value, option))
            .collect();
        headers.remove(&name);
        for value in values {
            headers.append(name.clone(), value);
        }
    }
}

fn shown(value: &HeaderValue, option: &[u8]) -> HeaderValue {
    let Some((last, rest)) = option.split_last() else {
        return value.clone();
    };

    let mut bytes = value.as_bytes().to_vec();
    for start in 0..bytes.len() {
        let Some(word) = bytes
            .get_mut(start..)
            .and_then(|rest| rest.get_mut(..option.len()))
        else {
            break;
        };

        if let Some((end, begin)) = word.split_last_mut()
            && *end == MASK
            && begin.eq_ignore_ascii_case(rest)
        {
            *end = *last;
        }
    }

    HeaderValue::from_bytes(&bytes).unwrap_or_else(|_| value.clone())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What of these bytes is the head, as the library gets it, whatever pieces they come in.
    fn come(text: &str) -> (String, Head) {
        let mut whole = text.as_bytes().to_vec();
        let mut head = Head::new(0);
        let taken = head.come(&mut whole);

        for length in 1..whole.len() {
            let (mut pieces, mut again, mut sum) = (text.as_bytes().to_vec(), Head::new(0), 0);
            for piece in pieces.chunks_mut(length) {
                sum += again.come(piece);
            }
            assert_eq!(
                (sum, again.options, again.whole),
                (taken, head.options, head.whole),
                "{length} of {text}"
            );
            assert_eq!(pieces, whole, "{length} of {text}");
        }

        (String::from_utf8(whole[..taken].to_vec()).unwrap(), head)
    }

    #[test]
    fn a_head_ends_at_its_empty_line() {
        for (text, end, lines) in [
            ("GET / HTTP/1.1\r\nhost: x\r\n\r\nGET", 27, 2),
            ("GET / HTTP/1.1\nhost: x\n\nbody\n\n", 24, 2),
            ("\r\n\n\r\nGET / HTTP/1.1\r\n\r\n\r\n", 23, 1),
        ] {
            let (taken, head) = come(text);
            assert!(
                head.is_whole() && taken.len() == end && head.lines() == lines,
                "{text:?}: {head:?}"
            );
            assert_eq!(
                (head.first_line(), head.options()),
                (14, Options::default()),
                "{text:?}"
            );
        }

        for text in [
            "",
            "\r\n\r\n",
            "GET / HTTP/1.1\r\n",
            "GET / HTTP/1.1\r\nhost: x\r\n\r",
        ] {
            assert!(!come(text).1.is_whole(), "{text:?}");
        }
    }

    #[test]
    fn options_that_are_none_of_the_librarys_business_are_hidden_and_can_be_restored() {
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
            let (taken, head) = come(&format!("GET / HTTP/1.1\r\n{line}\r\nhost: x\r\n\r\n"));
            assert_eq!(
                taken,
                format!("GET / HTTP/1.1\r\n{hidden}\r\nhost: x\r\n\r\n")
            );
            assert_eq!(
                head.options(),
                Options {
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
            restore(&mut headers);
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
    fn everything_else_passes_as_it_is() {
        for text in [
            "POST /upgrade HTTP/1.1\r\nx-connection: upgrade\r\nuonnection: upgrade\r\nconnectio: upgrade\r\n\r\n",
            "GET / HTTP/1.1\r\nconnection: upgrad, xupgrade, keep-alive\r\nupgrade: h2c\r\nexpect: 200-ok\r\n\r\n",
            "connection: upgrade\r\nx: y\r\n\r\n",
            "GET / HTTP/1.1\r\nx: a\r\n\r\nconnection: upgrade\r\n",
        ] {
            let (taken, head) = come(text);
            assert!(text.starts_with(&taken) && !head.options().any, "{taken}");
        }
    }
}
