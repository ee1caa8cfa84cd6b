//! Writes a whole store as text, as of one commit.

use super::{
    ArchiveError, Progress,
    format::{self, AccountLine},
    high_water_marks::count_live,
};
use crate::{
    domain::ids::AccountId,
    store::{
        AccountEntries, Collection, Snapshot, StoreError,
        collection::COLLECTIONS,
        trees::{Counters, Tree},
    },
};
use std::io::{self, Read, Write};

/// The result of [`export`].
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ExportSummary {
    /// Objects of all kinds.
    pub objects: u64,
}

/// Entries read from the engine at a time.
pub(super) const SCAN_CHUNK: usize = 256;

/// Writes all objects, without secrets and idempotency records. Equal stores give equal bytes,
/// whatever their history.
///
/// # Errors
/// The store cannot be read or is damaged, or `out` cannot be written.
pub fn export(
    snapshot: &Snapshot,
    out: &mut dyn Write,
    progress: &Progress,
) -> Result<ExportSummary, ArchiveError> {
    let accounts = accounts(snapshot)?;
    let live = accounts.iter().fold(0_u64, |sum, (_, counters)| {
        sum.saturating_add(counters.live)
    });

    progress.begin("exporting", live);
    format::write_header(out).map_err(ArchiveError::Output)?;
    for (line, _) in &accounts {
        format::write_account(out, line).map_err(ArchiveError::Output)?;
    }

    let mut exported = ExportSummary::default();
    for collection in COLLECTIONS {
        objects(snapshot, collection, out, progress, &mut exported)?;
    }

    // An export of a damaged store would silently lack what its index does not show.
    if exported.objects != live {
        let cause = format!(
            "the counters show {live} objects, but {} are indexed",
            exported.objects
        );
        return Err(StoreError::damaged(cause).into());
    }

    out.flush().map_err(ArchiveError::Output)?;
    progress.end();
    Ok(exported)
}

/// Writes the objects of one account, without secrets and idempotency records.
///
/// # Errors
/// The entries are damaged, or `out` cannot be written.
pub fn export_account(entries: &AccountEntries, out: &mut dyn Write) -> Result<(), ArchiveError> {
    format::write_header(out).map_err(ArchiveError::Output)?;
    for (key, value) in entries.tree(Tree::Accounts) {
        let (line, _) = account_line(key, value.as_ref())?;
        format::write_account(out, &line).map_err(ArchiveError::Output)?;
    }

    for collection in COLLECTIONS {
        for (_, record) in entries.records(collection) {
            format::write_object(out, collection, record).map_err(ArchiveError::Output)?;
        }
    }

    Ok(())
}

/// The number of lines that [`export`] writes for an undamaged store.
pub fn export_lines(snapshot: &Snapshot) -> u64 {
    let accounts = snapshot
        .scan_all(Tree::Accounts, SCAN_CHUNK)
        .fold(0_u64, |count, _| count.saturating_add(1));
    let objects = count_live(snapshot.scan_all(Tree::Accounts, SCAN_CHUNK));
    accounts.saturating_add(objects).saturating_add(1)
}

/// Copies an export that a running server sends, reporting `lines` steps.
///
/// # Errors
/// The connection broke off, or `out` cannot be written.
pub fn relay_export(
    mut input: impl Read,
    out: &mut dyn Write,
    lines: u64,
    progress: &Progress,
) -> Result<(), ArchiveError> {
    progress.begin("exporting", lines);
    let mut buffer = vec![0; 1 << 16];
    loop {
        let length = match input.read(&mut buffer) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
            outcome => outcome.map_err(ArchiveError::Input)?,
        };
        let Some(read) = buffer.get(..length).filter(|read| !read.is_empty()) else {
            break;
        };
        out.write_all(read).map_err(ArchiveError::Output)?;
        let ends = read.iter().filter(|byte| **byte == b'\n').count();
        progress.advance(ends.try_into().unwrap_or_default())?;
    }

    out.flush().map_err(ArchiveError::Output)?;
    progress.end();
    Ok(())
}

fn accounts(snapshot: &Snapshot) -> Result<Vec<(AccountLine, Counters)>, StoreError> {
    snapshot
        .scan_all(Tree::Accounts, SCAN_CHUNK)
        .map(|entry| {
            let (key, value) = entry?;
            account_line(&key, value.as_ref())
        })
        .collect()
}

fn account_line(key: &[u8], counters: &[u8]) -> Result<(AccountLine, Counters), StoreError> {
    let (sid, collection) = split_counters_key(key).ok_or_else(|| {
        StoreError::damaged(format!(
            "counters under a malformed key: {:?}",
            String::from_utf8_lossy(key)
        ))
    })?;
    let counters = Counters::decode(counters)?;
    let line = AccountLine {
        sid,
        collection,
        last_tiny_id: counters.last_tiny_id,
    };
    Ok((line, counters))
}

/// The account and collection of a key in `accounts`.
pub(super) fn split_counters_key(key: &[u8]) -> Option<(AccountId, Collection)> {
    let (sid, name) = std::str::from_utf8(key).ok()?.split_once('\0')?;
    let collection = COLLECTIONS
        .into_iter()
        .find(|collection| collection.name == name)?;
    Some((AccountId::parse(sid).ok()?, collection))
}

fn objects(
    snapshot: &Snapshot,
    collection: Collection,
    out: &mut dyn Write,
    progress: &Progress,
    exported: &mut ExportSummary,
) -> Result<(), ArchiveError> {
    for entry in snapshot.scan_all(collection.index, SCAN_CHUNK) {
        let (_, id) = entry?;
        let record = snapshot
            .get(collection.records, id.as_ref())?
            .ok_or_else(|| {
                let id = String::from_utf8_lossy(id.as_ref());
                StoreError::damaged(format!(
                    "the index of {} points to '{id}', which does not exist",
                    collection.name
                ))
            })?;
        format::write_object(out, collection, &record).map_err(ArchiveError::Output)?;
        exported.objects = exported.objects.saturating_add(1);
        progress.advance(1)?;
    }

    Ok(())
}
