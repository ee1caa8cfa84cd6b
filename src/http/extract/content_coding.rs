//! Content codings of request bodies (RFC 9110, 8.4): which there are, and how they are decoded
//! within bounds.
//!
//! What comes is bounded, what is made of it is too, and so is the ratio of the two: a few bytes
//! never become a great deal of work. Decoding is done beside the threads that serve, by so many at
//! once.

use crate::domain::{body::excerpt, rejection::Rejection};
use crate::http::{error::ApiError, state::AppState};
use actix_web::{
    http::header::{CONTENT_ENCODING, HeaderMap},
    web,
};
use flate2::{Decompress, FlushDecompress, Status, bufread::MultiGzDecoder};
use ruzstd::decoding::{StreamingDecoder, errors::FrameDecoderError};
use std::io::{self, Read};

/// What `Accept-Encoding` says.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// What decodes to no more than this is never too dense.
const MIN_DECODED: usize = 64 << 10;
/// Bytes that one byte may become. JSON that repeats itself much becomes a fiftieth.
const MAX_RATIO: usize = 100;
/// Codings above one another. Nobody has a use for two.
const MAX_CODINGS: usize = 3;
/// What a decoder of zstd must support, and so what an encoder may count on (RFC 8878, 3.1.1.1.2).
const MAX_ZSTD_WINDOW: u64 = 8 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Coding {
    Gzip,
    Deflate,
    Brotli,
    Zstd,
}

/// The codings of a body, in the order in which they were applied.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Codings(Vec<Coding>);

/// Why a body cannot be decoded.
#[derive(Debug, PartialEq, Eq)]
enum DecodeError {
    /// It would be larger than it may be.
    TooLarge,
    /// It is not of its coding, or not all of it.
    Malformed,
}

impl Codings {
    /// What the head says.
    ///
    /// # Errors
    /// One of them is unknown.
    pub(crate) fn of(headers: &HeaderMap) -> Result<Self, ApiError> {
        let mut codings = Vec::new();
        for header in headers.get_all(CONTENT_ENCODING) {
            let text = header.to_str().unwrap_or("?");
            let unsupported = || ApiError::UnsupportedCoding {
                found: excerpt(text),
            };

            for name in text
                .split(',')
                .map(str::trim)
                .filter(|name| !name.is_empty())
            {
                codings.extend(Coding::parse(name).ok_or_else(unsupported)?);
            }

            if codings.len() > MAX_CODINGS {
                return Err(unsupported());
            }
        }

        Ok(Self(codings))
    }

    /// What the body was before it was coded.
    ///
    /// # Errors
    /// It is not what it says it is, or more than `limit` bytes.
    pub(crate) async fn decode(
        self,
        body: web::BytesMut,
        limit: usize,
        state: &AppState,
    ) -> Result<web::BytesMut, ApiError> {
        if self.0.is_empty() {
            return Ok(body);
        }

        let permit = state.decoders.acquire().await?;
        let decoded = web::block(move || {
            let _held_until_done = permit;
            self.0.into_iter().rev().try_fold(body, |body, coding| {
                let most = limit.min(body.len().saturating_mul(MAX_RATIO).max(MIN_DECODED));
                let decoded = coding
                    .decode(&body, most)
                    .map_err(|error| coding.problem(&error, most, limit))?;
                Ok::<_, ApiError>(web::Bytes::from(decoded).into())
            })
        });

        decoded
            .await
            .map_err(|error| ApiError::Internal(error.to_string()))?
    }
}

impl Coding {
    /// The coding of this name; nothing for the one that changes nothing.
    fn parse(name: &str) -> Option<Option<Self>> {
        const NAMES: [(&str, Option<Coding>); 6] = [
            ("gzip", Some(Coding::Gzip)),
            ("x-gzip", Some(Coding::Gzip)),
            ("deflate", Some(Coding::Deflate)),
            ("br", Some(Coding::Brotli)),
            ("zstd", Some(Coding::Zstd)),
            ("identity", None),
        ];

        NAMES
            .into_iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(name))
            .map(|(_, coding)| coding)
    }

    fn name(self) -> &'static str {
        match self {
            Self::Gzip => "gzip",
            Self::Deflate => "deflate",
            Self::Brotli => "br",
            Self::Zstd => "zstd",
        }
    }

    fn problem(self, error: &DecodeError, most: usize, limit: usize) -> ApiError {
        match error {
            DecodeError::TooLarge if most < limit => ApiError::BodyTooDense { ratio: MAX_RATIO },
            DecodeError::TooLarge => ApiError::BodyTooLarge { limit },
            DecodeError::Malformed => Rejection::invalid(format!(
                "The body is not valid in 'Content-Encoding: {}'",
                self.name()
            ))
            .into(),
        }
    }

    fn decode(self, body: &[u8], most: usize) -> Result<Vec<u8>, DecodeError> {
        match self {
            Self::Gzip => read_all(MultiGzDecoder::new(body), most),
            Self::Deflate => inflate(body, most),
            Self::Brotli => unbrotli(body, most),
            Self::Zstd => unzstd(body, most),
        }
    }
}

