//! Carves records out of files, in which the engine stores them as plain JSON.
//!
//! Where a record begins is unknown; how it begins is not. A record torn by a segment boundary or
//! with a wrong byte does not parse or is not in canonical form, and is skipped. So is text inside
//! another record that looks like a record, which a client may have put there to impersonate
//! another account: the engine writes a length before each value, and no JSON text ends with one.

use super::{
    super::{ArchiveError, Progress},
    findings::{Findings, Origin},
};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// The first bytes of every record.
const RECORD_PREFIX: &[u8] = br#"{"sid":"acc_"#;
/// Bytes of a time and a digest, before a stored response.
const IDEMPOTENCY_HEADER_BYTES: usize = 40;
/// Bytes before a record that decide whether it is a value: the encoded length, and the header of a
/// stored response.
const MAX_VALUE_HEADER_BYTES: usize = IDEMPOTENCY_HEADER_BYTES + 5;
/// Bytes read at a time.
const WINDOW_BYTES: usize = 16 << 20;
/// Longer than any record within the default limits. A longer one may be missed where two windows
/// meet.
const MAX_RECORD_BYTES: usize = 4 << 20;

/// Collects every record in the files of a store. Returns the number of places that look like a
/// record but are not one.
///
/// # Errors
/// A file cannot be read.
pub(super) fn carve(
    folder: &Path,
    findings: &mut Findings,
    progress: &Progress,
) -> Result<u64, ArchiveError> {
    let files = list_files(folder).map_err(ArchiveError::file(folder, "read"))?;
    progress.begin(
        "searching",
        files
            .iter()
            .fold(0, |sum, (_, length)| sum.saturating_add(*length)),
    );

    let mut torn = 0_u64;
    for (path, _) in files {
        let found = search(&path, findings, progress)?;
        torn = torn.saturating_add(found);
    }

    progress.end();
    Ok(torn)
}

fn list_files(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(list_files(&entry.path())?);
        } else {
            files.push((entry.path(), entry.metadata()?.len()));
        }
    }
    files.sort();
    Ok(files)
}

fn search(path: &Path, findings: &mut Findings, progress: &Progress) -> Result<u64, ArchiveError> {
    let unreadable = ArchiveError::file(path, "read");
    let (mut file, mut buffer, mut torn) =
        (File::open(path).map_err(&unreadable)?, Vec::new(), 0_u64);

    // Bytes at the start of the buffer that were searched already and only give context.
    let mut seen = 0;
    loop {
        let wanted = WINDOW_BYTES.saturating_sub(buffer.len());
        let read = (&mut file)
            .take(wanted.try_into().unwrap_or(u64::MAX))
            .read_to_end(&mut buffer)
            .map_err(&unreadable)?;

        progress.advance(read.try_into().unwrap_or_default())?;
        let is_end = read < wanted;
        // Records that begin later are searched with the next window.
        let until = if is_end {
            buffer.len()
        } else {
            buffer.len().saturating_sub(MAX_RECORD_BYTES)
        };

        torn = torn.saturating_add(take_records(&buffer, seen, until, findings));
        if is_end {
            return Ok(torn);
        }

        seen = until.min(MAX_VALUE_HEADER_BYTES);
        buffer.drain(..until.saturating_sub(seen));
    }
}

/// Collects the records that begin in `position..until`.
fn take_records(buffer: &[u8], mut position: usize, until: usize, findings: &mut Findings) -> u64 {
    let mut torn = 0_u64;
    while let Some(found) = buffer.get(position..).and_then(find_beginning) {
        let start = position.saturating_add(found);
        if start >= until {
            break;
        }
        let (before, rest) = buffer.split_at_checked(start).unwrap_or_default();
        let record = values_at(before, rest).find(|value| findings.add(value, Origin::File));
        if record.is_none() {
            torn = torn.saturating_add(1);
        }
        position = start.saturating_add(record.map_or(RECORD_PREFIX.len(), <[u8]>::len));
    }

    torn
}

