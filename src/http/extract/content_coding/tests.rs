//! What the decoders take and refuse. That requests are decoded is seen in `tests/api/codings.rs`.

use super::*;
use flate2::{Compression, write};
use std::io::Write;

const TEXT: &[u8] = br#"{"name":"x","type":"email","destination_ids":[]}"#;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = write::GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zlib(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = write::ZlibEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn raw_deflate(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = write::DeflateEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

fn zstd(bytes: &[u8]) -> Vec<u8> {
    ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest)
}

/// Not compressed at all: blocks as they are (RFC 7932, 9.2), each of at most 64 KiB.
fn brotli(bytes: &[u8]) -> Vec<u8> {
    let mut coded = Bits::default();
    coded.push(0, 1);
    for block in bytes.chunks(1 << 16) {
        coded.push(0, 1);
        coded.push(0, 2);
        coded.push(u32::try_from(block.len() - 1).unwrap(), 16);
        coded.push(1, 1);
        coded.align();
        coded.bytes.extend_from_slice(block);
    }

    coded.push(0b11, 2);
    coded.bytes
}

/// Bits, the least first.
#[derive(Default)]
struct Bits {
    bytes: Vec<u8>,
    used: u32,
}

impl Bits {
    fn push(&mut self, value: u32, count: u32) {
        for at in 0..count {
            if self.used.is_multiple_of(8) {
                self.bytes.push(0);
            }
            *self.bytes.last_mut().unwrap() |= u8::from(value >> at & 1 == 1) << (self.used % 8);
            self.used += 1;
        }
    }

    fn align(&mut self) {
        self.used = self.used.next_multiple_of(8);
    }
}

type Encode = fn(&[u8]) -> Vec<u8>;

fn all() -> [(Coding, Encode); 5] {
    [
        (Coding::Gzip, gzip),
        (Coding::Deflate, zlib),
        (Coding::Deflate, raw_deflate),
        (Coding::Brotli, brotli),
        (Coding::Zstd, zstd),
    ]
}

#[test]
fn what_was_coded_is_decoded_whatever_its_length() {
    let long: Vec<u8> = (0..300_000_u32)
        .flat_map(|number| number.wrapping_mul(number).to_le_bytes())
        .collect();
    for (coding, encode) in all() {
        for text in [&b""[..], b"{", TEXT, &long] {
            let decoded = coding.decode(&encode(text), text.len()).unwrap();
            assert!(decoded == text, "{coding:?} of {} bytes", text.len());
        }
    }
}

#[test]
fn what_would_be_larger_than_it_may_is_refused_before_it_is_decoded_whole() {
    let zeros = vec![0; 64 << 20];
    for (coding, encode) in all()
        .into_iter()
        .filter(|(coding, _)| *coding != Coding::Brotli)
    {
        assert_eq!(
            coding.decode(&encode(&zeros), 1 << 20),
            Err(DecodeError::TooLarge),
            "{coding:?}"
        );
        assert_eq!(
            coding.decode(&encode(TEXT), TEXT.len() - 1),
            Err(DecodeError::TooLarge),
            "{coding:?}"
        );
    }

    assert_eq!(
        Coding::Brotli.decode(&brotli(TEXT), TEXT.len() - 1),
        Err(DecodeError::TooLarge)
    );
}

#[test]
fn what_is_cut_off_or_changed_is_malformed() {
    for (coding, encode) in all() {
        let coded = encode(TEXT);
        for end in 0..coded.len() {
            let decoded = coding.decode(&coded[..end], 1 << 20);
            assert_eq!(
                decoded,
                Err(DecodeError::Malformed),
                "{coding:?} cut at {end} of {}",
                coded.len()
            );
        }
    }

    for coding in [Coding::Gzip, Coding::Deflate, Coding::Brotli, Coding::Zstd] {
        assert_eq!(
            coding.decode(TEXT, 1 << 20),
            Err(DecodeError::Malformed),
            "{coding:?}"
        );
    }
}

#[test]
fn frames_one_behind_another_are_one_body() {
    let twice = [TEXT, TEXT].concat();
    assert_eq!(
        Coding::Gzip
            .decode(&[gzip(TEXT), gzip(TEXT)].concat(), 1 << 20)
            .unwrap(),
        twice
    );

    let skipped = b"\x5a\x2a\x4d\x18\x03\0\0\0abc".to_vec();
    let frames = [skipped.clone(), zstd(TEXT), skipped, zstd(TEXT)].concat();
    assert_eq!(Coding::Zstd.decode(&frames, twice.len()).unwrap(), twice);
    assert_eq!(
        Coding::Zstd.decode(&frames, twice.len() - 1),
        Err(DecodeError::TooLarge)
    );
}

#[test]
fn a_window_that_takes_much_memory_is_refused() {
    for window in [0b1011_0000_u8, 0xff] {
        let frame = [0x28, 0xb5, 0x2f, 0xfd, 0, window, 1, 0, 0];
        assert_eq!(
            Coding::Zstd.decode(&frame, 1 << 20),
            Err(DecodeError::Malformed),
            "{window}"
        );
    }

    let single_segment_of_16_mebibytes = [0x28, 0xb5, 0x2f, 0xfd, 0b1010_0000, 0, 0, 0, 1, 1, 0, 0];
    assert_eq!(zstd_window(&single_segment_of_16_mebibytes), Some(16 << 20));
    assert_eq!(
        Coding::Zstd.decode(&single_segment_of_16_mebibytes, 1 << 20),
        Err(DecodeError::Malformed)
    );
    assert_eq!(
        Coding::Brotli.decode(&[0x11, 30, 0, 0], 1 << 20),
        Err(DecodeError::Malformed)
    );
}
