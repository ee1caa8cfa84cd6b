//! Content codings of request bodies (RFC 9110, 8.4).
//!
//! The encoded size, the decoded size and their ratio are bounded, so that a few bytes never become
//! much work. Decoding runs on a bounded number of blocking threads.

use crate::domain::{body::excerpt, rejection::Rejection};
use crate::http::{error::ApiError, state::AppState};
use actix_web::{
    http::header::{CONTENT_ENCODING, HeaderMap},
    web,
};
use flate2::{Decompress, FlushDecompress, Status, bufread::MultiGzDecoder};
use ruzstd::decoding::{StreamingDecoder, errors::FrameDecoderError};
use std::io::{self, Read};

/// The value of `Accept-Encoding`.
pub(crate) const ACCEPTED: &str = "gzip, deflate, br, zstd";

/// The ratio does not matter up to this decoded size.
const MIN_DECODED: usize = 64 << 10;
/// Maximum ratio of decoded to encoded size. Very repetitive JSON reaches 50.
const MAX_RATIO: usize = 100;
/// Maximum number of nested codings. Real clients use one.
const MAX_CODINGS: usize = 3;
/// The window size that decoders must support (RFC 8878, 3.1.1.1.2).
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
    /// The decoded body would exceed the limit.
    TooLarge,
    /// The body is not valid in its coding, or incomplete.
    Malformed,
}

impl Codings {
    /// Parses the header.
    ///
    /// # Errors
    /// A coding is unknown, or there are too many.
    pub(crate) fn parse(headers: &HeaderMap) -> Result<Self, ApiError> {
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

    /// Decodes a body.
    ///
    /// # Errors
    /// The body is malformed, or has more than `limit` bytes.
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
            let _permit = permit;
            self.0.into_iter().rev().try_fold(body, |body, coding| {
                let most = limit.min(body.len().saturating_mul(MAX_RATIO).max(MIN_DECODED));
                let decoded = coding
                    .decode(&body, most)
                    .map_err(|error| coding.api_error(&error, most, limit))?;
                Ok::<_, ApiError>(web::Bytes::from(decoded).into())
            })
        });

        decoded
            .await
            .map_err(|error| ApiError::Internal(error.to_string()))?
    }
}

impl Coding {
    /// The coding with this name. `Some(None)` for `identity`.
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

    fn api_error(self, error: &DecodeError, most: usize, limit: usize) -> ApiError {
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

/// `deflate` is the zlib format; some clients send raw deflate without the zlib header.
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
    // The marker of an extension with windows of up to a gigabyte. It is not `br` (RFC 7932, 9.1).
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

/// Decodes all frames.
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

/// The length of a skippable frame (RFC 8878, 3.1.2), if the body begins with one.
fn skippable_frame(body: &[u8]) -> Option<usize> {
    let [0x50..=0x5f, 0x2a, 0x4d, 0x18, a, b, c, d, ..] = body else {
        return None;
    };
    usize::try_from(u32::from_le_bytes([*a, *b, *c, *d]))
        .ok()?
        .checked_add(8)
}

/// The window size of a frame (RFC 8878, 3.1.1.1).
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

    // The window is the whole content, whose size follows the dictionary id.
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
