//! The framing of a body: finds where it ends, so that the HTTP library gets nothing beyond it.
//!
//! The library decodes the body. What it would call malformed is malformed here too and is withheld
//! from it, because it would respond to that itself, after our own response.

/// The rest of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Framing {
    /// This many bytes.
    Length(u64),
    /// Chunks (RFC 9112, 7.1).
    Chunked(ChunkState),
    /// Malformed chunks, whose end cannot be found.
    Broken,
}

/// The position in a chunked body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ChunkState {
    /// The first digit of a chunk's size.
    Size,
    /// A further digit of the size, or the byte after it.
    Digits(u64),
    /// White space after the size.
    Space(u64),
    /// A chunk extension, which is ignored.
    Extension(u64),
    /// The line feed after the size.
    SizeEnd(u64),
    /// Data, with this many bytes left.
    Data(u64),
    /// The line break after the data.
    DataReturn,
    DataEnd,
    /// The beginning of a line after the last chunk.
    TrailerBegin,
    Trailer,
    TrailerEnd,
    /// The line feed of the final empty line.
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
    /// A chunked body from its first chunk.
    pub(crate) const CHUNKED: Self = Self::Chunked(ChunkState::Size);

    /// Returns how many of these bytes belong to the body, and the rest of the body after them.
    pub(crate) fn consume(self, bytes: &[u8]) -> (usize, Self) {
        match self {
            Self::Broken => (0, self),
            Self::Length(left) => {
                let taken = left.min(u64::try_from(bytes.len()).unwrap_or(u64::MAX));
                (
                    usize::try_from(taken).unwrap_or(bytes.len()),
                    Self::Length(left.saturating_sub(taken)),
                )
            }
            Self::Chunked(chunk) => consume_chunks(chunk, bytes),
        }
    }

    /// Limits a read so that it does not go beyond the end.
    pub(crate) fn limit_read(self, bytes: usize) -> usize {
        match self {
            Self::Length(left) => usize::try_from(left).unwrap_or(usize::MAX).min(bytes),
            Self::Chunked(_) | Self::Broken => bytes,
        }
    }
}

fn consume_chunks(mut chunk: ChunkState, bytes: &[u8]) -> (usize, Framing) {
    let mut taken = 0_usize;
    while let Some(rest) = bytes.get(taken..).filter(|rest| !rest.is_empty()) {
        if let ChunkState::Data(left) = chunk {
            let (some, Framing::Length(left)) = Framing::Length(left).consume(rest) else {
                break;
            };
            taken = taken.saturating_add(some);
            chunk = if left > 0 {
                ChunkState::Data(left)
            } else {
                ChunkState::DataReturn
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

impl ChunkState {
    /// The position after this byte. `None` if the byte is not allowed here.
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
            // Skipped as a whole by `consume_chunks`.
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

    fn consume(framing: Framing, text: &str) -> (usize, Framing) {
        let whole = framing.consume(text.as_bytes());
        for length in 1..text.len() {
            let (mut framing, mut taken) = (framing, 0);
            for piece in text.as_bytes().chunks(length) {
                let (some, next) = framing.consume(piece);
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
    fn body_of_known_length_ends_there() {
        assert_eq!(consume(Framing::Length(3), "abcGET"), (3, Framing::NONE));
        assert_eq!(consume(Framing::Length(3), "ab"), (2, Framing::Length(1)));
        assert_eq!(consume(Framing::NONE, "GET"), (0, Framing::NONE));
    }

    #[test]
    fn chunked_body_ends_with_its_empty_line() {
        for body in [
            "0\r\n\r\n",
            "3\r\nabc\r\n0\r\n\r\n",
            "1; x=y\r\n\n\r\n00 \r\na: b\r\nc: d\r\n\r\n",
        ] {
            assert_eq!(
                consume(Framing::CHUNKED, &format!("{body}GET / HTTP/1.1")),
                (body.len(), Framing::NONE),
                "{body:?}"
            );
        }
    }

    #[test]
    fn malformed_chunk_breaks_the_body_there() {
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
                consume(Framing::CHUNKED, body),
                (taken, Framing::Broken),
                "{body:?}"
            );
        }
    }
}