fn read_all(from: impl Read, most: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoded = Vec::new();
    let one_more = u64::try_from(most).unwrap_or(u64::MAX).saturating_add(1);
    let read = from.take(one_more).read_to_end(&mut decoded);
    if decoded.len() > most {
        return Err(DecodeError::TooLarge);
    }
    read.map(|_| decoded)
        .map_err(|_malformed: io::Error| DecodeError::Malformed)
}

/// `deflate` is zlib's format; some send it without zlib's frame.
fn inflate(body: &[u8], most: usize) -> Result<Vec<u8>, DecodeError> {
    let framed = matches!(body, [first, second, ..]
        if first & 0x0f == 8 && u16::from_be_bytes([*first, *second]) % 31 == 0);
    let mut decoder = Decompress::new(framed);
    let mut decoded = Vec::with_capacity(body.len().saturating_mul(4).min(most));

    loop {
        let consumed = usize::try_from(decoder.total_in()).unwrap_or(usize::MAX);
        let rest = body.get(consumed..).unwrap_or_default();
        if decoded.len() == decoded.capacity() {
            decoded.reserve(MIN_DECODED);
        }

        let before = (decoder.total_in(), decoded.len());
        let status = decoder.decompress_vec(rest, &mut decoded, FlushDecompress::None);
        match status.map_err(|_malformed| DecodeError::Malformed)? {
            _ if decoded.len() > most => return Err(DecodeError::TooLarge),
            Status::StreamEnd => return Ok(decoded),
            Status::Ok | Status::BufError if (decoder.total_in(), decoded.len()) == before => {
                return Err(DecodeError::Malformed);
            }
            Status::Ok | Status::BufError => {}
        }
    }
}

fn unbrotli(body: &[u8], most: usize) -> Result<Vec<u8>, DecodeError> {
    // The mark of an extension that takes a gigabyte for its window; it is no `br` (RFC 7932, 9.1).
    const LARGE_WINDOW: u8 = 0b001_0001;
    if body
        .first()
        .is_some_and(|first| first & 0x7f == LARGE_WINDOW)
    {
        return Err(DecodeError::Malformed);
    }
    const BUFFER: usize = 4_096;
    read_all(brotli_decompressor::Decompressor::new(body, BUFFER), most)
}

/// Frame after frame.
fn unzstd(mut body: &[u8], most: usize) -> Result<Vec<u8>, DecodeError> {
    let mut decoded = Vec::new();
    loop {
        if let Some(skipped) = skippable_frame(body) {
            body = body.get(skipped..).ok_or(DecodeError::Malformed)?;
        } else {
            if zstd_window(body).is_none_or(|window| window > MAX_ZSTD_WINDOW) {
                return Err(DecodeError::Malformed);
            }
            let decoder = StreamingDecoder::new(&mut body);
            let decoder =
                decoder.map_err(|_malformed: FrameDecoderError| DecodeError::Malformed)?;
            decoded.append(&mut read_all(decoder, most.saturating_sub(decoded.len()))?);
        }

        if body.is_empty() {
            return Ok(decoded);
        }
    }
}

/// How long the frame is that holds nothing (RFC 8878, 3.1.2), if this is one.
fn skippable_frame(body: &[u8]) -> Option<usize> {
    let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = body else {
        return None;
    };
    usize::try_from(u32::from_le_bytes([*a, *b, *c, *d]))
        .ok()?
        .checked_add(8)
}

/// How much of what was decoded a frame looks back on (RFC 8878, 3.1.1.1).
fn zstd_window(body: &[u8]) -> Option<u64> {
    let [0x28, 0xb5, 0x2f, 0xfd, descriptor, rest @ ..] = body else {
        return None;
    };

    let is_single_segment = descriptor & 0b10_0000 != 0;
    if !is_single_segment {
        let window = rest.first()?;
        let base = 1_u64 << (10 + (window >> 3));
        return Some(base + base / 8 * u64::from(window & 7));
    }

    // The window is all of it, whose size stands behind the dictionary's id.
    let dictionary = [0, 1, 2, 4].get(usize::from(descriptor & 3))?;
    let size: &[u8] = rest.get(*dictionary..)?;
    let byte = |at: usize| size.get(at).copied().map(u64::from);
    let bytes = |count: usize| {
        (0..count)
            .rev()
            .try_fold(0, |sum, at| Some(sum << 8 | byte(at)?))
    };

    match descriptor >> 6 {
        0 => byte(0),
        1 => Some(bytes(2)? + 256),
        2 => bytes(4),
        _ => bytes(8),
    }
}

#[cfg(test)]
mod tests;