fn find_beginning(bytes: &[u8]) -> Option<usize> {
    let mut from = 0_usize;
    loop {
        // Hot path: most bytes are no brace.
        let brace = bytes.get(from..)?.iter().position(|byte| *byte == b'{')?;
        let start = from.saturating_add(brace);
        if bytes.get(start..)?.starts_with(RECORD_PREFIX) {
            return Some(start);
        }
        from = start.saturating_add(1);
    }
}

/// The values that may begin here: with the length that precedes them, or stored responses, which
/// also have a time and a digest before them.
fn values_at<'a>(before: &[u8], rest: &'a [u8]) -> impl Iterator<Item = &'a [u8]> + use<'a> {
    let answer = before
        .len()
        .checked_sub(IDEMPOTENCY_HEADER_BYTES)
        .and_then(|end| before.get(..end))
        .unwrap_or_default();
    let answers = lengths_before(answer)
        .into_iter()
        .map(|length| length.saturating_sub(IDEMPOTENCY_HEADER_BYTES));
    let lengths = lengths_before(before).into_iter().chain(answers);

    lengths
        .filter_map(|length| rest.get(..length))
        .filter(|value| value.ends_with(b"}"))
}

/// The lengths that these bytes may end with, in the engine's encoding.
fn lengths_before(bytes: &[u8]) -> Vec<usize> {
    let mut numbers = Vec::new();
    if let Some((_, &[number @ ..=240])) = bytes.split_last_chunk() {
        numbers.push(number.into());
    }

    if let Some((_, &[first @ 241..=248, second])) = bytes.split_last_chunk() {
        numbers.push(usize::from(first - 241) * 256 + usize::from(second) + 240);
    }

    if let Some((_, &[249, first, second])) = bytes.split_last_chunk() {
        numbers.push(usize::from(first) * 256 + usize::from(second) + 2_288);
    }

    if let Some((_, &[250, first, second, third])) = bytes.split_last_chunk() {
        numbers.push(
            u32::from_le_bytes([first, second, third, 0])
                .try_into()
                .unwrap_or(usize::MAX),
        );
    }

    if let Some((_, &[251, first, second, third, fourth])) = bytes.split_last_chunk() {
        numbers.push(
            u32::from_le_bytes([first, second, third, fourth])
                .try_into()
                .unwrap_or(usize::MAX),
        );
    }

    numbers
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lengths_are_decoded_as_the_engine_encodes_them() {
        let folder = tempfile::tempdir().unwrap();
        let db = sled::Config::new().path(folder.path()).open().unwrap();
        let lengths = [200, 240, 241, 300, 2_287, 2_288, 67_823, 67_824, 100_000];

        for (number, length) in lengths.into_iter().enumerate() {
            let value = format!("{{{}{number}}}", "x".repeat(length - 3));
            db.insert(format!("key {number}"), value.as_bytes())
                .unwrap();
        }

        db.flush().unwrap();
        let log = fs::read(folder.path().join("db")).unwrap();
        for (number, length) in lengths.into_iter().enumerate() {
            let value = format!("{{{}{number}}}", "x".repeat(length - 3));
            let mut positions =
                (0..log.len()).filter(|start| log[*start..].starts_with(value.as_bytes()));
            let found = positions.any(|start| {
                values_at(&log[..start], &log[start..]).any(|found| found == value.as_bytes())
            });
            assert!(found, "{length}");
        }
    }

    #[test]
    fn json_text_before_an_object_is_not_taken_for_a_length() {
        let object = format!(r#"{{"sid":"acc_x","merge":"{}"}}"#, "x".repeat(300));
        for before in ["\"meta\":", "[1,", "{\"π\":[", "\"\u{10ffff}\": "] {
            assert!(
                !values_at(before.as_bytes(), object.as_bytes())
                    .any(|found| found == object.as_bytes()),
                "{before}"
            );
        }
    }
}
