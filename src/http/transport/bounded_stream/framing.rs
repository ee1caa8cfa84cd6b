//! How much of what a client sends belongs to the body of a request.
//!
//! The HTTP library reads the body; this only finds its end, so that the library is given nothing
//! beyond it. What it would call malformed is malformed here too, and is not given to it: it would
//! answer that by itself, behind the answer of ours.

/// What of a body has not come yet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// So many bytes.
    Length(u64),
    /// Chunks (RFC 9112, 7.1).
    Chunked(Chunk),
    /// No end can be found, since what has come is not well-formed.
    Broken,
}

/// What the next byte of a chunked body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Chunk {
    /// The first digit of a chunk's size.
    Size,
    /// A further digit, or what ends them.
    Digits(u64),
    /// White space behind the size.
    Space(u64),
    /// Something behind the size that nobody asks for.
    Extension(u64),
    /// The end of the line of the size.
    SizeEnd(u64),
    /// Data, of which so many bytes are left.
    Data(u64),
    /// The line break behind the data.
    DataReturn,
    DataEnd,
    /// The beginning of a line behind the last chunk.
    TrailerBegin,
    Trailer,
    TrailerEnd,
    /// The end of the empty line at the end.
    LastEnd,
}

impl Default for Framing {
    fn default() -> Self {
        Self::NONE
    }
}

impl Framing {
    /// No body, or the end of one.
    pub(crate) const NONE: Self = Self::Length(0);
    /// Chunks from the first.
    pub(crate) const CHUNKED: Self = Self::Chunked(Chunk::Size);

    /// How many of these bytes belong to the body, and what is left of it behind them.
    pub(super) fn take(self, bytes: &[u8]) -> (usize, Self) {
        match self {
            Self::Broken => (0, self),
            Self::Length(left) => {
                let taken = left.min(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                (
                    usize::try_from(taken).unwrap_or(bytes.len()),
                    Self::Length(left.saturating_sub(taken)),
                )
            }
            Self::Chunked(chunk) => take_chunks(chunk, bytes),
        }
    }

    /// The most bytes that may be read without reading beyond the end.
    pub(super) fn at_most(self, bytes: usize) -> usize {
        match self {
            Self::Length(left) => usize::try_from(left).unwrap_or(usize::MAX).min(bytes),
            Self::Chunked(_) | Self::Broken => bytes,
        }
    }
}

fn take_chunks(mut chunk: Chunk, bytes: &[u8]) -> (usize, Framing) {
    let mut taken = 0_usize;
    while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
        if let Chunk::Data(left) = chunk {
            let (some, Framing::Length(left)) = Framing::Length(left).take(rest) else {
                break;
            };
            taken = taken.saturating_add(some);
            chunk = if left > 0 {
                Chunk::Data(left)
            } else {
                Chunk::DataReturn
            };
            continue;
        }

        match rest.first().and_then(|byte| chunk.step(*byte)) {
            Some(Framing::Chunked(next)) => chunk = next,
            Some(end) => return (taken.saturating_add(1), end),
            None => return (taken, Framing::Broken),
        }

        taken = taken.saturating_add(1);
    }

    (taken, Framing::Chunked(chunk))
}

impl Chunk {
    /// What comes behind this byte; nothing when the byte cannot stand here.
    fn step(self, byte: u8) -> Option<Framing> {
        let next = match (self, byte) {
            (Self::Size, _) => Self::Digits(digit(byte)?),
            (Self::Digits(size) | Self::Space(size), b'\t' | b' ') => Self::Space(size),
            (Self::Digits(size) | Self::Space(size), b';') => Self::Extension(size),
            (Self::Digits(size) | Self::Space(size) | Self::Extension(size), b'\r') => {
                Self::SizeEnd(size)
            }
            (Self::Digits(size), _) => {
                Self::Digits(size.checked_mul(16)?.checked_add(digit(byte)?)?)
            }
            (Self::Extension(_), 0x00..=0x08 | 0x0a..=0x1f | 0x7f) | (Self::Space(_), _) => {
                return None;
            }
            (Self::Extension(size), _) => Self::Extension(size),
            (Self::SizeEnd(0), b'\n') | (Self::TrailerEnd, b'\n') => Self::TrailerBegin,
            (Self::SizeEnd(size), b'\n') => Self::Data(size),
            // It is stepped over as a whole.
            (Self::Data(_), _) => return None,
            (Self::DataReturn, b'\r') => Self::DataEnd,
            (Self::DataEnd, b'\n') => Self::Size,
            (Self::TrailerBegin, b'\r') => Self::LastEnd,
            (Self::Trailer, b'\r') => Self::TrailerEnd,
            (Self::TrailerBegin | Self::Trailer, _) => Self::Trailer,
            (Self::LastEnd, b'\n') => return Some(Framing::NONE),
            (
                Self::SizeEnd(_)
                | Self::DataReturn
                | Self::DataEnd
                | Self::TrailerEnd
                | Self::LastEnd,
                _,
            ) => return None,
        };

        Some(Framing::Chunked(next))
    }
}

fn digit(byte: u8) -> Option<u64> {
    char::from(byte).to_digit(16).map(u64::from)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn take(framing: Framing, text: &str) -> (usize, Framing) {
        let whole = framing.take(text.as_bytes());
        for length in 1..text.len() {
            let (mut framing, mut taken) = (framing, 0);
            for piece in text.as_bytes().chunks(length) {
                let (some, next) = framing.take(piece);
                (framing, taken) = (next, taken + some);
                if some < piece.len() {
                    break;
                }
            }
            assert_eq!((taken, framing), whole, "{text:?} by {length}");
        }

        whole
    }

    #[test]
    fn a_body_of_known_length_ends_there() {
        assert_eq!(take(Framing::Length(3), "abcGET"), (3, Framing::NONE));
        assert_eq!(take(Framing::Length(3), "ab"), (2, Framing::Length(1)));
        assert_eq!(take(Framing::NONE, "GET"), (0, Framing::NONE));
    }

    #[test]
    fn chunks_end_with_the_empty_line_behind_the_last() {
        for body in [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "1; x=y\r\n\n\r\n00 \r\na: b\r\nc: d\r\n\r\n",
        ] {
            assert_eq!(
                take(Framing::CHUNKED, &format!("{body}GET / HTTP/1.1")),
                (body.len(), Framing::NONE),
                "{body:?}"
            );
        }
    }

    #[test]
    fn what_is_not_well_formed_is_broken_and_all_before_it_is_taken() {
        for (body, taken) in [
            ("x", 0),
            ("\r\n", 0),
            ("1\n", 1),
            ("1 2\r\n", 2),
            ("1;\u{1}", 2),
            ("1\r\nab", 4),
            ("1\r\na\rb", 5),
            ("fffffffffffffffff", 16),
            ("0\r\n\rx", 4),
        ] {
            assert_eq!(
                take(Framing::CHUNKED, body),
                (taken, Framing::Broken),
                "{body:?}"
            );
        }
    }
}
