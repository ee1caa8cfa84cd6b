//! Searching files for records, which the engine writes as they are.
//!
//! Nothing is known of where they begin, only how. One that is torn by a border of segments, or has
//! a wrong byte, is no JSON or not written as this program writes, and is not taken. Nor is what
//! looks like one within another, where a client may put anything, such as the record of an account
//! that is not its own: the engine writes its length before a value, and no JSON text ends like
//! that.

use super::{
    super::{ArchiveError, Progress},
    findings::{Findings, Origin},
};
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// How every record begins.
const RECORD_PREFIX: &[u8] = br#"{"sid":"acc_"#;
/// Bytes of a time and a digest.
const IDEMPOTENCY_HEADER_BYTES: usize = 40;
/// As many tell whether something is a value: a length, and what may stand between.
const MAX_VALUE_HEADER_BYTES: usize = IDEMPOTENCY_HEADER_BYTES + 5;
/// Read at once.
const WINDOW_BYTES: usize = 16 << 20;
/// Longer than any record of the default limits; a longer one may be missed where two windows meet.
const MAX_RECORD_BYTES: usize = 4 << 20;

/// Takes every record in the files of a store. Returns how many positions look like one and are none.
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

    // So much of the buffer was looked at and is there because of what stands behind it.
    let mut seen = 0;
    loop {
        let wanted = WINDOW_BYTES.saturating_sub(buffer.len());
        let read = (&mut file)
            .take(wanted.try_into().unwrap_or(u64::MAX))
            .read_to_end(&mut buffer)
            .map_err(&unreadable)?;

        progress.advance(read.try_into().unwrap_or_default())?;
        let is_end = read < wanted;
        // What begins behind this is looked at with what follows.
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

/// Takes the records that begin from `position` on and before `until`.
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
        // Most bytes are no brace, so this is all that most of them cost.
        let brace = bytes.get(from..)?.iter().position(|byte| *byte == b'{')?;
        let start = from.saturating_add(brace);
        if bytes.get(start..)?.starts_with(RECORD_PREFIX) {
            return Some(start);
        }
        from = start.saturating_add(1);
    }
}

/// The values that may begin here: as long as the engine says before them, or remembered answers,
/// which have a time and a digest before them.
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

/// The numbers that these bytes may end with, as the engine writes them.
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
    fn numbers_are_read_as_the_engine_writes_them() {
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
    fn no_text_before_an_object_ends_with_a_length() {
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
