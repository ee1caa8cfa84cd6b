//! Searching files for records, which the engine writes as they are.
//!
//! Nothing is known of where they begin, only how. One that is torn by a border of segments, or has a wrong byte, is no JSON or not written
//! as this program writes, and is not taken.

use super::{
    super::{MoveError, Progress},
    findings::{Findings, Origin},
};
use serde_json::value::RawValue;
use std::{
    fs::{self, File},
    io::{self, Read},
    path::{Path, PathBuf},
};

/// How every record begins.
const BEGINNING: &[u8] = br#"{"sid":"acc_"#;
/// Read at once.
const WINDOW: usize = 16 << 20;
/// Longer than any record of the default limits; a longer one may be missed where two windows meet.
const LONGEST: usize = 4 << 20;

/// Takes every record in the files of a store. Returns how many places look like one and are none.
///
/// # Errors
/// A file cannot be read.
pub(super) fn carve(folder: &Path, findings: &mut Findings, progress: &Progress) -> Result<u64, MoveError> {
    let files = files_below(folder).map_err(MoveError::file(folder, "read"))?;
    progress.begin("searching", files.iter().fold(0, |sum, (_, length)| sum.saturating_add(*length)));
    let mut torn = 0_u64;
    for (path, _) in files {
        let found = search(&path, findings, progress)?;
        torn = torn.saturating_add(found);
    }
    progress.end();
    Ok(torn)
}

fn files_below(folder: &Path) -> io::Result<Vec<(PathBuf, u64)>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let entry = entry?;
        if entry.file_type()?.is_dir() {
            files.extend(files_below(&entry.path())?);
        } else {
            files.push((entry.path(), entry.metadata()?.len()));
        }
    }
    files.sort();
    Ok(files)
}

fn search(path: &Path, findings: &mut Findings, progress: &Progress) -> Result<u64, MoveError> {
    let unreadable = MoveError::file(path, "read");
    let (mut file, mut buffer, mut torn) = (File::open(path).map_err(&unreadable)?, Vec::new(), 0_u64);
    loop {
        let wanted = WINDOW.saturating_sub(buffer.len());
        let read =
            (&mut file).take(wanted.try_into().unwrap_or(u64::MAX)).read_to_end(&mut buffer).map_err(&unreadable)?;
        progress.advance(read.try_into().unwrap_or_default())?;
        let is_end = read < wanted;
        // What begins behind this is looked at with what follows.
        let until = if is_end { buffer.len() } else { buffer.len().saturating_sub(LONGEST) };
        torn = torn.saturating_add(take_records(&buffer, until, findings));
        if is_end {
            return Ok(torn);
        }
        buffer.drain(..until);
    }
}

/// Takes the records that begin before `until`.
fn take_records(buffer: &[u8], until: usize, findings: &mut Findings) -> u64 {
    let (mut position, mut torn) = (0, 0_u64);
    while let Some(found) = buffer.get(position..).and_then(find_beginning) {
        let start = position.saturating_add(found);
        if start >= until {
            break;
        }
        let rest = buffer.get(start..).unwrap_or_default();
        let record = record_at(rest).filter(|record| findings.add(record, Origin::File));
        if record.is_none() {
            torn = torn.saturating_add(1);
        }
        position = start.saturating_add(record.map_or(BEGINNING.len(), <[u8]>::len));
    }
    torn
}

fn find_beginning(bytes: &[u8]) -> Option<usize> {
    let mut from = 0_usize;
    loop {
        // Most bytes are no brace, so this is all that most of them cost.
        let brace = bytes.get(from..)?.iter().position(|byte| *byte == b'{')?;
        let start = from.saturating_add(brace);
        if bytes.get(start..)?.starts_with(BEGINNING) {
            return Some(start);
        }
        from = start.saturating_add(1);
    }
}

/// The JSON value that begins here.
fn record_at(bytes: &[u8]) -> Option<&[u8]> {
    let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<&RawValue>();
    values.next()?.ok().map(|value| value.get().as_bytes())
}
